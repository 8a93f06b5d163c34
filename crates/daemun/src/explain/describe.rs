//! Backends and limits of a rule, in words, and what they come to for a request.

use daemun_model::Snapshot;
use daemun_model::backend::{
    Backend, BackendProtocol, BackendTarget, Endpoint, EndpointHost, EndpointState,
};
use daemun_model::filter::Filter;
use daemun_model::listener::Listener;
use daemun_model::names::RouteKind;
use daemun_model::policy::balance::{Balance, HashKey};
use daemun_model::policy::session::Carrier;
use daemun_model::route::{Rule, WeightedBackend};
use daemun_model::shown::duration_text;
use serde::Serialize;

use super::Outcome;
use super::asked::Request;
use super::filters::{ends, in_order};
use super::share::percent;

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

    /// What is shown of them, for a route of a kind.
    pub(super) fn shares(&self, request: &Request, route: RouteKind) -> Vec<Share> {
        self.shares
            .iter()
            .map(|(share, backend)| self.share(share, backend, (request, route)))
            .collect()
    }

    fn share(
        &self,
        share: &WeightedBackend,
        backend: &Result<&Backend, Outcome>,
        (request, route): (&Request, RouteKind),
    ) -> Share {
        let mut shown = Share {
            backend: match &share.target {
                BackendTarget::Backend(key) => key.to_string(),
                BackendTarget::Invalid { written, .. } => written.clone(),
            },
            share: percent(u64::from(share.weight), self.total),
            filters: in_order(&share.filters, request),
            spoken: String::new(),
            ready: String::new(),
            endpoints: Vec::new(),
            fails: None,
        };
        match backend {
            Ok(backend) => {
                shown.spoken = spoken(backend, route);
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
            match backend.refused.as_ref().or(backend.tls_refused.as_ref()) {
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

fn spoken(backend: &Backend, route: RouteKind) -> String {
    // A GRPCRoute implies it, whatever the backend says.
    let protocol = match route {
        RouteKind::Grpc => BackendProtocol::Http2,
        RouteKind::Http | RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => backend.protocol,
    };
    let protocol = match (&backend.tls, protocol) {
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
    let budget = backend
        .retry_budget
        .as_ref()
        .map_or_else(String::new, |budget| {
            format!(
                ", at most {} % of the requests of {} sent again, or {} in {}",
                budget.percent,
                duration_text(budget.interval),
                budget.least,
                duration_text(budget.least_interval)
            )
        });
    let session = backend.session.as_ref().map_or("", |_| ", with sessions");
    format!("{protocol}{tls}, {balance}{budget}{session}")
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
