//! Sending a copy of requests elsewhere (gateway-api `HTTPRequestMirrorFilter`). The answers are thrown
//! away; a mirror never delays or fails the request itself.

use serde::{Deserialize, Serialize};

use crate::backend::BackendTarget;

/// Where copies go, and how many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// Where the copies go. An invalid target means that there are no copies.
    pub backend: BackendTarget,
    /// The share of requests that are copied.
    pub share: Share,
}

/// A share of requests: `numerator` of `denominator`, at most all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// How many …
    pub numerator: u32,
    /// … of how many; at least 1.
    #[serde(deserialize_with = "crate::carried::at_least_one")]
    pub denominator: u32,
}

impl Share {
    /// Every request.
    pub const ALL: Self = Self {
        numerator: 1,
        denominator: 1,
    };
}
