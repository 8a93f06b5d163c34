//! What is seen of traffic: metrics, the access log, and answers of the gateway's own.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::path::PathBuf;
use std::time::Duration;

use daemun_proxy::access_log::{self, Destination};
use daemun_testkit::gateway::settings;
use daemun_testkit::{Act, Backend, Gateway, Http2, Raw, ports, raw, within, yaml};

/// A gateway that writes an access log, with a backend and a rule for everything.
struct Observed {
    port: u16,
    backend: Backend,
    gateway: Gateway,
    log: PathBuf,
}

impl Observed {
    async fn start(name: &str, policy: &str) -> Self {
        let port = ports::free();
        let backend = Backend::start("echo").await;
        let log = std::env::temp_dir().join(format!("daemun-{}-{name}.log", std::process::id()));
        let objects = [
            yaml::gateway(port),
            yaml::backend("echo", &backend),
            yaml::route_all("all", "echo"),
            yaml::listener_policy(policy),
        ];
        let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        let settings = daemun_proxy::Settings {
            access_log: Some(access_log::Settings {
                destination: Destination::File(log.clone()),
                ..access_log::Settings::default()
            }),
            ..settings()
        };
        let gateway = Gateway::start_with(settings, &yaml::documents(&objects)).await;
        Self {
            port,
            backend,
            gateway,
            log,
        }
    }

    fn metrics(&mut self) -> String {
        let mut text = String::new();
        let metrics = self.gateway.proxy().metrics();
        metrics.write(&mut text).unwrap();
        text
    }

    /// The value of the line that begins so; 0 without one.
    fn metric(&mut self, name: &str, labels: &str) -> f64 {
        let text = self.metrics();
        let mut lines = text
            .lines()
            .filter(|line| line.starts_with(name) && line.contains(labels));
        let value = lines.next().and_then(|line| line.rsplit_once(' '));
        value.map_or(0.0, |(_, value)| value.parse().unwrap())
    }

    /// The lines of the access log, when there are as many.
    async fn lines(&self, count: usize) -> Vec<serde_json::Value> {
        let read = async {
            loop {
                let text = std::fs::read_to_string(&self.log).unwrap_or_default();
                if text.lines().count() >= count {
                    let lines = text.lines().map(serde_json::from_str);
                    return lines.collect::<Result<_, _>>().unwrap();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within("lines of the access log", read).await
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.log);
    }
}

#[tokio::test]
async fn requests_are_counted_where_they_went() {
    let mut world = Observed::start("counted", "proxyStatus: Error").await;
    assert!(!world.metrics().contains("daemun_rule_requests_total{"));
    let mut client = Raw::connect(world.port).await;
    for status in [200, 200, 404, 503] {
        world.backend.plan([Act::Status(status)]);
        let body = [("content-length", "0")];
        let answer = client.request("POST", "example.org", "/", &body).await;
        assert_eq!(answer.status, status);
    }
    for kind in ["listener", "rule", "backend"] {
        let name = format!("daemun_{kind}_requests_total");
        for (class, count) in [("2xx", 2.0), ("4xx", 1.0), ("5xx", 1.0)] {
            let labels = format!("class=\"{class}\"");
            assert_eq!(world.metric(&name, &labels), count, "{kind} {class}");
        }
        let name = format!("daemun_{kind}_request_duration_seconds_count");
        assert_eq!(world.metric(&name, ""), 4.0);
    }
    assert_eq!(world.metric("daemun_client_connections_total", ""), 1.0);
    assert_eq!(world.metric("daemun_client_connections_open", ""), 1.0);
    assert_eq!(world.metric("daemun_backend_connects_total", ""), 1.0);
    assert_eq!(world.metric("daemun_backend_endpoints", ""), 1.0);
    assert_eq!(world.metric("daemun_requests_in_flight", ""), 0.0);
}

#[tokio::test]
async fn what_is_no_request_is_counted_too() {
    let mut world = Observed::start("malformed", "proxyStatus: Error").await;
    for bytes in ["GET / HTTP/1.1\r\nHost : x\r\n\r\n", "\u{1}\u{2}\r\n\r\n"] {
        let mut client = Raw::connect(world.port).await;
        client.send(bytes).await;
        assert!(client.closed().await || client.rest().await.starts_with(b"HTTP/1.1 400"));
    }
    let counted = async {
        while world.metric("daemun_client_connection_errors_total", "malformed") < 2.0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within("the count of malformed requests", counted).await;
}

#[tokio::test]
async fn one_line_tells_of_each_request() {
    let world = Observed::start("lines", "proxyStatus: Error").await;
    let answer = raw::get(world.port, "example.org", "/a/b?token=1").await;
    assert_eq!(answer.status, 200);
    let id = world
        .backend
        .last()
        .header("x-request-id")
        .unwrap()
        .to_owned();
    assert_eq!(
        raw::get(world.port, "example.org", "/%zz").await.status,
        400
    );
    let lines = world.lines(2).await;
    let of = |path: &str| lines.iter().find(|line| line["path"] == path).unwrap();
    let passed = of("/a/b");
    for (field, value) in [
        ("client", "127.0.0.1"),
        ("method", "GET"),
        ("host", "example.org"),
        ("answered_by", "backend"),
        ("request_id", &id),
    ] {
        assert_eq!(passed[field], value, "{passed}");
    }
    assert_eq!(
        (&passed["status"], &passed["tries"]),
        (&200.into(), &1.into())
    );
    assert!(passed["route"].as_str().unwrap().starts_with("HTTPRoute "));
    assert!(!passed.to_string().contains("token"), "{passed}");
    let refused = of("/%zz");
    assert_eq!(refused["answered_by"], "gateway");
    assert_eq!(refused["reason"], "bad_target");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_a_line_without_a_status() {
    let world = Observed::start("gone", "proxyStatus: Error").await;
    world.backend.always(Act::Hang);
    let client = Http2::connect(world.port).await;
    tokio::select! {
        answer = client.get("example.org", "/") => daemun_testkit::fail(&format!("{answer:?}")),
        // Dropping the request resets its stream.
        () = world.backend.until(1) => {}
    }
    let lines = world.lines(1).await;
    assert_eq!(lines[0]["status"], 0, "{}", lines[0]);
    assert_eq!(lines[0]["answered_by"], "nobody");
}

#[tokio::test]
async fn proxy_status_tells_as_much_as_it_may() {
    for (policy, parts) in [
        ("proxyStatus: Off", &[][..]),
        (
            "proxyStatus: Error",
            &["daemun; error=http_request_error; request-id=\""],
        ),
        (
            "proxyStatus: Full",
            &[
                "daemun; error=http_request_error; details=\"",
                "the path has a \\\"%\\\"",
                "; request-id=\"",
            ],
        ),
    ] {
        let world = Observed::start("status", policy).await;
        let answer = raw::get(world.port, "example.org", "/%zz").await;
        let said = answer.header("proxy-status");
        assert_eq!(said.is_some(), !parts.is_empty());
        for part in parts {
            assert!(said.unwrap().contains(part), "{said:?}");
        }
    }
}
