//! All that was seen of what was made, by Gateway.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use daemun_model::names::ObjectName;

use super::kinds::Kind;
use super::names;
use super::seen::Seen;
use super::{Accounts, Pods, Settings};

/// What is around one Gateway, by kind and name.
pub(super) type Around = BTreeMap<(Kind, String), Seen>;

/// Everything that was seen.
#[derive(Debug, Default)]
pub(super) struct Store {
    by_gateway: BTreeMap<ObjectName, Around>,
    /// Where an object is, by its kind and name: the Gateway is one of its annotations, and those change.
    gateways: BTreeMap<(Kind, ObjectName), ObjectName>,
    /// Kinds and namespaces that were listed once.
    listed: BTreeSet<(Kind, String)>,
    /// How many there are to list.
    watches: usize,
}

/// Something that was seen.
#[derive(Debug)]
pub(super) enum Event {
    /// An object is there, or is different.
    There(Box<Seen>),
    /// An object is gone.
    Gone(Kind, ObjectName),
    /// These are all there are of a kind in a namespace (or in all of them: an empty name).
    All(Kind, String, Vec<Seen>),
}

/// What came of something that was seen.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The Gateways for which it is news.
    pub(super) touched: BTreeSet<ObjectName>,
    /// Whether an object is there that was not, or the other way round.
    pub(super) came_or_went: bool,
}

impl Event {
    /// The kind that it is about.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::There(seen) => seen.kind,
            Self::Gone(kind, _) | Self::All(kind, _, _) => *kind,
        }
    }
}

impl Store {
    /// A store that is complete once so many watches have listed.
    pub(super) fn new(watches: usize) -> Self {
        Self {
            watches,
            ..Self::default()
        }
    }

    /// Whether everything was listed once: nothing is judged missing before.
    pub(super) fn is_complete(&self) -> bool {
        self.listed.len() >= self.watches
    }

    /// What is around a Gateway of this name.
    pub(super) fn around(&self, gateway: &ObjectName) -> Option<&Around> {
        self.by_gateway.get(gateway)
    }

    /// The uid of something around a Gateway; nothing if it is not there.
    pub(super) fn uid_of(&self, kind: Kind, gateway: &ObjectName, name: &str) -> String {
        let around = self.by_gateway.get(gateway);
        let seen = around.and_then(|around| around.get(&(kind, name.to_owned())));
        seen.map(|seen| seen.uid().to_owned()).unwrap_or_default()
    }

    /// What is around the Gateway of this name and uid: what an earlier one left is not, and goes by itself.
    pub(super) fn around_this(&self, gateway: &ObjectName, uid: &str) -> Cow<'_, Around> {
        match self.by_gateway.get(gateway) {
            None => Cow::default(),
            Some(around) if around.values().all(|seen| seen.is_for_this(uid)) => {
                Cow::Borrowed(around)
            }
            Some(around) => {
                let these = around.iter().filter(|(_, seen)| seen.is_for_this(uid));
                Cow::Owned(
                    these
                        .map(|(key, seen)| (key.clone(), seen.clone()))
                        .collect(),
                )
            }
        }
    }

    /// The Gateways around which something is.
    pub(super) fn gateways(&self) -> impl Iterator<Item = &ObjectName> {
        self.by_gateway.keys()
    }

    /// Takes in what was seen.
    pub(super) fn take(&mut self, event: Event, settings: &Settings) -> Taken {
        let mut taken = Taken::default();
        match event {
            Event::There(seen) => self.put(*seen, settings, &mut taken),
            Event::Gone(kind, name) => self.remove(kind, &name, &mut taken),
            Event::All(kind, namespace, all) => {
                let names: BTreeSet<ObjectName> = all
                    .iter()
                    .map(|seen| ObjectName::new(seen.namespace(), seen.name()))
                    .collect();
                let gone: Vec<ObjectName> = self
                    .gateways
                    .keys()
                    .filter(|(of, name)| {
                        *of == kind
                            && (namespace.is_empty() || name.namespace == namespace)
                            && !names.contains(name)
                    })
                    .map(|(_, name)| name.clone())
                    .collect();
                for name in gone {
                    self.remove(kind, &name, &mut taken);
                }
                for seen in all {
                    self.put(seen, settings, &mut taken);
                }
                if self.listed.insert((kind, namespace)) && self.is_complete() {
                    taken.touched.extend(self.by_gateway.keys().cloned());
                }
            }
        }
        taken
    }

    fn put(&mut self, seen: Seen, settings: &Settings, taken: &mut Taken) {
        let name = ObjectName::new(seen.namespace(), seen.name());
        let gateway = seen.annotation(names::OF_GATEWAY);
        if !seen.is_of(&settings.controller) || gateway.is_empty() || !seen.is_for(gateway) {
            // Another controller's, not ours any more, or one that only says so.
            self.remove(seen.kind, &name, taken);
            return;
        }
        let gateway = ObjectName::new(seen.namespace(), gateway);
        let key = (seen.kind, name.name.clone());
        let known = self
            .by_gateway
            .get(&gateway)
            .and_then(|around| around.get(&key));
        if known == Some(&seen) {
            return;
        }
        taken.came_or_went |= known.is_none_or(|known| known.uid() != seen.uid());
        let before = self.gateways.insert((seen.kind, name), gateway.clone());
        if let Some(before) = before.filter(|before| *before != gateway) {
            self.forget(&before, &key);
            taken.touched.insert(before);
        }
        self.by_gateway
            .entry(gateway.clone())
            .or_default()
            .insert(key, seen);
        taken.touched.insert(gateway);
    }

    fn remove(&mut self, kind: Kind, name: &ObjectName, taken: &mut Taken) {
        if let Some(gateway) = self.gateways.remove(&(kind, name.clone())) {
            self.forget(&gateway, &(kind, name.name.clone()));
            taken.touched.insert(gateway);
            taken.came_or_went = true;
        }
    }

    fn forget(&mut self, gateway: &ObjectName, key: &(Kind, String)) {
        if let Some(around) = self.by_gateway.get_mut(gateway) {
            around.remove(key);
            if around.is_empty() {
                self.by_gateway.remove(gateway);
            }
        }
    }

    /// The uids of all pods.
    pub(super) fn pods(&self) -> Pods {
        let around = self.by_gateway.values().flat_map(BTreeMap::values);
        around
            .filter(|seen| seen.kind == Kind::Pod)
            .map(|seen| seen.uid().to_owned())
            .collect()
    }

    /// The Gateways by the uids of the ServiceAccounts that were made for them: of exactly the name that is made, and
    /// owned by the Gateway that they name.
    pub(super) fn accounts(&self) -> Accounts {
        self.by_gateway
            .iter()
            .flat_map(|(gateway, around)| around.values().map(move |seen| (gateway, seen)))
            .filter(|(gateway, seen)| {
                let base = || names::base(&gateway.name, seen.annotation(names::OF_CLASS));
                seen.kind == Kind::ServiceAccount
                    && !seen.is_going()
                    && seen.name() == base()
                    && seen.owner().is_some_and(|(owner, _)| owner == gateway.name)
            })
            .map(|(gateway, seen)| (seen.uid().to_owned(), gateway.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
