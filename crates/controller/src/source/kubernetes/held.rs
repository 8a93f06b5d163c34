//! All that watches told so far: the cluster as it is known, and how far each watch is.

use std::collections::{BTreeMap, BTreeSet};

use daemun_model::names::ObjectName;
use daemun_objects::{Any, KindInfo};
use daemun_translate::{Cluster, Settings};

use super::event::{Event, What};
use super::raw::{Seen, Written, has_status};
use super::referred::{Holder, Referred};
use super::served::{DEFINITIONS, full_name};
use super::trouble::Trouble;
use super::watch::Watched;

/// The kind that the controller can do without, if others say what it would.
pub(crate) const NODE: &str = "Node";

/// What is known.
#[derive(Debug)]
pub(crate) struct Held {
    /// The objects.
    pub(crate) cluster: Cluster,
    /// Secrets and ConfigMaps.
    pub(crate) referred: Referred,
    watches: Vec<Progress>,
    definitions: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether something that is translated changed since this was asked last.
    changed: bool,
    /// What controllers wrote into objects, new since this was asked last.
    observed: Vec<Observed>,
}

/// How far a watch is.
#[derive(Debug)]
struct Progress {
    watched: Watched,
    /// The names since a listing began.
    listing: Option<BTreeSet<ObjectName>>,
    /// Whether all objects were named once, or are known not to be.
    listed: bool,
    trouble: Option<Trouble>,
}

/// What controllers wrote into an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observed {
    /// The kind.
    pub(crate) kind: &'static KindInfo,
    /// The object.
    pub(crate) name: ObjectName,
    /// What was written; none when the object is gone.
    pub(crate) written: Option<Written>,
    /// The Gateway of a ListenerSet.
    pub(crate) parent: Option<ObjectName>,
}

impl Observed {
    /// What controllers wrote into an object that was read.
    pub(crate) fn of(kind: &'static KindInfo, seen: &Seen) -> Self {
        Self {
            kind,
            name: seen.name.clone(),
            parent: parent(&seen.object),
            written: Some(seen.written.clone()),
        }
    }
}

impl Held {
    /// Nothing is known yet of what is watched.
    pub(super) fn new(settings: Settings, watches: &[Watched]) -> Self {
        let progress = |watched: &Watched| Progress {
            watched: watched.clone(),
            listing: None,
            listed: false,
            trouble: None,
        };
        Self {
            cluster: Cluster {
                settings,
                ..Cluster::default()
            },
            referred: Referred::default(),
            watches: watches.iter().map(progress).collect(),
            definitions: BTreeMap::new(),
            changed: false,
            observed: Vec::new(),
        }
    }

    /// Whether everything that is watched was listed once.
    pub(crate) fn is_complete(&self) -> bool {
        self.watches.iter().all(|watch| watch.listed)
    }

    /// What keeps it from being complete, in words: what stands in the way of the first watch that has not listed.
    pub(crate) fn waits_for(&self) -> String {
        let mut waiting = self.watches.iter().filter(|watch| !watch.listed);
        let said = waiting.clone().find_map(|watch| watch.trouble.as_ref());
        match (said, waiting.next()) {
            (Some(trouble), _) => trouble.to_string(),
            (None, Some(first)) => format!(
                "{} were not listed yet, and {} more kinds",
                full_name(first.watched.kind),
                waiting.count()
            ),
            (None, None) => String::new(),
        }
    }

    /// Whether something that is translated changed since this was asked last.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// What controllers wrote into objects, new since this was asked last.
    pub(crate) fn take_observed(&mut self) -> Vec<Observed> {
        std::mem::take(&mut self.observed)
    }

    /// What stands in the way, each once.
    pub(crate) fn troubles(&self) -> Vec<&Trouble> {
        let mut troubles: Vec<&Trouble> = Vec::new();
        for trouble in self.watches.iter().filter_map(|it| it.trouble.as_ref()) {
            if !troubles.contains(&trouble) {
                troubles.push(trouble);
            }
        }
        troubles
    }

    /// The annotations of CustomResourceDefinitions, by their names.
    pub(crate) fn definitions(&self) -> &BTreeMap<String, BTreeMap<String, String>> {
        &self.definitions
    }

