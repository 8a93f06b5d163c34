//! What is known of one request for its line.

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
}

/// What is known at a request's end.
pub(in crate::observe) struct Told<'a> {
    pub(in crate::observe) entry: &'a Entry,
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
        let entry = self.entry;
        let shown = |one: Option<&dyn std::fmt::Display>| {
            one.map_or(Value::None, |one| Value::Owned(one.to_string()))
        };
        let target = entry.target.as_ref();
        match field {
            Field::Time => Value::Time,
            Field::Client => Value::Owned(entry.client.unwrap_or(entry.peer.ip()).to_string()),
            Field::Peer => Value::Owned(entry.peer.to_string()),
            Field::Method => Value::Text(entry.method.as_str()),
            Field::Scheme => Value::Text(if entry.tls { "https" } else { "http" }),
            Field::Host => header(&entry.host),
            Field::Path => target.map_or(Value::None, |target| Value::Text(target.path())),
            Field::Query => target
                .and_then(PathAndQuery::query)
                .map_or(Value::None, Value::Text),
            Field::Target => target.map_or(Value::None, |target| Value::Text(target.as_str())),
            Field::Protocol => Value::Text(protocol(entry.version)),
            Field::Status => Value::Number(self.status.into()),
            Field::DurationMs => Value::Milliseconds(self.lasted),
            Field::BytesIn => Value::Number(self.received),
            Field::BytesOut => Value::Number(self.sent),
            Field::AnsweredBy => Value::Text(self.by),
            Field::Reason => self.reason.map_or(Value::None, Value::Text),
            Field::Details => entry.details.as_deref().map_or(Value::None, Value::Text),
            Field::Listener => shown(self.listener),
            Field::Route => shown(self.route),
            Field::Rule => shown(self.rule),
            Field::Backend => shown(self.backend),
            Field::Endpoint => entry
                .endpoint
                .map_or(Value::None, |one| Value::Owned(one.to_string())),
            Field::Tries => Value::Number(self.tries.into()),
            Field::RequestId => header(&entry.id),
            Field::UserAgent => header(&entry.user_agent),
            Field::Referer => header(&entry.referer),
        }
    }
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
