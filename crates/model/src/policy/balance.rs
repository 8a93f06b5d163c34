//! Which endpoint of a backend gets a request.

use serde::{Deserialize, Serialize};

/// The algorithm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Balance {
    /// One after the other, by weight.
    RoundRobin,
    /// The one with fewer requests in flight of two picked by chance (power of two choices).
    #[default]
    LeastRequests,
    /// By chance, by weight.
    Random,
    /// The same endpoint for the same key, as long as it is ready; few keys move when endpoints change.
    ConsistentHash(HashKey),
}

/// What a consistent hash is made of. A request without it is balanced by least requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum HashKey {
    /// The value of a request header.
    Header(#[serde(with = "crate::carried::text")] http::HeaderName),
    /// The value of a cookie.
    Cookie(String),
    /// The client's address, as `forwarding` determines it.
    SourceAddress,
}
