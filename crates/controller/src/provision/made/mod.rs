//! What is wanted around a Gateway, as objects. Pure: nothing is asked and nothing is done here.

mod account;
mod autoscaling;
mod disruption;
mod health_port;
mod pod;
mod seats;
mod service;
mod workload;

use std::collections::BTreeMap;

use daemun_translate::exposure::{Asked, Fate};
use daemun_translate::infrastructure::{Infrastructure, is_reserved};
use serde_json::{Value, json};

use super::Settings;
use super::kinds::Kind;
use super::names;
use super::seen::Seen;

pub(super) use health_port::next as next_health_port;
pub(super) use seats::{Seat, seats};

/// An object as it is to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Manifest {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) body: Value,
    /// Who a load balancer is made to be reached by, where its Service decides that.
    pub(super) reach: Option<Asked>,
}

/// What objects are made of.
pub(super) struct Maker<'a> {
    pub(super) wanted: &'a Infrastructure,
    pub(super) settings: &'a Settings,
    pub(super) authorities: &'a str,
    /// The common name.
    base: String,
}

/// The objects that are to be around a Gateway, in the order in which they are made. Services that are there already
/// keep their names and addresses.
pub(super) fn made(
    wanted: &Infrastructure,
    settings: &Settings,
    authorities: &str,
    services: &[&Seen],
) -> Vec<Manifest> {
    let maker = Maker {
        wanted,
        settings,
        authorities,
        base: names::base(&wanted.gateway.name, &wanted.class),
    };
    let mut seats = seats(wanted, services);
    let is_there = |name: &str| services.iter().any(|seen| seen.name() == name);
    let mut fates = wanted.fates.iter();
    if fates.any(|(name, fate)| *fate == Fate::GoesFirst && is_there(name)) {
        // What it has cannot be on two.
        seats.retain(|seat| is_there(&seat.name));
    }
    let mut all = vec![account::authorities(&maker), account::account(&maker)];
    all.extend(seats.iter().map(|seat| service::service(&maker, seat)));
    all.extend(disruption::budget(&maker));
    all.push(workload::workload(&maker));
    all.extend(autoscaling::autoscaler(&maker));
    all
}

/// Annotations of one kind of object.
#[derive(Clone, Copy)]
struct Annotations<'a> {
    /// The Gateway's own go over these.
    under: &'a BTreeMap<String, String>,
    /// These go over the Gateway's own.
    over: &'a BTreeMap<String, String>,
}

impl Annotations<'_> {
    /// None.
    const NONE: Annotations<'static> = Annotations {
        under: &BTreeMap::new(),
        over: &BTreeMap::new(),
    };

    /// Over which the Gateway's own go.
    fn under(under: &BTreeMap<String, String>) -> Annotations<'_> {
        Annotations {
            under,
            ..Annotations::NONE
        }
    }
}

impl Maker<'_> {
    /// An object of the common name.
    fn manifest(&self, kind: Kind, rest: Value) -> Manifest {
        self.named(kind, &self.base, Annotations::NONE, rest)
    }

    /// An object, with annotations of its own.
    fn named(&self, kind: Kind, name: &str, annotations: Annotations<'_>, rest: Value) -> Manifest {
        let mut body = json!({
            "apiVersion": kind.api_version(),
            "kind": kind.as_str(),
            "metadata": {
                "name": name,
                "namespace": self.wanted.gateway.namespace,
                "labels": self.labels(),
                "annotations": self.annotations(annotations),
                "ownerReferences": [{
                    "apiVersion": "gateway.networking.k8s.io/v1",
                    "kind": "Gateway",
                    "name": self.wanted.gateway.name,
                    "uid": self.wanted.uid,
                    "controller": true,
                }],
            },
        });
        if let (Some(body), Value::Object(rest)) = (body.as_object_mut(), rest) {
            body.extend(rest);
        }
        let revision = names::hash(&body.to_string());
        // Workloads alone: a Service that changes makes a cloud look at its load balancer again.
        let annotations = body.pointer_mut("/metadata/annotations");
        if let Some(annotations) = annotations.filter(|_| kind.is_workload()) {
            annotations[names::REVISION] = Value::String(revision);
        }
        Manifest {
            kind,
            name: name.to_owned(),
            body,
            reach: None,
        }
    }

    /// The labels of everything: the Gateway's, and those by which it is found.
    fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = without_reserved(&self.wanted.labels);
        labels.extend(
            [
                (names::GATEWAY_NAME, names::label(&self.wanted.gateway.name)),
                (names::CLASS_NAME, names::label(&self.wanted.class)),
                (names::MANAGED_BY, names::MANAGER.to_owned()),
                (names::PART_NAME, names::PROXY.to_owned()),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        );
        labels
    }

    /// The annotations of everything, with those of one kind of object.
    fn annotations(&self, own: Annotations<'_>) -> BTreeMap<String, String> {
        let Annotations { under, over } = own;
        let mut annotations = without_reserved(under);
        annotations.extend(without_reserved(&self.wanted.annotations));
        annotations.extend(without_reserved(over));
        annotations.extend(
            [
                (names::OF_GATEWAY, &self.wanted.gateway.name),
                (names::OF_CLASS, &self.wanted.class),
                (names::OF_CONTROLLER, &self.settings.controller),
            ]
            .map(|(key, value)| (key.to_owned(), value.clone())),
        );
        annotations
    }

    /// The labels by which the proxies of this Gateway are found, whatever runs them.
    fn proxies(&self) -> BTreeMap<String, String> {
        [
            (names::GATEWAY_NAME, names::label(&self.wanted.gateway.name)),
            (names::MANAGED_BY, names::MANAGER.to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }
}

fn without_reserved(map: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let kept = map.iter().filter(|(key, _)| !is_reserved(key));
    kept.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests;
