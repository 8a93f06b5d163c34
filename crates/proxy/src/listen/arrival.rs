//! What happens to a connection before its first request, or before its bytes are passed on: PROXY protocol, TLS,
//! and which of the port's listeners it is for.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use daemun_model::policy::limits::ClientLimits;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::handshake::HandshakeError;
use super::hello::{self, Hello};
use super::peek::Waits;
use super::proxy_protocol::{Beginning, HeaderError};
use super::{proxy_protocol, sni};
use crate::accepted::Open;
use crate::http::connection::{Connection, Made, Pulse, Secured};
use crate::http::engine;
use crate::live::{Carries, ListenerLive, Opening, PortId, PortLive};
use crate::observe::ends::End;
use crate::observe::passage::Origin;
use crate::stream::{self, Incoming, Passing, Side, Wrap};
use crate::termination::ClientCertificate;
use crate::worker::Worker;

/// The first bytes of HTTP/2 with prior knowledge (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PREFACE_LENGTH: usize = PREFACE.len();

/// How long a header is waited for on a TCP listener, at most, where its peer may send one. Load balancers send it
/// before anything else, so that even one that is lost on the way, and once more, is there by then (TCP sends it again
/// after 200 and 400 milliseconds). Who comes from there without one waits as long, if its backend speaks first.
const HEADER_ON_TCP: Duration = Duration::from_secs(1);

/// A connection that was accepted.
pub(super) struct Arrival {
    pub(super) worker: Rc<Worker>,
    pub(super) port: PortId,
    pub(super) on: Arc<PortLive>,
    pub(super) peer: SocketAddr,
    pub(super) open: Open,
}

impl Arrival {
    pub(super) async fn run(mut self, mut stream: TcpStream) {
        if self.on.forwarding.proxy_protocol.is_some() && !self.is_introduced(&mut stream).await {
            return;
        }
        match self.on.opening {
            Opening::Http => self.run_http(stream).await,
            Opening::Https => self.run_https(stream).await,
            // These two are the larger ones, and are there only where they are used.
            Opening::Tls => Box::pin(self.run_tls(stream)).await,
            Opening::Tcp => Box::pin(self.run_tcp(stream)).await,
            Opening::Udp => {}
        }
    }

    /// Learns whose connection it is from who is in front, if anybody is. False: it is not served.
    async fn is_introduced(&mut self, stream: &mut TcpStream) -> bool {
        let believed = self.on.believes(self.peer.ip());
        let limits = &self.on.limits;
        let limit = match self.on.opening {
            // A stranger's bytes are the backend's business: to look for a header that does not count would make
            // every client wait where the backend speaks first, and who wants to get one past needs only to wait, too.
            Opening::Tcp if !believed => return true,
            Opening::Tcp => limits.header_read.min(HEADER_ON_TCP),
            Opening::Http | Opening::Https | Opening::Tls | Opening::Udp => limits.header_read,
        };
        match proxy_protocol::take_header(stream, believed, limit).await {
            Ok(Beginning::Other) => self.is_allowed(stream),
            Ok(Beginning::Header(addresses)) => {
                self.peer = canonical(addresses.source);
                self.is_allowed(stream)
            }
            Ok(Beginning::OwnConnection) => self.is_used(stream, limit).await,
            Ok(Beginning::Nothing) => {
                self.worker.metrics.connection_unused();
                false
            }
            Err(HeaderError::Silent) if self.on.opening == Opening::Tcp => self.is_allowed(stream),
            // Silence is no request; the client may come again.
            Err(HeaderError::Silent) => false,
            Err(error) => {
                self.worker.metrics.proxy_protocol_refused();
                tracing::debug!(peer = %self.peer, "A connection was refused: {error}.");
                false
            }
        }
    }

    /// Whether the client may come from there, now that it is known who it is.
    fn is_allowed(&self, stream: &TcpStream) -> bool {
        if !self.may_come() {
            self.worker.metrics.source_not_allowed();
            stream::refuse(stream);
            return false;
        }
        self.open.accepted.client.set(Some(self.peer));
        true
    }

