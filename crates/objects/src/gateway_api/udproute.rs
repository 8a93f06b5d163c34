//! UDPRoute: where UDP datagrams go that arrive at a port (GEP-2645).

use schemars::JsonSchema;
use serde::Deserialize;

use super::GROUP;
use super::gateway::DefaultScope;
use super::shared::{ParentReference, StreamRouteRule};
use crate::meta::{Kind, Object};
use crate::open::Open;
use crate::read::nullable;

/// A route of UDP datagrams.
pub type UdpRoute = Object<UdpRouteSpec>;

/// `UDPRouteSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UdpRouteSpec {
    /// The parents that the route attaches to.
    #[serde(default, deserialize_with = "nullable")]
    pub parent_refs: Vec<ParentReference>,
    /// Whether it also attaches to default Gateways (experimental; GEP-3793).
    pub use_default_gateways: Option<Open<DefaultScope>>,
    /// The rules; just one.
    pub rules: Vec<StreamRouteRule>,
}

impl Kind for UdpRouteSpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = "v1";
    const OTHER_VERSIONS: &'static [&'static str] = &["v1alpha2"];
    const KIND: &'static str = "UDPRoute";
}
