//! TLSRoute: which TLS connections go where, told apart by the name that the client asks for (GEP-2643).

use schemars::JsonSchema;
use serde::Deserialize;

use super::GROUP;
use super::gateway::DefaultScope;
use super::shared::{ParentReference, StreamRouteRule};
use crate::meta::{Kind, Object};
use crate::open::Open;
use crate::read::nullable;

/// A route of TLS connections.
pub type TlsRoute = Object<TlsRouteSpec>;

/// `TLSRouteSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsRouteSpec {
    /// The parents that the route attaches to.
    #[serde(default, deserialize_with = "nullable")]
    pub parent_refs: Vec<ParentReference>,
    /// Whether it also attaches to default Gateways (experimental; GEP-3793).
    pub use_default_gateways: Option<Open<DefaultScope>>,
    /// The names that clients ask for (SNI); at least one.
    pub hostnames: Vec<String>,
    /// The rules; just one.
    pub rules: Vec<StreamRouteRule>,
}

impl Kind for TlsRouteSpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = "v1";
    const OTHER_VERSIONS: &'static [&'static str] = &["v1alpha3"];
    const KIND: &'static str = "TLSRoute";
}
