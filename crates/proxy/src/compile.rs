//! From a configuration to a [`Live`]: the whole of "apply".
//!
//! It never fails: a bad part becomes a part that answers an error, and is reported. [`Keep`] remembers
//! what was compiled, by the model's `Arc`s, so that a change costs what it concerns. It runs beside
//! the workers, not on them.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use daemun_model::backend::{Backend, BackendTarget};
use daemun_model::filter::Filter;
use daemun_model::filter::external_auth::{AuthProtocol, ExternalAuth};
use daemun_model::names::{BackendKey, ListenerKey, ObjectName, RouteKey, RouteKind};
use daemun_model::route::{HttpRoute, Rule};
use daemun_model::{Configuration, Snapshot};

use crate::balance::Weighted;
use crate::endpoints::{Backends, Spoken};
use crate::filter::headers;
use crate::live::{
    AuthLive, BackendLive, BackendShare, FilterLive, ListenerLive, Live, PortId, PortKey, RuleLive,
    RuleParts, Target, TlsLive,
};
use crate::observe::series::Registry;

mod listeners;
mod streams;

/// The addresses of DNS names, as they are asked for ([`crate::dns::asked`]), as far as they are known.
pub(crate) type Resolved = HashMap<String, Arc<[IpAddr]>>;

/// What the proxy itself cannot do of a configuration, whether that is new or was so before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each object.
    pub refused: Vec<Refused>,
}

/// Something that the proxy cannot do. Displayed as `listener infra/shop/https: why`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it is about: `listener infra/shop/https`.
    pub what: String,
    /// Why, and what follows, as a sentence without its end.
    pub why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl Report {
    fn tls(&mut self, listener: &ListenerKey, live: &TlsLive) {
        if let Err(reason) = &live.config {
            self.refused.push(Refused {
                what: format!("listener {listener}"),
                why: format!("{reason}; TLS handshakes fail there"),
            });
        }
    }

    /// What the configuration itself refuses is said by whoever made it.
    pub(crate) fn backend(&mut self, backend: &Backend, live: &BackendLive) {
        if let (None, Some(reason)) = (&backend.tls_refused, &live.tls_refused) {
            self.refused.push(Refused {
                what: backend.key.to_string(),
                why: format!("{reason}; requests for it are answered 500"),
            });
        }
    }
}

/// What was compiled before, and the numbers that were given out.
#[derive(Default)]
pub(crate) struct Keep {
    series: Registry,
    ports: HashMap<PortKey, PortId>,
    /// The ports that each Gateway has had.
    had: HashMap<ObjectName, Vec<PortId>>,
    pub(crate) backends: Backends,
    listeners: HashMap<ListenerKey, Arc<ListenerLive>>,
    tls: HashMap<ListenerKey, listeners::KeptTls>,
    /// By Gateway, in the order of the Routes' keys.
    rules: HashMap<ObjectName, Vec<KeptRoute>>,
    streams: HashMap<ObjectName, streams::Kept>,
    requests: HashMap<ListenerKey, Arc<AtomicU32>>,
    open: HashMap<PortKey, Arc<AtomicU32>>,
}

impl Keep {
    /// Nothing compiled yet; what will be counted of its parts goes into these series.
    pub(crate) fn new(series: Registry) -> Self {
        Self {
            backends: Backends::new(series.clone()),
            series,
            ..Self::default()
        }
    }
}

struct KeptRoute {
    route: Arc<HttpRoute>,
    rules: Box<[Arc<RuleLive>]>,
}

/// Compiles a configuration. Parts that are unchanged since the last call are taken from `keep`.
pub(crate) fn apply(next: &Configuration, names: &Resolved, keep: &mut Keep) -> (Live, Report) {
    let mut report = Report::default();
    let mut live = Live::default();
    keep.backends.begin();
    let (mut next_rules, mut next_streams) = (HashMap::new(), HashMap::new());
    for snapshot in next.gateways.values() {
        keep.backends.compile(snapshot, names, &mut report);
        let rules = compile_rules(snapshot, keep);
        keep.backends.compile_asked(snapshot, names, &mut report);
        let streams = streams::compile(snapshot, keep);
        let routes = (&rules[..], &streams);
        listeners::compile(snapshot, routes, keep, &mut live, &mut report);
        next_rules.insert(snapshot.gateway.name.clone(), rules);
        next_streams.insert(snapshot.gateway.name.clone(), streams);
    }
    keep.rules = next_rules;
    keep.streams = next_streams;
    live.backends = keep.backends.finish();
    live.cut = cut(next, keep, &live);
    let mut backends = live.backends.iter().flatten();
    live.has_sessions = backends.any(|backend| backend.session.is_some());
    keep.listeners = live
        .ports
        .iter()
        .flatten()
        .chain(&live.closed)
        .flat_map(|port| &port.listeners)
        .map(|one| (one.key.clone(), Arc::clone(one)))
        .collect();
    keep.tls.retain(|key, _| keep.listeners.contains_key(key));
    keep.requests
        .retain(|key, _| keep.listeners.contains_key(key));
    (live, report)
}

/// The ports where nothing may go on: those that a closed Gateway has had, unless another one has them now.
fn cut(next: &Configuration, keep: &mut Keep, live: &Live) -> Vec<PortId> {
    keep.had.retain(|name, _| next.gateways.contains_key(name));
    let closed = next.gateways.values().map(|snapshot| &snapshot.gateway);
    let closed = closed.filter(|gateway| gateway.closed.is_some());
    let had = closed.filter_map(|gateway| keep.had.get(&gateway.name));
    let ports = had.flatten().copied();
    ports.filter(|id| live.port(*id).is_none()).collect()
}

