//! Who is believed about where a request comes from.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Settings of a listener about proxies in front of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forwarding {
    /// Which proxies are believed in `X-Forwarded-*` and `Forwarded`.
    pub trusted: TrustedProxies,
    /// Whether `Forwarded` (RFC 7239) is sent to backends beside `X-Forwarded-*`.
    pub forwarded: bool,
    /// PROXY protocol on accepted connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyProtocol>,
}

/// Which proxies in front are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum TrustedProxies {
    /// None: the peer is the client, and what it says about forwarding is replaced.
    #[default]
    None,
    /// Peers in these ranges; the client is the rightmost address outside them.
    Ranges(#[serde(with = "crate::carried::texts")] Vec<IpNet>),
    /// This many proxies, the peer counting as the first; at least 1.
    Hops(u8),
}

/// PROXY protocol, versions 1 and 2, is accepted from these peers, and not demanded: without a header the peer is
/// the client. From other peers a header is a malformed request, and on TCP listeners bytes like any others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyProtocol {
    /// The peers.
    #[serde(with = "crate::carried::texts")]
    pub trusted: Vec<IpNet>,
}
