//! How many requests to a backend may be sent again (gateway-api `RetryConstraint`, GEP-3388). It bounds what rules'
//! `retry` stanzas grant, so that a backend in trouble is not buried under tries.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What either of the two allows may be sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryBudget {
    /// The share of requests, of 100, that may be requests sent again. At most 100.
    pub percent: u32,
    /// The time within which requests are counted for that; more than nothing.
    #[serde(with = "crate::carried::duration")]
    pub interval: Duration,
    /// So many at least …
    pub least: u32,
    /// … within this time; more than nothing.
    #[serde(with = "crate::carried::duration")]
    pub least_interval: Duration,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            percent: 20,
            interval: Duration::from_secs(10),
            least: 10,
            least_interval: Duration::from_secs(1),
        }
    }
}
