//! The gateway's own answers: all of them, with what the client hears and who can do something about it.
//!
//! An answer of the gateway's own is told from a backend's by `Proxy-Status` (RFC 9209). Its body is a
//! sentence or two that name no address, no object and no file; what only operators may know is in the
//! log and, if the listener's setting says so, in `details`. gRPC clients get a status of theirs.

use std::fmt;

use bytes::Bytes;
use daemun_model::listener::ProxyStatus;
use daemun_route::paths::PathError;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER,
};
use http::{Method, Request, Response, StatusCode};

use super::check::Fault;
use crate::upstream::failure::Broken;
use crate::upstream::failure::ConnectError;
use crate::upstream::failure::Failure;
use crate::upstream::tls;

mod words;

use words::Words;

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// Why the gateway answers by itself.
#[derive(Debug)]
pub(crate) enum Own {
    /// The head is not what it must be.
    Malformed(Fault),
    /// The path cannot be read in one way only.
    BadPath(PathError),
    /// The target cannot be written anew.
    BadTarget,
    /// The target is longer than the listener allows.
    TargetTooLong,
    /// The head is larger than the listener allows, or has more headers.
    HeadTooLarge,
    /// The body is longer than the listener allows.
    BodyTooLarge,
    /// The body broke off or is malformed.
    ClientBody,
    /// No rule takes the request, or no listener its host.
    NoMatch,
    /// The connection was made for another listener.
    Misdirected,
    /// The connection was made under settings that are gone.
    ListenerGone,
    /// The listener's policy cannot be used; nothing passes unprotected.
    InvalidListener(String),
    /// A filter cannot be used; nothing passes it by.
    InvalidFilter(String),
    /// The service that decides about requests has not decided; nothing passes without that.
    NoDecision {
        /// The service, in the user's words.
        written: String,
        /// Why.
        reason: String,
    },
    /// The backend cannot be used.
    InvalidBackend {
        /// The backend, in the user's words.
        written: String,
        /// Why.
        reason: String,
    },
    /// The rule has no backend with a weight.
    NoBackend,
    /// As many requests are under way as the listener allows.
    Overloaded,
    /// No endpoint is ready.
    NoEndpoints,
    /// No connection came about.
    Connect(ConnectError),
    /// The time for one try was over.
    TryTimedOut,
    /// The time for the whole request was over.
    TimedOut,
    /// The connection broke before the head of a response.
    Broken(Broken),
    /// The same, after the tries that the rule's stanza grants.
    TriesExhausted(Broken),
    /// As many requests were sent again as the backend's policy allows.
    OverBudget,
    /// The backend changed the protocol unasked.
    UnaskedUpgrade,
    /// The backend answered an extended CONNECT with success and did not change the protocol. To pass it
    /// on would tell the client that the tunnel stands.
    NotUpgraded,
}

impl From<Fault> for Own {
    fn from(fault: Fault) -> Self {
        Self::Malformed(fault)
    }
}

impl From<Failure> for Own {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoEndpoints => Self::NoEndpoints,
            Failure::Connect(error) => Self::Connect(error),
            Failure::TryTimedOut => Self::TryTimedOut,
            Failure::TimedOut => Self::TimedOut,
            Failure::Broken(error) => Self::Broken(error),
            Failure::Exhausted(error) => Self::TriesExhausted(error),
            Failure::OverBudget => Self::OverBudget,
            Failure::ClientBody => Self::ClientBody,
            Failure::TooLarge => Self::BodyTooLarge,
        }
    }
}

impl Own {
    /// The status (gateway-api `HTTPRouteRule`; RFC 9110, section 15).
    pub(crate) fn status(&self) -> StatusCode {
        self.words().status
    }

    /// Its place in `observe::answers`: the same for all answers of one kind.
    pub(crate) fn number(&self) -> usize {
        let words = self.words();
        words::ALL
            .iter()
            .position(|one| std::ptr::eq(*one, words))
            .unwrap_or_default()
    }

    /// Whether an HTTP/1 connection must not be used after this answer: what follows on it may not be
    /// what it seems, or it was made for something that is gone.
    pub(crate) fn closes_connection(&self) -> bool {
        matches!(
            self,
            Self::Malformed(_)
                | Self::BodyTooLarge
                | Self::ClientBody
                | Self::Misdirected
                | Self::ListenerGone
        )
    }

