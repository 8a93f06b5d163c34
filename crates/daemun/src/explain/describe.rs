//! Filters, backends and limits of a rule, in words, and what they come to for a request.

use daemun_model::Snapshot;
use daemun_model::backend::{
    Backend, BackendProtocol, BackendTarget, Endpoint, EndpointHost, EndpointState,
};
use daemun_model::filter::Filter;
use daemun_model::filter::cors::{AllowList, Cors};
use daemun_model::filter::headers::HeaderModifier;
use daemun_model::filter::mirror::Mirror;
use daemun_model::filter::redirect::{Redirect, Scheme};
use daemun_model::filter::rewrite::{PathRewrite, Rewrite};
use daemun_model::listener::Listener;
use daemun_model::policy::balance::{Balance, HashKey};
use daemun_model::policy::session::Carrier;
use daemun_model::route::{Rule, WeightedBackend};
use daemun_model::shown::duration_text;
use http::Method;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use serde::Serialize;

use super::Outcome;
use super::asked::Request;

/// A share of a rule's requests, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Share {
    /// The backend, in the user's words.
    pub(crate) backend: String,
    /// How much of the rule's requests: `90 %`.
    pub(crate) share: String,
    /// What happens to these requests only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) filters: Vec<String>,
    /// What is spoken, and how requests are balanced.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) spoken: String,
    /// How many endpoints there are, and how many of them are ready.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) ready: String,
    /// The endpoints that get requests, with their shares.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) endpoints: Vec<String>,
    /// Why its requests fail, and with which status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fails: Option<Outcome>,
}

/// The backends of a rule.
pub(super) struct Backends<'a> {
    shares: Vec<(&'a WeightedBackend, Result<&'a Backend, Outcome>)>,
    total: u64,
}

impl<'a> Backends<'a> {
    /// Looks them up.
    pub(super) fn of(snapshot: &'a Snapshot, rule: &'a Rule) -> Self {
        Self {
            shares: rule
                .backends
                .iter()
                .map(|share| (share, resolve(snapshot, share)))
                .collect(),
            total: rule
                .backends
                .iter()
                .map(|share| u64::from(share.weight))
                .sum(),
        }
    }

    /// What is shown of them.
    pub(super) fn shares(&self, request: &Request) -> Vec<Share> {
        self.shares
            .iter()
            .map(|(share, backend)| self.share(share, backend, request))
            .collect()
    }

    fn share(
        &self,
        share: &WeightedBackend,
        backend: &Result<&Backend, Outcome>,
        request: &Request,
    ) -> Share {
        let mut shown = Share {
            backend: match &share.target {
                BackendTarget::Backend(key) => key.to_string(),
                BackendTarget::Invalid { written, .. } => written.clone(),
            },
            share: percent(u64::from(share.weight), self.total),
            filters: filters(&share.filters, request),
            spoken: String::new(),
            ready: String::new(),
            endpoints: Vec::new(),
            fails: None,
        };
        match backend {
            Ok(backend) => {
                shown.spoken = spoken(backend);
                shown.ready = ready(backend);
                shown.endpoints = endpoints(backend);
                shown.fails = answers(share)
                    .is_none()
                    .then(|| unavailable(backend))
                    .flatten();
            }
            Err(outcome) => shown.fails = Some(outcome.clone()),
        }
        shown
    }
}

fn resolve<'a>(snapshot: &'a Snapshot, share: &WeightedBackend) -> Result<&'a Backend, Outcome> {
    let invalid = |written: &str, reason: &str| Outcome::own(500, format!("{written}: {reason}"));
    match &share.target {
        BackendTarget::Invalid { written, reason } => Err(invalid(written, reason)),
        BackendTarget::Backend(key) => {
            let backend = snapshot.backends.get(key);
            let backend = backend
                .ok_or_else(|| invalid(&key.to_string(), "it is not part of the configuration"))?;
            match &backend.refused {
                Some(reason) => Err(invalid(&key.to_string(), reason)),
                None => Ok(backend),
            }
        }
    }
}

