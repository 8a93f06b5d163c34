//! What belongs to a Gateway as a whole.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::names::ObjectName;

/// A Gateway that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// The object.
    pub name: ObjectName,
    /// `metadata.generation` of what this configuration follows from, so that a proxy's answer says which
    /// generation it serves; 0 in files.
    #[serde(default, skip_serializing_if = "crate::carried::is_default")]
    pub generation: i64,
    /// The addresses that are bound; empty means all, of both families.
    pub addresses: Vec<IpAddr>,
    /// Why nothing is served, if so, as a sentence: nobody listens on any of its ports, what is open there ends at
    /// once, and all else stays as it is, so that it can open again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
}
