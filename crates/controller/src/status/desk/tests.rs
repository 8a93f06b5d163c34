//! What is looked at, in which order, and what is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use daemun_model::Verdicts;
use daemun_model::names::{ObjectName, ObjectRef, RouteKey, RouteKind};
use daemun_model::verdict::{
    Condition, FieldPath, Finding, Part, Place as Where, Severity, Status, Verdict,
};
use daemun_wire::answer::{Phase, Proxies, ProxyState};
use daemun_wire::identity::Proxy;
use serde_json::{Value, json};

use super::say::FINALIZER;
use super::{Desk, Job};
use crate::provision::{Address, Place, Provisioned};
use crate::source::kubernetes::{CLAIM, Observed, Written, kind};

fn said(verdicts: &[Arc<Verdict>]) -> Verdicts {
    let (routes, others): (Vec<_>, Vec<_>) = verdicts
        .iter()
        .cloned()
        .partition(|verdict| verdict.object.kind == "HTTPRoute");
    let key = |verdict: &Arc<Verdict>| RouteKey {
        kind: RouteKind::Http,
        name: verdict.object.name.clone(),
    };
    let routes = routes.into_iter().map(|verdict| (key(&verdict), verdict));
    Verdicts::new(others, routes.collect())
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
    let mut desk = Desk::new(US, "home", 0);
    for (kind, name) in [("HTTPRoute", "a"), ("Gateway", "gw"), ("GatewayClass", "c")] {
        desk.observed(observed(kind, name, "1", None));
    }
    assert!(jobs(&mut desk).is_empty());
    desk.judged(&said(&[
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
    let mut desk = Desk::new(US, "home", 0);
    desk.observed(observed("HTTPRoute", "a", "1", None));
    let verdicts = [route_verdict("a")];
    desk.judged(&said(&verdicts));
    let all = jobs(&mut desk);
    let status = all[0].patch["status"].clone();
    desk.observed(observed("HTTPRoute", "a", "2", Some(&status)));
    assert!(jobs(&mut desk).is_empty());
    desk.judged(&said(&verdicts));
    assert!(jobs(&mut desk).is_empty());
    desk.judged(&said(&[]));
    assert_eq!(jobs(&mut desk)[0].patch["status"], json!({"parents": []}));
}

#[test]
fn entries_that_an_earlier_process_left_are_taken_out() {
    let mut desk = Desk::new(US, "home", 0);
    let left = json!({"parents": [
        {"controllerName": US, "parentRef": {"name": "old"}, "conditions": []},
        {"controllerName": "them", "parentRef": {"name": "old"}, "conditions": []},
    ]});
    desk.observed(observed("HTTPRoute", "a", "1", Some(&left)));
    desk.judged(&said(&[]));
    let all = jobs(&mut desk);
    assert_eq!(
        all[0].patch["status"]["parents"],
        json!([left["parents"][1]])
    );
}

#[test]
fn what_is_being_written_waits() {
    let mut desk = Desk::new(US, "home", 0);
    desk.observed(observed("HTTPRoute", "a", "1", None));
    desk.judged(&said(&[route_verdict("a")]));
    let first = desk.next(&BTreeSet::new(), NOW).unwrap();
    let busy = BTreeSet::from([first.key]);
    desk.observed(observed("HTTPRoute", "a", "2", None));
    assert_eq!(desk.next(&busy, NOW), None);
    assert!(desk.next(&BTreeSet::new(), NOW).is_some());
}

#[test]
fn what_proxies_say_and_addresses_concern_their_gateway_alone() {
    let mut desk = Desk::new(US, "home", 0);
    let names = ["gw", "other"];
    for name in names {
        desk.observed(observed("Gateway", name, "1", None));
    }
    desk.judged(&said(
        &names.map(|name| verdict("Gateway", name, Where::Object)),
    ));
    desk.early(false);
    assert_eq!(jobs(&mut desk).len(), 2);
    let gateway = ObjectName::new("n", "gw");
    let by_gateway = [(gateway.clone(), Arc::new(vec![ready("p")]))].into();
    desk.proxies(&Arc::new(Proxies { by_gateway }));
    let all = jobs(&mut desk);
    assert_eq!(named(&all), ["Gateway n/gw"]);
    assert_eq!(all[0].patch["status"]["conditions"][1]["status"], "False");
    let addresses = all[0].patch["status"].get("addresses");
    assert_eq!(
        addresses, None,
        "nobody has looked yet: nothing is taken away"
    );
    let place = Place {
        addresses: vec![Address::Name("x.example".to_owned())],
        ..Place::default()
    };
    let places: Provisioned = [(gateway, Arc::new(place))].into();
    desk.places(&Arc::new(places));
    let all = jobs(&mut desk);
    assert_eq!(all[0].patch["status"]["conditions"][1]["status"], "True");
    assert_eq!(
        all[0].patch["status"]["addresses"],
        json!([{"type": "Hostname", "value": "x.example"}])
    );
}

#[test]
fn what_depends_on_a_gateways_proxies_is_the_gateway_and_its_sets_as_they_are_now() {
    let mut desk = Desk::new(US, "home", 0);
    let verdicts = [
        verdict("Gateway", "gw", Where::Object),
        verdict("Gateway", "other", Where::Object),
        verdict("ListenerSet", "set", Where::Object),
        route_verdict("r"),
    ];
    let set_of = |gateway: &str, version: &str| Observed {
        parent: Some(ObjectName::new("n", gateway)),
        ..observed("ListenerSet", "set", version, None)
    };
    desk.observed(observed("Gateway", "gw", "1", None));
    desk.observed(observed("Gateway", "other", "1", None));
    desk.observed(observed("HTTPRoute", "r", "1", None));
    desk.observed(set_of("gw", "1"));
    desk.judged(&said(&verdicts));
    desk.early(false);
    jobs(&mut desk);
    let said_of = |desk: &mut Desk, gateway: &str, current: bool| {
        let state = ProxyState {
            current,
            ..ready("p")
        };
        let mut proxies = (*desk.proxies).clone();
        let gateway = ObjectName::new("n", gateway);
        proxies.by_gateway.insert(gateway, Arc::new(vec![state]));
        desk.proxies(&Arc::new(proxies));
        let queue: Vec<String> = desk.queue.iter().map(|key| key.name.name.clone()).collect();
        desk.queue.clear();
        queue
    };
    assert_eq!(said_of(&mut desk, "gw", true), ["gw", "set"]);
    assert_eq!(said_of(&mut desk, "other", true), ["other"]);
    desk.observed(set_of("other", "2"));
    desk.queue.clear();
    assert_eq!(said_of(&mut desk, "gw", false), ["gw"]);
    assert_eq!(said_of(&mut desk, "other", false), ["other", "set"]);
    desk.observed(Observed {
        written: None,
        ..set_of("other", "3")
    });
    assert_eq!(said_of(&mut desk, "other", true), ["other"]);
}

fn ready(pod: &str) -> ProxyState {
    ProxyState {
        proxy: Proxy {
            gateway: ObjectName::new("n", "gw"),
            account: "a".to_owned(),
            pod: pod.to_owned(),
            pod_uid: "u".to_owned(),
        },
        version: String::new(),
        foreign: None,
        phase: Phase::Ready,
        generation: Some(1),
        current: true,
        refused: Vec::new(),
        reached: None,
    }
}

#[test]
fn a_class_has_our_mark_and_the_finalizer_while_it_is_in_use() {
    let mut desk = Desk::new(US, "home", 0);
    let verdicts = [verdict("GatewayClass", "c", Where::Object)];
    desk.observed(observed("GatewayClass", "c", "1", None));
    desk.judged(&said(&verdicts));
    let status = jobs(&mut desk)[0].patch["status"].clone();
    let with = |finalizers: &[&str], deleting, claim: Option<&str>| {
        let mut observed = observed("GatewayClass", "c", "2", Some(&status));
        if let Some(written) = &mut observed.written {
            written.finalizers = finalizers.iter().map(|it| (*it).to_owned()).collect();
            written.deleting = deleting;
            written.claim = claim.map(Into::into);
        }
        observed
    };
    let ours = Some("home");
    let metadata = |desk: &mut Desk, observed| {
        desk.observed(observed);
        let all = jobs(desk);
        all.first().map(|job| job.patch["metadata"].clone())
    };
    assert_eq!(metadata(&mut desk, with(&["x"], false, ours)), None);
    assert_eq!(
        metadata(&mut desk, with(&["x"], false, None)),
        Some(json!({"annotations": {CLAIM: "home"}, "resourceVersion": "2"}))
    );
    desk.classes(Arc::new(["c".to_owned()].into()));
    assert_eq!(
        metadata(&mut desk, with(&["x"], false, ours)),
        Some(json!({"finalizers": ["x", FINALIZER], "resourceVersion": "2"}))
    );
    assert_eq!(
        metadata(&mut desk, with(&["x", FINALIZER], false, ours)),
        None
    );
    assert_eq!(
        metadata(&mut desk, with(&["x"], true, None)),
        None,
        "it is being deleted"
    );
    desk.classes(Arc::default());
    assert_eq!(
        metadata(&mut desk, with(&["x", FINALIZER], true, ours)),
        Some(json!({"finalizers": ["x"], "resourceVersion": "2"}))
    );
}

#[test]
fn warnings_are_noticed_once_and_again_by_a_new_leader() {
    let mut desk = Desk::new(US, "home", 0);
    desk.observed(observed("Gateway", "gw", "1", None));
    let warned = |more: bool| {
        let mut verdict = verdict("Gateway", "gw", Where::Object);
        let finding = |message: &str| Finding {
            severity: Severity::Warning,
            path: FieldPath::root(),
            reason: "Expires",
            message: message.to_owned(),
        };
        if let Some(verdict) = Arc::get_mut(&mut verdict) {
            verdict.findings.push(finding("soon"));
            verdict.findings.extend(more.then(|| finding("sooner")));
        }
        verdict
    };
    let notes = |desk: &mut Desk| {
        let notices = desk.take_notices();
        notices
            .into_iter()
            .map(|(_, notice)| notice.note)
            .collect::<Vec<_>>()
    };
    desk.judged(&said(&[warned(false)]));
    notes(&mut desk);
    desk.judged(&said(&[warned(false)]));
    assert_eq!(notes(&mut desk), [""; 0]);
    desk.judged(&said(&[warned(true)]));
    assert_eq!(notes(&mut desk), ["sooner"]);
    desk.everything();
    assert_eq!(notes(&mut desk), ["soon", "sooner"]);
}

#[test]
fn that_no_connection_comes_is_said_in_time_and_taken_back() {
    const SILENT: &str = "No connection has come to any of its proxies, though.";
    let mut desk = Desk::new(US, "home", 0);
    let gateway = ObjectName::new("n", "gw");
    let programmed = |message: &str| {
        let condition = |kind: &str, reason: &str, message: &str| {
            json!({
                "type": kind, "status": "True", "reason": reason, "message": message,
                "observedGeneration": 1, "lastTransitionTime": "2026-01-31T23:58:00Z",
            })
        };
        json!({
            "conditions": [condition("Accepted", "R", ""), condition("Programmed", "Programmed", message)],
            "listeners": [], "addresses": [{"type": "Hostname", "value": "x.example"}],
        })
    };
    let serves = "1 of 1 proxy serves generation 1.";
    desk.observed(observed("Gateway", "gw", "1", Some(&programmed(serves))));
    desk.judged(&said(&[verdict("Gateway", "gw", Where::Object)]));
    desk.early(false);
    let place = Place {
        addresses: vec![Address::Name("x.example".to_owned())],
        silence: Some(SILENT.to_owned()),
        ready: (1, 1),
        ..Place::default()
    };
    let places: Provisioned = [(gateway.clone(), Arc::new(place))].into();
    desk.places(&Arc::new(places));
    let tell = |desk: &mut Desk, reached| {
        let state = ProxyState {
            reached: Some(reached),
            ..ready("p")
        };
        let by_gateway = [(gateway.clone(), Arc::new(vec![state]))].into();
        desk.proxies(&Arc::new(Proxies { by_gateway }));
    };
    tell(&mut desk, false);
    let message = |jobs: &[Job]| {
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        let conditions = &jobs[0].patch["status"]["conditions"];
        assert_eq!(conditions[1]["lastTransitionTime"], "2026-01-31T23:58:00Z");
        conditions[1]["message"].as_str().unwrap().to_owned()
    };
    // Two minutes after the address nothing is said, and a minute later it will be.
    let fields: Vec<Job> = jobs(&mut desk);
    assert!(fields.is_empty(), "{fields:?}");
    let at = desk.wake().unwrap();
    assert_eq!(at, 1_769_904_060);
    desk.woke(at - 1);
    assert_eq!(desk.next(&BTreeSet::new(), "2026-02-01T00:00:59Z"), None);
    desk.woke(at);
    let job = desk.next(&BTreeSet::new(), "2026-02-01T00:01:00Z").unwrap();
    let all = format!("{serves} {SILENT}");
    assert_eq!(message(&[job]), all);
    assert_eq!(desk.wake(), None);
    // It stands there now, and the first connection ends it.
    desk.observed(observed("Gateway", "gw", "2", Some(&programmed(&all))));
    assert!(jobs(&mut desk).is_empty());
    tell(&mut desk, true);
    assert_eq!(message(&jobs(&mut desk)), serves);
    // Who leads next takes nothing of it back before anybody has looked.
    let mut next = Desk::new(US, "home", at);
    next.observed(observed("Gateway", "gw", "2", Some(&programmed(&all))));
    next.judged(&said(&[verdict("Gateway", "gw", Where::Object)]));
    assert!(message(&jobs(&mut next)).ends_with(SILENT));
}