fn unavailable(backend: &Backend) -> Option<Outcome> {
    let some = backend.endpoints.iter().any(|endpoint| endpoint.weight > 0);
    (!some).then(|| {
        Outcome::own(
            503,
            format!("{} has no endpoint that takes requests", backend.key),
        )
    })
}

/// What a client gets from a rule.
pub(super) fn outcome(rule: &Rule, request: &Request, backends: &Backends<'_>) -> Outcome {
    if let Some(outcome) = rule.filters.iter().find_map(|filter| ends(filter, request)) {
        return outcome;
    }
    if rule.backends.is_empty() {
        return Outcome::own(500, "the rule has no backends, and no filter that answers");
    }
    if backends.total == 0 {
        return Outcome::own(500, "all backends of the rule have the weight 0");
    }
    let shares: Vec<Option<Outcome>> = backends
        .shares
        .iter()
        .filter(|(share, _)| share.weight > 0)
        .map(|(share, backend)| match (answers(share), backend) {
            (_, Err(outcome)) => Some(outcome.clone()),
            (Some(filter), Ok(_)) => ends(filter, request),
            (None, Ok(backend)) => unavailable(backend),
        })
        .collect();
    match shares.as_slice() {
        [Some(outcome)] => outcome.clone(),
        shares if shares.iter().all(Option::is_none) => Outcome::none("a backend answers"),
        shares if shares.iter().all(Option::is_some) => {
            let first = shares.iter().flatten().next();
            let message = "no backend of the rule takes requests";
            Outcome {
                status: first.and_then(|outcome| outcome.status),
                message: message.to_owned(),
            }
        }
        _ => Outcome::none("a backend answers, or the gateway itself for the shares that fail"),
    }
}

/// The filter of a share that answers by itself, if it has one.
fn answers(share: &WeightedBackend) -> Option<&Filter> {
    share
        .filters
        .iter()
        .find(|filter| matches!(filter, Filter::Redirect(_) | Filter::Invalid(_)))
}

/// What a filter answers by itself, if it does.
fn ends(filter: &Filter, request: &Request) -> Option<Outcome> {
    match filter {
        Filter::Redirect(redirect) => Some(Outcome::own(
            redirect.status.code().as_u16(),
            "the redirect answers; no backend gets the request",
        )),
        Filter::Cors(_) if is_preflight(request) => Some(Outcome::own(
            204,
            "the CORS filter answers the preflight; no backend gets it",
        )),
        Filter::Invalid(reason) => Some(Outcome::own(
            500,
            format!("a filter cannot be used: {reason}"),
        )),
        Filter::Cors(_)
        | Filter::RequestHeaders(_)
        | Filter::ResponseHeaders(_)
        | Filter::Rewrite(_)
        | Filter::Mirror(_) => None,
    }
}

