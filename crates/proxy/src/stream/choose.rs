//! Who takes a connection or flow: the listener's Route, and by weight one of its backends.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use daemun_model::backend::BackendProtocol;
use daemun_model::policy::balance::{Balance, HashKey};

use crate::balance::{Random, hash};
use crate::live::{BackendLive, ListenerLive, Live, StreamLive, Target};
use crate::observe::ends::End;
use crate::upstream::failure::ConnectError;
use crate::upstream::tls;

/// The backend of a connection.
pub(crate) type Chosen = Arc<BackendLive>;

/// Why nobody takes a connection.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A policy of the listener cannot be used.
    InvalidListener(String),
    /// The listener has no Route, or none with the name that was asked for.
    NoRoute,
    /// The Route has no backend with a weight.
    NoBackend,
    /// The choice fell on a backend that cannot be used.
    InvalidBackend {
        /// What was referred to.
        written: String,
        /// Why.
        reason: String,
    },
    /// No endpoint is ready.
    NoEndpoints,
    /// No connection came about.
    Connect(ConnectError),
}

impl Refusal {
    /// What it is counted as.
    pub(crate) fn end(&self) -> End {
        match self {
            Self::InvalidListener(_) => End::InvalidListener,
            Self::NoRoute => End::NoRoute,
            Self::NoBackend => End::NoBackend,
            Self::InvalidBackend { .. } => End::InvalidBackend,
            Self::NoEndpoints => End::NoEndpoints,
            Self::Connect(
                ConnectError::TimedOut | ConnectError::Tls(tls::ConnectError::TimedOut),
            ) => End::ConnectTimedOut,
            Self::Connect(ConnectError::Tls(tls::ConnectError::Certificate(_))) => End::Certificate,
            Self::Connect(ConnectError::Tls(_)) => End::Handshake,
            Self::Connect(ConnectError::Tcp(_) | ConnectError::Http(_)) => End::ConnectFailed,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidListener(why) => {
                write!(f, "a policy of the listener cannot be used: {why}")
            }
            Self::NoRoute => f.write_str("no Route of the listener takes it"),
            Self::NoBackend => f.write_str("the Route has no backend with a weight above 0"),
            Self::InvalidBackend { written, reason } => {
                write!(f, "the backend {written} cannot be used: {reason}")
            }
            Self::NoEndpoints => f.write_str("the backend has no endpoint that is ready"),
            Self::Connect(error) => error.fmt(f),
        }
    }
}

/// The Route that takes a connection which asks for a name, or for none.
///
/// # Errors
/// There is none, or the listener serves nobody.
pub(crate) fn route<'a>(
    listener: &'a ListenerLive,
    name: Option<&str>,
) -> Result<&'a Arc<StreamLive>, Refusal> {
    match &listener.refused {
        Some(why) => Err(Refusal::InvalidListener(why.clone())),
        None => listener.streams.find(name).ok_or(Refusal::NoRoute),
    }
}

/// One of a Route's backends, by weight; for what is passed on `as_it_is`, which is TLS already or a datagram, it does
/// not count what is wrong with TLS towards it.
///
/// # Errors
/// The Route has none, or the choice fell on one that cannot be used.
pub(crate) fn target(
    live: &Live,
    stream: &StreamLive,
    random: &mut Random,
    as_it_is: bool,
) -> Result<Chosen, Refusal> {
    let picked = stream.weights.pick(random);
    let target = picked.and_then(|index| stream.targets.get(index));
    let (written, reason) = match target {
        None => return Err(Refusal::NoBackend),
        Some(Target::Invalid { written, reason }) => (written.clone(), reason.clone()),
        Some(Target::Backend(id)) => match live.backend(*id) {
            Some(backend) => match refusal(backend, as_it_is) {
                None if backend.endpoints.is_empty() => return Err(Refusal::NoEndpoints),
                None => return Ok(Arc::clone(backend)),
                Some(reason) => (backend.key.to_string(), reason.clone()),
            },
            None => (
                String::new(),
                "it is not part of the configuration".to_owned(),
            ),
        },
    };
    Err(Refusal::InvalidBackend { written, reason })
}

fn refusal(backend: &BackendLive, as_it_is: bool) -> Option<&String> {
    match as_it_is {
        true => backend.refused.as_ref(),
        false => backend.closed(),
    }
}

/// The key of a consistent hash, where it is made of what is known below HTTP.
pub(crate) fn client_key(balance: &Balance, client: IpAddr) -> Option<u64> {
    match balance {
        Balance::ConsistentHash(HashKey::SourceAddress) => Some(match client {
            IpAddr::V4(address) => hash(&address.octets()),
            IpAddr::V6(address) => hash(&address.octets()),
        }),
        Balance::ConsistentHash(HashKey::Header(_) | HashKey::Cookie(_))
        | Balance::RoundRobin
        | Balance::LeastRequests
        | Balance::Random => None,
    }
}

/// The protocol that is agreed on with a client that offers some (ALPN, RFC 7301), where TLS ends and what is
/// inside goes to a backend.
///
/// A client that offers one will speak that one, and may insist on an answer. Of several, the one that the backend
/// is said to speak (`appProtocol`); if that is not said, none: a promise on behalf of the backend could be wrong.
pub(crate) fn alpn(offered: &[&[u8]], speaks: BackendProtocol) -> Option<Vec<u8>> {
    let said: &[u8] = match (offered, speaks) {
        ([only], _) => only,
        (_, BackendProtocol::Http2) => b"h2",
        (_, BackendProtocol::Http1) => b"http/1.1",
        (_, BackendProtocol::Http) => return None,
    };
    offered.contains(&said).then(|| said.to_vec())
}

#[cfg(test)]
mod tests {
    use daemun_model::backend::BackendProtocol::{self, Http, Http1, Http2};

    use super::alpn;

    #[test]
    fn what_is_agreed_on_is_what_will_be_spoken() {
        let cases: [(&[&str], BackendProtocol, Option<&str>); 8] = [
            (&[], Http, None),
            (&[], Http2, None),
            (&["mqtt"], Http, Some("mqtt")),
            (&["h2"], Http1, Some("h2")),
            (&["h2", "http/1.1"], Http, None),
            (&["h2", "http/1.1"], Http2, Some("h2")),
            (&["h2", "http/1.1"], Http1, Some("http/1.1")),
            (&["imap", "managesieve"], Http2, None),
        ];
        for (offered, speaks, agreed) in cases {
            let bytes: Vec<&[u8]> = offered.iter().map(|name| name.as_bytes()).collect();
            let expected = agreed.map(|name| name.as_bytes().to_vec());
            assert_eq!(alpn(&bytes, speaks), expected, "{offered:?} {speaks:?}");
        }
    }
}
