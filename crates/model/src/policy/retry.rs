//! Trying again (gateway-api `HTTPRouteRetry`, GEP-1731).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Connection errors and expired tries are always tried again; statuses only if they are listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Response statuses that are tried again.
    pub codes: Vec<u16>,
    /// How many times a request is sent *again*; at least 1.
    pub attempts: u32,
    /// The shortest pause before a try. It doubles with each, with jitter, up to 10 times this value.
    #[serde(with = "crate::carried::duration")]
    pub backoff: Duration,
}

impl Retry {
    /// The pause where `backoff` is not written.
    pub const DEFAULT_BACKOFF: Duration = Duration::from_millis(25);
}
