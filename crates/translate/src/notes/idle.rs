//! Backends without an endpoint that takes requests.

use std::collections::BTreeSet;

use daemun_model::Configuration;
use daemun_model::backend::Backend;
use daemun_model::names::{BackendKey, RouteKind};
use daemun_model::verdict::FieldPath;

use super::Note;
use crate::read::route::{RouteOutcome, Served};
use crate::standing::Touched;
use crate::verdict::NO_READY_ENDPOINT;

/// Those that have none.
#[derive(Debug, Default)]
pub(super) struct Idle(BTreeSet<BackendKey>);

impl Idle {
    /// Looks at backends that may have changed. Gives those that turned idle, or are not any more.
    pub(super) fn update(
        &mut self,
        touched: &Touched,
        configuration: &Configuration,
    ) -> BTreeSet<BackendKey> {
        let keys: BTreeSet<&BackendKey> = touched.backends.values().flatten().collect();
        let mut turned = BTreeSet::new();
        for key in keys {
            let mut snapshots = configuration.gateways.values();
            let backend = snapshots.find_map(|snapshot| snapshot.backends.get(key));
            let is_idle = backend.is_some_and(|backend| is_idle(backend));
            let changed = if is_idle {
                self.0.insert(key.clone())
            } else {
                self.0.remove(key)
            };
            if changed {
                turned.insert(key.clone());
            }
        }
        turned
    }

    /// What is to be said of a Route that refers to some of them.
    pub(super) fn notes(&self, outcome: &RouteOutcome) -> Vec<Note> {
        let mut notes: Vec<Note> = Vec::new();
        if self.0.is_empty() || !outcome.backends.iter().any(|key| self.0.contains(key)) {
            return notes;
        }
        for (place, key) in outcome.served.first().into_iter().flat_map(targets) {
            let message = self.0.get(key).map(|key| {
                let what = match outcome.served.first() {
                    Some((_, Served::Http(route))) if route.key.kind == RouteKind::Grpc => {
                        "calls for it are answered UNAVAILABLE"
                    }
                    Some((_, Served::Http(_))) => "requests for it are answered 503",
                    Some((_, Served::Stream(route))) if route.key.kind == RouteKind::Udp => {
                        "datagrams for it are dropped"
                    }
                    Some((_, Served::Stream(_))) | None => "connections for it are closed",
                };
                format!("{key} has no endpoint that is ready: {what}.")
            });
            if let Some(message) = message
                && !notes.iter().any(|note| note.message == message)
            {
                notes.push(Note {
                    condition: "ResolvedRefs",
                    reason: NO_READY_ENDPOINT,
                    path: place,
                    message,
                });
            }
        }
        notes
    }
}

fn is_idle(backend: &Backend) -> bool {
    // What is refused says so itself.
    backend.refused.is_none()
        && backend.tls_refused.is_none()
        && backend
            .endpoints
            .iter()
            .all(|endpoint| endpoint.weight == 0)
}

/// The backends that a Route sends to, with the places at which it refers to them.
fn targets<G>((_, served): &(G, Served)) -> Vec<(FieldPath, &BackendKey)> {
    let place = |rule: usize, index: usize| {
        let rules = FieldPath::of("spec.rules").index(rule);
        rules.field("backendRefs").index(index).field("name")
    };
    match served {
        Served::Http(route) => {
            let rules = route.rules.iter();
            let all =
                rules.flat_map(|rule| {
                    let shares = rule.backends.iter().enumerate();
                    shares.filter(|(_, share)| share.weight > 0).filter_map(
                        move |(index, share)| Some((place(rule.index, index), share.target.key()?)),
                    )
                });
            all.collect()
        }
        Served::Stream(route) => {
            let shares = route.backends.iter().enumerate();
            let used = shares.filter(|(_, share)| share.weight > 0);
            used.filter_map(|(index, share)| Some((place(0, index), share.target.key()?)))
                .collect()
        }
    }
}
