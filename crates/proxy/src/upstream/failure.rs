//! Why there is no response, or not all of it: from a connection that did not come about to a body that
//! broke off. What a client hears of it is `http::reply`'s.

use std::fmt;
use std::io;

use crate::http::replay::RequestBodyError;
use crate::upstream::tls;

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No endpoint is ready.
    NoEndpoints,
    /// No connection came about; nothing was sent.
    Connect(ConnectError),
    /// The time for one try was over.
    TryTimedOut,
    /// The time for the whole request was over.
    TimedOut,
    /// The connection broke before the head of a response.
    Broken(Broken),
    /// So it did on every try that the rule's stanza grants.
    Exhausted(Broken),
    /// It would have been sent again, and as many requests were already as the backend's policy allows.
    OverBudget,
    /// The client's body broke off or is malformed.
    ClientBody,
    /// The client's body is longer than the listener allows.
    TooLarge,
}

impl Failure {
    /// What a failure is after tries that a rule's stanza grants: connections that break again and again
    /// are a service that is not there, and no broken answer (GEP-1731).
    pub(crate) fn after_tries(self) -> Self {
        match self {
            Self::Broken(broken) if broken.is_of_the_connection() => Self::Exhausted(broken),
            other => other,
        }
    }
}

/// Why there is no connection. Nothing was sent.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// Not in time.
    TimedOut,
    /// TCP: refused, unreachable, reset.
    Tcp(std::io::Error),
    /// The endpoint's certificate, or TLS itself.
    Tls(tls::ConnectError),
    /// The HTTP engine's handshake.
    Http(hyper::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no connection came about in time"),
            Self::Tcp(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                f.write_str("connection refused: nothing listens on that port")
            }
            Self::Tcp(error) => write!(f, "no connection: {error}"),
            Self::Tls(reason) => write!(f, "TLS failed: {reason}"),
            Self::Http(error) => write!(f, "the HTTP handshake failed: {error}"),
        }
    }
}

/// Why an exchange broke.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The connection was closed before a byte of a response.
    Closed,
    /// The connection was closed within a response.
    Truncated,
    /// The connection failed.
    Io(io::Error),
    /// The response breaks the protocol, and how.
    Malformed(&'static str),
    /// The request's body did not come to its end.
    RequestBody(RequestBodyError),
    /// The other engine's words.
    Engine(hyper::Error),
}

impl Broken {
    /// Whether not a byte of an answer had come.
    pub(crate) fn before_an_answer(&self) -> bool {
        match self {
            Self::Closed => true,
            Self::Engine(error) => !error.is_parse(),
            Self::Truncated | Self::Io(_) | Self::Malformed(_) | Self::RequestBody(_) => false,
        }
    }

    /// Whether the backend says that it has not looked at the request (RFC 9113, section 8.7): then it
    /// may be sent again, whatever it asks for.
    pub(crate) fn is_unprocessed(&self) -> bool {
        let Self::Engine(error) = self else {
            return false;
        };
        let source =
            std::error::Error::source(error).and_then(|source| source.downcast_ref::<h2::Error>());
        source.is_some_and(|error| error.reason() == Some(h2::Reason::REFUSED_STREAM))
    }

    /// Whether the connection broke, rather than what came over it.
    fn is_of_the_connection(&self) -> bool {
        match self {
            Self::Closed | Self::Truncated | Self::Io(_) => true,
            Self::Engine(error) => !error.is_parse(),
            Self::Malformed(_) | Self::RequestBody(_) => false,
        }
    }

    /// Whether what the backend sent is no HTTP, rather than too little of it.
    pub(crate) fn is_malformed(&self) -> bool {
        match self {
            Self::Malformed(_) => true,
            Self::Engine(error) => error.is_parse(),
            Self::Closed | Self::Truncated | Self::Io(_) | Self::RequestBody(_) => false,
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the backend closed the connection without an answer"),
            Self::Truncated => f.write_str("the backend closed the connection within its answer"),
            Self::Io(error) => write!(f, "the connection to the backend failed: {error}"),
            Self::Malformed(how) => write!(f, "the backend's answer is malformed: {how}"),
            Self::RequestBody(error) => error.fmt(f),
            Self::Engine(error) => {
                error.fmt(f)?;
                match std::error::Error::source(error) {
                    Some(source) => write!(f, ": {source}"),
                    None => Ok(()),
                }
            }
        }
    }
}
