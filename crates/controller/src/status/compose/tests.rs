//! What statuses say about proxies and addresses.

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::{Condition, Part, Place as Where, Status, Verdict};
use daemun_wire::answer::{Phase, ProxyState, Refused};
use daemun_wire::identity::Proxy;

use super::super::programmed::Serving;
use super::super::said::{List, Said};
use super::{gateway, list_of, listener_set, other};
use crate::provision::{Address, Place};

fn condition(kind: &'static str, status: Status) -> Condition {
    Condition {
        kind,
        status,
        reason: kind,
        message: String::new(),
    }
}

fn name() -> ObjectName {
    ObjectName::new("infra", "shop")
}

fn verdict(kind: &str) -> Verdict {
    let part = |place, attached| Part {
        place,
        conditions: vec![
            condition("Accepted", Status::True),
            condition("Programmed", Status::True),
        ],
        attached,
        supported_kinds: None,
    };
    Verdict {
        object: ObjectRef::new(kind, name()),
        generation: 4,
        parts: [
            part(Where::Object, None),
            part(Where::Listener("web".to_owned()), Some(2)),
        ]
        .into(),
        findings: Vec::new(),
    }
}

fn proxy(pod: &str, phase: Phase, generation: Option<i64>) -> ProxyState {
    ProxyState {
        proxy: Proxy {
            gateway: name(),
            account: "account".to_owned(),
            pod: pod.to_owned(),
            pod_uid: pod.to_owned(),
        },
        version: "1".to_owned(),
        foreign: None,
        phase,
        generation,
        current: true,
        refused: Vec::new(),
        reached: None,
    }
}

fn place() -> Place {
    Place {
        addresses: vec![Address::Ip([10, 0, 0, 1].into())],
        ready: (2, 2),
        ..Place::default()
    }
}

struct Around {
    proxies: Vec<ProxyState>,
    place: Place,
    was_programmed: bool,
    early: bool,
    silence: Option<&'static str>,
}

impl Around {
    fn of(proxies: Vec<ProxyState>) -> Self {
        Self {
            proxies,
            place: place(),
            was_programmed: false,
            early: false,
            silence: None,
        }
    }

    fn said(&self, kind: &str) -> Said {
        let serving = Serving {
            generation: 4,
            proxies: &self.proxies,
            place: Some(&self.place),
            newest: kind == "ListenerSet",
            was_programmed: self.was_programmed,
            early: self.early,
            silence: self.silence,
        };
        match kind {
            "ListenerSet" => listener_set(&verdict(kind), &serving),
            _ => gateway(&verdict(kind), &serving),
        }
    }
}

/// Status, reason and message of the Gateway's `Programmed`, and the status of its listener's.
fn programmed(said: &Said) -> (Status, &'static str, String, Status) {
    let find = |conditions: &[Condition]| {
        let found = conditions.iter().find(|it| it.kind == "Programmed");
        found.cloned().expect("it is always said")
    };
    let own = find(&said.conditions);
    let listener = find(&said.listeners.as_ref().expect("there are listeners")[0].conditions);
    (own.status, own.reason, own.message, listener.status)
}

#[test]
fn one_proxy_that_serves_the_generation_is_enough_and_the_others_are_named() {
    let around = Around::of(vec![
        proxy("a", Phase::Ready, Some(4)),
        proxy("b", Phase::Starting, None),
        proxy("c", Phase::Ready, Some(3)),
        proxy("d", Phase::Silent, Some(3)),
    ]);
    let expected = "1 of 4 proxies serves generation 4. b is starting. c still serves generation 3. d does not answer.";
    assert_eq!(
        programmed(&around.said("Gateway")),
        (
            Status::True,
            "Programmed",
            expected.to_owned(),
            Status::True
        )
    );
    let all = Around::of(vec![
        proxy("a", Phase::Ready, Some(4)),
        proxy("b", Phase::Ready, Some(5)),
    ]);
    assert_eq!(
        programmed(&all.said("Gateway")).2,
        "2 of 2 proxies serve generation 4."
    );
}

#[test]
fn what_keeps_new_pods_away_is_told_while_the_old_ones_serve() {
    let mut around = Around::of(vec![
        proxy("a", Phase::Ready, Some(4)),
        proxy("b", Phase::Starting, None),
    ]);
    around.place.pods = Some("The image x cannot be pulled.".to_owned());
    around.proxies[1].foreign = Some("version 9 speaks protocol 9".to_owned());
    let (status, _, message, _) = programmed(&around.said("Gateway"));
    assert_eq!(status, Status::True);
    let expected = "1 of 2 proxies serves generation 4. b is not spoken with: version 9 speaks protocol 9. The image x cannot be pulled.";
    assert_eq!(message, expected);
}

