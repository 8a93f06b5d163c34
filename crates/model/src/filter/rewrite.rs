//! Changing host and path on the way to the backend (gateway-api `HTTPURLRewriteFilter`).

use serde::{Deserialize, Serialize};

/// Parts that are not set stay as the request has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// The `Host` that the backend gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The path that the backend gets; the query stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathRewrite>,
}

/// A new path (gateway-api `HTTPPathModifier`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum PathRewrite {
    /// This path and nothing of the old one. Starts with `/`.
    Full(String),
    /// The matched prefix is replaced by this one; whole elements, never giving `//`. Empty or starts
    /// with `/`. Only in rules whose every match is a path prefix.
    Prefix(String),
}