fn is_preflight(request: &Request) -> bool {
    request.method == Method::OPTIONS
        && request.headers.contains_key(ORIGIN)
        && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Filters in words, in order.
pub(super) fn filters(filters: &[Filter], request: &Request) -> Vec<String> {
    filters
        .iter()
        .map(|filter| in_words(filter, request))
        .collect()
}

fn in_words(filter: &Filter, request: &Request) -> String {
    match filter {
        Filter::RequestHeaders(modifier) => format!("request headers: {}", modified(modifier)),
        Filter::ResponseHeaders(modifier) => format!("response headers: {}", modified(modifier)),
        Filter::Redirect(redirect) => redirected(redirect),
        Filter::Rewrite(rewrite) => rewritten(rewrite),
        Filter::Mirror(mirror) => mirrored(mirror),
        Filter::Cors(cors) => cors_in_words(cors, request),
        Filter::Invalid(reason) => format!("a filter that cannot be used: {reason}"),
    }
}

fn modified(modifier: &HeaderModifier) -> String {
    let HeaderModifier { set, add, remove } = modifier;
    let line = |verb: &str, (name, value): &(http::HeaderName, http::HeaderValue)| {
        format!(
            "{verb} {name}: {}",
            String::from_utf8_lossy(value.as_bytes())
        )
    };
    let set = set.iter().map(|header| line("set", header));
    let add = add.iter().map(|header| line("add", header));
    let remove = remove.iter().map(|name| format!("remove {name}"));
    set.chain(add).chain(remove).collect::<Vec<_>>().join(", ")
}

fn redirected(redirect: &Redirect) -> String {
    let Redirect {
        scheme,
        hostname,
        path,
        port,
        status,
    } = redirect;
    let scheme = scheme.map(|scheme| match scheme {
        Scheme::Http => "scheme http".to_owned(),
        Scheme::Https => "scheme https".to_owned(),
    });
    let hostname = hostname.as_ref().map(|hostname| format!("host {hostname}"));
    let port = port.map(|port| format!("port {port}"));
    let parts: Vec<String> = scheme
        .into_iter()
        .chain(hostname)
        .chain(port)
        .chain(path.as_ref().map(new_path))
        .collect();
    let to = if parts.is_empty() {
        "the same URL".to_owned()
    } else {
        parts.join(", ")
    };
    format!("redirect ({}): {to}", status.code().as_u16())
}

fn rewritten(rewrite: &Rewrite) -> String {
    let Rewrite { hostname, path } = rewrite;
    let hostname = hostname.as_ref().map(|hostname| format!("host {hostname}"));
    let parts: Vec<String> = hostname
        .into_iter()
        .chain(path.as_ref().map(new_path))
        .collect();
    format!("rewrite: {}", parts.join(", "))
}

fn new_path(path: &PathRewrite) -> String {
    match path {
        PathRewrite::Full(path) => format!("path {path}"),
        PathRewrite::Prefix(prefix) if prefix.is_empty() => {
            "the matched prefix is replaced by /".to_owned()
        }
        PathRewrite::Prefix(prefix) => format!("the matched prefix is replaced by {prefix}"),
    }
}

fn mirrored(mirror: &Mirror) -> String {
    let Mirror { backend, share } = mirror;
    let share = percent(
        u64::from(share.numerator.min(share.denominator)),
        u64::from(share.denominator),
    );
    match backend {
        BackendTarget::Backend(key) => {
            format!("mirror: a copy of {share} of the requests goes to {key}")
        }
        BackendTarget::Invalid { written, reason } => {
            format!("mirror: no copies go to {written}: {reason}")
        }
    }
}

fn cors_in_words(cors: &Cors, request: &Request) -> String {
    let Some(origin) = request.headers.get(ORIGIN) else {
        return "CORS: no Origin header, nothing to do".to_owned();
    };
    let origin = String::from_utf8_lossy(origin.as_bytes());
    let what = if is_preflight(request) {
        "a preflight"
    } else {
        "a request"
    };
    let methods = match &cors.allow_methods {
        AllowList::All => "all methods".to_owned(),
        AllowList::These(methods) if methods.is_empty() => "the safelisted methods".to_owned(),
        AllowList::These(methods) => methods.join(", "),
    };
    let credentials = if cors.allow_credentials {
        ", with credentials"
    } else {
        ""
    };
    format!(
        "CORS: {what} of {origin}; {methods} may be used by the origins that are listed{credentials}"
    )
}

fn spoken(backend: &Backend) -> String {
    let protocol = match (&backend.tls, backend.protocol) {
        (None, BackendProtocol::Http | BackendProtocol::Http1) => "HTTP/1.1",
        (None, BackendProtocol::Http2) => "HTTP/2 in the clear (h2c)",
        (Some(_), BackendProtocol::Http) => "HTTP/2 or HTTP/1.1",
        (Some(_), BackendProtocol::Http1) => "HTTP/1.1",
        (Some(_), BackendProtocol::Http2) => "HTTP/2",
    };
    let tls = backend
        .tls
        .as_ref()
        .map_or_else(String::new, |tls| format!(" over TLS as {}", tls.hostname));
    let balance = match &backend.balance {
        Balance::RoundRobin => "round robin".to_owned(),
        Balance::LeastRequests => "least requests".to_owned(),
        Balance::Random => "by chance".to_owned(),
        Balance::ConsistentHash(HashKey::Header(name)) => format!("by a hash of the header {name}"),
        Balance::ConsistentHash(HashKey::Cookie(name)) => format!("by a hash of the cookie {name}"),
        Balance::ConsistentHash(HashKey::SourceAddress) => {
            "by a hash of the client's address".to_owned()
        }
    };
    format!("{protocol}{tls}, {balance}")
}

fn ready(backend: &Backend) -> String {
    let ready = backend
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.state == EndpointState::Ready)
        .count();
    match backend.endpoints.as_slice() {
        [] => "no endpoints".to_owned(),
        [one] if one.state == EndpointState::Ready && matches!(one.host, EndpointHost::Name(_)) => {
            "a DNS name; each of its addresses is an endpoint".to_owned()
        }
        all => format!("{ready} of {} endpoints ready", all.len()),
    }
}

