//! Routes that get nothing because others take all that they could: those with the same matches on the same listeners
//! and hostnames, and that come first (gateway-api: the older one, then by namespace and name).
//!
//! Only equal matches are compared. A more general match of another Route never comes first, and a more special one
//! takes a part at most.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher as _};

use daemun_model::names::{Created, ObjectName, RouteKey, RouteKind};
use daemun_model::route::Attachment;
use daemun_model::verdict::FieldPath;

use super::Note;
use crate::read::route::Served;
use crate::standing::Standing;

/// Who takes what.
#[derive(Debug, Default)]
pub(super) struct Shadows {
    /// What each Route takes, as hashes of listener, hostname and match.
    taken: HashMap<RouteKey, Taken>,
    /// Those that take the same, the first to take it first.
    takers: HashMap<u64, Vec<Taker>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Taken {
    created: Created,
    what: Box<[u64]>,
}

/// Ordered as it is decided who comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taker {
    created: Created,
    name: ObjectName,
    kind: RouteKind,
}

impl Shadows {
    /// Looks at Routes that may have changed. Gives all about which something else may be to be said.
    pub(super) fn update<'k>(
        &mut self,
        standing: &Standing,
        routes: impl Iterator<Item = &'k RouteKey>,
    ) -> BTreeSet<RouteKey> {
        let mut stale = BTreeSet::new();
        for key in routes {
            let outcome = standing.routes().get(key);
            let next = outcome.and_then(|outcome| taken(outcome.served.iter().map(|(_, it)| it)));
            if self.taken.get(key) == next.as_ref() {
                continue;
            }
            let before = match next {
                Some(next) => {
                    self.put(key, &next, &mut stale);
                    self.taken.insert(key.clone(), next)
                }
                None => self.taken.remove(key),
            };
            if let Some(before) = before {
                self.take_out(key, &before, &mut stale);
            }
            stale.insert(key.clone());
        }
        stale
    }

    fn put(&mut self, key: &RouteKey, taken: &Taken, stale: &mut BTreeSet<RouteKey>) {
        let taker = taker(key, taken.created);
        for what in &taken.what {
            let takers = self.takers.entry(*what).or_default();
            stale.extend(takers.iter().map(Taker::key));
            if let Err(at) = takers.binary_search(&taker) {
                takers.insert(at, taker.clone());
            }
        }
    }

    /// What a Route took before and does not take any more, or not since then.
    fn take_out(&mut self, key: &RouteKey, before: &Taken, stale: &mut BTreeSet<RouteKey>) {
        let now = self.taken.get(key);
        let taker = taker(key, before.created);
        for what in &before.what {
            let still = now.is_some_and(|now| {
                now.created == before.created && now.what.binary_search(what).is_ok()
            });
            let Some(takers) = self.takers.get_mut(what).filter(|_| !still) else {
                continue;
            };
            takers.retain(|it| *it != taker);
            stale.extend(takers.iter().map(Taker::key));
            if takers.is_empty() {
                self.takers.remove(what);
            }
        }
    }

    /// What is to be said of a Route that gets nothing.
    pub(super) fn note(&self, key: &RouteKey) -> Option<Note> {
        let taken = self.taken.get(key)?;
        let us = taker(key, taken.created);
        let mut first: Option<&Taker> = None;
        for what in &taken.what {
            let before = self.takers.get(what)?.first()?;
            if *before >= us {
                return None;
            }
            first.get_or_insert(before);
        }
        let other = first?;
        let why = if other.created < us.created {
            "is older"
        } else {
            "comes first by its name"
        };
        let what = match key.kind {
            RouteKind::Http | RouteKind::Grpc => "requests",
            RouteKind::Tls | RouteKind::Tcp => "connections",
            RouteKind::Udp => "datagrams",
        };
        Some(Note {
            condition: "Accepted",
            reason: "Shadowed",
            path: FieldPath::of("spec.rules"),
            message: format!(
                "It gets no {what}: {} {why}, and takes all that this Route could take.",
                other.key()
            ),
        })
    }
}

impl Ord for Taker {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two) = (self.name.alphabetical(), other.name.alphabetical());
        let by_name = || one.cmp(&two).then_with(|| self.kind.cmp(&other.kind));
        self.created.cmp(&other.created).then_with(by_name)
    }
}

impl PartialOrd for Taker {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Taker {
    fn key(&self) -> RouteKey {
        RouteKey {
            kind: self.kind,
            name: self.name.clone(),
        }
    }
}

fn taker(key: &RouteKey, created: Created) -> Taker {
    Taker {
        created,
        name: key.name.clone(),
        kind: key.kind,
    }
}

fn taken<'s>(served: impl Iterator<Item = &'s Served>) -> Option<Taken> {
    let mut created = None;
    let mut what = Vec::new();
    for served in served {
        match served {
            Served::Http(route) => {
                created = Some(route.created);
                let matches = || route.rules.iter().flat_map(|rule| &rule.matches);
                for place in places(&route.attachments) {
                    what.extend(matches().map(|it| hash(&(place, it))));
                }
            }
            Served::Stream(route) => {
                created = Some(route.created);
                // Listeners of one protocol have Routes of one kind below HTTP.
                let kind = route.key.kind;
                what.extend(places(&route.attachments).map(|place| hash(&(place, kind))));
            }
        }
    }
    what.sort_unstable();
    what.dedup();
    let created = created.filter(|_| !what.is_empty())?;
    Some(Taken {
        created,
        what: what.into(),
    })
}

/// A hostname on a listener.
fn places(attachments: &[Attachment]) -> impl Iterator<Item = impl Hash + Copy + '_> {
    attachments.iter().flat_map(|attachment| {
        let hostnames = attachment.hostnames.iter();
        hostnames.map(|hostname| (&attachment.listener, hostname))
    })
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
