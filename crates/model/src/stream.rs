//! Routes below HTTP: TLSRoute, TCPRoute and UDPRoute. They choose a backend for a connection (or a flow of
//! datagrams), and then pass on what comes.

use serde::{Deserialize, Serialize};

use crate::backend::BackendTarget;
use crate::names::{Created, RouteKey};
use crate::route::Attachment;

/// A TLSRoute, TCPRoute or UDPRoute that is attached to at least one listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamRoute {
    /// The object.
    pub key: RouteKey,
    /// When it was made: of two routes for the same connection the older one wins.
    pub created: Created,
    /// Where it is attached. The hostnames are those of the SNI for a TLSRoute, and any for the others.
    pub attachments: Vec<Attachment>,
    /// The `name` of its rule, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where connections go. Empty, or without weight: they are refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<StreamBackend>,
}

/// A share of a route's connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamBackend {
    /// Where they go; connections for an invalid one are refused.
    pub target: BackendTarget,
    /// The share: this weight of the sum of all. 0 means none.
    pub weight: u32,
}