    /// Takes what a watch tells. Says whether it is about a CustomResourceDefinition.
    pub(crate) fn note(&mut self, event: Event) -> bool {
        let Event { watch, what } = event;
        let Some(progress) = self.watches.get_mut(watch) else {
            return false;
        };
        let kind = progress.watched.kind;
        match what {
            What::Listing => progress.listing = Some(BTreeSet::new()),
            What::Put(seen) => {
                progress.saw(&seen.name);
                self.put(kind, *seen);
            }
            What::Named {
                name,
                version,
                annotations,
            } => {
                progress.saw(&name);
                if let Some(holder) = Holder::of(kind) {
                    self.referred.named(holder, name, version);
                } else {
                    self.definitions.insert(name.name, annotations);
                }
            }
            What::Unreadable { name, why } => {
                progress.saw(&name);
                tracing::error!(
                    "{} {name} is not as its CRD should have it, and goes on as it was: {why}.",
                    kind.kind
                );
            }
            What::Gone(name) => {
                progress.trouble = None;
                self.gone(kind, name);
            }
            What::Listed => {
                progress.listed = true;
                progress.trouble = None;
                self.hide_nodes(kind, false);
                let Some(progress) = self.watches.get_mut(watch) else {
                    return false;
                };
                let seen = progress.listing.take().unwrap_or_default();
                self.keep_only(watch, &seen);
            }
            What::Trouble(trouble) => {
                if matches!(trouble, Trouble::Missing { .. }) {
                    progress.listed = true;
                    self.keep_only(watch, &BTreeSet::new());
                }
                let hidden = kind.kind == NODE && matches!(trouble, Trouble::Forbidden { .. });
                if hidden {
                    self.hide_nodes(kind, true);
                }
                if let Some(progress) = self.watches.get_mut(watch) {
                    // Without them it is only said less about versions, and without nodes, who makes load balancers.
                    progress.listed |= kind == DEFINITIONS || hidden;
                    progress.trouble = Some(trouble);
                }
            }
        }
        kind == DEFINITIONS
    }

    /// Notes whether nodes may be looked at.
    fn hide_nodes(&mut self, kind: &KindInfo, hidden: bool) {
        if kind.kind == NODE && self.cluster.nodes_hidden != hidden {
            self.cluster.nodes_hidden = hidden;
            self.changed = true;
        }
    }

    fn put(&mut self, kind: &'static KindInfo, seen: Seen) {
        let Seen {
            name,
            object,
            written,
        } = seen;
        if has_status(kind) {
            self.observed.push(Observed {
                kind,
                name: name.clone(),
                parent: parent(&object),
                written: Some(written),
            });
        }
        // What controllers write is not translated: an object that is the same apart from it is the same.
        if self.cluster.get(kind, &name).as_ref() != Some(&object) {
            self.cluster.insert(object);
            self.changed = true;
        }
    }

    fn gone(&mut self, kind: &'static KindInfo, name: ObjectName) {
        if kind == DEFINITIONS {
            self.definitions.remove(&name.name);
            return;
        }
        if let Some(holder) = Holder::of(kind) {
            self.changed |= self.referred.gone(holder, name, &mut self.cluster);
            return;
        }
        if self.cluster.remove(kind, &name).is_some() {
            self.changed = true;
        }
        if has_status(kind) {
            self.observed.push(Observed {
                kind,
                name,
                written: None,
                parent: None,
            });
        }
    }

    /// Takes out what a watch is about and is not among the names.
    fn keep_only(&mut self, watch: usize, names: &BTreeSet<ObjectName>) {
        let Some(Progress { watched, .. }) = self.watches.get(watch) else {
            return;
        };
        let (kind, namespace) = (watched.kind, watched.namespace.clone());
        let held = match Holder::of(kind) {
            Some(holder) => self.referred.names(holder),
            None if kind == DEFINITIONS => {
                let names = self.definitions.keys();
                names.map(|name| ObjectName::new("", name)).collect()
            }
            None => self.cluster.names(kind),
        };
        let in_place = |name: &ObjectName| {
            let namespace = namespace.as_ref();
            namespace.is_none_or(|namespace| name.namespace == *namespace)
        };
        for name in held {
            if in_place(&name) && !names.contains(&name) {
                self.gone(kind, name);
            }
        }
    }
}

impl Progress {
    fn saw(&mut self, name: &ObjectName) {
        self.trouble = None;
        if let Some(listing) = &mut self.listing {
            listing.insert(name.clone());
        }
    }
}

/// The Gateway that a ListenerSet is for.
fn parent(object: &Any) -> Option<ObjectName> {
    let Any::ListenerSet(set) = object else {
        return None;
    };
    let parent = &set.spec.parent_ref;
    let namespace = parent
        .namespace
        .as_ref()
        .or(set.metadata.namespace.as_ref());
    Some(ObjectName::new(
        namespace.cloned().unwrap_or_default(),
        &parent.name,
    ))
}

#[cfg(test)]
mod tests;
