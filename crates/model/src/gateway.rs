//! What belongs to a Gateway as a whole.

use std::net::IpAddr;

use serde::Serialize;

use crate::names::ObjectName;

/// A Gateway that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gateway {
    /// The object.
    pub name: ObjectName,
    /// The addresses that are bound; empty means all, of both families.
    pub addresses: Vec<IpAddr>,
}
