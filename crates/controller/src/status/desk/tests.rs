//! What is looked at, in which order, and what is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use daemun_model::Verdicts;
use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::{Condition, Part, Place as Where, Status, Verdict};
use daemun_wire::answer::{Phase, Proxies, ProxyState};
use daemun_wire::identity::Proxy;
use serde_json::{Value, json};

use super::{Desk, FINALIZER, Job};
use crate::provision::{Address, Place, Provisioned};
use crate::source::kubernetes::{Observed, Written, kind};

fn said<const N: usize>(verdicts: [Arc<Verdict>; N]) -> Verdicts {
    Verdicts::new(verdicts.into(), daemun_model::persistent::Map::new())
}

const US: &str = "gateway.daemun.dev/controller";
const NOW: &str = "2026-02-01T00:00:00Z";

fn observed(kind_name: &str, name: &str, version: &str, status: Option<&Value>) -> Observed {
    let kind = kind(kind_name).unwrap();
    let namespace = if kind.namespaced { "n" } else { "" };
    Observed {
        kind,
        name: ObjectName::new(namespace, name),
        written: Some(Written {
            resource_version: version.into(),
            status: status.map(|status| status.to_string().into()),
            ..Written::default()
        }),
        parent: None,
    }
}

fn verdict(kind_name: &str, name: &str, place: Where) -> Arc<Verdict> {
    let namespace = if kind_name == "GatewayClass" { "" } else { "n" };
    let condition = |kind| Condition {
        kind,
        status: Status::True,
        reason: "R",
        message: String::new(),
    };
    Arc::new(Verdict {
        object: ObjectRef::new(kind_name, ObjectName::new(namespace, name)),
        generation: 1,
        parts: [Part {
            place,
            conditions: vec![condition("Accepted"), condition("Programmed")],
            attached: None,
            supported_kinds: None,
        }]
        .into(),
        findings: Vec::new(),
    })
}

fn route_verdict(name: &str) -> Arc<Verdict> {
    let parent = ObjectRef::new("Gateway", ObjectName::new("n", "gw"));
    let place = Where::Parent {
        parent,
        section: None,
        port: None,
    };
    verdict("HTTPRoute", name, place)
}

fn jobs(desk: &mut Desk) -> Vec<Job> {
    std::iter::from_fn(|| desk.next(&BTreeSet::new(), NOW)).collect()
}

fn named(jobs: &[Job]) -> Vec<String> {
    let name = |job: &Job| format!("{} {}", job.key.kind, job.key.name);
    jobs.iter().map(name).collect()
}

#[test]
fn nothing_is_written_before_everything_was_judged_and_then_gateways_come_first() {
    let mut desk = Desk::new(US);
    for (kind, name) in [("HTTPRoute", "a"), ("Gateway", "gw"), ("GatewayClass", "c")] {
        desk.observed(observed(kind, name, "1", None));
    }
    assert!(jobs(&mut desk).is_empty());
    desk.judged(&said([
        route_verdict("a"),
        verdict("Gateway", "gw", Where::Object),
        verdict("GatewayClass", "c", Where::Object),
    ]));
    let all = jobs(&mut desk);
    assert_eq!(
        named(&all),
        ["GatewayClass c", "Gateway n/gw", "HTTPRoute n/a"]
    );
    assert_eq!(all[2].patch["metadata"], json!({"resourceVersion": "1"}));
    assert!(jobs(&mut desk).is_empty(), "each is looked at once");
}

#[test]
fn what_stands_there_is_not_written_again_and_what_is_not_said_any_more_is_taken_out() {
    let mut desk = Desk::new(US);
    desk.observed(observed("HTTPRoute", "a", "1", None));
    let verdicts = said([route_verdict("a")]);
    desk.judged(&verdicts);
    let all = jobs(&mut desk);
    let status = all[0].patch["status"].clone();
    desk.observed(observed("HTTPRoute", "a", "2", Some(&status)));
    assert!(jobs(&mut desk).is_empty());
    desk.judged(&verdicts);
    assert!(jobs(&mut desk).is_empty());
    desk.judged(&said([]));
    assert_eq!(jobs(&mut desk)[0].patch["status"], json!({"parents": []}));
}

