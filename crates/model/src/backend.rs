//! Where requests go: the endpoints of a Service's port or of a Backend, and how to speak to them.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::carried::shown_as_displayed;
use crate::names::BackendKey;
use crate::policy::balance::Balance;
use crate::policy::budget::RetryBudget;
use crate::policy::session::BackendSession;
use crate::tls::BackendTls;

/// A backend as a rule or mirror refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum BackendTarget {
    /// A backend of the same snapshot.
    Backend(BackendKey),
    /// The reference could not be resolved: its share of requests is answered 500
    /// (gateway-api `HTTPBackendRef`).
    Invalid {
        /// What was referred to, in the user's words: `Service shop/catalog:8080`.
        written: String,
        /// Why, as the verdict says it; for logs and `explain`, not for clients.
        reason: String,
    },
}

impl BackendTarget {
    /// The backend, if it could be resolved.
    pub fn key(&self) -> Option<&BackendKey> {
        match self {
            Self::Backend(key) => Some(key),
            Self::Invalid { .. } => None,
        }
    }
}

/// One port of a Service, or a Backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// The object and port.
    pub key: BackendKey,
    /// What is spoken.
    pub protocol: BackendProtocol,
    /// TLS towards it, if any (BackendTLSPolicy, or a Backend's own setting).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<BackendTls>,
    /// A policy that could not be read or resolved: requests are answered 500, connections and datagrams are
    /// refused. Says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// TLS that could not be read or resolved: nothing is sent where TLS would be spoken, in the clear least of all.
    /// What is passed on as it is (TLS that does not end at the gateway) goes on. Says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_refused: Option<String>,
    /// Whether names of endpoints are those of the world outside: each is fully qualified, whatever the host's search
    /// list makes of others, and of the addresses that it resolves to those count that lead out
    /// ([`crate::address::leads_out`]). So it is in Kubernetes, where the proxy's host is not the backend's owner's.
    #[serde(default, skip_serializing_if = "crate::carried::is_default")]
    pub outside: bool,
    /// Its endpoints; empty means 503.
    pub endpoints: Vec<Endpoint>,
    /// How they are balanced.
    pub balance: Balance,
    /// How connections to them are kept.
    pub connections: Connections,
    /// How many requests may be sent again; without it as many as rules grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_budget: Option<RetryBudget>,
    /// Sessions, for rules that say nothing of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<BackendSession>,
}

/// What is spoken to a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum BackendProtocol {
    /// HTTP/1.1; over TLS, HTTP/2 if the backend offers it (ALPN).
    #[default]
    Http,
    /// HTTP/1.1 only, also over TLS (`kubernetes.io/ws`, `kubernetes.io/wss`).
    Http1,
    /// HTTP/2 with prior knowledge (`kubernetes.io/h2c`); over TLS, HTTP/2 only.
    Http2,
}

/// One address of a backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Where it is.
    pub host: EndpointHost,
    /// Its port.
    pub port: u16,
    /// Its share among the endpoints; 0 means none.
    pub weight: u32,
    /// Whether it takes requests.
    pub state: EndpointState,
}

/// An address, or a name that the proxy resolves again and again, at its TTL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub enum EndpointHost {
    /// An address.
    Address(IpAddr),
    /// A DNS name; each of its addresses is an endpoint.
    Name(String),
}

impl fmt::Display for EndpointHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

shown_as_displayed!(EndpointHost);

/// Whether an endpoint takes requests (EndpointSlice conditions `ready`, `serving`, `terminating`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum EndpointState {
    /// Takes requests.
    Ready,
    /// Terminating but still serving: takes new requests only if no endpoint is ready.
    Draining,
}

/// Connections to a backend. Numbers are per worker, because pools are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connections {
    /// How long a connection may take to come about, TLS included.
    #[serde(with = "crate::carried::duration")]
    pub connect: Duration,
    /// How long a connection without requests is kept.
    #[serde(with = "crate::carried::duration")]
    pub idle: Duration,
    /// Idle connections that are kept per endpoint and worker.
    pub idle_per_endpoint: u32,
    /// Connections to one endpoint per worker; beyond it requests wait for as long as `connect`, then 503.
    /// Tunnels (WebSocket) do not count.
    pub per_endpoint: u32,
    /// Bytes of a request's body that are kept so that it can be sent again or mirrored. A larger body
    /// is not tried again, and its mirror is dropped and counted.
    pub replay_bytes: u32,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(60),
            idle_per_endpoint: 256,
            per_endpoint: 1024,
            replay_bytes: 64 * 1024,
        }
    }
}
