//! What happens to a connection before its first request, or before its bytes are passed on: PROXY protocol, TLS,
//! and which of the port's listeners it is for.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use daemun_model::policy::limits::ClientLimits;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::handshake::HandshakeError;
use super::hello::{self, Hello};
use super::peek::Waits;
use super::proxy_protocol::HeaderError;
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
        if let Some(setting) = &self.on.forwarding.proxy_protocol {
            let limit = self.on.limits.header_read;
            match proxy_protocol::take_header(&mut stream, self.peer.ip(), setting, limit).await {
                Ok(None) => {}
                Ok(Some(addresses)) => {
                    self.peer = canonical(addresses.source);
                    self.open.accepted.client.set(self.peer);
                }
                // The client may wait for the backend to speak first.
                Err(HeaderError::Silent) if self.on.opening == Opening::Tcp => {}
                Err(error) => {
                    self.worker.metrics.proxy_protocol_refused();
                    tracing::debug!(peer = %self.peer, "A connection was refused: {error}.");
                    return;
                }
            }
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

    async fn run_http(self, stream: TcpStream) {
        let limit = self.on.limits.header_read;
        // Silence is no request; the client may come again.
        let Ok(http2) = tokio::time::timeout(limit, has_preface(&stream)).await else {
            return;
        };
        let limits = self.on.limits.clone();
        let connection = self.connection(None, http2, limits);
        engine::serve(&connection, stream);
    }

    async fn run_https(self, stream: TcpStream) {
        let listeners = &self.on.listeners;
        let config = |index: usize| listeners.get(index)?.server_tls();
        let limit = self.on.limits.handshake;
        match sni::accept(stream, &self.on.hosts, config, limit).await {
            Ok(secured) => self.serve_secured(secured),
            Err(error) => self.handshake_failed(&error),
        }
    }

    /// TLS that is not the gateway's to answer before it is known who does: not even that nobody does.
    async fn run_tls(self, mut stream: TcpStream) {
        let deadline = Instant::from_std(daemun_base::clock::now()) + self.on.limits.handshake;
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
        let Some(backend) = passing.choose() else {
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

/// A socket for both families tells IPv4 peers as mapped addresses; everyone else wants IPv4.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
