//! All verdicts of one translation. Those of Routes are thousands, and are held so that what a change adds to them
//! costs what changed.

use std::collections::HashSet;
use std::sync::Arc;

use crate::names::RouteKey;
use crate::persistent::Map;
use crate::verdict::Verdict;

/// One verdict for each object that is ours to judge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    others: Vec<Arc<Verdict>>,
    of_routes: Map<RouteKey, Arc<Verdict>>,
}

impl Verdicts {
    /// Those of all other objects in the order in which they are to be told, and those of Routes.
    pub fn new(others: Vec<Arc<Verdict>>, of_routes: Map<RouteKey, Arc<Verdict>>) -> Self {
        Self { others, of_routes }
    }

    /// GatewayClasses, Gateways by age with their ListenerSets, Backends and policies, then Routes by kind and name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Verdict>> {
        self.others.iter().chain(self.of_routes.values())
    }

    /// Those of objects that are no Routes.
    pub fn others(&self) -> &[Arc<Verdict>] {
        &self.others
    }

    /// Those of Routes.
    pub fn of_routes(&self) -> &Map<RouteKey, Arc<Verdict>> {
        &self.of_routes
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.others.len() + self.of_routes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those that are not the very same in an earlier translation.
    pub fn since(&self, last: &Self) -> Vec<Arc<Verdict>> {
        let known: HashSet<*const Verdict> = last.others.iter().map(Arc::as_ptr).collect();
        let others = self.others.iter();
        let new = others.filter(|verdict| !known.contains(&Arc::as_ptr(verdict)));
        let changed = self.of_routes.differences(&last.of_routes, Arc::ptr_eq);
        // A Route that is gone has nobody who could be told.
        let of_routes = changed
            .into_iter()
            .filter_map(|key| self.of_routes.get(key));
        new.chain(of_routes).cloned().collect()
    }
}
