//! BackendPolicy: how requests are balanced over a backend's endpoints, and how connections are kept.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{GROUP, VERSION};
use crate::duration::Duration;
use crate::gateway_api::shared::PolicyTargetReference;
use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};

/// A policy about backends.
pub type BackendPolicy = Object<BackendPolicySpec>;

/// What a BackendPolicy says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendPolicySpec {
    /// Services or Backends in the policy's namespace, or one port of a Service (`sectionName`).
    pub target_refs: Vec<PolicyTargetReference>,
    /// Which endpoint gets a request.
    pub balance: Option<Balance>,
    /// How connections are kept.
    pub connections: Option<Connections>,
}

impl Kind for BackendPolicySpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = VERSION;
    const KIND: &'static str = "BackendPolicy";
}

/// Which endpoint gets a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// The algorithm; default `LeastRequests`.
    pub r#type: Option<Open<BalanceType>>,
    /// What the hash is made of, for `ConsistentHash`.
    pub consistent_hash: Option<ConsistentHash>,
}

known_values! { closed
    /// The algorithms.
    pub enum BalanceType {
        /// One after the other, by weight.
        RoundRobin = "RoundRobin",
        /// The one with fewer requests in flight of two picked by chance.
        LeastRequests = "LeastRequests",
        /// By chance, by weight.
        Random = "Random",
        /// The same endpoint for the same key, as long as it is ready.
        ConsistentHash = "ConsistentHash",
    }
}

/// What a consistent hash is made of. A request without it is balanced by least requests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsistentHash {
    /// What is hashed.
    pub r#type: Open<HashType>,
    /// The header's or cookie's name.
    pub name: Option<String>,
}

known_values! { closed
    /// What is hashed.
    pub enum HashType {
        /// The value of a request header.
        Header = "Header",
        /// The value of a cookie.
        Cookie = "Cookie",
        /// The client's address.
        SourceAddress = "SourceAddress",
    }
}

/// Connections to a backend. Numbers are per worker, because connections are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connections {
    /// How long a connection may take to come about, TLS included. Default 5s.
    pub connect: Option<Duration>,
    /// How long a connection without requests is kept. Default 60s.
    pub idle: Option<Duration>,
    /// Idle connections that are kept per endpoint. Default 256.
    pub idle_per_endpoint: Option<u32>,
    /// Connections to one endpoint; beyond it requests wait for as long as `connect`, then 503. Tunnels
    /// (WebSocket) do not count. Default 1024.
    pub per_endpoint: Option<u32>,
    /// Bytes of a request's body that are kept so that it can be sent again or mirrored. Default 65536.
    pub replay_bytes: Option<u32>,
}
