//! What is seen of a Gateway's way in, and what is done about it: a private Gateway that gets a public address serves
//! nothing any more within two seconds, says why, and opens again by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use daemun_base::clock;
use daemun_controller::provision::{Address, Place};
use daemun_model::names::ObjectName;
use http::Method;
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::{Controller, controller, ours};

/// How long it may take until what must not be reached is not.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A Gateway on a cloud built on OpenStack.
fn world() -> Fake {
    let fake = ours();
    fake.put("nodes", node("openstack:///1", &[]));
    fake
}

fn node(provider: &str, addresses: &[(&str, &str)]) -> Value {
    let addresses = addresses.iter();
    let addresses: Vec<Value> = addresses
        .map(|(kind, address)| json!({"type": kind, "address": address}))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"},
        "spec": {"providerID": provider}, "status": {"addresses": addresses},
    })
}

/// What is made for the Gateway, with what its load balancer shows.
fn service(ingress: &[Value]) -> Value {
    let mut shown = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "namespace": "n", "name": "gw-daemun",
            "labels": {"app.kubernetes.io/managed-by": "daemun"},
            "annotations": {
                "gateway.daemun.dev/gateway": "gw",
                "gateway.daemun.dev/controller-name": "gateway.daemun.dev/controller",
            },
            "ownerReferences": [{
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "name": "gw",
                "uid": "uid of n/gw", "controller": true,
            }],
        },
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80, "nodePort": 30080}]},
    });
    shown["status"] = json!({"loadBalancer": {"ingress": ingress}});
    shown
}

/// The Gateway's Service, with what its load balancer shows.
fn show(fake: &Fake, controller: &Controller, ingress: &[Value]) -> Instant {
    fake.delete("services", "n/gw-daemun");
    fake.put("services", service(ingress));
    let address = |it: &Value| {
        let ip = it["ip"].as_str().map(|ip| Address::Ip(ip.parse().unwrap()));
        ip.unwrap_or_else(|| Address::Name(it["hostname"].as_str().unwrap().to_owned()))
    };
    let place = Place {
        addresses: ingress.iter().map(address).collect(),
        ..Place::default()
    };
    let places = [(ObjectName::new("n", "gw"), Arc::new(place))].into();
    controller.provisioned.send_replace(Arc::new(places));
    clock::now()
}

fn condition(fake: &Fake, kind: &str) -> Value {
    let gateway = fake.get("gateways", "n/gw");
    let conditions = gateway["status"]["conditions"].as_array().cloned();
    let mut conditions = conditions.unwrap_or_default().into_iter();
    conditions
        .find(|condition| condition["type"] == kind)
        .unwrap_or_default()
}

/// `status reason` of `ReachVerified`, which is about what was put last.
fn reach(fake: &Fake) -> String {
    let reach = condition(fake, "gateway.daemun.dev/ReachVerified");
    let text = |field: &str| reach[field].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("status"), text("reason"))
}

fn shown(fake: &Fake) -> Value {
    fake.get("gateways", "n/gw")["status"]["addresses"].clone()
}

fn metric(controller: &Controller, line: &str) -> bool {
    let mut text = String::new();
    controller.metrics.write(&mut text).unwrap();
    text.lines().any(|written| written == line)
}

const CLOSED: &str = "daemun_gateway_closed{namespace=\"n\",gateway=\"gw\"} 1";
const OPEN: &str = "daemun_gateway_closed{namespace=\"n\",gateway=\"gw\"} 0";

