//! What is known, what should be said, and which object's status is to be looked at next. No I/O.

mod say;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use daemun_model::Verdicts;
use daemun_model::names::{ObjectName, ObjectRef, RouteKey, RouteKind};
use daemun_model::persistent::Map;
use daemun_model::verdict::{Severity, Verdict};
use daemun_objects::KindInfo;
use daemun_wire::answer::Proxies;

use super::compose;
use super::release::Release;
use super::silence::{Silence, Verdict as Says};
use crate::events::{About, Notice};
use crate::provision::Provisioned;
use crate::source::kubernetes::{Observed, Written, kind};

pub(super) use say::Job;

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
            kind: kind.kind,
            name,
        }
    }

    fn of(object: &ObjectRef) -> Option<Self> {
        Some(Self::new(kind(&object.kind)?, object.name.clone()))
    }
}

/// What is known and what should be said.
pub(super) struct Desk {
    controller: String,
    /// The controller's own namespace.
    home: String,
    known: BTreeMap<Key, Known>,
    /// Of these the Gateways, and the ListenerSets of each: what depends on a Gateway's proxies.
    of_gateways: BTreeMap<ObjectName, BTreeSet<Key>>,
    others: HashMap<Key, Arc<Verdict>>,
    of_routes: Map<RouteKey, Arc<Verdict>>,
    /// Whether there was a translation yet.
    judged: bool,
    proxies: Arc<Proxies>,
    places: Arc<Provisioned>,
    release: Release,
    classes: Arc<BTreeSet<String>>,
    /// Whether proxies may not have had the time yet to connect.
    early: bool,
    queue: BTreeSet<Key>,
    silence: Silence,
    /// What is to be looked at again at a time, in seconds since 1970.
    at: BTreeMap<i64, BTreeSet<Key>>,
    /// What a person should notice, and has not been told yet.
    notices: Vec<(About, Notice)>,
}

struct Known {
    kind: &'static KindInfo,
    written: Written,
    parent: Option<ObjectName>,
}

