//! Changing headers (gateway-api `HTTPHeaderFilter`), for requests and for responses.

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// Applied in this order: set, add, remove. A name is in at most one entry of each list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderModifier {
    /// Headers that get just this value.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "crate::carried::header_lines"
    )]
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Headers that get this value beside those they have.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "crate::carried::header_lines"
    )]
    pub add: Vec<(HeaderName, HeaderValue)>,
    /// Headers that go.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "crate::carried::texts"
    )]
    pub remove: Vec<HeaderName>,
}