    /// What operators may know beyond the words for clients; for logs, and for `Proxy-Status` in full.
    pub(crate) fn details(&self) -> Option<String> {
        match self {
            Self::Malformed(fault) => Some(fault.to_string()),
            Self::BadPath(error) => Some(error.to_string()),
            Self::InvalidListener(reason) | Self::InvalidFilter(reason) => Some(reason.clone()),
            Self::InvalidBackend { written, reason } if written.is_empty() => Some(reason.clone()),
            Self::InvalidBackend { written, reason } | Self::NoDecision { written, reason } => {
                Some(format!("{written}: {reason}"))
            }
            Self::Connect(error) => Some(error.to_string()),
            Self::Broken(error) | Self::TriesExhausted(error) => Some(error.to_string()),
            Self::BadTarget
            | Self::TargetTooLong
            | Self::HeadTooLarge
            | Self::BodyTooLarge
            | Self::ClientBody
            | Self::NoMatch
            | Self::Misdirected
            | Self::ListenerGone
            | Self::NoBackend
            | Self::Overloaded
            | Self::NoEndpoints
            | Self::TryTimedOut
            | Self::TimedOut
            | Self::OverBudget
            | Self::UnaskedUpgrade
            | Self::NotUpgraded => None,
        }
    }

    fn words(&self) -> &'static Words {
        match self {
            Self::Malformed(_) => &words::MALFORMED,
            Self::BadPath(_) | Self::BadTarget => &words::BAD_TARGET,
            Self::TargetTooLong => &words::TARGET_TOO_LONG,
            Self::HeadTooLarge => &words::HEAD_TOO_LARGE,
            Self::BodyTooLarge => &words::BODY_TOO_LARGE,
            Self::ClientBody => &words::CLIENT_BODY,
            Self::NoMatch => &words::NO_MATCH,
            Self::Misdirected => &words::MISDIRECTED,
            Self::ListenerGone => &words::LISTENER_GONE,
            Self::InvalidListener(_) => &words::INVALID_LISTENER,
            Self::InvalidFilter(_) => &words::INVALID_FILTER,
            Self::NoDecision { .. } => &words::NO_DECISION,
            Self::InvalidBackend { .. } => &words::INVALID_BACKEND,
            Self::NoBackend => &words::NO_BACKEND,
            Self::Overloaded => &words::OVERLOADED,
            Self::NoEndpoints => &words::NO_ENDPOINTS,
            Self::Connect(error) => of_connect(error),
            Self::TryTimedOut => &words::TRY_TIMED_OUT,
            Self::TimedOut => &words::TIMED_OUT,
            Self::Broken(error) if error.is_malformed() => &words::BROKEN_RESPONSE,
            Self::Broken(_) => &words::BROKEN_CONNECTION,
            Self::TriesExhausted(_) => &words::TRIES_EXHAUSTED,
            Self::OverBudget => &words::OVER_BUDGET,
            Self::UnaskedUpgrade => &words::UNASKED_UPGRADE,
            Self::NotUpgraded => &words::NOT_UPGRADED,
        }
    }
}

fn of_connect(error: &ConnectError) -> &'static Words {
    match error {
        ConnectError::TimedOut | ConnectError::Tls(tls::ConnectError::TimedOut) => {
            &words::CONNECT_TIMED_OUT
        }
        ConnectError::Tcp(_) | ConnectError::Tls(tls::ConnectError::Io(_)) => {
            &words::CONNECT_FAILED
        }
        ConnectError::Tls(tls::ConnectError::Certificate(_)) => &words::CERTIFICATE,
        ConnectError::Tls(tls::ConnectError::Handshake(_)) => &words::HANDSHAKE,
        ConnectError::Http(_) => &words::HTTP_HANDSHAKE,
    }
}

/// What is wrong, with the details: for the log.
impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().what)?;
        match self.details() {
            Some(details) => write!(f, " ({details})"),
            None => Ok(()),
        }
    }
}

/// What must be known of a request to answer it in its own language, when its head is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    language: Language,
    head: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Text,
    Json,
    Grpc(Grpc),
}

/// Which gRPC is spoken: each has a content type of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grpc {
    Plain,
    Web,
    WebText,
}

impl Grpc {
    /// What the request's content type says. That counts, and not the kind of its Route: who does not speak
    /// gRPC would take its errors, which have the status 200, for a success.
    fn spoken(headers: &HeaderMap) -> Option<Self> {
        let written = headers.get(CONTENT_TYPE)?.as_bytes();
        let rest = written.strip_prefix(b"application/grpc")?;
        let (kind, rest) = match rest.strip_prefix(b"-web") {
            None => (Self::Plain, rest),
            Some(rest) => match rest.strip_prefix(b"-text") {
                None => (Self::Web, rest),
                Some(rest) => (Self::WebText, rest),
            },
        };
        matches!(rest.first(), None | Some(b'+' | b';' | b' ')).then_some(kind)
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "application/grpc",
            Self::Web => "application/grpc-web",
            Self::WebText => "application/grpc-web-text",
        }
    }
}

impl Asker {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        Self {
            language: if let Some(grpc) = Grpc::spoken(headers) {
                Language::Grpc(grpc)
            } else if prefers_json(headers) {
                Language::Json
            } else {
                Language::Text
            },
            head: request.method() == Method::HEAD,
        }
    }
}

