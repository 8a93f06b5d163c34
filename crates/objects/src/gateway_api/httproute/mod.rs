//! HTTPRoute: which requests go where. Filters are in [`filters`].

pub mod filters;

use schemars::JsonSchema;
use serde::Deserialize;

use self::filters::HttpRouteFilter;
use super::GROUP;
use super::shared::{FilteredBackendRef, ParentReference};
use crate::duration::Duration;
use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};
use crate::read::nullable;

/// A route of HTTP requests.
pub type HttpRoute = Object<HttpRouteSpec>;

/// `HTTPRouteSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteSpec {
    /// The parents that the route attaches to.
    #[serde(default, deserialize_with = "nullable")]
    pub parent_refs: Vec<ParentReference>,
    /// Whether it also attaches to default Gateways (experimental; GEP-3793).
    pub use_default_gateways: Option<Open<super::gateway::DefaultScope>>,
    /// The hostnames; empty means those of the listeners.
    #[serde(default, deserialize_with = "nullable")]
    pub hostnames: Vec<String>,
    /// The rules. Empty means one rule without backends that takes every request.
    #[serde(default, deserialize_with = "nullable")]
    pub rules: Vec<HttpRouteRule>,
}

impl Kind for HttpRouteSpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = "v1";
    const OTHER_VERSIONS: &'static [&'static str] = &["v1beta1"];
    const KIND: &'static str = "HTTPRoute";
}

/// A rule (`HTTPRouteRule`). There are thousands of them, so what few have is boxed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteRule {
    /// Its name, unique in the route.
    pub name: Option<String>,
    /// One of them must take the request. Empty means that every request is taken (prefix `/`).
    #[serde(default, deserialize_with = "nullable")]
    pub matches: Vec<HttpRouteMatch>,
    /// What happens to requests and responses, in this order.
    #[serde(default, deserialize_with = "nullable")]
    pub filters: Vec<HttpRouteFilter>,
    /// Where requests go.
    #[serde(default, deserialize_with = "nullable")]
    pub backend_refs: Vec<HttpBackendRef>,
    /// Time limits.
    pub timeouts: Option<Box<HttpRouteTimeouts>>,
    /// Trying again (experimental; GEP-1731).
    pub retry: Option<Box<HttpRouteRetry>>,
    /// Keeping sessions together (experimental; GEP-1619).
    pub session_persistence: Option<Box<SessionPersistence>>,
}

/// A match: all of its parts must hold (`HTTPRouteMatch`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteMatch {
    /// The path; default prefix `/`.
    pub path: Option<HttpPathMatch>,
    /// Headers.
    #[serde(default, deserialize_with = "nullable")]
    pub headers: Vec<HttpHeaderMatch>,
    /// Query parameters.
    #[serde(default, deserialize_with = "nullable")]
    pub query_params: Vec<HttpQueryParamMatch>,
    /// The method; none means any.
    pub method: Option<Open<HttpMethod>>,
}

/// A match of the path (`HTTPPathMatch`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpPathMatch {
    /// How the value is compared; default `PathPrefix`.
    pub r#type: Option<Open<PathMatchType>>,
    /// The value; default `/`.
    pub value: Option<String>,
}

impl HttpPathMatch {
    /// The value, or its default.
    pub fn value(&self) -> &str {
        self.value.as_deref().unwrap_or("/")
    }
}

known_values! { closed
    /// How paths are compared (`PathMatchType`).
    pub enum PathMatchType {
        /// The whole path.
        Exact = "Exact",
        /// Whole elements from the start.
        PathPrefix = "PathPrefix",
        /// A regular expression.
        RegularExpression = "RegularExpression",
    }
}

/// A match of a header (`HTTPHeaderMatch`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpHeaderMatch {
    /// How the value is compared; default `Exact`.
    pub r#type: Option<Open<ValueMatchType>>,
    /// The header's name, in any case.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A match of a query parameter (`HTTPQueryParamMatch`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpQueryParamMatch {
    /// How the value is compared; default `Exact`.
    pub r#type: Option<Open<ValueMatchType>>,
    /// The parameter's name; its case counts.
    pub name: String,
    /// The value.
    pub value: String,
}

known_values! { closed
    /// How values are compared (`HeaderMatchType`, `QueryParamMatchType`).
    pub enum ValueMatchType {
        /// The whole value.
        Exact = "Exact",
        /// A regular expression.
        RegularExpression = "RegularExpression",
    }
}

known_values! { closed
    /// A method (`HTTPMethod`).
    pub enum HttpMethod {
        /// GET.
        Get = "GET",
        /// HEAD.
        Head = "HEAD",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// DELETE.
        Delete = "DELETE",
        /// CONNECT.
        Connect = "CONNECT",
        /// OPTIONS.
        Options = "OPTIONS",
        /// TRACE.
        Trace = "TRACE",
        /// PATCH.
        Patch = "PATCH",
    }
}

/// A backend with its share and its own filters (`HTTPBackendRef`).
pub type HttpBackendRef = FilteredBackendRef<HttpRouteFilter>;

/// Time limits (`HTTPRouteTimeouts`, GEP-1742). `0s` means no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteTimeouts {
    /// The whole transaction, retries included.
    pub request: Option<Duration>,
    /// One try.
    pub backend_request: Option<Duration>,
}

/// Trying again (`HTTPRouteRetry`, GEP-1731).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteRetry {
    /// Response statuses that are tried again.
    #[serde(default, deserialize_with = "nullable")]
    pub codes: Vec<i64>,
    /// How many times a request is sent again.
    pub attempts: Option<i64>,
    /// The shortest pause before a try.
    pub backoff: Option<Duration>,
}

/// Keeping sessions together (`SessionPersistence`, GEP-1619).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionPersistence {
    /// The cookie's or header's name; chosen if not given.
    pub session_name: Option<String>,
    /// How long a session lasts at most.
    pub absolute_timeout: Option<Duration>,
    /// What carries the session; default `Cookie`.
    pub r#type: Option<Open<SessionPersistenceType>>,
    /// Settings for `Cookie`.
    pub cookie_config: Option<CookieConfig>,
}

known_values! { closed
    /// What carries a session (`SessionPersistenceType`).
    pub enum SessionPersistenceType {
        /// A cookie.
        Cookie = "Cookie",
        /// A header.
        Header = "Header",
    }
}

/// A session's cookie (`CookieConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CookieConfig {
    /// How long the cookie lives; default `Session`.
    pub lifetime_type: Option<Open<CookieLifetimeType>>,
}

known_values! { closed
    /// How long a cookie lives (`CookieLifetimeType`).
    pub enum CookieLifetimeType {
        /// Until the session's absolute timeout.
        Permanent = "Permanent",
        /// Until the browser is closed.
        Session = "Session",
    }
}