/// Those that get requests: the ready ones, or, if there are none, those that drain.
fn endpoints(backend: &Backend) -> Vec<String> {
    let in_state = |state| {
        backend
            .endpoints
            .iter()
            .filter(move |endpoint| endpoint.state == state)
    };
    let mut used: Vec<&Endpoint> = in_state(EndpointState::Ready).collect();
    if used.is_empty() {
        used = in_state(EndpointState::Draining).collect();
    }
    let total = used.iter().map(|endpoint| u64::from(endpoint.weight)).sum();
    used.iter()
        .map(|endpoint| {
            let share = percent(u64::from(endpoint.weight), total);
            let draining = if endpoint.state == EndpointState::Draining {
                ", draining"
            } else {
                ""
            };
            match &endpoint.host {
                EndpointHost::Address(address) => {
                    format!(
                        "{} ({share}{draining})",
                        std::net::SocketAddr::new(*address, endpoint.port)
                    )
                }
                EndpointHost::Name(name) => format!("{name}:{} ({share}{draining})", endpoint.port),
            }
        })
        .collect()
}

/// A share as people write it: `50 %`, `33.3 %`.
fn percent(part: u64, total: u64) -> String {
    if total == 0 {
        return "0 %".to_owned();
    }
    let tenths = (part * 1000 + total / 2) / total;
    match (tenths / 10, tenths % 10) {
        (0, 0) if part > 0 => "under 0.1 %".to_owned(),
        (whole, 0) => format!("{whole} %"),
        (whole, tenth) => format!("{whole}.{tenth} %"),
    }
}

/// Time limits, tries and sessions in words.
pub(super) fn limits(rule: &Rule, listener: &Listener) -> Vec<String> {
    let mut limits = Vec::new();
    if let Some(request) = rule.timeouts.request {
        limits.push(format!("{} for the whole request", duration_text(request)));
    }
    if let Some(one_try) = rule.timeouts.backend_request {
        limits.push(format!("{} for a try", duration_text(one_try)));
    }
    if let Some(retry) = &rule.retry {
        let codes: Vec<String> = retry.codes.iter().map(ToString::to_string).collect();
        let codes = if codes.is_empty() {
            String::new()
        } else {
            format!("{} and on ", codes.join(", "))
        };
        let times = if retry.attempts == 1 {
            "1 retry".to_owned()
        } else {
            format!("{} retries", retry.attempts)
        };
        limits.push(format!(
            "{times} on {codes}connection failure, at least {} apart",
            duration_text(retry.backoff)
        ));
    }
    if let Some(session) = &rule.session {
        let carrier = match session.carrier {
            Carrier::Cookie { .. } => "cookie",
            Carrier::Header => "header",
        };
        limits.push(format!("sessions by the {carrier} {}", session.name));
    }
    if let Some(bytes) = listener.limits.body_bytes {
        limits.push(format!("bodies up to {bytes} bytes"));
    }
    limits
}
