//! Time limits of a rule (gateway-api `HTTPRouteTimeouts`, GEP-1742).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// None means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// The whole transaction: from the request's head to the end of the response, retries included.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::carried::duration_option"
    )]
    pub request: Option<Duration>,
    /// One try: from sending the request to the backend to the end of its response's head and body.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::carried::duration_option"
    )]
    pub backend_request: Option<Duration>,
}
