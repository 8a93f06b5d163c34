//! What is running: a configuration, compiled.
//!
//! A `Live` is immutable, holds no sockets and does no I/O. Every part is behind an `Arc`, and the parts
//! that a change does not concern are the same in the next `Live` (`compile::Keep`). Requests look up
//! their port, listener and rule here and hold on to the rule only.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use daemun_model::backend::{BackendProtocol, Connections, EndpointState};
use daemun_model::filter::cors::Cors;
use daemun_model::filter::external_auth::ExternalAuth;
use daemun_model::filter::headers::HeaderModifier;
use daemun_model::filter::mirror::Share;
use daemun_model::filter::redirect::Redirect;
use daemun_model::filter::rewrite::Rewrite;
use daemun_model::listener::ProxyStatus;
use daemun_model::names::{BackendKey, ListenerKey, RouteKey, Transport};
use daemun_model::policy::balance::Balance;
use daemun_model::policy::forwarding::Forwarding;
use daemun_model::policy::limits::ClientLimits;
use daemun_model::policy::session::BackendSession;
use daemun_model::policy::sources::SourceRanges;
use daemun_model::route::{HttpRoute, Rule};
use daemun_model::tls::ClientValidation;
use daemun_route::Table;
use daemun_route::hosts::Hosts;

use crate::balance::{Balancer, Load, Weighted};
use crate::budget::Budget;
use crate::observe::ends::End;
use crate::observe::series::{BackendSeries, ListenerSeries, RuleSeries, StreamSeries};
use crate::termination::ServerTls;

mod streams;

pub(crate) use streams::{Carries, Opening, StreamLive, StreamTable};

/// All that workers need to serve.
#[derive(Default)]
pub(crate) struct Live {
    /// By [`PortId`]; none where a port is not served any more.
    pub(crate) ports: Vec<Option<Arc<PortLive>>>,
    /// By [`BackendId`]; none where a backend is not used any more.
    pub(crate) backends: Vec<Option<Arc<BackendLive>>>,
    /// The ports of Gateways that are closed: nobody listens there. They stay compiled, for when they open again.
    pub(crate) closed: Vec<Arc<PortLive>>,
    /// Ports whose connections end at once: all that Gateways which are closed have ever had.
    pub(crate) cut: Vec<PortId>,
    /// Whether any of them has sessions of its own.
    pub(crate) has_sessions: bool,
}

impl Live {
    /// A port, if it is still served.
    pub(crate) fn port(&self, id: PortId) -> Option<&Arc<PortLive>> {
        self.ports.get(id.0 as usize).and_then(Option::as_ref)
    }

    /// Why a client's connection must end, if it must: its Gateway is closed, or it may not come from there any
    /// more.
    pub(crate) fn ends(&self, port: PortId, client: Option<IpAddr>) -> Option<End> {
        if self.cut.contains(&port) {
            return Some(End::GatewayClosed);
        }
        let allowed = self
            .port(port)
            .zip(client)
            .is_none_or(|(port, client)| port.allows(client));
        (!allowed).then_some(End::SourceNotAllowed)
    }

    /// Whether there is anything that a connection could have to end for.
    pub(crate) fn may_end_some(&self) -> bool {
        let mut ports = self.ports.iter().flatten();
        !self.cut.is_empty() || ports.any(|port| !port.sources.is_empty())
    }

    /// A backend. Rules of this `Live` name only backends that it has.
    pub(crate) fn backend(&self, id: BackendId) -> Option<&Arc<BackendLive>> {
        self.backends.get(id.0 as usize).and_then(Option::as_ref)
    }
}

/// A port's place in [`Live::ports`]: stays with the same addresses and port for the life of the
/// process, so that a connection finds its port again after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PortId(pub(crate) u32);

/// A backend's place in [`Live::backends`]: stays with the same Gateway and backend for the life of
/// the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BackendId(pub(crate) u32);

/// What is bound: a port on all addresses (none given) or on some. TCP and UDP have ports of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PortKey {
    /// The addresses, sorted; empty means all of both families.
    pub(crate) addresses: Vec<IpAddr>,
    /// The port that the socket has: `Listener.bind`.
    pub(crate) port: u16,
    pub(crate) transport: Transport,
}

