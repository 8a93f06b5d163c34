//! The text that is scraped: whole, in shape, and with sums over workers.

use std::collections::HashSet;
use std::time::Duration;

use daemun_model::names::{
    BackendKey, BackendKind, ListenerKey, ListenerOwner, ObjectName, RouteKey, RouteKind,
};

use crate::observe::metrics::{Metrics, Source};
use crate::observe::series::Ended;

fn metrics() -> Metrics {
    Metrics::start(3, None).unwrap()
}

fn text(metrics: &Metrics) -> String {
    let mut text = String::new();
    metrics.write(&mut text).unwrap();
    text
}

fn ended(status: u16, milliseconds: u64) -> Ended {
    Ended {
        status,
        lasted: Duration::from_millis(milliseconds),
        received: 2,
        sent: 10,
    }
}

fn gateway() -> ObjectName {
    ObjectName::new("infra", "shop")
}

fn listener() -> ListenerKey {
    ListenerKey {
        owner: ListenerOwner::Gateway,
        object: gateway(),
        name: "http".to_owned(),
    }
}

fn route() -> RouteKey {
    RouteKey {
        kind: RouteKind::Http,
        name: ObjectName::new("shop", "orders"),
    }
}

#[test]
fn series_are_summed_over_workers_and_appear_on_first_use() {
    let metrics = metrics();
    let registry = metrics.registry();
    let of_listener = registry.listener(&gateway(), &listener());
    let named = registry.rule(&gateway(), &route(), 0, Some("a\"b\\c\nd"));
    let unused = registry.rule(&gateway(), &route(), 1, None);
    let key = BackendKey {
        kind: BackendKind::Service,
        name: ObjectName::new("shop", "orders"),
        port: 80,
        transport: Default::default(),
    };
    let backend = registry.backend(&gateway(), &key);
    for (worker, status, milliseconds) in [(0, 200, 1), (1, 200, 3), (2, 503, 60_000), (0, 0, 0)] {
        let ended = ended(status, milliseconds);
        of_listener.of(worker).unwrap().count(&ended);
        named.of(worker).unwrap().count(&ended);
        backend.of(worker).unwrap().traffic.count(&ended);
    }
    let text = text(&metrics);
    for line in [
        r#"daemun_listener_requests_total{gateway="infra/shop",listener="infra/shop/http",class="2xx"} 2"#,
        r#"daemun_listener_requests_total{gateway="infra/shop",listener="infra/shop/http",class="aborted"} 1"#,
        r#"daemun_listener_sent_bytes_total{gateway="infra/shop",listener="infra/shop/http"} 40"#,
        r#"daemun_listener_request_duration_seconds_bucket{gateway="infra/shop",listener="infra/shop/http",le="0.0005"} 1"#,
        r#"daemun_listener_request_duration_seconds_bucket{gateway="infra/shop",listener="infra/shop/http",le="0.001"} 2"#,
        r#"daemun_listener_request_duration_seconds_bucket{gateway="infra/shop",listener="infra/shop/http",le="30.0"} 3"#,
        r#"daemun_listener_request_duration_seconds_bucket{gateway="infra/shop",listener="infra/shop/http",le="+Inf"} 4"#,
        r#"daemun_listener_request_duration_seconds_sum{gateway="infra/shop",listener="infra/shop/http"} 60.004"#,
        r#"daemun_rule_requests_total{gateway="infra/shop",kind="HTTPRoute",route="shop/orders",rule="a\"b\\c\nd",class="5xx"} 1"#,
        r#"daemun_rule_request_duration_seconds_count{gateway="infra/shop",kind="HTTPRoute",route="shop/orders",rule="a\"b\\c\nd"} 4"#,
        r#"daemun_backend_received_bytes_total{gateway="infra/shop",kind="Service",backend="shop/orders",port="80"} 8"#,
    ] {
        assert!(
            text.lines().any(|one| one == line),
            "{line} is not in\n{text}"
        );
    }
    assert!(
        !text.contains("rule=\"1\""),
        "a rule without requests has no lines"
    );
    drop(unused);
}

/// What every parser of OpenMetrics relies on.
#[test]
fn the_text_is_open_metrics() {
    let metrics = metrics();
    let of_listener = metrics.registry().listener(&gateway(), &listener());
    of_listener.of(0).unwrap().count(&ended(200, 1));
    metrics.worker(0).handshake_failed("not_tls");
    metrics.worker(1).handshake_failed("something new");
    let text = text(&metrics);
    assert!(text.ends_with("\n# EOF\n"));
    let mut families = HashSet::new();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().unwrap().to_owned();
            assert!(families.insert(family.clone()), "{family} comes twice");
        } else if let Some(rest) = line
            .strip_prefix("# TYPE ")
            .or_else(|| line.strip_prefix("# UNIT "))
        {
            assert!(rest.starts_with(&format!("{family} ")), "{line}");
        } else if line != "# EOF" {
            assert!(line.starts_with(&family), "{line} is not of {family}");
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok() && !name.is_empty(), "{line}");
        }
    }
    for line in [
        "daemun_tls_handshakes_failed_total{reason=\"not_tls\"} 1",
        "daemun_tls_handshakes_failed_total{reason=\"other\"} 1",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn an_object_that_changes_keeps_its_series_and_one_that_goes_loses_it() {
    let metrics = metrics();
    let registry = metrics.registry();
    let before = registry.rule(&gateway(), &route(), 0, None);
    before.of(0).unwrap().count(&ended(200, 1));
    let after = registry.rule(&gateway(), &route(), 0, None);
    drop(before);
    registry.prune();
    assert!(text(&metrics).contains("daemun_rule_requests_total"));
    drop(after);
    registry.prune();
    assert!(!text(&metrics).contains("daemun_rule_requests_total{"));
}

#[test]
fn configurations_and_floods_are_counted() {
    let metrics = metrics();
    metrics.compiled(&daemun_model::Configuration::default(), std::iter::empty());
    metrics.source(Source {
        accepted: 3,
        refused: 1,
        problems: vec![("Syntax".to_owned(), 2)],
    });
    let text = text(&metrics);
    assert!(text.contains("daemun_configuration_changes_total{result=\"accepted\"} 3\n"));
    assert!(text.contains("daemun_configuration_changes_total{result=\"refused\"} 1\n"));
    assert!(text.contains("daemun_configuration_problems{reason=\"Syntax\"} 2\n"));

    let worker = metrics.worker(0);
    let told: Vec<_> = [0, 0, 5, 9, 10, 11, 30]
        .map(|now| worker.to_be_told(3, now))
        .into();
    assert_eq!(told, [Some(0), None, None, None, Some(3), None, Some(1)]);
    assert_eq!(worker.to_be_told(4, 11), Some(0));
}
