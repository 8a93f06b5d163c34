//! Compiling backends: endpoints with their identity, balancers, TLS.
//!
//! A backend keeps its number for the life of the process and is compiled again only if its object, or
//! the addresses of its names, changed. An endpoint keeps its id, and so its pools and its count of
//! requests in flight, as long as address, protocol and TLS settings stay the same.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Weak};

use daemun_model::Snapshot;
use daemun_model::backend::{Backend, BackendProtocol, Endpoint, EndpointHost, EndpointState};
use daemun_model::names::{BackendKey, ObjectName};
use daemun_model::policy::budget::RetryBudget;
use daemun_model::tls::{BackendTls, Certificate};

use crate::balance::{Balancer, hash};
use crate::budget::Budget;
use crate::compile::{Report, Resolved};
use crate::dns;
use crate::live::{BackendId, BackendLive, BackendTlsLive, EndpointLive};
use crate::observe::series::Registry;
use crate::upstream::tls;

/// What is spoken to a backend on behalf of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Spoken {
    /// What the backend itself says.
    Its,
    /// HTTP/2, whatever it says, because gRPC is spoken: with prior knowledge, over TLS by ALPN.
    Http2,
}

/// The backends of all Gateways, and what is remembered about them. One that is spoken to in two ways is two,
/// with connections of their own.
#[derive(Default)]
pub(crate) struct Backends {
    series: Registry,
    ids: HashMap<(ObjectName, BackendKey), Numbers>,
    numbers: u32,
    /// Those that rules have asked for and that are not compiled yet.
    asked: Vec<(BackendKey, BackendId)>,
    kept: Vec<Option<Kept>>,
    next: Vec<Option<Kept>>,
    endpoints: HashMap<Identity, Weak<EndpointCounts>>,
    budgets: HashMap<(ObjectName, BackendKey), Weak<Budget>>,
    last_endpoint: u64,
}

/// A backend's numbers, as what it says itself and, if a rule has asked for it, as HTTP/2.
#[derive(Clone, Copy)]
struct Numbers {
    its: BackendId,
    http2: Option<BackendId>,
}

#[derive(Clone)]
struct Kept {
    backend: Arc<Backend>,
    client_certificate: Option<Arc<Certificate>>,
    addresses: Vec<Option<Arc<[IpAddr]>>>,
    /// Kept so that an endpoint that stays keeps its id.
    _counts: Vec<Arc<EndpointCounts>>,
    live: Arc<BackendLive>,
}

/// What makes two endpoints the same.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Identity {
    address: SocketAddr,
    protocol: BackendProtocol,
    tls: Option<(BackendTls, Option<u64>)>,
}

struct EndpointCounts {
    id: u64,
    in_flight: Arc<AtomicU32>,
}

impl Backends {
    /// Nothing compiled yet; what will be counted of backends goes into these series.
    pub(crate) fn new(series: Registry) -> Self {
        Self {
            series,
            ..Self::default()
        }
    }

    /// Begins a configuration: what is not compiled until [`Self::finish`] is forgotten.
    pub(crate) fn begin(&mut self) {
        self.next = vec![None; self.kept.len()];
    }

    /// Compiles the backends of a Gateway, reusing what did not change.
    pub(crate) fn compile(&mut self, snapshot: &Snapshot, names: &Resolved, report: &mut Report) {
        for (key, backend) in &snapshot.backends {
            let place = (snapshot.gateway.name.clone(), key.clone());
            let numbers = match self.ids.get(&place) {
                Some(numbers) => *numbers,
                None => {
                    let its = self.number();
                    let numbers = Numbers { its, http2: None };
                    self.ids.insert(place, numbers);
                    numbers
                }
            };
            self.compile_kept(
                snapshot,
                backend,
                (numbers.its, Spoken::Its),
                (names, report),
            );
            if let Some(number) = numbers.http2 {
                self.compile_kept(snapshot, backend, (number, Spoken::Http2), (names, report));
            }
        }
    }

