//! GRPCRoute: which gRPC calls go where (GEP-1016). What it has in common with an HTTPRoute has the same shapes;
//! what it lacks (paths, timeouts, redirects) is left out.

use schemars::JsonSchema;
use serde::Deserialize;

use super::GROUP;
use super::gateway::DefaultScope;
use super::httproute::filters::HttpRequestMirrorFilter;
use super::httproute::{HttpHeaderMatch, SessionPersistence};
use super::shared::{FilteredBackendRef, HeaderModifier, LocalObjectReference, ParentReference};
use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};
use crate::read::nullable;

/// A route of gRPC calls.
pub type GrpcRoute = Object<GrpcRouteSpec>;

/// `GRPCRouteSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrpcRouteSpec {
    /// The parents that the route attaches to.
    #[serde(default, deserialize_with = "nullable")]
    pub parent_refs: Vec<ParentReference>,
    /// Whether it also attaches to default Gateways (experimental; GEP-3793).
    pub use_default_gateways: Option<Open<DefaultScope>>,
    /// The hostnames; empty means those of the listeners.
    #[serde(default, deserialize_with = "nullable")]
    pub hostnames: Vec<String>,
    /// The rules. Empty means one rule without backends that takes every call.
    #[serde(default, deserialize_with = "nullable")]
    pub rules: Vec<GrpcRouteRule>,
}

impl Kind for GrpcRouteSpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "GRPCRoute";
}

/// A rule (`GRPCRouteRule`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrpcRouteRule {
    /// Its name, unique in the route.
    pub name: Option<String>,
    /// One of them must take the call. Empty means that every call is taken.
    #[serde(default, deserialize_with = "nullable")]
    pub matches: Vec<GrpcRouteMatch>,
    /// What happens to calls and their answers, in this order.
    #[serde(default, deserialize_with = "nullable")]
    pub filters: Vec<GrpcRouteFilter>,
    /// Where calls go.
    #[serde(default, deserialize_with = "nullable")]
    pub backend_refs: Vec<GrpcBackendRef>,
    /// Keeping sessions together (experimental; GEP-1619).
    pub session_persistence: Option<Box<SessionPersistence>>,
}

/// A match: all of its parts must hold (`GRPCRouteMatch`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrpcRouteMatch {
    /// Service and method; none means all.
    pub method: Option<GrpcMethodMatch>,
    /// Headers (`GRPCHeaderMatch`, which is an `HTTPHeaderMatch`).
    #[serde(default, deserialize_with = "nullable")]
    pub headers: Vec<HttpHeaderMatch>,
}

/// A match of service and method (`GRPCMethodMatch`): at least one of them is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrpcMethodMatch {
    /// How both are compared; default `Exact`.
    pub r#type: Option<Open<GrpcMethodMatchType>>,
    /// The service with its package: `helloworld.Greeter`. None or empty means any.
    pub service: Option<String>,
    /// The method: `SayHello`. None or empty means any.
    pub method: Option<String>,
}

known_values! { closed
    /// How services and methods are compared (`GRPCMethodMatchType`).
    pub enum GrpcMethodMatchType {
        /// The whole name.
        Exact = "Exact",
        /// A regular expression.
        RegularExpression = "RegularExpression",
    }
}

/// A filter (`GRPCRouteFilter`): the type, and the one field that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrpcRouteFilter {
    /// Which filter it is.
    pub r#type: Open<GrpcRouteFilterType>,
    /// For `RequestHeaderModifier`.
    pub request_header_modifier: Option<HeaderModifier>,
    /// For `ResponseHeaderModifier`.
    pub response_header_modifier: Option<HeaderModifier>,
    /// For `RequestMirror`.
    pub request_mirror: Option<HttpRequestMirrorFilter>,
    /// For `ExtensionRef`.
    pub extension_ref: Option<LocalObjectReference>,
}

known_values! { closed
    /// The filters (`GRPCRouteFilterType`).
    pub enum GrpcRouteFilterType {
        /// Changes request headers.
        RequestHeaderModifier = "RequestHeaderModifier",
        /// Changes response headers.
        ResponseHeaderModifier = "ResponseHeaderModifier",
        /// Sends copies of calls elsewhere.
        RequestMirror = "RequestMirror",
        /// A filter of another kind of object.
        ExtensionRef = "ExtensionRef",
    }
}

/// A backend with its share and its own filters (`GRPCBackendRef`).
pub type GrpcBackendRef = FilteredBackendRef<GrpcRouteFilter>;
