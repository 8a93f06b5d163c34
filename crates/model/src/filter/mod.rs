//! What happens to a request or response on its way, beyond being forwarded (gateway-api
//! `HTTPRouteFilter`). One file per filter; this list is the only place that knows them all.

pub mod cors;
pub mod external_auth;
pub mod headers;
pub mod mirror;
pub mod redirect;
pub mod rewrite;

use serde::{Deserialize, Serialize};

/// A filter of a rule or of a backend reference, in the order in which it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Filter {
    /// `RequestHeaderModifier`.
    RequestHeaders(headers::HeaderModifier),
    /// `ResponseHeaderModifier`.
    ResponseHeaders(headers::HeaderModifier),
    /// `RequestRedirect`: answers by itself.
    Redirect(redirect::Redirect),
    /// `URLRewrite`.
    Rewrite(rewrite::Rewrite),
    /// `RequestMirror`.
    Mirror(mirror::Mirror),
    /// `CORS`: answers preflights by itself.
    Cors(cors::Cors),
    /// `ExternalAuth`: answers by itself where the service that is asked says no.
    ExternalAuth(external_auth::ExternalAuth),
    /// A filter that could not be resolved: its requests are answered 500, never passed (the Gateway
    /// API's rule for ExtensionRef, and ours for every filter). Says why, for logs and `explain`.
    Invalid(String),
}
