//! Which endpoint of a backend gets a request.
//!
//! A [`Balancer`] is made when a backend is compiled and is shared by all workers; what it remembers is
//! in atomics. It knows endpoints by their place in the list that it was made from, and of each only
//! what [`Load`] tells. Health, pools and tries are not known here: what must not be picked is skipped.

mod consistent_hash;
mod least_requests;
mod random;
mod round_robin;
mod weighted;

use daemun_model::policy::balance::Balance;

pub(crate) use consistent_hash::hash;
pub(crate) use random::Random;
pub(crate) use weighted::Weighted;

/// What is to be known about an endpoint.
pub(crate) trait Load {
    /// Its share; 0 means none.
    fn weight(&self) -> u32;
    /// Requests that it has not answered yet, of all workers.
    fn in_flight(&self) -> u32;
    /// Who it is: the same on every worker and in every process.
    fn identity(&self) -> u64;
}

/// Picks endpoints of one backend.
pub(crate) struct Balancer {
    by_weight: Weighted,
    policy: Policy,
}

enum Policy {
    RoundRobin(round_robin::Schedule),
    LeastRequests,
    Random,
    ConsistentHash(consistent_hash::Ring),
}

impl Balancer {
    /// Prepares to pick among these endpoints.
    pub(crate) fn new<E: Load>(policy: &Balance, endpoints: &[E]) -> Self {
        let weights: Vec<u32> = endpoints.iter().map(Load::weight).collect();
        Self {
            policy: match policy {
                Balance::RoundRobin => Policy::RoundRobin(round_robin::Schedule::new(&weights)),
                Balance::LeastRequests => Policy::LeastRequests,
                Balance::Random => Policy::Random,
                Balance::ConsistentHash(_) => {
                    Policy::ConsistentHash(consistent_hash::Ring::new(endpoints))
                }
            },
            by_weight: Weighted::new(&weights),
        }
    }

    /// Picks one of the endpoints that the balancer was made for; gives its place in the list. None if
    /// all are skipped or have no weight.
    ///
    /// `key` is the [`hash`] of what consistent hashing goes by; without one, a consistent hash picks
    /// by least requests. `skip` says which endpoints must not be picked: those that were tried, and
    /// those that cannot be used.
    pub(crate) fn pick<E: Load>(
        &self,
        endpoints: &[E],
        random: &mut Random,
        key: Option<u64>,
        skip: &dyn Fn(usize) -> bool,
    ) -> Option<usize> {
        let picked = match (&self.policy, key) {
            (Policy::RoundRobin(schedule), _) => schedule.pick(skip),
            (Policy::Random, _) => random::pick(&self.by_weight, random, skip),
            (Policy::ConsistentHash(ring), Some(key)) => return ring.pick(key, skip),
            (Policy::LeastRequests, _) | (Policy::ConsistentHash(_), None) => {
                least_requests::pick(endpoints, &self.by_weight, random, skip)
            }
        };
        picked.or_else(|| among_the_rest(endpoints, random, skip))
    }
}

/// By weight, looking at every endpoint: for when so many are skipped that trying one's luck is vain.
fn among_the_rest<E: Load>(
    endpoints: &[E],
    random: &mut Random,
    skip: &dyn Fn(usize) -> bool,
) -> Option<usize> {
    let left = || {
        endpoints
            .iter()
            .enumerate()
            .filter(|(index, one)| one.weight() > 0 && !skip(*index))
    };
    let total: u64 = left().map(|(_, one)| u64::from(one.weight())).sum();
    let mut at = random.below(total)?;
    for (index, one) in left() {
        match at.checked_sub(one.weight().into()) {
            Some(rest) => at = rest,
            None => return Some(index),
        }
    }
    None
}

#[cfg(test)]
mod tests;