/// A port with the listeners that share it.
pub(crate) struct PortLive {
    pub(crate) key: PortKey,
    pub(crate) id: PortId,
    /// The port as its listeners have it written: what clients ask for, and what they are told.
    pub(crate) written: u16,
    /// The listeners, in the order of their keys.
    pub(crate) listeners: Vec<Arc<ListenerLive>>,
    /// Index into `listeners`, most specific hostname first.
    pub(crate) hosts: Hosts<usize>,
    /// How connections begin.
    pub(crate) opening: Opening,
    /// Who is believed about clients: the same for all listeners of a port.
    pub(crate) forwarding: Forwarding,
    /// From where clients may come: all of them must allow it.
    pub(crate) sources: Box<[SourceRanges]>,
    /// What a connection may use, before it is known for which listener it is.
    pub(crate) limits: ClientLimits,
    /// Open connections, or flows of datagrams, on all workers; bounded by `limits.connections`.
    pub(crate) open: Arc<AtomicU32>,
}

impl PortLive {
    /// Whether a client may come from there.
    pub(crate) fn allows(&self, client: IpAddr) -> bool {
        self.sources.iter().all(|ranges| ranges.allow(client))
    }

    /// Whether a peer is believed in PROXY protocol: then it may be another's connection.
    pub(crate) fn believes(&self, peer: IpAddr) -> bool {
        let protocol = self.forwarding.proxy_protocol.as_ref();
        protocol.is_some_and(|it| it.trusted.iter().any(|range| range.contains(&peer)))
    }
}

/// A listener.
pub(crate) struct ListenerLive {
    pub(crate) key: ListenerKey,
    pub(crate) series: ListenerSeries,
    /// The same for connections below HTTP.
    pub(crate) stream_series: StreamSeries,
    pub(crate) carries: Carries,
    pub(crate) table: Table<Arc<RuleLive>>,
    /// The Routes below HTTP.
    pub(crate) streams: StreamTable,
    /// TLS, or the reason why handshakes are refused.
    pub(crate) tls: Option<TlsLive>,
    pub(crate) limits: ClientLimits,
    pub(crate) proxy_status: ProxyStatus,
    /// Why every request is answered 500, if so.
    pub(crate) refused: Option<String>,
    /// Requests in flight, on all workers; bounded by `limits.requests`.
    pub(crate) in_flight: Arc<AtomicU32>,
}

impl ListenerLive {
    /// What TLS handshakes go by; none if there is no TLS, or its settings cannot be used.
    pub(crate) fn server_tls(&self) -> Option<Arc<ServerTls>> {
        self.tls.as_ref()?.config.as_ref().ok().cloned()
    }
}

/// TLS of a listener.
#[derive(Clone)]
pub(crate) struct TlsLive {
    /// The handshake's settings; an error makes handshakes fail.
    pub(crate) config: Result<Arc<ServerTls>, String>,
    /// What was asked of client certificates when `config` was made: a connection that was made under
    /// another setting must not go on.
    pub(crate) client: Option<ClientValidation>,
}

/// A rule of a Route. What of it needs no compiling is read from the Route, which it shares: there are
/// thousands of rules, and most have none of it.
pub(crate) struct RuleLive {
    route: Arc<HttpRoute>,
    /// Its place in the Route's `rules`.
    at: usize,
    pub(crate) series: RuleSeries,
    pub(crate) filters: Box<[FilterLive]>,
    pub(crate) backends: Box<[BackendShare]>,
    pub(crate) weights: Weighted,
}

/// What a rule is compiled to.
pub(crate) struct RuleParts {
    pub(crate) series: RuleSeries,
    pub(crate) filters: Box<[FilterLive]>,
    pub(crate) backends: Box<[BackendShare]>,
    pub(crate) weights: Weighted,
}

impl RuleLive {
    /// A rule of each of the Route's, in their order.
    pub(crate) fn all(
        route: &Arc<HttpRoute>,
        mut compile: impl FnMut(&Rule) -> RuleParts,
    ) -> Box<[Arc<Self>]> {
        let rules = route.rules.iter().enumerate();
        rules
            .map(|(at, rule)| {
                let RuleParts {
                    series,
                    filters,
                    backends,
                    weights,
                } = compile(rule);
                Arc::new(Self {
                    route: Arc::clone(route),
                    at,
                    series,
                    filters,
                    backends,
                    weights,
                })
            })
            .collect()
    }

