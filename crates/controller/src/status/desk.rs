//! What is known, what should be said, and which object's status is to be looked at next. No I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use daemun_model::Verdicts;
use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::Verdict;
use daemun_objects::KindInfo;
use daemun_wire::answer::{Proxies, ProxyState};
use serde_json::{Value, json};

use super::compose;
use super::merge::{Change, merge};
use super::programmed::Serving;
use super::release::Release;
use super::said::Said;
use crate::provision::Provisioned;
use crate::source::kubernetes::{Observed, Written, kind};

/// What keeps a GatewayClass from being deleted while Gateways use it.
pub(super) const FINALIZER: &str = "gateway-exists-finalizer.gateway.networking.k8s.io";

/// An object whose status is written; in the order in which people notice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    rank: u8,
    /// Its kind.
    pub(super) kind: &'static str,
    /// Its name.
    pub(super) name: ObjectName,
}

impl Key {
    fn new(kind: &KindInfo, name: ObjectName) -> Self {
        let rank = match kind.kind {
            "GatewayClass" => 0,
            "Gateway" => 1,
            "ListenerSet" => 2,
            kind if kind.ends_with("Route") => 3,
            _ => 4,
        };
        Self {
            rank,
            kind: static_name(kind),
            name,
        }
    }

    fn of(object: &ObjectRef) -> Option<Self> {
        Some(Self::new(kind(&object.kind)?, object.name.clone()))
    }
}

fn static_name(info: &KindInfo) -> &'static str {
    info.kind
}

/// Something that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Job {
    /// Into which object.
    pub(super) key: Key,
    /// Its kind.
    pub(super) kind: &'static KindInfo,
    /// A merge patch.
    pub(super) patch: Value,
    /// Whether it is about the status, and not about the object itself.
    pub(super) status: bool,
}

/// What is known and what should be said.
pub(super) struct Desk {
    controller: String,
    known: HashMap<Key, Known>,
    verdicts: HashMap<Key, Arc<Verdict>>,
    /// Whether there was a translation yet.
    judged: bool,
    proxies: Arc<Proxies>,
    places: Arc<Provisioned>,
    release: Release,
    classes: Arc<BTreeSet<String>>,
    /// Whether proxies may not have had the time yet to connect.
    early: bool,
    queue: BTreeSet<Key>,
}

struct Known {
    kind: &'static KindInfo,
    written: Written,
    parent: Option<ObjectName>,
}

impl Desk {
    /// A desk of the controller of this name.
    pub(super) fn new(controller: &str) -> Self {
        Self {
            controller: controller.to_owned(),
            known: HashMap::new(),
            verdicts: HashMap::new(),
            judged: false,
            proxies: Arc::default(),
            places: Arc::default(),
            release: Release::default(),
            classes: Arc::default(),
            early: true,
            queue: BTreeSet::new(),
        }
    }

    /// Takes what was written into objects, by us and by others.
    pub(super) fn observed(&mut self, observed: Observed) {
        let Observed {
            kind,
            name,
            written,
            parent,
        } = observed;
        let key = Key::new(kind, name);
        match written {
            Some(written) => {
                self.queue.insert(key.clone());
                let known = Known {
                    kind,
                    written,
                    parent,
                };
                self.known.insert(key, known);
            }
            None => drop(self.known.remove(&key)),
        }
    }

    /// Takes the newest verdicts.
    pub(super) fn judged(&mut self, verdicts: &Verdicts) {
        let mut next = HashMap::with_capacity(verdicts.len());
        for verdict in verdicts.iter() {
            let Some(key) = Key::of(&verdict.object) else {
                continue;
            };
            let before = self.verdicts.remove(&key);
            if !before.is_some_and(|before| Arc::ptr_eq(&before, verdict)) {
                self.queue.insert(key.clone());
            }
            next.insert(key, Arc::clone(verdict));
        }
        // Of what is left nothing is said any more.
        self.queue.extend(self.verdicts.drain().map(|(key, _)| key));
        self.verdicts = next;
        if !self.judged {
            self.judged = true;
            self.everything();
        }
    }

    /// Everything is looked at again.
    pub(super) fn everything(&mut self) {
        self.queue.extend(self.known.keys().cloned());
    }

    /// Takes what proxies say now.
    pub(super) fn proxies(&mut self, proxies: &Arc<Proxies>) {
        let before = std::mem::replace(&mut self.proxies, Arc::clone(proxies));
        let changed = differing(&before.by_gateway, &proxies.by_gateway);
        self.look_at_gateways(|gateway| changed.contains(gateway));
    }

    /// Takes what there is around Gateways now.
    pub(super) fn places(&mut self, places: &Arc<Provisioned>) {
        let before = std::mem::replace(&mut self.places, Arc::clone(places));
        let changed = differing(&before, places);
        self.look_at_gateways(|gateway| changed.contains(gateway));
    }

    /// Whether proxies may not have had the time yet to connect.
    pub(super) fn early(&mut self, early: bool) {
        if self.early != early {
            self.early = early;
            self.look_at_gateways(|_| true);
        }
    }

    /// Takes which Gateway API the cluster has.
    pub(super) fn release(&mut self, release: Release) {
        if self.release != release {
            self.release = release;
            self.look_at(|key, _| key.kind == "GatewayClass");
        }
    }

    /// Takes which classes have Gateways.
    pub(super) fn classes(&mut self, classes: Arc<BTreeSet<String>>) {
        if self.classes != classes {
            self.classes = classes;
            self.look_at(|key, _| key.kind == "GatewayClass");
        }
    }

    /// Looks at an object again.
    pub(super) fn again(&mut self, key: Key) {
        self.queue.insert(key);
    }

