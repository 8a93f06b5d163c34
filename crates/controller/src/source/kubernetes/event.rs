//! What watches tell.

use std::collections::BTreeMap;

use daemun_model::names::ObjectName;

use super::raw::Seen;
use super::trouble::Trouble;

/// What one watch tells.
#[derive(Debug)]
pub(crate) struct Event {
    /// Which watch.
    pub(crate) watch: usize,
    /// What happened.
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum What {
    /// All objects are named from here; what is not named until `Listed` is gone.
    Listing,
    /// An object is there, new or changed.
    Put(Box<Seen>),
    /// An object is there, new or changed, of which only this is told.
    Named {
        /// Its name.
        name: ObjectName,
        /// `metadata.resourceVersion`.
        version: Box<str>,
        /// `metadata.annotations`.
        annotations: BTreeMap<String, String>,
    },
    /// An object is there, and could not be read.
    Unreadable {
        /// Its name.
        name: ObjectName,
        /// What is wrong with it.
        why: String,
    },
    /// An object is gone.
    Gone(ObjectName),
    /// All objects were named.
    Listed,
    /// Something stands in the way.
    Trouble(Trouble),
}