    /// Compiles those that rules have asked for since [`Self::compile`].
    pub(crate) fn compile_asked(
        &mut self,
        snapshot: &Snapshot,
        names: &Resolved,
        report: &mut Report,
    ) {
        for (key, number) in std::mem::take(&mut self.asked) {
            if let Some(backend) = snapshot.backends.get(&key) {
                self.compile_kept(snapshot, backend, (number, Spoken::Http2), (names, report));
            }
        }
    }

    fn compile_kept(
        &mut self,
        snapshot: &Snapshot,
        backend: &Arc<Backend>,
        (number, spoken): (BackendId, Spoken),
        (names, report): (&Resolved, &mut Report),
    ) {
        let slot = number.0 as usize;
        if self.next.len() <= slot {
            self.next.resize_with(slot + 1, || None);
        }
        let client_certificate = backend
            .tls
            .as_ref()
            .and_then(|tls| tls.client_certificate.as_ref())
            .and_then(|name| snapshot.certificates.get(name))
            .cloned();
        let addresses: Vec<Option<Arc<[IpAddr]>>> = backend
            .endpoints
            .iter()
            .map(|one| lookup(backend, one, names))
            .collect();
        let kept = self.kept.get(slot).and_then(Option::as_ref).filter(|kept| {
            kept.backend == *backend
                && kept.client_certificate == client_certificate
                && kept.addresses == addresses
        });
        let kept = match kept {
            Some(kept) => kept.clone(),
            None => self.compile_one(snapshot, (backend, spoken), client_certificate, addresses),
        };
        report.backend(backend, &kept.live);
        self.next[slot] = Some(kept);
    }

    fn number(&mut self) -> BackendId {
        let number = BackendId(self.numbers);
        self.numbers += 1;
        number
    }

    /// Ends a configuration and gives the backends by number.
    pub(crate) fn finish(&mut self) -> Vec<Option<Arc<BackendLive>>> {
        self.kept = std::mem::take(&mut self.next);
        self.endpoints.retain(|_, counts| counts.strong_count() > 0);
        self.budgets.retain(|_, budget| budget.strong_count() > 0);
        self.kept
            .iter()
            .map(|kept| kept.as_ref().map(|kept| Arc::clone(&kept.live)))
            .collect()
    }

    /// A backend's number, if it was compiled with this configuration; one that is asked for in HTTP/2 for the
    /// first time is compiled by [`Self::compile_asked`].
    pub(crate) fn id(
        &mut self,
        gateway: &ObjectName,
        key: &BackendKey,
        spoken: Spoken,
    ) -> Option<BackendId> {
        let place = (gateway.clone(), key.clone());
        let Numbers { its, http2 } = *self.ids.get(&place)?;
        match (spoken, http2) {
            (Spoken::Its, _) => Some(its),
            (Spoken::Http2, Some(number)) => Some(number),
            (Spoken::Http2, None) => {
                let http2 = Some(self.number());
                self.asked
                    .extend(http2.map(|number| (place.1.clone(), number)));
                self.ids.insert(place, Numbers { its, http2 });
                http2
            }
        }
    }

