//! What is to be written into one object: nothing, its status, or what marks a GatewayClass as ours.

use std::sync::Arc;

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::Verdict;
use daemun_objects::{KindInfo, seconds_since_epoch};
use serde_json::{Value, json};

use super::{Desk, Key, Known};
use crate::events::Notice;
use crate::source::kubernetes::{CLAIM, Written};
use crate::status::compose;
use crate::status::merge::{Change, merge};
use crate::status::notices::notices;
use crate::status::programmed::Serving;
use crate::status::said::Said;
use crate::status::silence::{Verdict as Says, Written as Programmed};

/// What keeps a GatewayClass from being deleted while Gateways use it.
pub(super) const FINALIZER: &str = "gateway-exists-finalizer.gateway.networking.k8s.io";

/// Something that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::status) struct Job {
    /// Into which object.
    pub(in crate::status) key: Key,
    /// Its kind.
    pub(in crate::status) kind: &'static KindInfo,
    /// A merge patch.
    pub(in crate::status) patch: Value,
    /// Whether it is about the status, and not about the object itself.
    pub(in crate::status) status: bool,
    /// What a person should notice of it, once it is written.
    pub(in crate::status) notices: Vec<Notice>,
}

impl Desk {
    /// What is to be written into an object, if anything is.
    pub(super) fn job(&self, key: &Key, now: &str) -> Option<Job> {
        let known = self.known.get(key)?;
        let Known {
            kind,
            written,
            parent: _,
        } = known;
        let job = |patch, status, notices| Job {
            key: key.clone(),
            kind,
            patch,
            status,
            notices,
        };
        if let Some(said) = self.said(key, known, now) {
            let existing = written.status.as_deref();
            match merge(existing, &said, &self.controller, now) {
                Change::Fields(fields) => {
                    let notices = notices(existing, &fields, &self.controller, now);
                    let patch = json!({
                        "metadata": {"resourceVersion": written.resource_version},
                        "status": fields,
                    });
                    return Some(job(patch, true, notices));
                }
                Change::Nothing | Change::Newer => {}
            }
        }
        let mut metadata = self.marks(key, written)?;
        metadata.insert(
            "resourceVersion".to_owned(),
            json!(written.resource_version),
        );
        Some(job(json!({ "metadata": metadata }), false, Vec::new()))
    }

    /// What should be said; none if nothing is ours to say.
    fn said(&self, key: &Key, known: &Known, now: &str) -> Option<Said> {
        let verdict = self.verdict(key);
        let gateway = compose::gateway_of(key.kind, &key.name, known.parent.as_ref());
        match (key.kind, verdict, gateway) {
            ("GatewayClass", Some(verdict), _) => Some(compose::class(verdict, &self.release)),
            ("Gateway", Some(verdict), Some(gateway)) => {
                let silence = self.silence(key, now);
                let silence = silence.filter(|(says, _)| *says == Says::Yes);
                let serving = Serving {
                    silence: silence.as_ref().map(|(_, words)| words.as_str()),
                    ..self.serving(known, verdict, gateway)
                };
                Some(compose::gateway(verdict, &serving))
            }
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
        let own = Key::new(known.kind, verdict.object.name.clone());
        let is_set = own.kind == "ListenerSet";
        let generation = if is_set {
            let of_gateway = ObjectRef::new("Gateway", gateway.clone());
            let of_gateway = Key::of(&of_gateway).and_then(|key| self.others.get(&key));
            of_gateway.map_or(0, |verdict| verdict.generation)
        } else {
            verdict.generation
        };
        Serving {
            generation,
            proxies: self.proxies.of(gateway),
            place: self.places.get(gateway).map(Arc::as_ref),
            newest: is_set,
            was_programmed: was_programmed(&known.written, verdict.generation),
            early: self.early,
            silence: None,
        }
    }

    /// Whether, and when, it is to be said that no connection comes, and how; none about what is no Gateway, or where
    /// it would mean nothing.
    pub(super) fn silence(&self, key: &Key, now: &str) -> Option<(Says, String)> {
        if key.kind != "Gateway" {
            return None;
        }
        let programmed = programmed(&self.known.get(key)?.written)?;
        let written = Programmed::of(&programmed);
        let words = match self.places.get(&key.name) {
            Some(place) => place.silence.clone()?,
            // Before anybody has looked, what stands there stays.
            None => written.said.clone()?,
        };
        let proxies = (self.proxies.of(&key.name), self.early);
        let now = seconds_since_epoch(now)?;
        let says = self.silence.judge(&key.name, proxies, &written, now);
        Some((says, words))
    }

    /// What a GatewayClass of ours should have beside its status; none if it has it: the finalizer while it is in use, and
    /// the mark of the controller that serves it.
    fn marks(&self, key: &Key, written: &Written) -> Option<serde_json::Map<String, Value>> {
        if key.kind != "GatewayClass" || !self.others.contains_key(key) {
            return None;
        }
        let mut metadata = serde_json::Map::new();
        if written.claim.as_deref() != Some(&self.home) && !written.deleting {
            metadata.insert("annotations".to_owned(), json!({ CLAIM: self.home }));
        }
        let has = written.finalizers.iter().any(|it| it == FINALIZER);
        let in_use = self.classes.contains(&key.name.name);
        let mut finalizers = written.finalizers.clone();
        match (has, in_use) {
            // What is being deleted takes no new finalizer.
            (false, true) if !written.deleting => finalizers.push(FINALIZER.to_owned()),
            (true, false) => finalizers.retain(|it| it != FINALIZER),
            (true | false, _) => {}
        }
        if finalizers != written.finalizers {
            metadata.insert("finalizers".to_owned(), json!(finalizers));
        }
        (!metadata.is_empty()).then_some(metadata)
    }
}

/// Whether the object says that it is programmed, about this generation.
fn was_programmed(written: &Written, generation: i64) -> bool {
    programmed(written).is_some_and(|condition| {
        condition["status"] == "True" && condition["observedGeneration"] == generation
    })
}

/// What the object says of being programmed.
fn programmed(written: &Written) -> Option<Value> {
    let mut status: Value = serde_json::from_str(written.status.as_deref()?).ok()?;
    let conditions = status.get_mut("conditions")?.as_array_mut()?;
    let mut conditions = conditions.iter_mut();
    conditions
        .find(|condition| condition["type"] == "Programmed")
        .map(Value::take)
}
