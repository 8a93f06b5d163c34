//! The flows of a socket by their clients, and which of them has rested longest.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::rc::Rc;

use foldhash::HashMap;

use super::flow::{Flow, Key};

/// All flows of a socket.
#[derive(Default)]
pub(super) struct Flows {
    by_key: HashMap<Key, (u64, Rc<Flow>)>,
    /// Each flow once, first the one that was seen to move longest ago. Whether it has moved since is looked up when
    /// its turn comes.
    resting: BinaryHeap<Reverse<Resting>>,
    next: u64,
}

struct Resting {
    since: u32,
    number: u64,
    key: Key,
}

impl Ord for Resting {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.since, self.number).cmp(&(other.since, other.number))
    }
}

impl PartialOrd for Resting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Resting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Resting {}

impl Flows {
    pub(super) fn get(&self, key: &Key) -> Option<Rc<Flow>> {
        self.by_key.get(key).map(|(_, flow)| Rc::clone(flow))
    }

    pub(super) fn insert(&mut self, key: Key, flow: Rc<Flow>) {
        let number = self.next;
        self.next += 1;
        self.resting.push(Reverse(Resting {
            since: flow.moved.get(),
            number,
            key,
        }));
        self.by_key.insert(key, (number, flow));
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Rc<Flow>> {
        self.by_key.remove(key).map(|(_, flow)| flow)
    }

    /// Takes out the flow that has rested longest.
    pub(super) fn longest_resting(&mut self) -> Option<Rc<Flow>> {
        self.rested_until(u32::MAX)
    }

    /// Takes out a flow that has not moved since this tick, if there is one.
    pub(super) fn rested_until(&mut self, tick: u32) -> Option<Rc<Flow>> {
        loop {
            if self.resting.peek()?.0.since > tick {
                return None;
            }
            let Reverse(mut first) = self.resting.pop()?;
            let Some((number, flow)) = self.by_key.get(&first.key) else {
                continue;
            };
            if *number != first.number {
                continue;
            }
            let moved = flow.moved.get();
            if moved == first.since {
                return self.remove(&first.key);
            }
            first.since = moved;
            self.resting.push(Reverse(first));
        }
    }

    /// Takes out all.
    pub(super) fn take(&mut self) -> Vec<Rc<Flow>> {
        self.resting.clear();
        self.by_key.drain().map(|(_, (_, flow))| flow).collect()
    }

    /// Visits all.
    pub(super) fn each(&self, visit: impl FnMut(&Rc<Flow>)) {
        self.by_key.values().map(|(_, flow)| flow).for_each(visit);
    }
}
