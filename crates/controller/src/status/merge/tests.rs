//! What is written beside what others wrote.

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::{Condition, Status};
use serde_json::{Map, Value, json};

use super::super::said::{Entries, List, ListenerSaid, Said, parent};
use super::{Change, merge};

const US: &str = "gateway.daemun.dev/controller";
const NOW: &str = "2026-02-01T00:00:00Z";
const EARLIER: &str = "2026-01-01T00:00:00Z";

fn condition(kind: &'static str, status: Status) -> Condition {
    Condition {
        kind,
        status,
        reason: kind,
        message: "m".to_owned(),
    }
}

fn written(kind: &str, status: &str, generation: i64, since: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": kind, "message": "m",
        "observedGeneration": generation, "lastTransitionTime": since,
    })
}

fn said(conditions: Vec<Condition>) -> Said {
    Said {
        generation: 2,
        conditions,
        ..Said::default()
    }
}

fn route(parents: &[&str]) -> Said {
    let about = |name: &&str| {
        let object = ObjectRef::new("Gateway", ObjectName::new("n", *name));
        (
            parent(&object, None, None),
            vec![condition("Accepted", Status::True)],
        )
    };
    Said {
        generation: 2,
        entries: Some(Entries {
            list: List::Parents,
            ours: parents.iter().map(about).collect(),
        }),
        ..Said::default()
    }
}

fn entry(name: &str, controller: &str, generation: i64) -> Value {
    json!({
        "parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "n", "name": name},
        "controllerName": controller,
        "conditions": [written("Accepted", "True", generation, EARLIER)],
    })
}

fn changed(existing: &Value, said: &Said) -> Map<String, Value> {
    match merge(Some(&existing.to_string()), said, US, NOW) {
        Change::Fields(fields) => fields,
        Change::Nothing | Change::Newer => Map::new(),
    }
}

#[test]
fn conditions_keep_the_time_of_their_last_transition_and_those_of_others_stay() {
    let existing = json!({"conditions": [
        written("Accepted", "True", 1, EARLIER),
        written("example.com/Foreign", "True", 1, EARLIER),
        written("Programmed", "Unknown", 0, "1970-01-01T00:00:00Z"),
        // Ours, and not said any more.
        written("InsecureFrontendValidationMode", "True", 1, EARLIER),
        written("DefaultGateway", "True", 1, EARLIER),
        written("gateway.daemun.dev/ReachVerified", "True", 1, EARLIER),
    ]});
    let said = said(vec![
        condition("Accepted", Status::True),
        condition("Programmed", Status::True),
        condition("ResolvedRefs", Status::True),
    ]);
    assert_eq!(
        changed(&existing, &said)["conditions"],
        json!([
            written("Accepted", "True", 2, EARLIER),
            written("example.com/Foreign", "True", 1, EARLIER),
            written("Programmed", "True", 2, NOW),
            written("ResolvedRefs", "True", 2, NOW),
        ])
    );
}

#[test]
fn what_stands_there_already_is_not_written() {
    let existing =
        json!({"conditions": [written("Accepted", "True", 2, EARLIER)], "listeners": []});
    let mut said = said(vec![condition("Accepted", Status::True)]);
    said.listeners = Some(Vec::new());
    said.fields = vec![("addresses", None)];
    let existing = existing.to_string();
    assert_eq!(merge(Some(&existing), &said, US, NOW), Change::Nothing);
    said.fields = vec![("addresses", Some(json!([{"value": "10.0.0.1"}])))];
    let Change::Fields(fields) = merge(Some(&existing), &said, US, NOW) else {
        unreachable!("there is an address now");
    };
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["addresses"]);
}

#[test]
fn what_is_newer_than_what_is_known_stays() {
    let existing = json!({"conditions": [written("Accepted", "True", 3, EARLIER)]}).to_string();
    let own = said(vec![condition("Accepted", Status::False)]);
    assert_eq!(merge(Some(&existing), &own, US, NOW), Change::Newer);
    let existing = json!({"parents": [entry("a", US, 3)]}).to_string();
    assert_eq!(
        merge(Some(&existing), &route(&["a"]), US, NOW),
        Change::Newer
    );
    let existing = json!({"parents": [entry("a", "them", 3)]}).to_string();
    assert!(matches!(
        merge(Some(&existing), &route(&["a"]), US, NOW),
        Change::Fields(_)
    ));
}

#[test]
fn entries_of_others_stay_and_ours_that_are_not_said_go() {
    let existing = json!({"parents": [
        entry("a", "them", 1), entry("gone", US, 1), entry("b", US, 1), entry("c", "them", 1),
    ]});
    let parents = changed(&existing, &route(&["new", "b"]))["parents"].clone();
    let mut b = entry("b", US, 2);
    b["conditions"][0]["lastTransitionTime"] = json!(EARLIER);
    let mut new = entry("new", US, 2);
    new["conditions"][0]["lastTransitionTime"] = json!(NOW);
    assert_eq!(
        parents,
        json!([entry("a", "them", 1), b, entry("c", "them", 1), new])
    );
    let nothing_of_ours = json!({"parents": [entry("a", "them", 1)]}).to_string();
    assert_eq!(
        merge(Some(&nothing_of_ours), &route(&[]), US, NOW),
        Change::Nothing
    );
    assert_eq!(merge(None, &route(&[]), US, NOW), Change::Nothing);
}

#[test]
fn a_full_list_has_the_entries_of_others_first() {
    let others: Vec<Value> = (0..31)
        .map(|number| entry(&number.to_string(), "them", 1))
        .collect();
    let parents = &changed(&json!({"parents": others}), &route(&["x", "y"]))["parents"];
    let parents = parents.as_array().unwrap();
    assert_eq!(parents.len(), 32);
    assert_eq!(parents[31]["parentRef"]["name"], "x");
}

#[test]
fn listeners_are_exactly_those_that_are_said() {
    let existing = json!({"listeners": [
        {"name": "gone", "conditions": []},
        {"name": "b", "attachedRoutes": 0, "supportedKinds": [],
         "conditions": [written("Programmed", "True", 1, EARLIER)]},
    ]});
    let listener = |name: &str| ListenerSaid {
        name: name.to_owned(),
        attached: 1,
        kinds: vec!["HTTPRoute"],
        conditions: vec![condition("Programmed", Status::True)],
    };
    let said = Said {
        generation: 2,
        listeners: Some(vec![listener("a"), listener("b")]),
        ..Said::default()
    };
    let listeners = &changed(&existing, &said)["listeners"];
    assert_eq!(listeners.as_array().map(Vec::len), Some(2));
    assert_eq!(listeners[0]["name"], "a");
    assert_eq!(listeners[0]["attachedRoutes"], 1);
    assert_eq!(
        listeners[0]["supportedKinds"],
        json!([{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}])
    );
    assert_eq!(
        listeners[1]["conditions"],
        json!([written("Programmed", "True", 2, EARLIER)])
    );
}

#[test]
fn nothing_in_a_message_is_unseen() {
    let mut one = condition("Accepted", Status::False);
    one.message = "The name a\u{202e}b\u{200b} is not known.".to_owned();
    let changed = changed(&json!({}), &said(vec![one]));
    let message = &changed["conditions"][0]["message"];
    assert_eq!(message, "The name a\u{fffd}b\u{fffd} is not known.");
}
