//! Connecting to one of a backend's endpoints. While nothing was sent, the next one is tried.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::choose::Refusal;
use super::side::Side;
use crate::live::{BackendLive, InFlight};
use crate::observe::passage::Passage;
use crate::upstream::failure::ConnectError;
use crate::upstream::tls;
use crate::worker::Worker;

/// How many endpoints are tried.
const MOST_ENDPOINTS: usize = 3;

/// Whether the gateway speaks TLS of its own towards a backend.
pub(crate) enum Wrap {
    /// No: what passes is TLS already.
    Never,
    /// Where the backend has it, offering the protocol that was agreed on with the client.
    AsSet {
        /// The protocol (ALPN).
        agreed: Option<Vec<u8>>,
    },
}

/// Connects to one of the endpoints; with `key`, consistent hashing goes by it.
///
/// # Errors
/// No endpoint is ready, or what the last try failed with.
pub(super) async fn any(
    worker: &Rc<Worker>,
    backend: &BackendLive,
    (key, wrap): (Option<u64>, Wrap),
    passage: &Passage,
) -> Result<(Side, InFlight), Refusal> {
    let mut tried: SmallVec<[usize; MOST_ENDPOINTS]> = SmallVec::new();
    let mut last = Refusal::NoEndpoints;
    while tried.len() < MOST_ENDPOINTS {
        let picked = backend.balancer.pick(
            &backend.endpoints,
            &mut worker.random.borrow_mut(),
            key,
            &|index| tried.contains(&index),
        );
        let Some(index) = picked else { break };
        let endpoint = &backend.endpoints[index];
        let in_flight = InFlight::new(&endpoint.in_flight);
        passage.tries(endpoint);
        worker.metrics.upstream_connecting(&backend.series);
        match one(backend, endpoint.address, &wrap).await {
            Ok(side) => return Ok((side, in_flight)),
            Err(error) => {
                worker.metrics.upstream_connect_failed(&backend.series);
                last = Refusal::Connect(error);
                tried.push(index);
            }
        }
    }
    Err(last)
}

async fn one(
    backend: &BackendLive,
    address: SocketAddr,
    wrap: &Wrap,
) -> Result<Side, ConnectError> {
    let deadline = Instant::from_std(daemun_base::clock::now()) + backend.connections.connect;
    let connecting = timeout_at(deadline, TcpStream::connect(address));
    let tcp = connecting.await.map_err(|_| ConnectError::TimedOut)?;
    let tcp = tcp.map_err(ConnectError::Tcp)?;
    prepare(&tcp).map_err(ConnectError::Tcp)?;
    let (Wrap::AsSet { agreed }, Some(settings)) = (wrap, &backend.tls) else {
        return Ok(Side::Plain(tcp));
    };
    let mut config = (*settings.config).clone();
    config.alpn_protocols = agreed.iter().cloned().collect();
    let handshake = tls::connect(tcp, Arc::new(config), settings.name.clone(), deadline);
    let stream = handshake.await.map_err(ConnectError::Tls)?;
    Ok(Side::OfBackend(Box::new(stream)))
}

/// No waiting for full packets; and a backend that is gone without a word is noticed, because there may be nothing
/// to send for long.
fn prepare(tcp: &TcpStream) -> std::io::Result<()> {
    tcp.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15));
    SockRef::from(tcp).set_tcp_keepalive(&keepalive)
}
