//! Filters of an HTTPRoute's rule or backend reference.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::gateway_api::shared::{BackendObjectReference, HeaderModifier, LocalObjectReference};
use crate::open::{Open, known_values};
use crate::read::nullable;

/// A filter (`HTTPRouteFilter`): the type, and the one field that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteFilter {
    /// Which filter it is.
    pub r#type: Open<HttpRouteFilterType>,
    /// For `RequestHeaderModifier`.
    pub request_header_modifier: Option<HeaderModifier>,
    /// For `ResponseHeaderModifier`.
    pub response_header_modifier: Option<HeaderModifier>,
    /// For `RequestMirror`.
    pub request_mirror: Option<HttpRequestMirrorFilter>,
    /// For `RequestRedirect`.
    pub request_redirect: Option<HttpRequestRedirectFilter>,
    /// For `URLRewrite`.
    pub url_rewrite: Option<HttpUrlRewriteFilter>,
    /// For `CORS`.
    pub cors: Option<HttpCorsFilter>,
    /// For `ExternalAuth`.
    pub external_auth: Option<HttpExternalAuthFilter>,
    /// For `ExtensionRef`.
    pub extension_ref: Option<LocalObjectReference>,
}

known_values! { closed
    /// The filters (`HTTPRouteFilterType`).
    pub enum HttpRouteFilterType {
        /// Changes request headers.
        RequestHeaderModifier = "RequestHeaderModifier",
        /// Changes response headers.
        ResponseHeaderModifier = "ResponseHeaderModifier",
        /// Sends copies of requests elsewhere.
        RequestMirror = "RequestMirror",
        /// Answers with a redirect.
        RequestRedirect = "RequestRedirect",
        /// Changes host and path towards the backend.
        UrlRewrite = "URLRewrite",
        /// A filter of another kind of object.
        ExtensionRef = "ExtensionRef",
        /// Cross-origin resource sharing.
        Cors = "CORS",
        /// Asks another service whether a request may pass (experimental; GEP-1494).
        ExternalAuth = "ExternalAuth",
    }
}

/// Sends copies of requests elsewhere (`HTTPRequestMirrorFilter`): all, or a share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRequestMirrorFilter {
    /// Where copies go.
    pub backend_ref: BackendObjectReference,
    /// How many of 100.
    pub percent: Option<i32>,
    /// How many of how many.
    pub fraction: Option<Fraction>,
}

/// A share (`Fraction`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fraction {
    /// How many …
    pub numerator: i32,
    /// … of how many; default 100.
    pub denominator: Option<i32>,
}

impl Fraction {
    /// The denominator, or its default.
    pub fn denominator(&self) -> i32 {
        self.denominator.unwrap_or(100)
    }
}

/// Answers with a redirect (`HTTPRequestRedirectFilter`). Parts that are not given come from the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRequestRedirectFilter {
    /// The scheme.
    pub scheme: Option<Open<RedirectScheme>>,
    /// The host.
    pub hostname: Option<String>,
    /// The path.
    pub path: Option<HttpPathModifier>,
    /// The port; default the scheme's if one is given, else the listener's.
    pub port: Option<i32>,
    /// 301, 302, 303, 307 or 308; default 302.
    pub status_code: Option<i64>,
}

known_values! { closed
    /// A scheme that a redirect can name.
    pub enum RedirectScheme {
        /// `http`.
        Http = "http",
        /// `https`.
        Https = "https",
    }
}

/// Changes host and path towards the backend (`HTTPURLRewriteFilter`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpUrlRewriteFilter {
    /// The `Host` that the backend gets.
    pub hostname: Option<String>,
    /// The path that the backend gets.
    pub path: Option<HttpPathModifier>,
}

/// A new path (`HTTPPathModifier`): the type, and the one field that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpPathModifier {
    /// What is replaced.
    pub r#type: Open<HttpPathModifierType>,
    /// For `ReplaceFullPath`.
    pub replace_full_path: Option<String>,
    /// For `ReplacePrefixMatch`.
    pub replace_prefix_match: Option<String>,
}

known_values! { closed
    /// What is replaced of a path (`HTTPPathModifierType`).
    pub enum HttpPathModifierType {
        /// The whole path.
        ReplaceFullPath = "ReplaceFullPath",
        /// The prefix that matched.
        ReplacePrefixMatch = "ReplacePrefixMatch",
    }
}

/// Cross-origin resource sharing (`HTTPCORSFilter`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpCorsFilter {
    /// Origins that may ask: exact, with a wildcard host, or `*`.
    #[serde(default, deserialize_with = "nullable")]
    pub allow_origins: Vec<String>,
    /// Whether cookies and authorization may be sent.
    pub allow_credentials: Option<bool>,
    /// Methods that may be used, or `*`.
    #[serde(default, deserialize_with = "nullable")]
    pub allow_methods: Vec<String>,
    /// Request headers that may be used, or `*`.
    #[serde(default, deserialize_with = "nullable")]
    pub allow_headers: Vec<String>,
    /// Response headers that scripts may read, or `*`.
    #[serde(default, deserialize_with = "nullable")]
    pub expose_headers: Vec<String>,
    /// How long a preflight's answer may be kept, in seconds; default 5.
    pub max_age: Option<i32>,
}

impl HttpCorsFilter {
    /// The preflight's age, or its default.
    pub fn max_age(&self) -> i32 {
        self.max_age.unwrap_or(5)
    }
}

/// Asks another service whether a request may pass (`HTTPExternalAuthFilter`, GEP-1494).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpExternalAuthFilter {
    /// What is spoken to the service.
    pub protocol: Open<ExternalAuthProtocol>,
    /// The service.
    pub backend_ref: BackendObjectReference,
    /// Settings for `GRPC`.
    pub grpc: Option<GrpcAuthConfig>,
    /// Settings for `HTTP`.
    pub http: Option<HttpAuthConfig>,
    /// Whether the request's body is sent along.
    pub forward_body: Option<ForwardBodyConfig>,
}

known_values! { closed
    /// What is spoken to an authorization service (`HTTPRouteExternalAuthProtocol`).
    pub enum ExternalAuthProtocol {
        /// A plain HTTP request.
        Http = "HTTP",
        /// Envoy's `ext_authz` over gRPC.
        Grpc = "GRPC",
    }
}

/// Authorization over gRPC (`GRPCAuthConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrpcAuthConfig {
    /// Request headers that are sent along; empty means all.
    #[serde(rename = "allowedHeaders", default, deserialize_with = "nullable")]
    pub allowed_request_headers: Vec<String>,
}

/// Authorization over HTTP (`HTTPAuthConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpAuthConfig {
    /// A path put before the request's.
    pub path: Option<String>,
    /// Request headers that are sent along, beside those always sent.
    #[serde(rename = "allowedHeaders", default, deserialize_with = "nullable")]
    pub allowed_request_headers: Vec<String>,
    /// Headers of the service's answer that go to the backend; empty means all.
    #[serde(default, deserialize_with = "nullable")]
    pub allowed_response_headers: Vec<String>,
}

/// Whether a request's body is sent to an authorization service (`ForwardBodyConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForwardBodyConfig {
    /// Bytes at most; 0 or none means that no body is sent.
    pub max_size: Option<i64>,
}