    /// The Route that it is a rule of.
    pub(crate) fn route(&self) -> &RouteKey {
        &self.route.key
    }

    /// The rule as the model has it. `at` is one of the Route's rules: see `all`.
    pub(crate) fn meant(&self) -> &Rule {
        &self.route.rules[self.at]
    }
}

/// A filter, ready to run. The model's list with references resolved.
pub(crate) enum FilterLive {
    RequestHeaders(HeaderModifier),
    ResponseHeaders(HeaderModifier),
    Redirect(Redirect),
    Rewrite(Rewrite),
    Mirror {
        backend: BackendId,
        share: Share,
    },
    Cors(Cors),
    /// Few rules have one.
    ExternalAuth(Box<AuthLive>),
    /// Answers 500; says why, for the log.
    Invalid(String),
}

/// A service that decides about requests.
pub(crate) struct AuthLive {
    pub(crate) settings: ExternalAuth,
    pub(crate) backend: BackendId,
}

/// A backend of a rule.
pub(crate) struct BackendShare {
    pub(crate) target: Target,
    pub(crate) filters: Box<[FilterLive]>,
}

/// Where a rule's share of requests goes.
pub(crate) enum Target {
    Backend(BackendId),
    /// Answers 500.
    Invalid {
        written: String,
        reason: String,
    },
}

/// A backend.
pub(crate) struct BackendLive {
    pub(crate) key: BackendKey,
    pub(crate) series: BackendSeries,
    /// The same for connections below HTTP.
    pub(crate) stream_series: StreamSeries,
    pub(crate) protocol: BackendProtocol,
    pub(crate) tls: Option<BackendTlsLive>,
    /// Why nothing may be sent at all.
    pub(crate) refused: Option<String>,
    /// Why nothing may be sent where TLS would be spoken.
    pub(crate) tls_refused: Option<String>,
    /// The endpoints that may get requests: the ready ones, or, if there are none, the draining ones.
    pub(crate) endpoints: Box<[Arc<EndpointLive>]>,
    pub(crate) balance: Balance,
    pub(crate) balancer: Balancer,
    pub(crate) connections: Connections,
    /// How many requests may be sent again, all of its workers' and rules' together.
    pub(crate) budget: Option<Arc<Budget>>,
    /// Sessions, for rules that say nothing of them.
    pub(crate) session: Option<BackendSession>,
}

impl BackendLive {
    /// Why it gets no requests, and no connections that the gateway begins TLS on where that is set.
    pub(crate) fn closed(&self) -> Option<&String> {
        self.refused.as_ref().or(self.tls_refused.as_ref())
    }
}

/// TLS towards a backend.
#[derive(Clone)]
pub(crate) struct BackendTlsLive {
    pub(crate) config: Arc<rustls::ClientConfig>,
    /// The same for connections that will change their protocol: HTTP/1.1 only.
    pub(crate) upgradable: Arc<rustls::ClientConfig>,
    pub(crate) name: rustls_pki_types::ServerName<'static>,
}

/// An endpoint: what workers share about it. Pools are the workers' own, found by `id`.
pub(crate) struct EndpointLive {
    /// Unique in the process: the same address with the same TLS settings and protocol keeps its id.
    pub(crate) id: u64,
    pub(crate) address: SocketAddr,
    pub(crate) weight: u32,
    pub(crate) state: EndpointState,
    /// The same on every process: a hash of the address.
    pub(crate) identity: u64,
    pub(crate) in_flight: Arc<AtomicU32>,
}

impl Load for Arc<EndpointLive> {
    fn weight(&self) -> u32 {
        self.weight
    }

    fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    fn identity(&self) -> u64 {
        self.identity
    }
}

/// Counts one thing in flight, until it is dropped.
pub(crate) struct InFlight(Arc<AtomicU32>);

impl InFlight {
    /// Counts one more, unless there are already `most`.
    pub(crate) fn within(count: &Arc<AtomicU32>, most: u32) -> Option<Self> {
        if count.fetch_add(1, Ordering::Relaxed) >= most {
            count.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(Arc::clone(count)))
    }

    /// Counts one more.
    pub(crate) fn new(count: &Arc<AtomicU32>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
