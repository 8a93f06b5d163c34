//! What belongs to a Gateway as a whole.

use std::net::IpAddr;

use serde::Serialize;

use crate::names::ObjectName;

/// A Gateway that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gateway {
    /// The object.
    pub name: ObjectName,
    /// `metadata.generation` of what this configuration follows from, so that a proxy's answer says which
    /// generation it serves; 0 in files.
    #[serde(skip_serializing_if = "crate::gateway::is_zero")]
    pub generation: i64,
    /// The addresses that are bound; empty means all, of both families.
    pub addresses: Vec<IpAddr>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
pub(crate) fn is_zero(number: &i64) -> bool {
    *number == 0
}
