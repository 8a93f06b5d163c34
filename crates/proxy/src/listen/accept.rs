//! Accepting connections, and what happens to one before its first request: limits, PROXY protocol,
//! TLS, and which version of HTTP it speaks.

use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use daemun_model::policy::limits::ClientLimits;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::peek::Waits;
use super::{proxy_protocol, sni};
use crate::http::connection::{ClientIo, Connection, Made, Open, Pulse, Secured, Wish};
use crate::http::serve;
use crate::live::{InFlight, PortId, PortLive};
use crate::termination::ClientCertificate;
use crate::upstream::connect::LocalExecutor;
use crate::worker::Worker;

/// The first bytes of HTTP/2 with prior knowledge (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of an HTTP/2 stream's answer that are kept while its client does not read. There are as many times that as
/// streams.
const SEND_BUFFER: usize = 64 * 1024;

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
    let Some(on) = live.port(port) else { return };
    let Some(open) = InFlight::within(&on.open, on.limits.connections) else {
        worker.metrics.connection_refused();
        if !on.tls {
            // A few bytes fit into the buffer of a new socket; if not, the closed connection says enough.
            let _ = stream.try_write(OVERLOADED);
        }
        return;
    };
    let open = (open, worker.metrics.connection_accepted());
    let arrival = Arrival {
        worker: Rc::clone(worker),
        port,
        on: Arc::clone(on),
        peer,
        open,
    };
    worker.tasks.spawn(arrival.run(stream));
}

/// A connection before its first request.
struct Arrival {
    worker: Rc<Worker>,
    port: PortId,
    on: Arc<PortLive>,
    peer: SocketAddr,
    open: Open,
}

impl Arrival {
    async fn run(mut self, mut stream: TcpStream) {
        if let Some(setting) = &self.on.forwarding.proxy_protocol {
            let limit = self.on.limits.header_read;
            match proxy_protocol::take_header(&mut stream, self.peer.ip(), setting, limit).await {
                Ok(None) => {}
                Ok(Some(addresses)) => self.peer = canonical(addresses.source),
                Err(error) => {
                    self.worker.metrics.proxy_protocol_refused();
                    tracing::debug!(peer = %self.peer, "A connection was refused: {error}.");
                    return;
                }
            }
        }
        if self.on.tls {
            self.run_tls(stream).await;
        } else {
            let limit = self.on.limits.header_read;
            // Silence is no request; the client may come again.
            let Ok(http2) = tokio::time::timeout(limit, has_preface(&stream)).await else {
                return;
            };
            let limits = self.on.limits.clone();
            let connection = self.connection(None, http2, limits);
            serve(connection, stream).await;
        }
    }

    async fn run_tls(self, stream: TcpStream) {
        let listeners = &self.on.listeners;
        let config = |index: usize| {
            listeners
                .get(index)?
                .tls
                .as_ref()?
                .config
                .as_ref()
                .ok()
                .cloned()
        };
        let secured =
            match sni::accept(stream, &self.on.hosts, config, self.on.limits.handshake).await {
                Ok(secured) => secured,
                Err(error) => {
                    self.worker.metrics.handshake_failed(error.label());
                    tracing::debug!(peer = %self.peer, "A TLS connection was refused: {error}.");
                    return;
                }
            };
        if let ClientCertificate::Invalid(_, why) = &secured.client {
            tracing::debug!(peer = %self.peer, "A client's certificate is not valid, which its listener accepts: {why}.");
        }
        let chosen = listeners.get(secured.listener);
        let client = chosen.and_then(|one| one.tls.as_ref()?.client.clone());
        let limits = chosen.map_or(&self.on.limits, |one| &one.limits).clone();
        let tls = Secured {
            sni: secured.server_name,
            client,
        };
        let connection = self.connection(Some(tls), secured.http2, limits);
        serve(connection, secured.stream).await;
    }

