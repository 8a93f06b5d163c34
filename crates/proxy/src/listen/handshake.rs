//! Why TLS with a client does not come about: whose fault it is, in a word for metrics and a sentence for the log.

use std::fmt;
use std::io;

use rustls::{AlertDescription, InvalidMessage};

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

/// What the TLS library's error says.
pub(super) fn read_error(error: &io::Error) -> HandshakeError {
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
