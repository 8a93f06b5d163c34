//! What stands from one translation to the next about routes: what follows from each, and the sums over all of
//! them, kept up as single routes change.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use daemun_model::names::{BackendKey, ListenerKey, ObjectName, RouteKey};
use daemun_model::persistent::Map;
use daemun_model::verdict::Verdict;

use crate::read::route::RouteOutcome;

/// What follows from all routes.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    routes: BTreeMap<RouteKey, Arc<RouteOutcome>>,
    verdicts: Map<RouteKey, Arc<Verdict>>,
    /// How many routes of each Gateway refer to a backend.
    uses: BTreeMap<ObjectName, BTreeMap<BackendKey, usize>>,
    counts: HashMap<ListenerKey, u32>,
}

/// Parts of Gateways that may be different from before.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Routes, by Gateway.
    pub(crate) routes: BTreeMap<ObjectName, BTreeSet<RouteKey>>,
    /// Backends, by Gateway.
    pub(crate) backends: BTreeMap<ObjectName, BTreeSet<BackendKey>>,
}

impl Standing {
    /// What follows from each route.
    pub(crate) fn routes(&self) -> &BTreeMap<RouteKey, Arc<RouteOutcome>> {
        &self.routes
    }

    /// What is said about each route; nothing about those that are not ours to judge.
    pub(crate) fn verdicts(&self) -> &Map<RouteKey, Arc<Verdict>> {
        &self.verdicts
    }

    /// The backends that routes of a Gateway refer to.
    pub(crate) fn backends_of(&self, gateway: &ObjectName) -> Option<&BTreeMap<BackendKey, usize>> {
        self.uses.get(gateway)
    }

    /// All Gateways with backends.
    pub(crate) fn uses(&self) -> &BTreeMap<ObjectName, BTreeMap<BackendKey, usize>> {
        &self.uses
    }

    /// How many routes count for a listener.
    pub(crate) fn attached_to(&self, listener: &ListenerKey) -> u32 {
        self.counts.get(listener).copied().unwrap_or_default()
    }

    /// Gives back the room that is left by putting in one after the other, which is nearly half.
    pub(crate) fn pack(&mut self) {
        self.routes = std::mem::take(&mut self.routes).into_iter().collect();
    }

    /// Puts what follows from a route in place of what did; none if the route is gone.
    pub(crate) fn replace(
        &mut self,
        key: &RouteKey,
        next: Option<Arc<RouteOutcome>>,
        touched: &mut Touched,
    ) {
        // First the new, so that what both refer to never falls to nothing.
        if let Some(next) = &next {
            self.count(next, touched, key);
        }
        self.say(key, next.as_ref().and_then(|next| next.verdict.as_ref()));
        let before = match next {
            Some(next) => self.routes.insert(key.clone(), next),
            None => self.routes.remove(key),
        };
        if let Some(before) = before {
            self.discount(&before, touched, key);
        }
    }

    fn say(&mut self, key: &RouteKey, verdict: Option<&Arc<Verdict>>) {
        match (verdict, self.verdicts.get(key)) {
            (Some(new), Some(old)) if Arc::ptr_eq(new, old) => {}
            (Some(new), _) => drop(self.verdicts.insert(key.clone(), Arc::clone(new))),
            (None, _) => drop(self.verdicts.remove(key)),
        }
    }

    fn count(&mut self, outcome: &RouteOutcome, touched: &mut Touched, route: &RouteKey) {
        for listener in outcome.counted.iter() {
            *self.counts.entry(listener.clone()).or_default() += 1;
        }
        for (gateway, _) in &outcome.served {
            touch(&mut touched.routes, gateway, route);
            let uses = self.uses.entry(gateway.clone()).or_default();
            for key in outcome.backends.iter() {
                let count = uses.entry(key.clone()).or_default();
                *count += 1;
                if *count == 1 {
                    touch(&mut touched.backends, gateway, key);
                }
            }
        }
    }

    fn discount(&mut self, outcome: &RouteOutcome, touched: &mut Touched, route: &RouteKey) {
        for listener in outcome.counted.iter() {
            if let Some(count) = self.counts.get_mut(listener) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(listener);
                }
            }
        }
        for (gateway, _) in &outcome.served {
            touch(&mut touched.routes, gateway, route);
            let Some(uses) = self.uses.get_mut(gateway) else {
                continue;
            };
            for key in outcome.backends.iter() {
                if let Some(count) = uses.get_mut(key) {
                    *count -= 1;
                    if *count == 0 {
                        uses.remove(key);
                        touch(&mut touched.backends, gateway, key);
                    }
                }
            }
        }
    }
}

fn touch<K: Clone + Ord>(
    touched: &mut BTreeMap<ObjectName, BTreeSet<K>>,
    gateway: &ObjectName,
    key: &K,
) {
    touched
        .entry(gateway.clone())
        .or_default()
        .insert(key.clone());
}
