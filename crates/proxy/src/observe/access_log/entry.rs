//! What is known of one request, or of one connection below HTTP, for its line.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::header::{HOST, HeaderValue, REFERER, USER_AGENT};
use http::uri::PathAndQuery;
use http::{Method, Request, Version};

use super::format::{Field, Value};

/// What is remembered of a request's beginning. Only made if there is an access log.
pub(crate) struct Entry {
    method: Method,
    target: Option<PathAndQuery>,
    version: Version,
    host: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    peer: SocketAddr,
    tls: bool,
    pub(in crate::observe) sampled: bool,
    pub(in crate::observe) client: Option<IpAddr>,
    pub(in crate::observe) id: Option<HeaderValue>,
    pub(in crate::observe) endpoint: Option<SocketAddr>,
    pub(in crate::observe) details: Option<String>,
}

impl Entry {
    /// Remembers a request. Nothing is copied that is not a count of references.
    pub(crate) fn of<B>(request: &Request<B>, peer: SocketAddr, tls: bool, sampled: bool) -> Self {
        let header = |name| request.headers().get(name).cloned();
        let of_target = || {
            request
                .uri()
                .authority()
                .and_then(|it| it.as_str().parse().ok())
        };
        Self {
            method: request.method().clone(),
            target: request.uri().path_and_query().cloned(),
            version: request.version(),
            host: header(HOST).or_else(of_target),
            user_agent: header(USER_AGENT),
            referer: header(REFERER),
            peer,
            tls,
            sampled,
            client: None,
            id: None,
            endpoint: None,
            details: None,
        }
    }

    /// A field's value, as far as it is the request's own.
    fn field(&self, field: Field) -> Value<'_> {
        let target = self.target.as_ref();
        match field {
            Field::Client => Value::Owned(self.client.unwrap_or(self.peer.ip()).to_string()),
            Field::Peer => Value::Owned(self.peer.to_string()),
            Field::Method => Value::Text(self.method.as_str()),
            Field::Scheme => Value::Text(if self.tls { "https" } else { "http" }),
            Field::Host => header(&self.host),
            Field::Path => target.map_or(Value::None, |target| Value::Text(target.path())),
            Field::Query => target
                .and_then(PathAndQuery::query)
                .map_or(Value::None, Value::Text),
            Field::Target => target.map_or(Value::None, |target| Value::Text(target.as_str())),
            Field::Protocol => Value::Text(protocol(self.version)),
            Field::Details => self.details.as_deref().map_or(Value::None, Value::Text),
            Field::Endpoint => endpoint(self.endpoint),
            Field::RequestId => header(&self.id),
            Field::UserAgent => header(&self.user_agent),
            Field::Referer => header(&self.referer),
            Field::Time
            | Field::Status
            | Field::DurationMs
            | Field::BytesIn
            | Field::BytesOut
            | Field::AnsweredBy
            | Field::Reason
            | Field::Listener
            | Field::Route
            | Field::Rule
            | Field::Backend
            | Field::Tries => Value::None,
        }
    }
}

/// What is known of a connection below HTTP, or a flow of datagrams, for its line.
pub(in crate::observe) struct PassageEntry<'a> {
    pub(in crate::observe) peer: SocketAddr,
    /// `TCP`, `TLS` or `UDP`.
    pub(in crate::observe) protocol: &'static str,
    /// The name that TLS asked for.
    pub(in crate::observe) name: Option<&'a str>,
    pub(in crate::observe) endpoint: Option<SocketAddr>,
    pub(in crate::observe) details: Option<&'a str>,
    pub(in crate::observe) sampled: bool,
}

impl PassageEntry<'_> {
    /// A field's value, as far as it is not told of requests too.
    fn field(&self, field: Field) -> Value<'_> {
        match field {
            Field::Client => Value::Owned(self.peer.ip().to_string()),
            Field::Peer => Value::Owned(self.peer.to_string()),
            Field::Host => self.name.map_or(Value::None, Value::Text),
            Field::Protocol => Value::Text(self.protocol),
            Field::Details => self.details.map_or(Value::None, Value::Text),
            Field::Endpoint => endpoint(self.endpoint),
            _ => Value::None,
        }
    }
}

/// What a line is about.
pub(in crate::observe) enum Subject<'a> {
    /// A request.
    Request(&'a Entry),
    /// A connection or flow below HTTP.
    Passage(&'a PassageEntry<'a>),
}

impl Subject<'_> {
    /// Whether chance takes it.
    pub(super) fn sampled(&self) -> bool {
        match self {
            Self::Request(entry) => entry.sampled,
            Self::Passage(entry) => entry.sampled,
        }
    }
}

/// What is known at a request's or connection's end.
pub(in crate::observe) struct Told<'a> {
    pub(in crate::observe) subject: Subject<'a>,
    /// The status, or which one the end of a connection is counted as.
    pub(in crate::observe) status: u16,
    pub(in crate::observe) lasted: Duration,
    pub(in crate::observe) received: u64,
    pub(in crate::observe) sent: u64,
    /// How often it was sent to an endpoint.
    pub(in crate::observe) tries: u32,
    /// Who answered: `backend`, `gateway`, `filter`, or `nobody`.
    pub(in crate::observe) by: &'static str,
    /// Why the gateway answered by itself, or the response broke off.
    pub(in crate::observe) reason: Option<&'static str>,
    pub(in crate::observe) listener: Option<&'a dyn std::fmt::Display>,
    pub(in crate::observe) route: Option<&'a dyn std::fmt::Display>,
    pub(in crate::observe) rule: Option<&'a dyn std::fmt::Display>,
    pub(in crate::observe) backend: Option<&'a dyn std::fmt::Display>,
}

impl Told<'_> {
    /// A field's value.
    pub(super) fn field(&self, field: Field) -> Value<'_> {
        let shown = |one: Option<&dyn std::fmt::Display>| {
            one.map_or(Value::None, |one| Value::Owned(one.to_string()))
        };
        match (field, &self.subject) {
            (Field::Time, _) => Value::Time,
            (Field::Status, Subject::Request(_)) => Value::Number(self.status.into()),
            (Field::DurationMs, _) => Value::Milliseconds(self.lasted),
            (Field::BytesIn, _) => Value::Number(self.received),
            (Field::BytesOut, _) => Value::Number(self.sent),
            (Field::AnsweredBy, _) => Value::Text(self.by),
            (Field::Reason, _) => self.reason.map_or(Value::None, Value::Text),
            (Field::Listener, _) => shown(self.listener),
            (Field::Route, _) => shown(self.route),
            (Field::Rule, _) => shown(self.rule),
            (Field::Backend, _) => shown(self.backend),
            (Field::Tries, _) => Value::Number(self.tries.into()),
            (_, Subject::Request(entry)) => entry.field(field),
            (_, Subject::Passage(entry)) => entry.field(field),
        }
    }
}

fn endpoint(address: Option<SocketAddr>) -> Value<'static> {
    address.map_or(Value::None, |one| Value::Owned(one.to_string()))
}

fn header(value: &Option<HeaderValue>) -> Value<'_> {
    match value
        .as_ref()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
    {
        None => Value::None,
        Some(Cow::Borrowed(text)) => Value::Text(text),
        Some(Cow::Owned(text)) => Value::Owned(text),
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    }
}