/// Whether `Accept` names JSON, and text not before it.
fn prefers_json(headers: &HeaderMap) -> bool {
    // Few requests name it at all.
    let named = |value: &HeaderValue| memchr::memmem::find(value.as_bytes(), b"json").is_some();
    if !headers.get_all(ACCEPT).iter().any(named) {
        return false;
    }
    let (mut json, mut text) = (0.0f32, 0.0f32);
    let values = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
        let quality = parameters
            .split(';')
            .find_map(|parameter| parameter.trim().strip_prefix("q="))
            .map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
        match kind.trim() {
            "application/json" | "application/problem+json" => json = json.max(quality),
            "text/plain" | "text/html" | "text/*" => text = text.max(quality),
            _ => {}
        }
    }
    json > 0.0 && json >= text
}

/// The response for an answer of the gateway's own. `place` is how far the request came, for those who
/// may know.
pub(crate) fn response(
    own: &Own,
    asker: &Asker,
    (proxy_status, place): (ProxyStatus, Option<&str>),
    request_id: Option<&HeaderValue>,
) -> Response<Bytes> {
    let words = own.words();
    let id = request_id.and_then(|id| id.to_str().ok());
    let (content_type, text) = match asker.language {
        Language::Grpc(grpc) => (grpc.content_type(), String::new()),
        Language::Json => ("application/problem+json", problem(words, id)),
        Language::Text => ("text/plain; charset=utf-8", plain(words, id)),
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = words.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = words.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(value) = status_header(own, (proxy_status, place), id) {
        headers.insert(PROXY_STATUS, value);
    }
    if matches!(asker.language, Language::Grpc(_)) {
        say_in_grpc(headers, words.grpc, words.what);
        *response.status_mut() = StatusCode::OK;
    } else if asker.head {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    } else {
        *response.body_mut() = Bytes::from(text);
    }
    response
}

/// Whether a request speaks gRPC.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    Grpc::spoken(headers).is_some()
}

/// What a client of gRPC hears of an answer that HTTP would give it (gRPC, "HTTP to gRPC Status Code Mapping").
pub(crate) fn in_grpc(asked: &HeaderMap, status: StatusCode, message: &str) -> Response<Bytes> {
    let content_type = Grpc::spoken(asked).unwrap_or(Grpc::Plain).content_type();
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    say_in_grpc(headers, words::grpc_of(status), message);
    response
}

/// Makes a head that is a whole response of gRPC: its end is its head.
fn say_in_grpc(headers: &mut HeaderMap, status: u16, message: &str) {
    headers.insert("grpc-status", HeaderValue::from(status));
    let message = percent_encoding::percent_encode(message.as_bytes(), GRPC_MESSAGE);
    headers.extend(
        HeaderValue::try_from(message.to_string())
            .map(|message| (HeaderName::from_static("grpc-message"), message)),
    );
}

/// gRPC's percent-encoding of messages: all but printable ASCII without `%`.
const GRPC_MESSAGE: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS.add(b'%');

fn plain(words: &Words, id: Option<&str>) -> String {
    let mut text = format!("{}: {}. {}.\n", words.status, words.what, words.who);
    if let Some(id) = id {
        text.push_str(&format!("Request id: {id}\n"));
    }
    text
}

/// RFC 9457.
fn problem(words: &Words, id: Option<&str>) -> String {
    let mut problem = serde_json::json!({
        "status": words.status.as_u16(),
        "title": words.status.canonical_reason(),
        "detail": format!("{}. {}.", words.what, words.who),
        "reason": words.label,
    });
    if let (Some(id), Some(members)) = (id, problem.as_object_mut()) {
        members.insert("requestId".to_owned(), id.into());
    }
    problem.to_string() + "\n"
}

/// RFC 9209, with the request's id as a parameter of our own.
fn status_header(
    own: &Own,
    (setting, place): (ProxyStatus, Option<&str>),
    id: Option<&str>,
) -> Option<HeaderValue> {
    if setting == ProxyStatus::Off {
        return None;
    }
    let mut value = format!("daemun; error={}", own.words().error);
    let details = [place.map(str::to_owned), own.details()];
    let details: Vec<String> = details.into_iter().flatten().collect();
    if setting == ProxyStatus::Full && !details.is_empty() {
        value.push_str("; details=");
        push_quoted(&mut value, &details.join(": "));
    }
    if let Some(id) = id {
        value.push_str("; request-id=");
        push_quoted(&mut value, id);
    }
    HeaderValue::try_from(value).ok()
}

/// A string of RFC 8941: ASCII only.
fn push_quoted(value: &mut String, text: &str) {
    value.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => value.extend(['\\', character]),
            ' '..='~' => value.push(character),
            _ => value.push('?'),
        }
    }
    value.push('"');
}

#[cfg(test)]
mod tests;