#[tokio::test]
async fn a_public_address_closes_at_once_and_going_away_opens() {
    let fake = world();
    let controller = controller(&fake);
    fake.until("it waits", |fake| reach(fake) == "Unknown Pending")
        .await;
    assert!(metric(&controller, CLOSED));
    show(&fake, &controller, &[json!({"ip": "10.0.0.1"})]);
    fake.until("it agrees", |fake| {
        reach(fake) == "True Private" && !shown(fake).is_null()
    })
    .await;
    assert!(metric(&controller, OPEN));

    // A floating IP comes beside it.
    let both = [json!({"ip": "10.0.0.1"}), json!({"ip": "114.110.160.100"})];
    let since = show(&fake, &controller, &both);
    fake.until("it is closed", |_| metric(&controller, CLOSED))
        .await;
    let took = clock::now() - since;
    assert!(took < AT_ONCE, "{took:?}");
    fake.until("it is said", |fake| reach(fake) == "False Mixed")
        .await;
    let programmed = condition(&fake, "Programmed");
    assert_eq!(programmed["status"], "False");
    assert_eq!(programmed["reason"], "AddressNotUsable");
    let message = programmed["message"].as_str().unwrap();
    for part in [
        "Service n/gw-daemun",
        "114.110.160.100 (Public)",
        "exposure.reach: Public",
        "--private-ranges",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(shown(&fake), Value::Null, "nobody is sent there");
    assert!(controller.readiness.is_ready());
    assert!(metric(
        &controller,
        "daemun_gateway_reach{namespace=\"n\",gateway=\"gw\",verified=\"False\",class=\"Mixed\"} 1"
    ));
    fake.until("an event says it", |fake| {
        let events = fake.all("events");
        let mut events = events.iter();
        events.any(|event| event["reason"] == "ReachViolated" && event["type"] == "Warning")
    })
    .await;
    assert!(fake.count(&Method::POST, "/namespaces/n/events") > 0);

    show(&fake, &controller, &[json!({"ip": "10.0.0.1"})]);
    fake.until("it is open again", |fake| {
        metric(&controller, OPEN) && reach(fake) == "True Private" && !shown(fake).is_null()
    })
    .await;
}

#[tokio::test]
async fn a_name_is_looked_up_before_anything_is_served() {
    let fake = world();
    let controller = controller(&fake);
    let named = |name: &str| [json!({"hostname": name})];
    show(&fake, &controller, &named("nobody-knows.example.com"));
    fake.until("it is not known", |fake| {
        reach(fake) == "Unknown Unresolved"
    })
    .await;
    assert!(metric(&controller, CLOSED));
    assert_eq!(shown(&fake), Value::Null);
    show(&fake, &controller, &named("10-0-0-1.example.com"));
    fake.until("it agrees", |fake| {
        reach(fake) == "True Private" && !shown(fake).is_null()
    })
    .await;
    assert!(metric(&controller, OPEN));
    show(&fake, &controller, &named("114-110-160-100.example.com"));
    fake.until("it is closed", |fake| reach(fake) == "False Public")
        .await;
    assert!(metric(&controller, CLOSED));
    assert_eq!(shown(&fake), Value::Null);
}

#[tokio::test]
async fn at_the_start_names_are_looked_up_before_anything_is_closed_for_them() {
    let fake = world();
    fake.put(
        "services",
        service(&[json!({"hostname": "10-0-0-1.slow.example.com"})]),
    );
    let controller = controller(&fake);
    fake.until("it is open", |_| {
        assert!(!metric(&controller, CLOSED), "it was closed");
        metric(&controller, OPEN)
    })
    .await;
}

#[tokio::test]
async fn another_service_with_the_gateways_annotation_says_nothing() {
    let fake = world();
    let controller = controller(&fake);
    fake.put(
        "services",
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "namespace": "n", "name": "somebodys",
                "annotations": {"gateway.daemun.dev/gateway": "gw"},
            },
            "spec": {"type": "LoadBalancer"},
            "status": {"loadBalancer": {"ingress": [{"ip": "114.110.160.100"}]}},
        }),
    );
    show(&fake, &controller, &[json!({"ip": "10.0.0.1"})]);
    fake.until("it agrees", |fake| reach(fake) == "True Private")
        .await;
}

#[tokio::test]
async fn nodes_outside_of_the_network_are_warned_of() {
    let fake = ours();
    fake.put(
        "nodes",
        node("openstack:///1", &[("ExternalIP", "10.8.0.7")]),
    );
    let controller = controller(&fake);
    show(&fake, &controller, &[json!({"ip": "10.0.0.1"})]);
    fake.until("an event says it", |fake| {
        let events = fake.all("events");
        let mut events = events.iter();
        events.any(|event| {
            let note = event["note"].as_str().unwrap_or_default();
            event["reason"] == "NodesReachable" && note.contains("node n1 has the address 10.8.0.7")
        })
    })
    .await;
    assert_eq!(reach(&fake), "True Private", "it is no load balancer's");
    fake.until("the condition says it, too", |fake| {
        let verified = condition(fake, "gateway.daemun.dev/ReachVerified");
        let message = verified["message"].as_str().unwrap_or_default();
        message.contains("node n1 has the address 10.8.0.7")
    })
    .await;
}

#[tokio::test]
async fn without_a_right_to_see_nodes_the_gateway_says_so() {
    let fake = world();
    fake.forbid("list nodes", true);
    let controller = controller(&fake);
    let accepted = |fake: &Fake| {
        let accepted = condition(fake, "Accepted");
        let message = accepted["message"].as_str().unwrap_or_default();
        (accepted["status"].clone(), message.to_owned())
    };
    fake.until("it says so", |fake| {
        let (status, message) = accepted(fake);
        status == "False"
            && message.contains("may not list nodes")
            && message.contains("exposure: {provider:")
    })
    .await;
    assert!(controller.readiness.is_ready(), "all else works");
    fake.forbid("list nodes", false);
    fake.until("it goes on with the right", |fake| {
        accepted(fake).0 == "True"
    })
    .await;
}
