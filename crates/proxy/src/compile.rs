//! From a configuration to a [`Live`]: the whole of "apply".
//!
//! It never fails: a bad part becomes a part that answers an error, and is reported. [`Keep`] remembers
//! what was compiled, by the model's `Arc`s, so that a change costs what it concerns. It runs beside
//! the workers, not on them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use daemun_model::backend::{Backend, BackendTarget};
use daemun_model::filter::Filter;
use daemun_model::filter::external_auth::{AuthProtocol, ExternalAuth};
use daemun_model::listener::Listener;
use daemun_model::names::{BackendKey, ListenerKey, ObjectName, RouteKey, RouteKind};
use daemun_model::route::{HttpRoute, Rule};
use daemun_model::tls::{Certificate, Termination};
use daemun_model::{Configuration, Snapshot};
use daemun_route::hosts::Hosts;
use daemun_route::{Input, Table};

use crate::balance::Weighted;
use crate::endpoints::{Backends, Spoken};
use crate::filter::headers;
use crate::live::{
    AuthLive, BackendLive, BackendShare, FilterLive, ListenerLive, Live, PortId, PortKey, PortLive,
    RuleLive, RuleParts, Target, TlsLive,
};
use crate::observe::series::Registry;
use crate::termination;

/// The addresses of DNS names, as far as they are known.
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
        if let (None, Some(reason)) = (&backend.refused, &live.refused) {
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
    pub(crate) backends: Backends,
    listeners: HashMap<ListenerKey, Arc<ListenerLive>>,
    tls: HashMap<ListenerKey, KeptTls>,
    /// By Gateway, in the order of the Routes' keys.
    rules: HashMap<ObjectName, Vec<KeptRoute>>,
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

struct KeptTls {
    termination: Termination,
    certificates: Vec<Arc<Certificate>>,
    live: TlsLive,
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
    let mut next_rules = HashMap::new();
    for snapshot in next.gateways.values() {
        keep.backends.compile(snapshot, names, &mut report);
        let rules = compile_rules(snapshot, keep);
        keep.backends.compile_asked(snapshot, names, &mut report);
        compile_ports(snapshot, &rules, keep, &mut live, &mut report);
        next_rules.insert(snapshot.gateway.name.clone(), rules);
    }
    keep.rules = next_rules;
    live.backends = keep.backends.finish();
    let mut backends = live.backends.iter().flatten();
    live.has_sessions = backends.any(|backend| backend.session.is_some());
    keep.listeners = live
        .ports
        .iter()
        .flatten()
        .flat_map(|port| &port.listeners)
        .map(|one| (one.key.clone(), Arc::clone(one)))
        .collect();
    keep.tls.retain(|key, _| keep.listeners.contains_key(key));
    keep.requests
        .retain(|key, _| keep.listeners.contains_key(key));
    (live, report)
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

fn compile_ports(
    snapshot: &Snapshot,
    rules: &[KeptRoute],
    keep: &mut Keep,
    live: &mut Live,
    report: &mut Report,
) {
    let mut addresses = snapshot.gateway.addresses.clone();
    addresses.sort_unstable();
    let mut by_port: BTreeMap<u16, Vec<&Arc<Listener>>> = BTreeMap::new();
    for listener in snapshot.listeners.values() {
        by_port.entry(listener.port).or_default().push(listener);
    }
    let mut inputs = inputs_by_listener(rules);
    for (port, listeners) in by_port {
        let key = PortKey {
            addresses: addresses.clone(),
            port,
        };
        let next_id = PortId(u32::try_from(keep.ports.len()).unwrap_or(u32::MAX));
        let id = *keep.ports.entry(key.clone()).or_insert(next_id);
        let compiled: Vec<Arc<ListenerLive>> = listeners
            .iter()
            .map(|listener| {
                let inputs = inputs.remove(&listener.key).unwrap_or_default();
                Arc::new(compile_listener(snapshot, listener, inputs, keep, report))
            })
            .collect();
        let hosts = listeners
            .iter()
            .enumerate()
            .map(|(index, listener)| (listener.hostname.clone(), index));
        let Some(first) = listeners.first() else {
            continue;
        };
        let open = Arc::clone(keep.open.entry(key.clone()).or_default());
        let port = PortLive {
            key,
            id,
            hosts: hosts.collect::<Hosts<usize>>(),
            tls: compiled.iter().any(|listener| listener.tls.is_some()),
            listeners: compiled,
            forwarding: first.forwarding.clone(),
            limits: listeners
                .iter()
                .skip(1)
                .fold(first.limits.clone(), |limits, listener| {
                    limits.strictest(&listener.limits)
                }),
            open,
        };
        let slot = id.0 as usize;
        if live.ports.len() <= slot {
            live.ports.resize_with(slot + 1, || None);
        }
        live.ports[slot] = Some(Arc::new(port));
    }
}

type Inputs<'a> = Vec<Input<'a, Arc<RuleLive>>>;

fn inputs_by_listener(rules: &[KeptRoute]) -> HashMap<&ListenerKey, Inputs<'_>> {
    let mut inputs: HashMap<&ListenerKey, Inputs<'_>> = HashMap::new();
    for KeptRoute { route, rules } in rules {
        for attachment in &route.attachments {
            let of_listener = inputs.entry(&attachment.listener).or_default();
            for hostname in &attachment.hostnames {
                of_listener.extend(route.rules.iter().zip(rules).map(|(rule, target)| Input {
                    hostname,
                    route,
                    rule,
                    target: Arc::clone(target),
                }));
            }
        }
    }
    inputs
}

fn compile_listener(
    snapshot: &Snapshot,
    listener: &Listener,
    inputs: Inputs<'_>,
    keep: &mut Keep,
    report: &mut Report,
) -> ListenerLive {
    let Listener {
        key,
        port: _,
        bind: _,
        hostname: _,
        protocol,
        forwarding: _,
        limits,
        proxy_status,
        refused,
    } = listener;
    let previous = keep.listeners.get(key).map(|listener| &listener.table);
    ListenerLive {
        key: key.clone(),
        series: keep.series.listener(&snapshot.gateway.name, key),
        table: Table::build(inputs, previous),
        tls: protocol
            .termination()
            .map(|termination| compile_tls(snapshot, key, termination, keep, report)),
        limits: limits.clone(),
        proxy_status: *proxy_status,
        refused: refused.clone(),
        in_flight: Arc::clone(keep.requests.entry(key.clone()).or_default()),
    }
}

/// A listener's TLS is made anew only if its settings or certificates changed: a new one forgets all
/// sessions and tickets, which is what a changed client validation needs.
fn compile_tls(
    snapshot: &Snapshot,
    key: &ListenerKey,
    termination: &Termination,
    keep: &mut Keep,
    report: &mut Report,
) -> TlsLive {
    let certificates: Vec<Arc<Certificate>> = termination
        .certificates
        .iter()
        .filter_map(|name| snapshot.certificates.get(name))
        .cloned()
        .collect();
    if let Some(kept) = keep.tls.get(key)
        && kept.termination == *termination
        && kept.certificates == certificates
    {
        report.tls(key, &kept.live);
        return kept.live.clone();
    }
    let config = termination::server_config(termination, &snapshot.certificates);
    let live = TlsLive {
        config,
        client: termination.client.clone(),
    };
    report.tls(key, &live);
    let kept = KeptTls {
        termination: termination.clone(),
        certificates,
        live: live.clone(),
    };
    keep.tls.insert(key.clone(), kept);
    live
}
