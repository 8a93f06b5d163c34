//! From a verdict to what a status says: the verdict knows what the objects say, and here comes to it what the proxies
//! answered, where the Gateway is reached, and which Gateway API the cluster has.

use std::net::IpAddr;

use daemun_model::names::{ListenerKey, ListenerOwner, ObjectName};
use daemun_model::verdict::{Condition, Part, Place as Where, Status, Verdict};
use daemun_translate::exposure::ADDRESS_NOT_USABLE;
use serde_json::{Value, json};

use super::programmed::{Serving, programmed};
use super::release::Release;
use super::said::{Entries, List, ListenerSaid, Said, ancestor, parent};
use crate::provision::{Address, Place};

/// What is said about a GatewayClass: the verdict, and what this cluster's Gateway API allows.
pub(crate) fn class(verdict: &Verdict, release: &Release) -> Said {
    let mut conditions = own_conditions(verdict);
    for condition in &mut conditions {
        if condition.kind == "SupportedVersion" {
            *condition = release.condition();
        }
    }
    let features = release.features();
    let features: Vec<Value> = features.iter().map(|name| json!({"name": name})).collect();
    Said {
        generation: verdict.generation,
        conditions,
        fields: vec![("supportedFeatures", Some(Value::Array(features)))],
        ..Said::default()
    }
}

/// What is said about a Gateway.
pub(crate) fn gateway(verdict: &Verdict, serving: &Serving<'_>) -> Said {
    let attached = verdict
        .parts
        .iter()
        .find(|part| part.place == Where::Object)
        .and_then(|part| part.attached);
    let mut fields = vec![("attachedListenerSets", attached.map(|count| json!(count)))];
    // Before anybody has looked, what stands there stays: a new leader takes nothing away.
    if let Some(place) = serving.place {
        // An address that may not be used is in nobody's way to be used: not of a person, nor of a DNS controller.
        fields.push(("addresses", addresses(place).filter(|_| !withheld(verdict))));
    }
    Said {
        fields,
        ..with_listeners(verdict, serving, ListenerOwner::Gateway)
    }
}

/// What is said about a ListenerSet.
pub(crate) fn listener_set(verdict: &Verdict, serving: &Serving<'_>) -> Said {
    with_listeners(verdict, serving, ListenerOwner::ListenerSet)
}

/// What is said about an object of another kind: all of it is in the verdict. Without one nothing is ours to say.
pub(crate) fn other(verdict: Option<&Verdict>, list: Option<List>) -> Said {
    let parts: &[Part] = verdict.map(|verdict| &*verdict.parts).unwrap_or_default();
    let mut ours = Vec::new();
    let mut conditions = Vec::new();
    for part in parts {
        match &part.place {
            Where::Parent {
                parent: object,
                section,
                port,
            } => {
                let about = parent(object, section.as_deref(), *port);
                ours.push((about, part.conditions.clone()));
            }
            Where::Ancestor(gateway) => ours.push((ancestor(gateway), part.conditions.clone())),
            Where::Object => conditions.clone_from(&part.conditions),
            // Kinds with listeners are those above.
            Where::Listener(_) => {}
        }
    }
    Said {
        generation: verdict
            .map(|verdict| verdict.generation)
            .unwrap_or(i64::MAX),
        conditions,
        entries: list.map(|list| Entries { list, ours }),
        ..Said::default()
    }
}

fn with_listeners(verdict: &Verdict, serving: &Serving<'_>, owner: ListenerOwner) -> Said {
    let mut conditions = own_conditions(verdict);
    overlay(&mut conditions, None, serving);
    let listeners = verdict.parts.iter().filter_map(|part| {
        let Where::Listener(name) = &part.place else {
            return None;
        };
        let key = ListenerKey {
            owner,
            object: verdict.object.name.clone(),
            name: name.clone(),
        };
        let mut conditions = part.conditions.clone();
        overlay(&mut conditions, Some(&key), serving);
        Some(ListenerSaid {
            name: name.clone(),
            attached: part.attached.unwrap_or_default(),
            kinds: part.supported_kinds.clone().unwrap_or_default(),
            conditions,
        })
    });
    Said {
        generation: verdict.generation,
        conditions,
        listeners: Some(listeners.collect()),
        ..Said::default()
    }
}

fn own_conditions(verdict: &Verdict) -> Vec<Condition> {
    let own = verdict
        .parts
        .iter()
        .find(|part| part.place == Where::Object);
    own.map(|part| part.conditions.clone()).unwrap_or_default()
}

/// Whether the Gateway's addresses may not be used.
fn withheld(verdict: &Verdict) -> bool {
    own_conditions(verdict)
        .iter()
        .any(|condition| condition.kind == "Programmed" && condition.reason == ADDRESS_NOT_USABLE)
}

/// Where the objects say that all is well with `Programmed`, it depends on the proxies.
fn overlay(conditions: &mut [Condition], listener: Option<&ListenerKey>, serving: &Serving<'_>) {
    for condition in conditions {
        if condition.kind == "Programmed" && condition.status == Status::True {
            *condition = programmed(serving, listener);
        }
    }
}

fn addresses(place: &Place) -> Option<Value> {
    let addresses = &place.addresses;
    if addresses.is_empty() {
        return None;
    }
    let written = addresses.iter().map(|address| match address {
        Address::Ip(ip) => json!({"type": "IPAddress", "value": ip_text(*ip)}),
        Address::Name(name) => json!({"type": "Hostname", "value": name}),
    });
    Some(written.collect())
}

fn ip_text(ip: IpAddr) -> String {
    ip.to_canonical().to_string()
}

/// The list of entries that a kind's status has, if it has one.
pub(crate) fn list_of(kind: &str) -> Option<List> {
    match kind {
        "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute" | "XBackend" => {
            Some(List::Parents)
        }
        "BackendTLSPolicy" | "ListenerPolicy" | "BackendPolicy" | "XBackendTrafficPolicy" => {
            Some(List::Ancestors)
        }
        _ => None,
    }
}

/// The Gateway whose proxies an object's status depends on, of those that are told so by their kind.
pub(crate) fn gateway_of<'n>(
    kind: &str,
    name: &'n ObjectName,
    parent: Option<&'n ObjectName>,
) -> Option<&'n ObjectName> {
    match kind {
        "Gateway" => Some(name),
        "ListenerSet" => parent,
        _ => None,
    }
}

#[cfg(test)]
mod tests;
