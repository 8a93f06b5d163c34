//! ListenerPolicy: how clients of a listener are treated, and what they may use at most.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{GROUP, VERSION};
use crate::duration::Duration;
use crate::gateway_api::shared::PolicyTargetReference;
use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};
use crate::read::nullable;

/// A policy about listeners.
pub type ListenerPolicy = Object<ListenerPolicySpec>;

/// What a ListenerPolicy says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListenerPolicySpec {
    /// Gateways or ListenerSets in the policy's namespace, or one listener of theirs (`sectionName`).
    pub target_refs: Vec<PolicyTargetReference>,
    /// What a client may use at most.
    pub limits: Option<Limits>,
    /// Who is believed about where a request comes from. The same for all listeners of a port.
    pub forwarding: Option<Forwarding>,
    /// Which versions of TLS are spoken.
    pub tls: Option<Tls>,
    /// How much of `Proxy-Status` (RFC 9209) clients get to see; default `Error`.
    pub proxy_status: Option<Open<ProxyStatus>>,
}

impl Kind for ListenerPolicySpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = VERSION;
    const KIND: &'static str = "ListenerPolicy";
}

/// Limits of a listener, and the times after which it gives up on a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Bytes of a request's head; 431 beyond it. Default 65536.
    pub header_bytes: Option<u32>,
    /// Headers in a request; 431 beyond it. Default 100.
    pub header_count: Option<u16>,
    /// Bytes of the request target; 414 beyond it. Default 16384.
    pub target_bytes: Option<u32>,
    /// Bytes of a request's body; 413 beyond it. Default no limit.
    pub body_bytes: Option<u64>,
    /// From a connection's first byte, or the previous response, to the end of a request's head. Default 15s.
    pub header_read: Option<Duration>,
    /// How long a connection may stay without a request. Default 60s.
    pub idle: Option<Duration>,
    /// How long a WebSocket, or another tunnel by upgrade, may stay without a byte in either direction. Default 1h.
    pub tunnel_idle: Option<Duration>,
    /// How long a request's body or a response may stand still. Default 60s.
    pub stall: Option<Duration>,
    /// How long a TLS handshake may take. Default 10s.
    pub handshake: Option<Duration>,
    /// HTTP/2 streams at a time on one connection. Default 100.
    pub concurrent_streams: Option<u32>,
    /// HTTP/2 streams that a client may reset before they were answered, on one connection. Default 50.
    pub pending_resets: Option<u32>,
    /// Connections at a time on the listener's port. Default 50000.
    pub connections: Option<u32>,
    /// Requests at a time on the listener; beyond it 503 with `Retry-After`. Default 50000.
    pub requests: Option<u32>,
}

/// Who is believed about where a request comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Forwarding {
    /// Which proxies are believed in `X-Forwarded-*` and `Forwarded`. Default none.
    pub trusted_proxies: Option<TrustedProxies>,
    /// Whether `Forwarded` (RFC 7239) is sent to backends beside `X-Forwarded-*`. Default false.
    pub forwarded: Option<bool>,
    /// PROXY protocol on accepted connections. Default none.
    pub proxy_protocol: Option<ProxyProtocol>,
}

/// Proxies that are believed: by address or by their number, not both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrustedProxies {
    /// Addresses or ranges, such as `10.0.0.0/8`; the client is the rightmost address outside of them.
    #[serde(default, deserialize_with = "nullable")]
    pub ranges: Vec<String>,
    /// This many proxies, the peer counting as the first; at least 1.
    pub hops: Option<u8>,
}

/// PROXY protocol, versions 1 and 2.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProxyProtocol {
    /// Addresses or ranges of peers that may send it.
    pub trusted: Vec<String>,
}

/// Which versions of TLS are spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// The lowest; default `1.2`.
    pub min_version: Option<Open<TlsVersion>>,
    /// The highest; default `1.3`.
    pub max_version: Option<Open<TlsVersion>>,
}

known_values! { closed
    /// A version of TLS.
    pub enum TlsVersion {
        /// RFC 5246.
        Tls12 = "1.2",
        /// RFC 8446.
        Tls13 = "1.3",
    }
}

known_values! { closed
    /// How much of `Proxy-Status` clients get to see.
    pub enum ProxyStatus {
        /// No header.
        Off = "Off",
        /// The gateway's name, the error type, and the request id.
        Error = "Error",
        /// Also which route and which backend: for gateways whose clients are colleagues.
        Full = "Full",
    }
}
