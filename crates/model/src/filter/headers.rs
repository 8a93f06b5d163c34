//! Changing headers (gateway-api `HTTPHeaderFilter`), for requests and for responses.

use http::{HeaderName, HeaderValue};
use serde::Serialize;

/// Applied in this order: set, add, remove. A name is in at most one entry of each list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HeaderModifier {
    /// Headers that get just this value.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "crate::shown::header_lines"
    )]
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Headers that get this value beside those they have.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "crate::shown::header_lines"
    )]
    pub add: Vec<(HeaderName, HeaderValue)>,
    /// Headers that go.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "crate::shown::displays"
    )]
    pub remove: Vec<HeaderName>,
}