impl Desk {
    /// A desk of the controller of this name, in its namespace, from a time on (seconds since 1970).
    pub(super) fn new(controller: &str, home: &str, began: i64) -> Self {
        Self {
            controller: controller.to_owned(),
            home: home.to_owned(),
            notices: Vec::new(),
            known: BTreeMap::new(),
            of_gateways: BTreeMap::new(),
            others: HashMap::new(),
            of_routes: Map::new(),
            judged: false,
            proxies: Arc::default(),
            places: Arc::default(),
            release: Release::default(),
            classes: Arc::default(),
            early: true,
            queue: BTreeSet::new(),
            silence: Silence::new(began),
            at: BTreeMap::new(),
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
        let before = match written {
            Some(written) => {
                self.queue.insert(key.clone());
                let known = Known {
                    kind,
                    written,
                    parent: parent.clone(),
                };
                if let Some(gateway) = gateway_of(&key, parent.as_ref()) {
                    let of_gateway = self.of_gateways.entry(gateway.clone()).or_default();
                    of_gateway.insert(key.clone());
                }
                let uid = known.written.uid.clone();
                let before = self.known.insert(key.clone(), known);
                let same = before.as_ref().map(|before| &before.written.uid) == Some(&uid);
                if key.kind == "Gateway" && !same {
                    self.silence.forget(&key.name, &self.proxies);
                }
                before.filter(|before| before.parent != parent)
            }
            None => self.known.remove(&key),
        };
        if let Some(before) = before {
            self.leaves_gateway(&key, before.parent.as_ref());
        }
    }

    fn leaves_gateway(&mut self, key: &Key, parent: Option<&ObjectName>) {
        let gateway = gateway_of(key, parent);
        if let Some(gateway) = gateway
            && let Some(of_gateway) = self.of_gateways.get_mut(gateway)
        {
            of_gateway.remove(key);
            if of_gateway.is_empty() {
                self.of_gateways.remove(gateway);
            }
        }
    }

    /// Takes the newest verdicts. It costs what changed of Routes, of which there are thousands.
    pub(super) fn judged(&mut self, verdicts: &Verdicts) {
        let old = std::mem::replace(&mut self.of_routes, verdicts.of_routes().clone());
        for route in verdicts.of_routes().differences(&old, Arc::ptr_eq) {
            if let Some(kind) = kind(route.kind.as_str()) {
                let key = Key::new(kind, route.name.clone());
                let before = old.get(route).map(Arc::as_ref);
                self.judged_anew(key, verdicts.of_routes().get(route), before);
            }
        }
        let mut old = std::mem::take(&mut self.others);
        for verdict in verdicts.others() {
            let Some(key) = Key::of(&verdict.object) else {
                continue;
            };
            let before = old.remove(&key);
            if !before.as_ref().is_some_and(|it| Arc::ptr_eq(it, verdict)) {
                self.judged_anew(key.clone(), Some(verdict), before.as_deref());
            }
            self.others.insert(key, Arc::clone(verdict));
        }
        // Of what is left nothing is said any more.
        self.queue.extend(old.into_keys());
        if !self.judged {
            self.judged = true;
            self.queue.extend(self.known.keys().cloned());
        }
    }

    fn judged_anew(&mut self, key: Key, verdict: Option<&Arc<Verdict>>, before: Option<&Verdict>) {
        if let Some(verdict) = verdict {
            self.notice_findings(&key, verdict, before);
        }
        self.queue.insert(key);
    }

    fn verdict(&self, key: &Key) -> Option<&Arc<Verdict>> {
        let Some(kind) = RouteKind::of(key.kind) else {
            return self.others.get(key);
        };
        let name = key.name.clone();
        self.of_routes.get(&RouteKey { kind, name })
    }

    /// Everything is looked at again, and told again.
    pub(super) fn everything(&mut self) {
        self.queue.extend(self.known.keys().cloned());
        let verdicts: Vec<Arc<Verdict>> = self
            .others
            .values()
            .chain(self.of_routes.values())
            .filter(|verdict| !verdict.findings.is_empty())
            .cloned()
            .collect();
        for verdict in &verdicts {
            if let Some(key) = Key::of(&verdict.object) {
                self.notice_findings(&key, verdict, None);
            }
        }
    }

    /// What a person should notice, and has not been told yet.
    pub(super) fn take_notices(&mut self) -> Vec<(About, Notice)> {
        std::mem::take(&mut self.notices)
    }

    /// What works and may surprise: conditions do not say it. Errors they do.
    fn notice_findings(&mut self, key: &Key, verdict: &Verdict, before: Option<&Verdict>) {
        let known = before.map(|before| before.findings.as_slice());
        let known = known.unwrap_or_default();
        for finding in &verdict.findings {
            if finding.severity == Severity::Warning && !known.contains(finding) {
                let notice = Notice {
                    warning: true,
                    reason: finding.reason.to_owned(),
                    note: finding.message.clone(),
                    since: String::new(),
                };
                let about = self.about(key);
                self.notices.extend(about.map(|about| (about, notice)));
            }
        }
    }

    /// An object as events name it.
    pub(super) fn about(&self, key: &Key) -> Option<About> {
        let known = self.known.get(key)?;
        Some(About {
            kind: known.kind,
            name: key.name.clone(),
            uid: known.written.uid.clone(),
        })
    }

    /// Takes what proxies say now.
    pub(super) fn proxies(&mut self, proxies: &Arc<Proxies>) {
        let before = std::mem::replace(&mut self.proxies, Arc::clone(proxies));
        let changed = proxies
            .by_gateway
            .differences(&before.by_gateway, Arc::ptr_eq);
        let changed: Vec<&ObjectName> = changed.into_iter().collect();
        for gateway in &changed {
            self.silence.hear(gateway, proxies);
        }
        self.look_at_gateways(changed);
    }

    /// Takes what there is around Gateways now.
    pub(super) fn places(&mut self, places: &Arc<Provisioned>) {
        let before = std::mem::replace(&mut self.places, Arc::clone(places));
        self.look_at_gateways(places.differences(&before, Arc::ptr_eq));
    }

    /// Whether proxies may not have had the time yet to connect.
    pub(super) fn early(&mut self, early: bool) {
        if self.early != early {
            self.early = early;
            self.queue
                .extend(self.of_gateways.values().flatten().cloned());
        }
    }

    /// Takes which Gateway API the cluster has.
    pub(super) fn release(&mut self, release: Release) {
        if self.release != release {
            self.release = release;
            self.look_at_classes();
        }
    }

    /// Takes which classes have Gateways.
    pub(super) fn classes(&mut self, classes: Arc<BTreeSet<String>>) {
        if self.classes != classes {
            self.classes = classes;
            self.look_at_classes();
        }
    }

    /// Looks at an object again.
    pub(super) fn again(&mut self, key: Key) {
        self.queue.insert(key);
    }

    /// When something is to be looked at again, in seconds since 1970.
    pub(super) fn wake(&self) -> Option<i64> {
        self.at.keys().next().copied()
    }

    /// Looks at what was put off until now.
    pub(super) fn woke(&mut self, now: i64) {
        let still = self.at.split_off(&now.saturating_add(1));
        let due = std::mem::replace(&mut self.at, still);
        self.queue.extend(due.into_values().flatten());
    }

    fn look_at_gateways<'g>(&mut self, gateways: impl IntoIterator<Item = &'g ObjectName>) {
        for gateway in gateways {
            let keys = self.of_gateways.get(gateway);
            self.queue.extend(keys.into_iter().flatten().cloned());
        }
    }

    fn look_at_classes(&mut self) {
        // They are the first.
        let keys = self.known.keys();
        let classes = keys.take_while(|key| key.kind == "GatewayClass");
        self.queue.extend(classes.cloned());
    }

    /// The next thing to write, of an object that is not among those that are just being written.
    pub(super) fn next(&mut self, busy: &BTreeSet<Key>, now: &str) -> Option<Job> {
        if !self.judged {
            return None;
        }
        loop {
            let key = self.queue.iter().find(|key| !busy.contains(key)).cloned()?;
            self.queue.remove(&key);
            if let Some((Says::From(at), _)) = self.silence(&key, now) {
                self.at.entry(at).or_default().insert(key.clone());
            }
            if let Some(job) = self.job(&key, now) {
                return Some(job);
            }
        }
    }
}

fn gateway_of<'n>(key: &'n Key, parent: Option<&'n ObjectName>) -> Option<&'n ObjectName> {
    compose::gateway_of(key.kind, &key.name, parent)
}

#[cfg(test)]
mod tests;
