//! One look at a cluster, with the rights of whoever looks: what may not be listed everywhere is looked for in the
//! namespace, and what is not seen is said.

use daemun_controller::glimpse::{Glimpse, Scope};
use daemun_controller::kubernetes::CONTROLLER;
use daemun_model::names::{ObjectName, ObjectRef};
use serde_json::json;

use crate::fake::Fake;
use crate::{class, gateway, ours, route};

async fn look(fake: &Fake, namespace: Option<&str>) -> Glimpse {
    let scope = Scope {
        controller: CONTROLLER.to_owned(),
        namespace: namespace.map(str::to_owned),
    };
    Glimpse::of(&fake.client(), &scope).await.unwrap()
}

/// `ours`, with a Route of which the controller wrote something.
fn with_route() -> Fake {
    let fake = ours();
    let mut route = route("HTTPRoute", "pages");
    route["status"] = json!({"parents": [
        {"controllerName": CONTROLLER, "parentRef": {"name": "gw"}, "conditions": [
            {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "It is."},
        ]},
        {"controllerName": "example.com/other", "parentRef": {"name": "gw"}, "conditions": []},
    ]});
    fake.put("httproutes", route);
    fake
}

#[tokio::test]
async fn who_may_see_everything_sees_everything() {
    let fake = with_route();
    let glimpse = look(&fake, Some("n")).await;
    assert!(glimpse.all_gateways);
    assert_eq!(glimpse.unseen, Vec::<String>::new());
    let snapshot = &glimpse.outcome.configuration.gateways[&ObjectName::new("n", "gw")];
    assert_eq!(snapshot.routes.len(), 1);
    let route = ObjectRef::new("HTTPRoute", ObjectName::new("n", "pages"));
    let recorded = &glimpse.recorded[&route];
    assert_eq!(recorded.len(), 1, "only of our controller: {recorded:?}");
    assert!(recorded[0].is_accepted());
    assert_eq!(recorded[0].parent, "Gateway n/gw");
}

#[tokio::test]
async fn what_may_not_be_listed_everywhere_is_looked_for_in_the_namespace() {
    let fake = with_route();
    let mut elsewhere = gateway(None);
    elsewhere["metadata"]["namespace"] = json!("elsewhere");
    fake.put("gateways", elsewhere);
    for plural in ["gateways", "httproutes"] {
        fake.forbid_everywhere(plural);
    }
    fake.forbid("list namespaces", true);
    fake.put(
        "namespaces",
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}),
    );
    let glimpse = look(&fake, Some("n")).await;
    assert!(!glimpse.all_gateways);
    assert_eq!(gateways_of(&glimpse), ["n/gw"]);
    assert_eq!(
        glimpse.unseen,
        [
            "Other namespaces: you may not see what is there, Gateways and ReferenceGrants among it.",
            "Other namespaces: you may not list them.",
        ]
    );
    // Without a namespace there is nothing to fall back to.
    let glimpse = look(&fake, None).await;
    assert!(gateways_of(&glimpse).is_empty());
    assert!(
        glimpse.unseen[0].starts_with(
            "You may not list in the cluster: gateways.gateway.networking.k8s.io, httproutes."
        ),
        "{:?}",
        glimpse.unseen
    );
}

/// The controller says nothing of them, since they may be another one's.
#[tokio::test]
async fn gateways_that_do_not_exist_are_said_where_they_would_be_seen() {
    let fake = ours();
    let mut lost = route("TCPRoute", "lost");
    lost["spec"]["parentRefs"] = json!([
        {"name": "gw"}, {"name": "wg"}, {"name": "x", "namespace": "other"},
        {"name": "y", "kind": "ListenerSet"},
    ]);
    fake.put("tcproutes", lost);
    let said = |glimpse: &Glimpse| glimpse.lost().into_values().flatten().collect::<Vec<_>>();
    assert_eq!(
        said(&look(&fake, Some("n")).await),
        [
            "spec.parentRefs[1].name: Gateway n/wg does not exist. Did you mean \"gw\"?",
            "spec.parentRefs[2].name: Gateway other/x does not exist.",
        ]
    );
    fake.forbid_everywhere("gateways");
    let glimpse = look(&fake, Some("n")).await;
    assert_eq!(said(&glimpse).len(), 1, "{:?}", said(&glimpse));
    fake.forbid("list gateways", true);
    assert!(said(&look(&fake, Some("n")).await).is_empty());
}

#[tokio::test]
async fn classes_that_may_not_be_seen_are_presumed_and_secrets_are_asked_for_by_name() {
    let fake = Fake::new();
    fake.put("gatewayclasses", class("daemun", "example.com/another"));
    fake.put("gateways", gateway(Some("cert")));
    fake.forbid("list gatewayclasses", true);
    fake.forbid("get secrets", true);
    let glimpse = look(&fake, Some("n")).await;
    assert_eq!(gateways_of(&glimpse), ["n/gw"]);
    assert_eq!(
        glimpse.unseen,
        [
            "You may not list in the cluster: gatewayclasses.gateway.networking.k8s.io.",
            "GatewayClasses: all Gateways are taken for those of gateway.daemun.dev/controller.",
            "Secret n/cert: you may not get secrets in namespace n.",
        ]
    );
    assert_eq!(fake.count(&http::Method::GET, "/secrets"), 0);
    assert_eq!(fake.count(&http::Method::GET, "/secrets/cert"), 1);
}

#[tokio::test]
async fn long_lists_come_in_pages_and_kinds_may_be_missing() {
    let fake = ours();
    for number in 0..1203 {
        fake.put("httproutes", route("HTTPRoute", &format!("r{number}")));
    }
    fake.set_missing("tcproutes", true);
    let glimpse = look(&fake, Some("n")).await;
    assert_eq!(glimpse.cluster.http_routes.iter().count(), 1203);
    assert_eq!(fake.count(&http::Method::GET, "/httproutes"), 3);
    assert_eq!(
        glimpse.unseen,
        ["tcproutes.gateway.networking.k8s.io: the cluster does not have this kind in version v1."]
    );
}

#[tokio::test]
async fn an_api_server_that_does_not_answer_is_an_error() {
    let fake = ours();
    fake.set_away(true);
    let scope = Scope {
        controller: CONTROLLER.to_owned(),
        namespace: None,
    };
    let why = Glimpse::of(&fake.client(), &scope).await.unwrap_err();
    assert!(why.starts_with("The API server does not answer: "), "{why}");
}

fn gateways_of(glimpse: &Glimpse) -> Vec<String> {
    let gateways = glimpse.outcome.configuration.gateways.iter();
    gateways.map(|(name, _)| name.to_string()).collect()
}