#[test]
fn entries_that_an_earlier_process_left_are_taken_out() {
    let mut desk = Desk::new(US);
    let left = json!({"parents": [
        {"controllerName": US, "parentRef": {"name": "old"}, "conditions": []},
        {"controllerName": "them", "parentRef": {"name": "old"}, "conditions": []},
    ]});
    desk.observed(observed("HTTPRoute", "a", "1", Some(&left)));
    desk.judged(&said([]));
    let all = jobs(&mut desk);
    assert_eq!(
        all[0].patch["status"]["parents"],
        json!([left["parents"][1]])
    );
}

#[test]
fn what_is_being_written_waits() {
    let mut desk = Desk::new(US);
    desk.observed(observed("HTTPRoute", "a", "1", None));
    desk.judged(&said([route_verdict("a")]));
    let first = desk.next(&BTreeSet::new(), NOW).unwrap();
    let busy = BTreeSet::from([first.key]);
    desk.observed(observed("HTTPRoute", "a", "2", None));
    assert_eq!(desk.next(&busy, NOW), None);
    assert!(desk.next(&BTreeSet::new(), NOW).is_some());
}

#[test]
fn what_proxies_say_and_addresses_concern_their_gateway_alone() {
    let mut desk = Desk::new(US);
    let names = ["gw", "other"];
    for name in names {
        desk.observed(observed("Gateway", name, "1", None));
    }
    desk.judged(&said(
        names.map(|name| verdict("Gateway", name, Where::Object)),
    ));
    desk.early(false);
    assert_eq!(jobs(&mut desk).len(), 2);
    let gateway = ObjectName::new("n", "gw");
    let proxy = ProxyState {
        proxy: Proxy {
            gateway: gateway.clone(),
            pod: "p".to_owned(),
            pod_uid: "u".to_owned(),
        },
        version: String::new(),
        phase: Phase::Ready,
        generation: Some(1),
        current: true,
        refused: Vec::new(),
    };
    let by_gateway = [(gateway.clone(), vec![proxy])].into();
    desk.proxies(&Arc::new(Proxies { by_gateway }));
    let all = jobs(&mut desk);
    assert_eq!(named(&all), ["Gateway n/gw"]);
    assert_eq!(all[0].patch["status"]["conditions"][1]["status"], "True");
    let place = Place {
        addresses: vec![Address::Name("x.example".to_owned())],
        ..Place::default()
    };
    let places: Provisioned = [(gateway, place)].into();
    desk.places(&Arc::new(places));
    let all = jobs(&mut desk);
    assert_eq!(
        all[0].patch["status"]["addresses"],
        json!([{"type": "Hostname", "value": "x.example"}])
    );
}

#[test]
fn a_class_in_use_has_the_finalizer_and_one_that_is_not_has_it_not() {
    let mut desk = Desk::new(US);
    let verdicts = said([verdict("GatewayClass", "c", Where::Object)]);
    desk.observed(observed("GatewayClass", "c", "1", None));
    desk.judged(&verdicts);
    let status = jobs(&mut desk)[0].patch["status"].clone();
    let with = |finalizers: &[&str], deleting| {
        let mut observed = observed("GatewayClass", "c", "2", Some(&status));
        if let Some(written) = &mut observed.written {
            written.finalizers = finalizers.iter().map(|it| (*it).to_owned()).collect();
            written.deleting = deleting;
        }
        observed
    };
    let finalizers = |desk: &mut Desk, observed| {
        desk.observed(observed);
        let all = jobs(desk);
        all.first()
            .map(|job| job.patch["metadata"]["finalizers"].clone())
    };
    assert_eq!(finalizers(&mut desk, with(&["x"], false)), None);
    desk.classes(Arc::new(["c".to_owned()].into()));
    assert_eq!(
        finalizers(&mut desk, with(&["x"], false)),
        Some(json!(["x", FINALIZER]))
    );
    assert_eq!(finalizers(&mut desk, with(&["x", FINALIZER], false)), None);
    assert_eq!(
        finalizers(&mut desk, with(&["x"], true)),
        None,
        "it is being deleted"
    );
    desk.classes(Arc::default());
    assert_eq!(
        finalizers(&mut desk, with(&["x", FINALIZER], true)),
        Some(json!(["x"]))
    );
}
