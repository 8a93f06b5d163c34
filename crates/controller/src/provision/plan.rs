//! What has to be done so that what is there becomes what is wanted. Pure.

use std::collections::BTreeMap;

use daemun_translate::exposure::{Asked, Fate};
use serde_json::Value;

use super::differ::holds;
use super::kinds::Kind;
use super::made::Manifest;
use super::names;
use super::seen::Seen;
use super::store::Around;

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// Applies an object. If none was seen, one of that name may still be there that is not ours.
    Apply { manifest: Manifest, seen: bool },
    /// Leaves the number of a Deployment's pods to others, as it is: else it would be one as soon as nobody says a
    /// number any more.
    HandOver { name: String, replicas: i64 },
    /// Notes in the status of a Service, if it is still the one with this uid, who it was made to be reached by; none
    /// takes the note away.
    Note {
        name: String,
        uid: String,
        reach: Option<Asked>,
    },
    /// Deletes an object, if it is still the one with this uid.
    Delete {
        kind: Kind,
        name: String,
        uid: String,
    },
}

/// What was applied, and what the object was like afterwards: as long as both are so, applying again would change
/// nothing (the API server writes some values in another way than they were given).
pub(super) type Applied = BTreeMap<(Kind, String), (u64, u64)>;

/// What is to be done, and what has to wait.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) actions: Vec<Action>,
    /// A change that replaces running pods, and may not be made yet.
    pub(super) postponed: bool,
    /// Whether there is such a change among the actions.
    pub(super) rolls: bool,
}

/// Compares what is wanted with what is there.
pub(super) fn plan(
    wanted: &[Manifest],
    (around, fates): (&Around, &BTreeMap<String, Fate>),
    applied: &Applied,
    may_roll: bool,
) -> Plan {
    let mut plan = Plan::default();
    for manifest in wanted {
        let key = (manifest.kind, manifest.name.clone());
        let seen = around.get(&key);
        plan.actions
            .extend(seen.and_then(|seen| note(manifest, seen)));
        if seen.is_some_and(|seen| stands(manifest, seen, applied.get(&key))) {
            continue;
        }
        if seen.is_some_and(|seen| replaces_pods(manifest, seen)) {
            if !may_roll {
                plan.postponed = true;
                continue;
            }
            plan.rolls = true;
        }
        let others = manifest.kind == Kind::Deployment
            && manifest.body.pointer("/spec/replicas").is_none()
            && !around
                .keys()
                .any(|(kind, _)| *kind == Kind::HorizontalPodAutoscaler);
        if let Some(seen) = seen.filter(|_| others) {
            plan.actions.push(Action::HandOver {
                name: manifest.name.clone(),
                replicas: seen.number("/spec/replicas"),
            });
        }
        plan.actions.push(Action::Apply {
            manifest: manifest.clone(),
            seen: seen.is_some(),
        });
    }
    // The pods of a workload that is not wanted any more serve until those of the new one do.
    let relieved = wanted
        .iter()
        .filter(|manifest| manifest.kind.is_workload())
        .all(|manifest| {
            let seen = around.get(&(manifest.kind, manifest.name.clone()));
            seen.is_some_and(is_complete)
        });
    for ((kind, name), seen) in around {
        let is_wanted = wanted
            .iter()
            .any(|manifest| manifest.kind == *kind && manifest.name == *name);
        if is_wanted || *kind == Kind::Pod || seen.is_going() {
            continue;
        }
        if *kind == Kind::Service && fates.get(name) == Some(&Fate::Migrating) {
            continue;
        }
        // Its pods run as that account and hold that ConfigMap.
        let held = kind.is_workload() || matches!(kind, Kind::ConfigMap | Kind::ServiceAccount);
        // Who has the ports of nodes that the new one waits for makes room.
        let makes_room = kind.is_workload() && takes_ports(&seen.object) && {
            let mut workloads = wanted.iter().filter(|it| it.kind.is_workload());
            workloads
                .any(|it| takes_ports(&it.body) && around.contains_key(&(it.kind, it.name.clone())))
        };
        if held && !relieved && !makes_room {
            continue;
        }
        plan.actions.push(Action::Delete {
            kind: *kind,
            name: name.clone(),
            uid: seen.uid().to_owned(),
        });
    }
    plan
}

/// What is to be noted of a Service. It is noted once, as soon as the Service is there, and stays as long as that has
/// a load balancer: what was made does not change with what is asked.
fn note(manifest: &Manifest, seen: &Seen) -> Option<Action> {
    if manifest.kind != Kind::Service || seen.is_going() {
        return None;
    }
    let is_balancer = seen.text("/spec/type") == "LoadBalancer";
    let note = |reach| Action::Note {
        name: manifest.name.clone(),
        uid: seen.uid().to_owned(),
        reach,
    };
    match (seen.is_noted(), manifest.reach) {
        (false, Some(reach)) if is_balancer => Some(note(Some(reach))),
        (true, _) if !is_balancer => Some(note(None)),
        _ => None,
    }
}

/// What is to be remembered of an object that was applied, so that the same is not applied again.
pub(super) fn applied(manifest: &Manifest, after: &Seen) -> (u64, u64) {
    (hash(&manifest.body), hash(&after.written()))
}

fn hash(value: &Value) -> u64 {
    names::fnv(value.to_string().as_bytes())
}

fn stands(manifest: &Manifest, seen: &Seen, applied: Option<&(u64, u64)>) -> bool {
    if seen.is_going() {
        // It comes back under its name once it is gone.
        return true;
    }
    holds(&manifest.body, &seen.object)
        || applied.is_some_and(|(wanted, after)| {
            *wanted == hash(&manifest.body) && *after == hash(&seen.written())
        })
}

/// Whether the pods of a workload take ports of their nodes.
fn takes_ports(workload: &Value) -> bool {
    let containers = workload.pointer("/spec/template/spec/containers");
    let containers = containers.and_then(Value::as_array).into_iter().flatten();
    let mut ports = containers.filter_map(|it| it.get("ports")?.as_array());
    ports.any(|ports| ports.iter().any(|port| port.get("hostPort").is_some()))
}

fn replaces_pods(manifest: &Manifest, seen: &Seen) -> bool {
    let pointer = "/spec/template";
    manifest.kind.is_workload()
        && match (manifest.body.pointer(pointer), seen.at(pointer)) {
            (Some(wanted), Some(there)) => !holds(wanted, there),
            _ => false,
        }
}

/// Whether all pods of a workload are of its newest form, and ready.
pub(super) fn is_complete(seen: &Seen) -> bool {
    let current = seen.number("/metadata/generation") == seen.number("/status/observedGeneration");
    let (ready, wanted) = readiness(seen);
    let updated = match seen.kind {
        Kind::DaemonSet => seen.number("/status/updatedNumberScheduled"),
        _ => seen.number("/status/updatedReplicas"),
    };
    let all = match seen.kind {
        Kind::DaemonSet => seen.number("/status/currentNumberScheduled"),
        _ => seen.number("/status/replicas"),
    };
    current && wanted > 0 && ready >= wanted && updated >= wanted && all <= wanted
}

/// How many pods of a workload are ready, and how many there are to be.
pub(super) fn readiness(seen: &Seen) -> (i64, i64) {
    match seen.kind {
        Kind::DaemonSet => (
            seen.number("/status/numberReady"),
            seen.number("/status/desiredNumberScheduled"),
        ),
        _ => (
            seen.number("/status/readyReplicas"),
            seen.number("/spec/replicas"),
        ),
    }
}

#[cfg(test)]
mod tests;
