//! Who waits around a Gateway for something that others give, and what is known about it.

use std::collections::BTreeMap;

/// Who waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Waiter {
    /// A Service of this name, for an address or for its end.
    Service(String),
    /// A pod of this name, for a port of a node.
    Pod(String),
}

/// What is known about those who wait: a sentence, once they have been waited for.
pub(super) type Waiting = BTreeMap<Waiter, String>;