    /// By what is live now: it may have changed since the connection was accepted.
    fn may_come(&self) -> bool {
        let live = self.worker.live();
        let on = live.port(self.port).unwrap_or(&self.on);
        on.allows(self.peer.ip())
    }

    /// Whether a connection of the load balancer's own goes on after its header, and may. Most say nothing more,
    /// and then nothing is refused that anybody misses; a backend is not troubled with those.
    async fn is_used(&self, stream: &TcpStream, limit: Duration) -> bool {
        let first = tokio::time::timeout(limit, stream.peek(&mut [0])).await;
        let goes_on = match first {
            Ok(seen) => seen.is_ok_and(|bytes| bytes > 0),
            Err(_) => self.on.opening == Opening::Tcp,
        };
        if goes_on && self.may_come() {
            self.open.accepted.client.set(Some(self.peer));
            return true;
        }
        self.worker.metrics.connection_unused();
        false
    }

    /// Waits for the first byte of TLS. False: there is none.
    async fn begins(&self, stream: &TcpStream, deadline: Instant) -> bool {
        match timeout_at(deadline, stream.peek(&mut [0])).await {
            Ok(Ok(bytes)) if bytes > 0 => return true,
            Ok(_) => self.worker.metrics.connection_unused(),
            Err(_) => {
                self.handshake_failed(&HandshakeError::TimedOut);
                if self.on.opening == Opening::Tls {
                    stream::refuse(stream);
                }
            }
        }
        false
    }

    fn handshake_deadline(&self) -> Instant {
        Instant::from_std(daemun_base::clock::now()) + self.on.limits.handshake
    }

    async fn run_http(self, stream: TcpStream) {
        let limit = self.on.limits.header_read;
        // Silence is no request; the client may come again.
        let Ok(first) = tokio::time::timeout(limit, first(&stream)).await else {
            return;
        };
        let http2 = match first {
            First::Nothing => return self.worker.metrics.connection_unused(),
            First::Preface => true,
            First::Other => false,
        };
        let limits = self.on.limits.clone();
        let connection = self.connection(None, http2, limits);
        engine::serve(&connection, stream);
    }

    async fn run_https(self, stream: TcpStream) {
        let listeners = &self.on.listeners;
        let config = |index: usize| listeners.get(index)?.server_tls();
        let deadline = self.handshake_deadline();
        if !self.begins(&stream, deadline).await {
            return;
        }
        match sni::accept(stream, &self.on.hosts, config, deadline).await {
            Ok(secured) => self.serve_secured(secured),
            Err(error) => self.handshake_failed(&error),
        }
    }

    /// TLS that is not the gateway's to answer before it is known who does: not even that nobody does.
    async fn run_tls(self, mut stream: TcpStream) {
        let deadline = self.handshake_deadline();
        if !self.begins(&stream, deadline).await {
            return;
        }
        let hello = match hello::read(&mut stream, deadline).await {
            Ok(hello) => hello,
            Err(error) => {
                self.handshake_failed(&error);
                return stream::refuse(&stream);
            }
        };
        let name = hello.server_name.as_deref();
        let chosen = sni::choose(&self.on.hosts, name);
        let Some((index, listener)) =
            chosen.and_then(|index| Some((index, self.on.listeners.get(index)?)))
        else {
            self.handshake_failed(&HandshakeError::UnrecognizedName(hello.server_name));
            return stream::refuse(&stream);
        };
        let listener = Arc::clone(listener);
        match listener.carries {
            Carries::Requests => {
                let tls = (index, listener.server_tls());
                match sni::accept_read(stream, hello, tls, deadline).await {
                    Ok(secured) => self.serve_secured(secured),
                    Err(error) => self.handshake_failed(&error),
                }
            }
            Carries::Sealed => {
                let Hello { bytes, server_name } = hello;
                let incoming = self.incoming(listener, "TLS", server_name);
                stream::pass(incoming, stream, Wrap::Never, bytes).await;
            }
            Carries::Bytes => self.terminate(stream, (listener, hello), deadline).await,
            Carries::Datagrams => {}
        }
    }

