//! Answering with a redirect (gateway-api `HTTPRequestRedirectFilter`).

use serde::{Deserialize, Serialize};

use super::rewrite::PathRewrite;

/// What the `Location` of the answer is made of; parts that are not set come from the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathRewrite>,
    /// The port. Without it: the scheme's well-known port if `scheme` is set, else the listener's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The status.
    pub status: RedirectStatus,
}

/// A URL scheme that a redirect can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

/// The five codes of the Gateway API (RFC 9110, section 15.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RedirectStatus {
    /// 301.
    MovedPermanently,
    /// 302, the default.
    #[default]
    Found,
    /// 303.
    SeeOther,
    /// 307.
    TemporaryRedirect,
    /// 308.
    PermanentRedirect,
}

impl RedirectStatus {
    /// The status code.
    pub fn code(self) -> http::StatusCode {
        match self {
            Self::MovedPermanently => http::StatusCode::MOVED_PERMANENTLY,
            Self::Found => http::StatusCode::FOUND,
            Self::SeeOther => http::StatusCode::SEE_OTHER,
            Self::TemporaryRedirect => http::StatusCode::TEMPORARY_REDIRECT,
            Self::PermanentRedirect => http::StatusCode::PERMANENT_REDIRECT,
        }
    }
}
