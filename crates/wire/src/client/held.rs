//! What a proxy has: the resources it was sent, read, with the last accepted one in place of one that it cannot
//! read.

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_model::{Configuration, Snapshot};

use super::kept::Entry;
use super::parts::Parts;
use super::{Update, outline};
use crate::answer::Refused;
use crate::commit::{Commit, Put};
use crate::resource::{Key, Name, Resource, Version};
use crate::versions::Versions;

/// What a proxy has.
#[derive(Default)]
pub(super) struct Held {
    versions: Versions,
    sent: BTreeMap<Name, Sent>,
    state: State,
}

/// What was accepted, to be kept for another time.
pub(super) struct Accepted {
    /// The parts.
    pub(super) snapshot: Arc<Snapshot>,
    /// Their versions; none for one that is older than what was sent last.
    pub(super) versions: BTreeMap<Name, Option<Version>>,
}

/// A resource that was sent.
struct Sent {
    /// Which part of the model it is; none if not even that can be read.
    key: Option<Key>,
    /// Why it was refused, if it was.
    refused: Option<String>,
    /// Whether only something stands in for it that refuses.
    outlined: bool,
}

enum State {
    /// There is no Gateway yet.
    Incomplete(Parts),
    Complete(Arc<Snapshot>),
}

impl Default for State {
    fn default() -> Self {
        Self::Incomplete(Parts::default())
    }
}

impl Held {
    /// The version of all of it; none if there is nothing.
    pub(super) fn root(&mut self) -> Option<Version> {
        (!self.versions.is_empty()).then(|| self.versions.root())
    }

    /// The versions of what was sent.
    pub(super) fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Applies a commit.
    ///
    /// # Errors
    /// What came of it is not what the controller meant. Then all of it is to be sent again.
    pub(super) fn apply(&mut self, commit: Commit) -> Result<(), String> {
        let Commit { put, removed, root } = commit;
        let mut parts = match std::mem::take(&mut self.state) {
            State::Incomplete(parts) => parts,
            State::Complete(snapshot) => Parts::of(&snapshot),
        };
        for name in removed {
            self.versions.remove(&name);
            let key = self.sent.remove(&name).and_then(|sent| sent.key);
            key.iter().for_each(|key| parts.remove(key));
        }
        for put in put {
            self.put(put, &mut parts);
        }
        self.state = match parts.complete() {
            Ok(snapshot) => State::Complete(Arc::new(snapshot)),
            Err(parts) => State::Incomplete(*parts),
        };
        match self.root() {
            Some(found) if found != root => Err(format!(
                "the resources together are {found} and should be {root}"
            )),
            _ => Ok(()),
        }
    }

    fn put(&mut self, Put { name, bytes }: Put, parts: &mut Parts) {
        self.versions.insert(&name, Version::of(&bytes));
        let before = self.sent.remove(&name);
        let sent = match Resource::read(&name, &bytes) {
            Ok(resource) => Sent {
                key: Some(parts.put(resource)),
                refused: None,
                outlined: false,
            },
            Err(why) => {
                tracing::error!("{name} is refused: {why}.");
                let accepted = before.filter(|before| !before.outlined);
                let outlined = accepted.is_none();
                let outline = || outline::of(&name, &bytes, &why).map(|it| parts.put(it));
                Sent {
                    key: accepted.and_then(|it| it.key).or_else(outline),
                    refused: Some(why),
                    outlined,
                }
            }
        };
        self.sent.insert(name, sent);
    }

    /// What follows for the proxy; none without a Gateway.
    pub(super) fn update(&mut self) -> Option<Update> {
        let root = self.root()?;
        let State::Complete(snapshot) = &self.state else {
            return None;
        };
        let name = snapshot.gateway.name.clone();
        Some(Update {
            generation: snapshot.gateway.generation,
            configuration: Arc::new(Configuration {
                gateways: BTreeMap::from([(name, Arc::clone(snapshot))]),
            }),
            root,
            refused: self.refused(),
        })
    }

    /// What is to be kept; none without a Gateway.
    pub(super) fn accepted(&self) -> Option<Accepted> {
        let State::Complete(snapshot) = &self.state else {
            return None;
        };
        let accepted = self.sent.iter().filter(|(_, sent)| !sent.outlined);
        let version = |name: &Name, sent: &Sent| {
            let sent_last = sent.refused.is_none();
            sent_last.then(|| self.versions.get(name)).flatten()
        };
        Some(Accepted {
            snapshot: Arc::clone(snapshot),
            versions: accepted
                .map(|(name, sent)| (name.clone(), version(name, sent)))
                .collect(),
        })
    }

    /// What was kept, if it can still be read as a whole.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn of_kept(entries: Vec<Entry>) -> Result<Self, String> {
        let (mut sent, mut versions) = (BTreeMap::new(), Versions::default());
        let mut parts = Parts::default();
        for Entry {
            name,
            version,
            bytes,
        } in entries
        {
            // One that nothing has, so that what was refused is sent again.
            versions.insert(&name, version.unwrap_or_default());
            let one = Sent {
                key: Some(parts.put(Resource::read(&name, &bytes)?)),
                refused: None,
                outlined: false,
            };
            sent.insert(name, one);
        }
        let snapshot = parts.complete();
        let snapshot = snapshot.map_err(|_| "there is no Gateway in it".to_owned())?;
        let state = State::Complete(Arc::new(snapshot));
        Ok(Self {
            versions,
            sent,
            state,
        })
    }

    /// What was refused.
    fn refused(&self) -> Vec<Refused> {
        let refused = |(name, sent): (&Name, &Sent)| {
            Some(Refused {
                what: name.to_string(),
                why: sent.refused.clone()?,
            })
        };
        self.sent.iter().filter_map(refused).collect()
    }
}
