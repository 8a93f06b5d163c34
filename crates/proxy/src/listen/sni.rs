//! Accepting TLS: which listener of a port a client means, and the handshake with it.
//!
//! The client's SNI chooses the most specific listener of the port that has the name. Without SNI, or
//! without such a listener, the one for all names takes the client; where there is none, the client is
//! told that nobody here has that name. What requests may then ask for is not decided here. On ports where others
//! than the gateway may answer, the client's first message is read before (`hello`).

use std::sync::Arc;

use daemun_route::hosts::Hosts;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use super::handshake::{HandshakeError, read_error};
use super::hello::Hello;
use crate::termination::{ClientCertificate, ServerTls};

/// A fatal alert `unrecognized_name` (RFC 8446, 6; RFC 6066, 3) as it goes over the wire.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// A client whose handshake is done.
#[derive(Debug)]
pub(crate) struct Secured<IO> {
    /// The connection.
    pub(crate) stream: TlsStream<IO>,
    /// Which of the port's listeners it is with.
    pub(crate) listener: usize,
    /// Whether HTTP/2 was agreed on; else HTTP/1.1 is spoken.
    pub(crate) http2: bool,
    /// The name it asked for, in lower case.
    pub(crate) server_name: Option<String>,
    /// What it showed about itself.
    pub(crate) client: ClientCertificate,
}

/// Takes a client's handshake.
///
/// `listener_tls` gives the TLS of a listener by its index, as `hosts` has it; none means that the
/// listener's TLS could not be compiled.
///
/// # Errors
/// See [`HandshakeError`]. The client was told.
pub(crate) async fn accept<IO>(
    connection: IO,
    hosts: &Hosts<usize>,
    listener_tls: impl Fn(usize) -> Option<Arc<ServerTls>>,
    deadline: Instant,
) -> Result<Secured<IO>, HandshakeError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let hello = LazyConfigAcceptor::new(Acceptor::default(), connection);
    let hello = timeout_at(deadline, hello).await;
    let mut hello = hello
        .map_err(|_| HandshakeError::TimedOut)?
        .map_err(|error| read_error(&error))?;
    let server_name = hello.client_hello().server_name().map(lower_case);
    let chosen = choose(hosts, server_name.as_deref());
    let Some(listener) = chosen else {
        // The client may be gone; there is nobody else to tell.
        let _ = timeout_at(deadline, async {
            hello.io.write_all(&UNRECOGNIZED_NAME).await?;
            hello.io.shutdown().await
        })
        .await;
        return Err(HandshakeError::UnrecognizedName(server_name));
    };
    let tls = listener_tls(listener).ok_or_else(unusable)?;
    let config = Arc::clone(&tls.config);
    let (stream, client) = shake(hello, (&tls, config), deadline).await?;
    Ok(Secured {
        http2: is_http2(&stream),
        stream,
        listener,
        server_name,
        client,
    })
}

/// Takes the handshake of a client whose first message was read, for the listener that it means.
///
/// # Errors
/// See [`HandshakeError`]. The client was told.
pub(crate) async fn accept_read(
    mut connection: TcpStream,
    hello: Hello,
    (listener, tls): (usize, Option<Arc<ServerTls>>),
    deadline: Instant,
) -> Result<Secured<TcpStream>, HandshakeError> {
    let tls = tls.ok_or_else(unusable)?;
    let accepted = hello.accepted(&mut connection, deadline).await?;
    let start = StartHandshake::from_parts(accepted, connection);
    let config = Arc::clone(&tls.config);
    let (stream, client) = shake(start, (&tls, config), deadline).await?;
    Ok(Secured {
        http2: is_http2(&stream),
        stream,
        listener,
        server_name: hello.server_name,
        client,
    })
}

/// The same where what is inside is not HTTP: `choose` says which of the protocols that the client offers is
/// agreed on, if any. It is given with the connection.
///
/// # Errors
/// See [`HandshakeError`]. The client was told.
pub(crate) async fn terminate(
    mut connection: TcpStream,
    hello: Hello,
    tls: Option<Arc<ServerTls>>,
    choose: impl Fn(&[&[u8]]) -> Option<Vec<u8>>,
    deadline: Instant,
) -> Result<(TlsStream<TcpStream>, Option<Vec<u8>>), HandshakeError> {
    let tls = tls.ok_or_else(unusable)?;
    let accepted = hello.accepted(&mut connection, deadline).await?;
    let offered = accepted.client_hello().alpn();
    let offered: Vec<&[u8]> = offered.into_iter().flatten().collect();
    let agreed = choose(&offered);
    let config = match &agreed {
        None => Arc::clone(&tls.config),
        Some(protocol) => {
            // What keeps sessions and tickets is shared with the other connections of the listener.
            let mut config = (*tls.config).clone();
            config.alpn_protocols = vec![protocol.clone()];
            Arc::new(config)
        }
    };
    let start = StartHandshake::from_parts(accepted, connection);
    let (stream, _) = shake(start, (&tls, config), deadline).await?;
    Ok((stream, agreed))
}

async fn shake<IO>(
    start: StartHandshake<IO>,
    (tls, config): (&ServerTls, Arc<rustls::ServerConfig>),
    deadline: Instant,
) -> Result<(TlsStream<IO>, ClientCertificate), HandshakeError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let stream = timeout_at(deadline, start.into_stream(config)).await;
    let stream = stream
        .map_err(|_| HandshakeError::TimedOut)?
        .map_err(|error| read_error(&error))?;
    let client = tls
        .client_certificate(stream.get_ref().1)
        .map_err(|error| HandshakeError::ClientCertificate(error.to_string()))?;
    Ok((stream, client))
}

fn is_http2<IO>(stream: &TlsStream<IO>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(b"h2")
}

fn unusable() -> HandshakeError {
    HandshakeError::Gateway("the listener's TLS settings cannot be used".to_owned())
}

fn lower_case(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The listener that a name means.
pub(crate) fn choose(hosts: &Hosts<usize>, server_name: Option<&str>) -> Option<usize> {
    // The empty name is in no pattern but the one for all names.
    hosts.find(server_name.unwrap_or_default()).copied()
}