    async fn run_tcp(self, stream: TcpStream) {
        let is_tcp = |listener: &&Arc<ListenerLive>| listener.carries == Carries::Bytes;
        let Some(listener) = self.on.listeners.iter().find(is_tcp) else {
            return stream::refuse(&stream);
        };
        let listener = Arc::clone(listener);
        let incoming = self.incoming(listener, "TCP", None);
        let wrap = Wrap::AsSet { agreed: None };
        stream::pass(incoming, stream, wrap, Vec::new()).await;
    }

    /// Ends TLS and passes on what is inside.
    ///
    /// Who takes the connection is settled before the handshake: a client that would reach nobody is refused as one
    /// whose bytes are passed on, and is told nothing in the gateway's name.
    async fn terminate(
        self,
        stream: TcpStream,
        (listener, hello): (Arc<ListenerLive>, Hello),
        deadline: Instant,
    ) {
        let tls = listener.server_tls();
        let worker = Rc::clone(&self.worker);
        let incoming = self.incoming(listener, "TLS", hello.server_name.clone());
        let mut passing = Passing::begin(incoming);
        let Some(backend) = passing.choose(false) else {
            return stream::refuse(&stream);
        };
        let choose = |offered: &[&[u8]]| stream::alpn(offered, backend.protocol);
        let terminating = sni::terminate(stream, hello, tls, choose, deadline);
        match passing.unless_ended(terminating).await {
            None => {}
            Some(Ok((stream, agreed))) => {
                let client = Side::OfClient(Box::new(stream));
                let wrap = Wrap::AsSet { agreed };
                passing.run(client, (backend, wrap), Vec::new()).await;
            }
            Some(Err(error)) => {
                worker.metrics.handshake_failed(error.label());
                passing.fails(End::ClientHandshake, error.to_string());
            }
        }
    }

    fn incoming(
        self,
        listener: Arc<ListenerLive>,
        protocol: &'static str,
        name: Option<String>,
    ) -> Incoming {
        Incoming {
            origin: Origin {
                peer: self.peer,
                protocol,
                name,
            },
            worker: self.worker,
            listener,
            open: self.open,
        }
    }

    fn handshake_failed(&self, error: &HandshakeError) {
        self.worker.metrics.handshake_failed(error.label());
        tracing::debug!(peer = %self.peer, "A TLS connection was refused: {error}.");
    }

    fn serve_secured(self, secured: sni::Secured<TcpStream>) {
        if let ClientCertificate::Invalid(_, why) = &secured.client {
            tracing::debug!(peer = %self.peer, "A client's certificate is not valid, which its listener accepts: {why}.");
        }
        let chosen = self.on.listeners.get(secured.listener);
        let client = chosen.and_then(|one| one.tls.as_ref()?.client.clone());
        let limits = chosen.map_or(&self.on.limits, |one| &one.limits).clone();
        let tls = Secured {
            sni: secured.server_name,
            client,
        };
        let connection = self.connection(Some(tls), secured.http2, limits);
        engine::serve(&connection, secured.stream);
    }

    fn connection(self, tls: Option<Secured>, http2: bool, limits: ClientLimits) -> Rc<Connection> {
        let Self {
            worker,
            port,
            on: _,
            peer,
            open,
        } = self;
        let pulse = Pulse::new(&worker.ticks, &open.accepted.resets);
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

/// What a plain connection begins with.
enum First {
    /// HTTP/2's preface.
    Preface,
    /// Something else: HTTP/1, most likely.
    Other,
    /// It has ended before a byte came.
    Nothing,
}

/// Looks at a connection's first bytes without taking them.
async fn first(stream: &TcpStream) -> First {
    let mut bytes = [0; PREFACE.len()];
    let mut waits = Waits::new();
    loop {
        match stream.peek(&mut bytes).await {
            Ok(PREFACE_LENGTH) if bytes == PREFACE => return First::Preface,
            Ok(seen) if seen > 0 && PREFACE.starts_with(&bytes[..seen]) => {
                // The bytes that were seen are still there, so waiting for readability would not wait.
                if !waits.for_more(stream).await {
                    return First::Other;
                }
            }
            Ok(0) | Err(_) => return First::Nothing,
            Ok(_) => return First::Other,
        }
    }
}

/// A socket for both families tells IPv4 peers as mapped addresses; everyone else wants IPv4.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
