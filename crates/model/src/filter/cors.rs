//! Cross-origin resource sharing (gateway-api `HTTPCORSFilter`; the Fetch standard's CORS protocol).

use http::HeaderName;
use serde::{Deserialize, Serialize};

/// What a browser is told about requests from other origins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins that may ask.
    pub allow_origins: Vec<OriginPattern>,
    /// Whether cookies and authorization may be sent.
    pub allow_credentials: bool,
    /// Methods that may be used, beside the safelisted ones.
    pub allow_methods: AllowList<String>,
    /// Request headers that may be used.
    pub allow_headers: AllowList<String>,
    /// Response headers that scripts may read.
    #[serde(with = "crate::carried::texts")]
    pub expose_headers: Vec<HeaderName>,
    /// `*` was written in `exposeHeaders`.
    pub expose_all: bool,
    /// How long a preflight's answer may be kept, in seconds.
    pub max_age: u32,
}

/// A list, or `*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum AllowList<T> {
    /// `*`: with credentials, the requested names are echoed.
    All,
    /// Just these.
    These(Vec<T>),
}

/// An origin (`scheme://host[:port]`), exact or with wildcards, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum OriginPattern {
    /// `*`: every origin.
    Any,
    /// Just this origin.
    Exact(String),
    /// `scheme://*.domain[:port]`: one or more labels in place of the star.
    Wildcard {
        /// `http` or `https` (or another scheme), without `://`.
        scheme: String,
        /// The rest after the star, with its leading dot and without a port; empty for `scheme://*`.
        suffix: String,
        /// The port that the origin must name; none means that it must name none.
        port: PortPattern,
    },
}

/// What an origin may say about its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum PortPattern {
    /// No port.
    None,
    /// `*`: any port, or none.
    Any,
    /// This port.
    Exact(u16),
}
