//! Accepting connections, as many as there may be. What then becomes of one is `arrival`'s.

use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::arrival::{Arrival, canonical};
use crate::accepted::Open;
use crate::live::{InFlight, Opening, PortId};
use crate::stream;
use crate::worker::Worker;

/// What a client hears when there are as many connections as there may be.
const OVERLOADED: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A socket that a worker accepts on.
pub(crate) struct Acceptor {
    closing: Rc<Cell<bool>>,
    wake: Rc<Notify>,
}

impl Acceptor {
    /// Begins to accept.
    ///
    /// # Errors
    /// The system's, if the socket cannot be watched.
    pub(crate) fn start(
        worker: &Rc<Worker>,
        port: PortId,
        socket: std::net::TcpListener,
    ) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        let listener = TcpListener::from_std(socket)?;
        let acceptor = Self {
            closing: Rc::default(),
            wake: Rc::default(),
        };
        let (closing, wake) = (Rc::clone(&acceptor.closing), Rc::clone(&acceptor.wake));
        let worker_of_task = Rc::clone(worker);
        worker.tasks.spawn(async move {
            while !closing.get() {
                tokio::select! {
                    biased;
                    accepted = listener.accept() => take(&worker_of_task, port, accepted).await,
                    () = wake.notified() => {}
                }
            }
            // Who is in the queue was told that the connection stands.
            while let Poll::Ready(accepted) = poll_once(&listener).await {
                take(&worker_of_task, port, accepted).await;
            }
        });
        Ok(acceptor)
    }

    /// Empties the accept queue and closes the socket.
    pub(crate) fn close(self) {
        self.closing.set(true);
        self.wake.notify_one();
    }
}

async fn poll_once(listener: &TcpListener) -> Poll<std::io::Result<(TcpStream, SocketAddr)>> {
    poll_fn(|cx| Poll::Ready(listener.poll_accept(cx))).await
}

async fn take(
    worker: &Rc<Worker>,
    port: PortId,
    accepted: std::io::Result<(TcpStream, SocketAddr)>,
) {
    match accepted {
        Ok((stream, peer)) => begin(worker, port, stream, canonical(peer)),
        Err(error) => {
            // Out of file descriptors, most likely: accepting again at once would only spin.
            worker.metrics.accept_failed();
            tracing::warn!(%error, "A connection could not be accepted.");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

fn begin(worker: &Rc<Worker>, port: PortId, stream: TcpStream, peer: SocketAddr) {
    let live = worker.live();
    let Some(on) = live.port(port) else {
        // The port was closed while it was in the queue.
        return stream::refuse(&stream);
    };
    // Whose connection it is, is known already if nobody in front says it.
    let is_known = !on.believes(peer.ip());
    if is_known && !on.allows(peer.ip()) {
        worker.metrics.source_not_allowed();
        return stream::refuse(&stream);
    }
    let Some(in_flight) = InFlight::within(&on.open, on.limits.connections) else {
        worker.metrics.connection_refused();
        match on.opening {
            // A few bytes fit into the buffer of a new socket; if not, the closed connection says enough.
            Opening::Http => drop(stream.try_write(OVERLOADED)),
            Opening::Https => {}
            Opening::Tls | Opening::Tcp | Opening::Udp => stream::refuse(&stream),
        }
        return;
    };
    let accepted = worker.accepted.enter(port);
    accepted.client.set(is_known.then_some(peer));
    let open = Open {
        _in_flight: in_flight,
        _counted: worker.metrics.connection_accepted(),
        accepted: Rc::clone(&accepted),
    };
    let arrival = Arrival {
        worker: Rc::clone(worker),
        port,
        on: Arc::clone(on),
        peer,
        open,
    };
    accepted.runs_in(worker.arrivals.spawn(arrival.run(stream)));
}