    fn look_at_gateways(&mut self, is_meant: impl Fn(&ObjectName) -> bool) {
        self.look_at(|key, known| {
            compose::gateway_of(key.kind, &key.name, known.parent.as_ref()).is_some_and(&is_meant)
        });
    }

    fn look_at(&mut self, is_meant: impl Fn(&Key, &Known) -> bool) {
        let meant = self
            .known
            .iter()
            .filter(|(key, known)| is_meant(key, known));
        self.queue.extend(meant.map(|(key, _)| key.clone()));
    }

    /// The next thing to write, of an object that is not among those that are just being written.
    pub(super) fn next(&mut self, busy: &BTreeSet<Key>, now: &str) -> Option<Job> {
        if !self.judged {
            return None;
        }
        loop {
            let key = self.queue.iter().find(|key| !busy.contains(key)).cloned()?;
            self.queue.remove(&key);
            if let Some(job) = self.job(&key, now) {
                return Some(job);
            }
        }
    }

    fn job(&self, key: &Key, now: &str) -> Option<Job> {
        let known = self.known.get(key)?;
        let Known {
            kind,
            written,
            parent: _,
        } = known;
        let job = |patch, status| Job {
            key: key.clone(),
            kind,
            patch,
            status,
        };
        let said = self.said(key, known);
        if let Some(said) = said {
            let existing = written.status.as_deref();
            match merge(existing, &said, &self.controller, now) {
                Change::Fields(fields) => {
                    let patch = json!({
                        "metadata": {"resourceVersion": written.resource_version},
                        "status": fields,
                    });
                    return Some(job(patch, true));
                }
                Change::Nothing | Change::Newer => {}
            }
        }
        let finalizers = self.finalizers(key, written)?;
        let patch = json!({
            "metadata": {"resourceVersion": written.resource_version, "finalizers": finalizers},
        });
        Some(job(patch, false))
    }

    /// What should be said; none if nothing is ours to say.
    fn said(&self, key: &Key, known: &Known) -> Option<Said> {
        let verdict = self.verdicts.get(key);
        let gateway = compose::gateway_of(key.kind, &key.name, known.parent.as_ref());
        match (key.kind, verdict, gateway) {
            ("GatewayClass", Some(verdict), _) => Some(compose::class(verdict, &self.release)),
            ("Gateway", Some(verdict), Some(gateway)) => Some(compose::gateway(
                verdict,
                &self.serving(known, verdict, gateway),
            )),
            ("ListenerSet", Some(verdict), Some(gateway)) => Some(compose::listener_set(
                verdict,
                &self.serving(known, verdict, gateway),
            )),
            ("GatewayClass" | "Gateway" | "ListenerSet", _, _) => None,
            (kind, verdict, _) => {
                let list = compose::list_of(kind);
                (verdict.is_some() || list.is_some())
                    .then(|| compose::other(verdict.map(|verdict| &**verdict), list))
            }
        }
    }

    fn serving<'a>(
        &'a self,
        known: &Known,
        verdict: &Verdict,
        gateway: &'a ObjectName,
    ) -> Serving<'a> {
        let proxies: Option<&[ProxyState]> =
            self.proxies.by_gateway.get(gateway).map(Vec::as_slice);
        let own = Key::new(known.kind, verdict.object.name.clone());
        let is_set = own.kind == "ListenerSet";
        let generation = if is_set {
            let of_gateway = ObjectRef::new("Gateway", gateway.clone());
            let of_gateway = Key::of(&of_gateway).and_then(|key| self.verdicts.get(&key));
            of_gateway.map_or(0, |verdict| verdict.generation)
        } else {
            verdict.generation
        };
        Serving {
            generation,
            proxies: proxies.unwrap_or_default(),
            place: self.places.get(gateway),
            newest: is_set,
            was_programmed: was_programmed(&known.written, verdict.generation),
            early: self.early,
        }
    }

    /// The finalizers that a GatewayClass of ours should have; none if it has them.
    fn finalizers(&self, key: &Key, written: &Written) -> Option<Vec<String>> {
        let is_ours = key.kind == "GatewayClass" && self.verdicts.contains_key(key);
        let has = written.finalizers.iter().any(|it| it == FINALIZER);
        let in_use = is_ours && self.classes.contains(&key.name.name);
        // What is being deleted takes no new finalizer.
        if !is_ours || has == in_use || (in_use && written.deleting) {
            return None;
        }
        let mut finalizers = written.finalizers.clone();
        if in_use {
            finalizers.push(FINALIZER.to_owned());
        } else {
            finalizers.retain(|it| it != FINALIZER);
        }
        Some(finalizers)
    }
}

/// Whether the object says that it is programmed, about this generation.
fn was_programmed(written: &Written, generation: i64) -> bool {
    let status: Value = written
        .status
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let conditions = status.get("conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        condition["type"] == "Programmed"
            && condition["status"] == "True"
            && condition["observedGeneration"] == generation
    })
}

fn differing<V: PartialEq>(
    one: &BTreeMap<ObjectName, V>,
    two: &BTreeMap<ObjectName, V>,
) -> BTreeSet<ObjectName> {
    let changed = |from: &BTreeMap<ObjectName, V>, to: &BTreeMap<ObjectName, V>| {
        let differing = from
            .iter()
            .filter(|(name, value)| to.get(*name) != Some(value));
        let names: Vec<ObjectName> = differing.map(|(name, _)| name.clone()).collect();
        names
    };
    changed(one, two)
        .into_iter()
        .chain(changed(two, one))
        .collect()
}

#[cfg(test)]
mod tests;