    fn connection(self, tls: Option<Secured>, http2: bool, limits: ClientLimits) -> Rc<Connection> {
        let Self {
            worker,
            port,
            on: _,
            peer,
            open,
        } = self;
        let pulse = Pulse::new(&worker.ticks);
        let made = Made {
            port,
            peer,
            tls,
            http2,
            pulse,
            limits,
            open,
        };
        worker.register(|number| Connection::new(number, &worker, made))
    }
}

/// Whether a plain connection begins with HTTP/2's preface. Looks at the bytes without taking them.
async fn has_preface(stream: &TcpStream) -> bool {
    let mut bytes = [0; PREFACE.len()];
    let mut waits = Waits::new();
    loop {
        match stream.peek(&mut bytes).await {
            Ok(PREFACE_LENGTH) => return bytes == PREFACE,
            Ok(seen) if seen > 0 && PREFACE.starts_with(&bytes[..seen]) => {
                // The bytes that were seen are still there, so waiting for readability would not wait.
                if !waits.for_more(stream).await {
                    return false;
                }
            }
            Ok(_) | Err(_) => return false,
        }
    }
}

const PREFACE_LENGTH: usize = PREFACE.len();

/// Runs a connection until it ends.
async fn serve<S>(connection: Rc<Connection>, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let worker = Rc::clone(&connection.worker);
    let registered = Registered(Rc::clone(&connection));
    let half_closes = !connection.http2 && connection.tls.is_none();
    let stream = ClientIo::new(stream, Arc::clone(&connection.pulse), half_closes);
    let run = {
        let connection = Rc::clone(&connection);
        async move {
            let result = if connection.http2 {
                run_http2(&connection, stream).await
            } else {
                run_http1(&connection, stream).await
            };
            if let Err(error) = result {
                connection.worker.metrics.connection_error(&error);
                tracing::debug!(peer = %connection.peer, "A client's connection ended with an error: {error}.");
            }
            drop(registered);
        }
    };
    let task = worker.tasks.spawn(run);
    connection.runs_in(task);
}

/// Takes a connection off the worker's list, however it ends.
struct Registered(Rc<Connection>);

impl Drop for Registered {
    fn drop(&mut self) {
        self.0.worker.forget(self.0.number);
    }
}

async fn run_http1<S>(connection: &Rc<Connection>, stream: ClientIo<S>) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = connection.limits();
    let service = service_fn(|request| serve::request(Rc::clone(connection), request));
    let running = http1::Builder::new()
        .max_header_size(limits.header_bytes as usize)
        .max_headers(limits.header_count.into())
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut running = pin!(running);
    let mut told = false;
    poll_fn(|cx| {
        if connection.wish(cx.waker()) == Wish::Close && !told {
            told = true;
            running.as_mut().graceful_shutdown();
        }
        running.as_mut().poll(cx)
    })
    .await
}

async fn run_http2<S>(connection: &Rc<Connection>, stream: ClientIo<S>) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = connection.limits();
    let service = service_fn({
        let connection = Rc::clone(connection);
        move |request| serve::request(Rc::clone(&connection), request)
    });
    let running = http2::Builder::new(LocalExecutor(connection.worker.tasks.clone()))
        .max_concurrent_streams(limits.concurrent_streams)
        .max_pending_accept_reset_streams(limits.pending_resets as usize)
        .max_local_error_reset_streams(limits.pending_resets as usize)
        .max_header_list_size(limits.header_bytes)
        .max_send_buf_size(SEND_BUFFER)
        .enable_connect_protocol()
        .serve_connection(TokioIo::new(stream), service);
    let mut running = pin!(running);
    let mut told = false;
    poll_fn(|cx| {
        if connection.wish(cx.waker()) >= Wish::WindDown && !told {
            told = true;
            running.as_mut().graceful_shutdown();
        }
        running.as_mut().poll(cx)
    })
    .await
}

/// A socket for both families tells IPv4 peers as mapped addresses; everyone else wants IPv4.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
