//! A listener: a port, a protocol, a hostname, and how clients are treated there.

use serde::{Deserialize, Serialize};

use crate::hostname::HostPattern;
use crate::names::{ListenerKey, Transport};
use crate::policy::forwarding::Forwarding;
use crate::policy::limits::ClientLimits;
use crate::policy::sources::SourceRanges;
use crate::tls::Termination;

/// A listener that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Where it is written.
    pub key: ListenerKey,
    /// The port as it is written: what clients ask for, and what redirects name.
    pub port: u16,
    /// The port that the proxy binds. On a host the same; in a pod, which may not bind ports below 1024,
    /// a pure function of it, and the Service leads from the one to the other.
    pub bind: u16,
    /// The hostnames it serves. Of several listeners on a port the most specific one takes a request,
    /// and no other (listener isolation).
    pub hostname: HostPattern,
    /// What is spoken.
    pub protocol: ListenerProtocol,
    /// Who is believed about clients. The same for all listeners of a port.
    pub forwarding: Forwarding,
    /// From where clients may come, if not from anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<SourceRanges>,
    /// What clients may use.
    pub limits: ClientLimits,
    /// What an answer of the gateway's own tells about itself.
    pub proxy_status: ProxyStatus,
    /// A policy of limits or trust that could not be read: every request is answered 500 rather than
    /// served without it. Says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What a listener speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ListenerProtocol {
    /// HTTP/1.1, and HTTP/2 with prior knowledge.
    Http,
    /// HTTP/1.1 and HTTP/2 over TLS.
    Https(Termination),
    /// TLS, told apart by SNI, for TLSRoutes; where it ends at the gateway for TCPRoutes too, which take
    /// every name that the listener has. Of routes with the same name the oldest takes the connection.
    Tls(TlsListener),
    /// TCP, for the oldest TCPRoute.
    Tcp,
    /// UDP, for the oldest UDPRoute.
    Udp,
}

impl ListenerProtocol {
    /// What carries it.
    pub fn transport(&self) -> Transport {
        match self {
            Self::Http | Self::Https(_) | Self::Tls(_) | Self::Tcp => Transport::Tcp,
            Self::Udp => Transport::Udp,
        }
    }

    /// The protocol in lower case, as consoles and `explain` show it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https(_) => "https",
            Self::Tls(_) => "tls",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// How TLS ends at the gateway, if it does.
    pub fn termination(&self) -> Option<&Termination> {
        match self {
            Self::Https(termination) | Self::Tls(TlsListener::Terminate(termination)) => {
                Some(termination)
            }
            Self::Http | Self::Tls(TlsListener::Passthrough) | Self::Tcp | Self::Udp => None,
        }
    }
}

/// Where TLS ends of a listener whose protocol is `TLS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum TlsListener {
    /// At the backend: bytes are passed on as they are.
    Passthrough,
    /// At the gateway: backends get what was inside.
    Terminate(Termination),
}

/// How much of `Proxy-Status` (RFC 9209) clients get to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ProxyStatus {
    /// No header.
    Off,
    /// The gateway's name, the error type, and the request id.
    #[default]
    Error,
    /// Also `details` (which route, which backend): for gateways whose clients are colleagues.
    Full,
}
