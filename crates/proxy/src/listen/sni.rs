//! Accepting TLS: which listener of a port a client means, and the handshake with it.
//!
//! The client's SNI chooses the most specific listener of the port that has the name. Without SNI, or
//! without such a listener, the one for all names takes the client; where there is none, the client is
//! told that nobody here has that name. What requests may then ask for is not decided here.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use daemun_route::hosts::Hosts;
use rustls::server::Acceptor;
use rustls::{AlertDescription, InvalidMessage};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

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

/// Why a handshake failed.
#[derive(Debug)]
pub(crate) enum HandshakeError {
    /// The client went away.
    Closed,
    /// The client was too slow.
    TimedOut,
    /// What the client sent is not TLS; plain HTTP, most of the time.
    NotTls,
    /// No listener of the port has the name that the client asked for.
    UnrecognizedName(Option<String>),
    /// The client's certificate is missing or not believed.
    ClientCertificate(String),
    /// The client does not believe the gateway's certificate, or gave up for another reason of its own.
    RefusedByClient(AlertDescription),
    /// The two have no version, cipher or protocol in common, or the client broke the rules.
    Client(String),
    /// The gateway's own fault.
    Gateway(String),
}

impl HandshakeError {
    /// Whose fault it is and what happened, in a word: for metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::TimedOut => "timeout",
            Self::NotTls => "not_tls",
            Self::UnrecognizedName(_) => "unrecognized_name",
            Self::ClientCertificate(_) => "client_certificate",
            Self::RefusedByClient(_) => "refused_by_client",
            Self::Client(_) => "client",
            Self::Gateway(_) => "gateway",
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the client closed the connection during the handshake"),
            Self::TimedOut => f.write_str("the client's handshake took too long"),
            Self::NotTls => f.write_str("the client does not speak TLS; was it plain HTTP?"),
            Self::UnrecognizedName(Some(name)) => write!(f, "no listener has the name \"{name}\""),
            Self::UnrecognizedName(None) => {
                f.write_str("the client asked for no name, and no listener takes all names")
            }
            Self::ClientCertificate(why) => write!(f, "the client's certificate: {why}"),
            Self::RefusedByClient(alert) => write!(f, "the client gave up: {alert:?}"),
            Self::Client(why) => write!(f, "the handshake failed: {why}"),
            Self::Gateway(why) => write!(f, "the handshake failed by the gateway's fault: {why}"),
        }
    }
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
    limit: Duration,
) -> Result<Secured<IO>, HandshakeError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let deadline = Instant::from_std(daemun_base::clock::now()) + limit;
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
    let tls = listener_tls(listener).ok_or_else(|| {
        HandshakeError::Gateway("the listener's TLS settings cannot be used".to_owned())
    })?;
    let handshake = hello.into_stream(Arc::clone(&tls.config));
    let stream = timeout_at(deadline, handshake).await;
    let stream = stream
        .map_err(|_| HandshakeError::TimedOut)?
        .map_err(|error| read_error(&error))?;
    let connection = stream.get_ref().1;
    let http2 = connection.alpn_protocol() == Some(b"h2");
    let client = tls
        .client_certificate(connection)
        .map_err(|error| HandshakeError::ClientCertificate(error.to_string()))?;
    Ok(Secured {
        stream,
        listener,
        http2,
        server_name,
        client,
    })
}

fn lower_case(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn choose(hosts: &Hosts<usize>, server_name: Option<&str>) -> Option<usize> {
    // The empty name is in no pattern but the one for all names.
    hosts.find(server_name.unwrap_or_default()).copied()
}

fn read_error(error: &io::Error) -> HandshakeError {
    use rustls::Error as Tls;
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        None if error.kind() == io::ErrorKind::InvalidData => {
            HandshakeError::Client(error.to_string())
        }
        None => HandshakeError::Closed,
        Some(Tls::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        )) => HandshakeError::NotTls,
        Some(Tls::AlertReceived(alert)) => HandshakeError::RefusedByClient(*alert),
        Some(error @ (Tls::InvalidCertificate(_) | Tls::NoCertificatesPresented)) => {
            HandshakeError::ClientCertificate(error.to_string())
        }
        Some(
            error @ (Tls::General(_) | Tls::FailedToGetRandomBytes | Tls::FailedToGetCurrentTime),
        ) => HandshakeError::Gateway(error.to_string()),
        Some(error) => HandshakeError::Client(error.to_string()),
    }
}