/// Walks the Routes and what was made of them before side by side: both are in the order of the keys, and
/// of thousands of Routes nearly all are the same.
fn compile_rules(snapshot: &Snapshot, keep: &mut Keep) -> Vec<KeptRoute> {
    let gateway = &snapshot.gateway.name;
    let Keep {
        rules,
        backends,
        series,
        ..
    } = keep;
    let before = rules.remove(gateway).unwrap_or_default();
    let mut before = before.into_iter().peekable();
    let mut rules = Vec::with_capacity(snapshot.routes.len());
    for (key, route) in &snapshot.routes {
        let is_earlier =
            |kept: &KeptRoute| !Arc::ptr_eq(&kept.route, route) && kept.route.key < *key;
        while before.next_if(is_earlier).is_some() {}
        let is_same = |kept: &KeptRoute| Arc::ptr_eq(&kept.route, route) || kept.route == *route;
        let live = match before.next_if(is_same) {
            Some(kept) => kept.rules,
            None => RuleLive::all(route, |rule| {
                compile_rule(gateway, key, rule, (&mut *backends, &*series))
            }),
        };
        rules.push(KeptRoute {
            route: Arc::clone(route),
            rules: live,
        });
    }
    rules
}

fn compile_rule(
    gateway: &ObjectName,
    route: &RouteKey,
    rule: &Rule,
    (backends, series): (&mut Backends, &Registry),
) -> RuleParts {
    let Rule {
        index,
        name,
        matches: _, /* in the table */
        filters,
        backends: shares,
        timeouts: _, /* these three are read as they are */
        retry: _,
        session: _,
    } = rule;
    let mut targets = Targets {
        gateway,
        backends,
        // A GRPCRoute implies it (gateway-api `GRPCRoute`); all other rules speak what a backend says itself.
        spoken: match route.kind {
            RouteKind::Grpc => Spoken::Http2,
            RouteKind::Http | RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => Spoken::Its,
        },
    };
    let weights: Vec<u32> = shares.iter().map(|share| share.weight).collect();
    RuleParts {
        series: series.rule(gateway, route, *index, name.as_deref()),
        filters: compile_filters(filters, &mut targets),
        backends: shares
            .iter()
            .map(|share| BackendShare {
                target: targets.compile(&share.target),
                filters: compile_filters(&share.filters, &mut targets),
            })
            .collect(),
        weights: Weighted::new(&weights),
    }
}

/// What the targets of a rule become.
struct Targets<'a> {
    gateway: &'a ObjectName,
    backends: &'a mut Backends,
    spoken: Spoken,
}

impl Targets<'_> {
    fn compile(&mut self, target: &BackendTarget) -> Target {
        match target {
            BackendTarget::Backend(key) => match self.backends.id(self.gateway, key, self.spoken) {
                Some(id) => Target::Backend(id),
                None => Target::Invalid {
                    written: key.to_string(),
                    reason: missing(key),
                },
            },
            BackendTarget::Invalid { written, reason } => Target::Invalid {
                written: written.clone(),
                reason: reason.clone(),
            },
        }
    }
}

impl Targets<'_> {
    /// A service that decides about requests is spoken to as its filter says, whatever the route speaks.
    fn authorize(&mut self, settings: &ExternalAuth) -> FilterLive {
        let spoken = match &settings.protocol {
            AuthProtocol::Grpc(_) => Spoken::Http2,
            AuthProtocol::Http(_) => Spoken::Its,
        };
        match self.backends.id(self.gateway, &settings.backend, spoken) {
            Some(backend) => FilterLive::ExternalAuth(Box::new(AuthLive {
                settings: settings.clone(),
                backend,
            })),
            None => FilterLive::Invalid(missing(&settings.backend)),
        }
    }
}

fn missing(key: &BackendKey) -> String {
    format!("{key} is not part of the configuration that came with its route")
}

fn compile_filters(filters: &[Filter], targets: &mut Targets<'_>) -> Box<[FilterLive]> {
    filters
        .iter()
        .filter_map(|filter| compile_filter(filter, targets))
        .collect()
}

fn compile_filter(filter: &Filter, targets: &mut Targets<'_>) -> Option<FilterLive> {
    Some(match filter {
        Filter::RequestHeaders(modifier) => match headers::refused(modifier) {
            None => FilterLive::RequestHeaders(modifier.clone()),
            Some(reason) => FilterLive::Invalid(reason),
        },
        Filter::ResponseHeaders(modifier) => match headers::refused(modifier) {
            None => FilterLive::ResponseHeaders(modifier.clone()),
            Some(reason) => FilterLive::Invalid(reason),
        },
        Filter::Redirect(redirect) => FilterLive::Redirect(redirect.clone()),
        Filter::Rewrite(rewrite) => FilterLive::Rewrite(rewrite.clone()),
        // An invalid mirror's copies are not sent; the request itself goes its way.
        Filter::Mirror(mirror) => match targets.compile(&mirror.backend) {
            Target::Backend(backend) => FilterLive::Mirror {
                backend,
                share: mirror.share,
            },
            Target::Invalid { .. } => return None,
        },
        Filter::Cors(cors) => FilterLive::Cors(cors.clone()),
        Filter::ExternalAuth(auth) => targets.authorize(auth),
        Filter::Invalid(reason) => FilterLive::Invalid(reason.clone()),
    })
}
