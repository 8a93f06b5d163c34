//! What is published for one Gateway: the newest of it, and lately what changed.
//!
//! A change is written once, for all proxies that are up to date; who is further behind than what is remembered,
//! or comes from elsewhere, says what it has, and gets what that lacks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use daemun_model::Snapshot;

use crate::commit::{Commit, Put};
use crate::resource::{self, Differences, Name, Resource, Version};
use crate::versions::Versions;

/// Changes that are remembered.
const RECENT: usize = 64;
/// Bytes of them, in all.
const RECENT_BYTES: usize = 1024 * 1024;

/// What is published for one Gateway.
pub(super) struct Feed {
    snapshot: Arc<Snapshot>,
    revision: u64,
    versions: Versions,
    recent: VecDeque<Change>,
}

/// From one revision to the next.
struct Change {
    from: u64,
    /// None: it is gone.
    parts: Vec<(Name, Option<Bytes>)>,
    bytes: usize,
}

/// A feed at one moment, to be written from without holding others up.
pub(super) struct Moment {
    /// Which moment.
    pub(super) revision: u64,
    snapshot: Arc<Snapshot>,
    versions: Versions,
    root: Version,
}

impl Feed {
    /// The first that is published.
    pub(super) fn new(snapshot: &Arc<Snapshot>, revision: u64) -> Self {
        let mut feed = Self {
            snapshot: Arc::clone(snapshot),
            revision,
            versions: Versions::default(),
            recent: VecDeque::new(),
        };
        let all = Differences {
            put: resource::all(snapshot).collect(),
            removed: Vec::new(),
        };
        // Nobody has an earlier revision.
        feed.note(all);
        feed
    }

    /// The next that is published.
    pub(super) fn advance(&mut self, next: &Arc<Snapshot>, revision: u64) {
        if Arc::ptr_eq(&self.snapshot, next) {
            return;
        }
        let differences = resource::differences(Some(&self.snapshot), next);
        self.snapshot = Arc::clone(next);
        let parts = self.note(differences);
        if parts.is_empty() {
            return;
        }
        let lengths = parts.iter().filter_map(|(_, part)| part.as_ref());
        let bytes = lengths.map(Bytes::len).sum();
        self.recent.push_back(Change {
            from: std::mem::replace(&mut self.revision, revision),
            parts,
            bytes,
        });
        self.forget();
    }

    /// Takes over what is different, and gives what of it really is.
    fn note(&mut self, differences: Differences) -> Vec<(Name, Option<Bytes>)> {
        let Differences { put, removed } = differences;
        let mut parts = Vec::new();
        for resource in put {
            let (name, Some(bytes)) = (resource.key().name(), written(&resource)) else {
                continue;
            };
            let version = Version::of(&bytes);
            if self.versions.insert(&name, version) != Some(version) {
                parts.push((name, Some(bytes)));
            }
        }
        for key in removed {
            let name = key.name();
            self.versions.remove(&name);
            parts.push((name, None));
        }
        parts
    }

    fn forget(&mut self) {
        let mut bytes: usize = self.recent.iter().map(|change| change.bytes).sum();
        while self.recent.len() > RECENT || bytes > RECENT_BYTES {
            let Some(oldest) = self.recent.pop_front() else {
                return;
            };
            bytes -= oldest.bytes;
        }
    }

    /// The revision that is the newest.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The version of all resources together.
    pub(super) fn root(&mut self) -> Version {
        self.versions.root()
    }

    /// How many resources there are.
    pub(super) fn len(&self) -> usize {
        self.versions.len()
    }

    /// All that changed since a revision, if that is remembered.
    pub(super) fn since(&mut self, revision: u64) -> Option<Commit> {
        let first = self.recent.iter().position(|it| it.from == revision)?;
        let mut parts: BTreeMap<Name, Option<Bytes>> = BTreeMap::new();
        for change in self.recent.range(first..) {
            parts.extend(change.parts.iter().cloned());
        }
        Some(commit(parts, self.root()))
    }

    /// As it is now.
    pub(super) fn moment(&mut self) -> Moment {
        Moment {
            revision: self.revision,
            snapshot: Arc::clone(&self.snapshot),
            versions: self.versions.clone(),
            root: self.root(),
        }
    }
}

impl Moment {
    /// What somebody lacks who has these.
    pub(super) fn beyond(&self, have: &Versions) -> Commit {
        let found = resource::all(&self.snapshot).filter_map(|resource| {
            let name = resource.key().name();
            let is_lacking = have.get(&name) != self.versions.get(&name);
            let bytes = is_lacking.then(|| written(&resource))??;
            Some((name, Some(bytes)))
        });
        let gone = have.iter().map(|(name, _)| name);
        let gone = gone.filter(|name| self.versions.get(name).is_none());
        let gone = gone.map(|name| (name.clone(), None));
        commit(found.chain(gone), self.root)
    }
}

fn commit(parts: impl IntoIterator<Item = (Name, Option<Bytes>)>, root: Version) -> Commit {
    let (mut put, mut removed) = (Vec::new(), Vec::new());
    for (name, part) in parts {
        match part {
            Some(bytes) => put.push(Put { name, bytes }),
            None => removed.push(name),
        }
    }
    Commit { put, removed, root }
}

fn written(resource: &Resource) -> Option<Bytes> {
    let written = resource.write();
    written
        .inspect_err(|why| tracing::error!("A part of the configuration does not travel: {why}."))
        .ok()
}