#[test]
fn without_a_proxy_it_is_pending_and_the_pods_say_why() {
    let mut around = Around::of(Vec::new());
    let (status, reason, message, listener) = programmed(&around.said("Gateway"));
    assert_eq!(
        (status, reason, listener),
        (Status::False, "Pending", Status::False)
    );
    assert_eq!(message, "No proxy is connected yet; 2 are being started.");
    around.place.pods = Some("The image x cannot be pulled.".to_owned());
    assert_eq!(
        programmed(&around.said("Gateway")).2,
        "No proxy is connected. The image x cannot be pulled."
    );
    around.proxies = vec![proxy("a", Phase::Ready, Some(3))];
    around.place.pods = None;
    assert_eq!(
        programmed(&around.said("Gateway")).2,
        "No proxy serves generation 4 yet. a still serves generation 3."
    );
    around.proxies = vec![proxy("a", Phase::Starting, None)];
    around.proxies[0].refused = vec![Refused {
        what: "listener infra/shop/web".to_owned(),
        why: "port 20080 is taken.".to_owned(),
    }];
    assert_eq!(
        programmed(&around.said("Gateway")).2,
        "No proxy serves generation 4 yet. a is starting, and cannot serve listener infra/shop/web: port 20080 is taken."
    );
}

#[test]
fn what_was_programmed_stays_so_while_proxies_are_silent_or_have_not_connected_yet() {
    let mut around = Around::of(vec![proxy("a", Phase::Silent, Some(4))]);
    assert_eq!(programmed(&around.said("Gateway")).0, Status::True);
    around.proxies = vec![proxy("a", Phase::Starting, None)];
    assert_eq!(programmed(&around.said("Gateway")).0, Status::False);
    around.was_programmed = true;
    assert_eq!(programmed(&around.said("Gateway")).0, Status::True);
    around.proxies = Vec::new();
    assert_eq!(programmed(&around.said("Gateway")).0, Status::False);
    around.early = true;
    assert_eq!(programmed(&around.said("Gateway")).0, Status::True);
}

#[test]
fn a_refusal_of_a_ready_proxy_says_what_and_why() {
    let mut around = Around::of(vec![
        proxy("a", Phase::Ready, Some(4)),
        proxy("b", Phase::Ready, Some(4)),
    ]);
    around.proxies[1].refused = vec![Refused {
        what: "listener infra/shop/web".to_owned(),
        why: "port 20080 is taken.".to_owned(),
    }];
    let (status, reason, message, listener) = programmed(&around.said("Gateway"));
    assert_eq!(
        (status, reason, listener),
        (Status::False, "Invalid", Status::False)
    );
    assert_eq!(
        message,
        "Proxy b cannot serve listener infra/shop/web: port 20080 is taken."
    );
    around.proxies[1].refused[0].what = "HTTPRoute infra/a".to_owned();
    let (status, _, _, listener) = programmed(&around.said("Gateway"));
    assert_eq!((status, listener), (Status::False, Status::True));
    around.proxies[1].phase = Phase::Draining;
    assert_eq!(programmed(&around.said("Gateway")).0, Status::True);
}

#[test]
fn an_address_that_is_not_there_is_the_gateways_trouble_and_not_its_listeners() {
    let mut around = Around::of(vec![proxy("a", Phase::Ready, Some(4))]);
    around.place.addresses.clear();
    let (status, reason, _, listener) = programmed(&around.said("Gateway"));
    assert_eq!(
        (status, reason, listener),
        (Status::False, "AddressNotAssigned", Status::True)
    );
    around.place.trouble = Some(("AddressNotUsable", "It is taken.".to_owned()));
    let (status, reason, message, _) = programmed(&around.said("Gateway"));
    assert_eq!(
        (status, reason, message.as_str()),
        (Status::False, "AddressNotUsable", "It is taken.")
    );
}

#[test]
fn a_listener_set_is_programmed_once_a_proxy_has_the_newest_configuration() {
    let mut around = Around::of(vec![proxy("a", Phase::Ready, Some(4))]);
    assert_eq!(programmed(&around.said("ListenerSet")).0, Status::True);
    around.proxies[0].current = false;
    assert_eq!(programmed(&around.said("ListenerSet")).0, Status::False);
    assert_eq!(programmed(&around.said("Gateway")).0, Status::True);
    around.was_programmed = true;
    assert_eq!(programmed(&around.said("ListenerSet")).0, Status::True);
}

#[test]
fn a_route_without_a_verdict_has_no_entries_of_ours() {
    let said = other(None, Some(List::Parents));
    assert_eq!(said.entries.map(|entries| entries.ours.len()), Some(0));
    assert!(said.conditions.is_empty());
}

#[test]
fn an_xbackend_has_an_entry_for_each_gateway_that_uses_it_under_parents() {
    let mut verdict = verdict("XBackend");
    let part = |gateway: &str| Part {
        place: Where::Ancestor(ObjectName::new("infra", gateway)),
        conditions: vec![condition("Accepted", Status::True)],
        attached: None,
        supported_kinds: None,
    };
    verdict.parts = [part("one"), part("two")].into();
    let said = other(Some(&verdict), list_of("XBackend"));
    let entries = said.entries.expect("a list");
    assert_eq!((entries.list, entries.ours.len()), (List::Parents, 2));
}
