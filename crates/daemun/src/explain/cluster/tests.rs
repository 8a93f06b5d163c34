//! What is told about a cluster of which not everything can be seen.

use daemun_controller::glimpse::{Glimpse, Recorded, Said};
use daemun_controller::source::files::read_text;
use daemun_model::names::{ObjectName, ObjectRef};
use daemun_proxy::admin::{Form, Question};
use daemun_translate::{Cluster, Home, Settings, translate};

use super::answer;

const CLASS: &str = "
kind: GatewayClass
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: daemun}
spec: {controllerName: gateway.daemun.dev/controller}
";

fn gateway(name: &str) -> String {
    format!(
        "---
kind: Gateway
apiVersion: gateway.networking.k8s.io/v1
metadata: {{name: {name}, namespace: infra}}
spec:
  gatewayClassName: daemun
  listeners: [{{name: http, port: 80, protocol: HTTP, allowedRoutes: {{namespaces: {{from: All}}}}}}]
"
    )
}

fn route(name: &str, gateway: &str, path: &str) -> String {
    format!(
        "---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1
metadata: {{name: {name}, namespace: shop}}
spec:
  parentRefs: [{{name: {gateway}, namespace: infra}}]
  rules: [{{matches: [{{path: {{value: {path}}}}}], backendRefs: [{{name: orders, port: 8080}}]}}]
"
    )
}

fn glimpse(yaml: &str) -> Glimpse {
    let (objects, problems) = read_text("cluster", yaml);
    assert!(problems.is_empty(), "{problems:?}");
    let mut cluster = Cluster {
        settings: Settings {
            home: Home::Kubernetes,
            ..Settings::default()
        },
        ..Cluster::default()
    };
    for object in objects {
        cluster.insert(object);
    }
    Glimpse {
        outcome: translate(&cluster),
        cluster,
        ..Glimpse::default()
    }
}

fn told(glimpse: &Glimpse, gateway: Option<&str>, url: &str) -> String {
    asked(glimpse, gateway, url).unwrap()
}

fn asked(glimpse: &Glimpse, gateway: Option<&str>, url: &str) -> Result<String, String> {
    let question = Question {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
    };
    answer(glimpse, gateway, &question, Form::Text)
}

#[test]
fn of_several_gateways_the_one_whose_route_takes_the_request_is_told() {
    let yaml = [
        CLASS,
        &gateway("a"),
        &gateway("b"),
        &gateway("c"),
        &route("orders", "b", "/orders"),
        &route("other", "c", "/"),
    ];
    let glimpse = glimpse(&yaml.concat());
    let text = told(&glimpse, None, "http://x.example/orders/1");
    assert!(text.contains("Gateway infra/b, listener http"), "{text}");
    assert!(
        text.contains("Other Gateways that take it at their own addresses: infra/c"),
        "{text}"
    );
    let text = told(&glimpse, Some("infra/c"), "http://x.example/orders/1");
    assert!(text.contains("HTTPRoute shop/other, rule 1"), "{text}");
    let text = told(&glimpse, None, "http://x.example/nothing");
    assert!(text.contains("Gateway infra/c, listener http"), "{text}");
}

#[test]
fn a_gateway_that_cannot_be_seen_is_presumed_and_that_is_said() {
    let mut glimpse = glimpse(&route("orders", "web", "/orders"));
    let why = asked(&glimpse, None, "https://x.example/orders").unwrap_err();
    assert!(
        why.starts_with("What becomes of the request cannot be told"),
        "{why}"
    );
    let said = Said {
        kind: "Accepted".to_owned(),
        status: "True".to_owned(),
        reason: "Accepted".to_owned(),
        message: String::new(),
    };
    let recorded = Recorded {
        parent: "Gateway infra/web".to_owned(),
        section: None,
        conditions: vec![said],
    };
    let route = ObjectRef::new("HTTPRoute", ObjectName::new("shop", "orders"));
    glimpse.recorded.insert(route, vec![recorded]);
    let text = told(&glimpse, None, "https://x.example/orders");
    assert!(text.starts_with("https :443 *"), "{text}");
    assert!(text.contains("HTTPRoute shop/orders, rule 1"), "{text}");
    assert!(
        text.contains("What could not be seen:\n  Gateway infra/web: it is there"),
        "{text}"
    );
}
