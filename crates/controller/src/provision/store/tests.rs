//! What counts as made for a Gateway.

use serde_json::{Value, json};

use super::*;

fn settings() -> Settings {
    Settings {
        controller: "gateway.daemun.dev/controller".to_owned(),
        image: String::new(),
        image_pull_policy: None,
        pull_secrets: Vec::new(),
        wire: String::new(),
        namespaces: None,
        rolling: 1,
    }
}

/// A Service that says all that Daemun's have, with these owners.
fn service(name: &str, owners: &Value) -> Event {
    Event::There(Box::new(Seen {
        kind: Kind::Service,
        object: json!({
            "metadata": {
                "name": name, "namespace": "infra", "uid": name,
                "labels": {names::MANAGED_BY: names::MANAGER},
                "annotations": {
                    names::OF_GATEWAY: "shop",
                    names::OF_CONTROLLER: "gateway.daemun.dev/controller",
                },
                "ownerReferences": owners,
            },
            "spec": {"type": "LoadBalancer"},
        }),
    }))
}

#[test]
fn what_only_says_that_it_is_a_gateways_is_not_around_it() {
    let shop = ObjectName::new("infra", "shop");
    let owner = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "name": "shop",
        "uid": "1", "controller": true,
    });
    let with = |field: &str, value: Value| {
        let mut owner = owner.clone();
        owner[field] = value;
        json!([owner])
    };
    let mut store = Store::new(0);
    for (name, owners) in [
        ("shop-daemun", json!([owner.clone()])),
        ("no-owner", json!([])),
        ("not-its-own", with("controller", json!(false))),
        ("another", with("name", json!("other"))),
        ("another-kind", with("kind", json!("Service"))),
        ("another-group", with("apiVersion", json!("example.com/v1"))),
        ("earlier", with("uid", json!("0"))),
    ] {
        store.take(service(name, &owners), &settings());
    }
    let names =
        |around: &Around| -> Vec<String> { around.keys().map(|(_, name)| name.clone()).collect() };
    assert_eq!(names(&store.around_this(&shop, "1")), ["shop-daemun"]);
    assert_eq!(
        names(store.around(&shop).unwrap()),
        ["earlier", "shop-daemun"]
    );
}