    fn compile_one(
        &mut self,
        snapshot: &Snapshot,
        (backend, spoken): (&Arc<Backend>, Spoken),
        client_certificate: Option<Arc<Certificate>>,
        addresses: Vec<Option<Arc<[IpAddr]>>>,
    ) -> Kept {
        let Backend {
            key,
            protocol,
            tls,
            refused,
            tls_refused,
            outside: _, /* their addresses are given */
            endpoints,
            balance,
            connections,
            retry_budget,
            session,
        } = &**backend;
        let budget = retry_budget
            .as_ref()
            .map(|meant| self.budget(&snapshot.gateway.name, key, meant));
        let protocol = match spoken {
            Spoken::Its => *protocol,
            Spoken::Http2 => BackendProtocol::Http2,
        };
        let mut tls_refused = tls_refused.clone();
        let compiled = tls
            .as_ref()
            .and_then(|tls| match backend_tls(tls, protocol, snapshot) {
                Ok(compiled) => Some(compiled),
                Err(reason) => {
                    tls_refused = Some(reason);
                    None
                }
            });
        let certificate_hash = client_certificate
            .as_ref()
            .map(|certificate| hash(certificate.chain.as_str().as_bytes()));
        let identity = tls.as_ref().map(|tls| (tls.clone(), certificate_hash));
        let mut counts = Vec::new();
        let mut all = Vec::new();
        for (endpoint, resolved) in endpoints.iter().zip(&addresses) {
            for address in resolved.iter().flat_map(|addresses| addresses.iter()) {
                let identity = Identity {
                    address: SocketAddr::new(*address, endpoint.port),
                    protocol,
                    tls: identity.clone(),
                };
                let shared = self.counts(&identity);
                all.push(Arc::new(EndpointLive {
                    id: shared.id,
                    address: identity.address,
                    weight: endpoint.weight,
                    state: endpoint.state,
                    identity: hash(identity.address.to_string().as_bytes()),
                    in_flight: Arc::clone(&shared.in_flight),
                }));
                counts.push(shared);
            }
        }
        let usable = usable(all);
        let live = Arc::new(BackendLive {
            key: key.clone(),
            series: self.series.backend(&snapshot.gateway.name, key),
            stream_series: self.series.stream_backend(&snapshot.gateway.name, key),
            protocol,
            tls: compiled,
            refused: refused.clone(),
            tls_refused,
            balancer: Balancer::new(balance, &usable),
            endpoints: usable.into_boxed_slice(),
            balance: balance.clone(),
            connections: connections.clone(),
            budget,
            session: session.clone(),
        });
        Kept {
            backend: Arc::clone(backend),
            client_certificate,
            addresses,
            _counts: counts,
            live,
        }
    }

    /// A budget with what was counted, if it is still meant so.
    fn budget(
        &mut self,
        gateway: &ObjectName,
        key: &BackendKey,
        meant: &RetryBudget,
    ) -> Arc<Budget> {
        let place = (gateway.clone(), key.clone());
        if let Some(budget) = self.budgets.get(&place).and_then(Weak::upgrade)
            && budget.meant() == meant
        {
            return budget;
        }
        let budget = Arc::new(Budget::new(meant));
        self.budgets.insert(place, Arc::downgrade(&budget));
        budget
    }

    fn counts(&mut self, identity: &Identity) -> Arc<EndpointCounts> {
        if let Some(counts) = self.endpoints.get(identity).and_then(Weak::upgrade) {
            return counts;
        }
        self.last_endpoint += 1;
        let counts = Arc::new(EndpointCounts {
            id: self.last_endpoint,
            in_flight: Arc::default(),
        });
        self.endpoints
            .insert(identity.clone(), Arc::downgrade(&counts));
        counts
    }
}

/// The ready endpoints; if none is, those that drain.
fn usable(all: Vec<Arc<EndpointLive>>) -> Vec<Arc<EndpointLive>> {
    let ready: Vec<_> = all
        .iter()
        .filter(|one| one.state == EndpointState::Ready)
        .cloned()
        .collect();
    if ready.is_empty() { all } else { ready }
}

fn lookup(backend: &Backend, endpoint: &Endpoint, names: &Resolved) -> Option<Arc<[IpAddr]>> {
    match &endpoint.host {
        EndpointHost::Address(address) => Some(Arc::new([*address])),
        EndpointHost::Name(name) => names.get(&*dns::asked(backend, name)).cloned(),
    }
}

fn backend_tls(
    settings: &BackendTls,
    protocol: BackendProtocol,
    snapshot: &Snapshot,
) -> Result<BackendTlsLive, String> {
    let name = tls::server_name(settings)?;
    let config = tls::client_config(settings, protocol, &snapshot.certificates)?;
    let upgradable = match protocol {
        BackendProtocol::Http1 => Arc::clone(&config),
        BackendProtocol::Http | BackendProtocol::Http2 => {
            tls::client_config(settings, BackendProtocol::Http1, &snapshot.certificates)?
        }
    };
    Ok(BackendTlsLive {
        config,
        upgradable,
        name,
    })
}
