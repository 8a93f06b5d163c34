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
use daemun_model::tls::{BackendTls, Certificate};

use crate::balance::{Balancer, hash};
use crate::compile::{Report, Resolved};
use crate::live::{BackendId, BackendLive, BackendTlsLive, EndpointLive};
use crate::observe::series::Registry;
use crate::upstream::tls;

/// The backends of all Gateways, and what is remembered about them.
#[derive(Default)]
pub(crate) struct Backends {
    series: Registry,
    ids: HashMap<(ObjectName, BackendKey), BackendId>,
    kept: Vec<Option<Kept>>,
    next: Vec<Option<Kept>>,
    endpoints: HashMap<Identity, Weak<EndpointCounts>>,
    last_endpoint: u64,
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
            let number = BackendId(u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
            let id = *self
                .ids
                .entry((snapshot.gateway.name.clone(), key.clone()))
                .or_insert(number);
            let slot = id.0 as usize;
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
                .map(|one| lookup(one, names))
                .collect();
            let kept = self.kept.get(slot).and_then(Option::as_ref).filter(|kept| {
                kept.backend == *backend
                    && kept.client_certificate == client_certificate
                    && kept.addresses == addresses
            });
            let kept = match kept {
                Some(kept) => kept.clone(),
                None => {
                    self.compile_one(snapshot, backend, client_certificate, (addresses, report))
                }
            };
            self.next[slot] = Some(kept);
        }
    }

    /// Ends a configuration and gives the backends by number.
    pub(crate) fn finish(&mut self) -> Vec<Option<Arc<BackendLive>>> {
        self.kept = std::mem::take(&mut self.next);
        self.endpoints.retain(|_, counts| counts.strong_count() > 0);
        self.kept
            .iter()
            .map(|kept| kept.as_ref().map(|kept| Arc::clone(&kept.live)))
            .collect()
    }

    /// A backend's number, if it was compiled with this configuration.
    pub(crate) fn id(&self, gateway: &ObjectName, key: &BackendKey) -> Option<BackendId> {
        self.ids.get(&(gateway.clone(), key.clone())).copied()
    }

    fn compile_one(
        &mut self,
        snapshot: &Snapshot,
        backend: &Arc<Backend>,
        client_certificate: Option<Arc<Certificate>>,
        (addresses, report): (Vec<Option<Arc<[IpAddr]>>>, &mut Report),
    ) -> Kept {
        let Backend {
            key,
            protocol,
            tls,
            refused,
            endpoints,
            balance,
            connections,
        } = &**backend;
        let mut refused = refused.clone();
        let compiled = tls
            .as_ref()
            .and_then(|tls| match backend_tls(tls, *protocol, snapshot) {
                Ok(compiled) => Some(compiled),
                Err(reason) => {
                    report
                        .refused
                        .push(format!("{key}: {reason}; requests for it are answered 500"));
                    refused = Some(reason);
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
                    protocol: *protocol,
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
            protocol: *protocol,
            tls: compiled,
            refused,
            balancer: Balancer::new(balance, &usable),
            endpoints: usable.into_boxed_slice(),
            balance: balance.clone(),
            connections: connections.clone(),
        });
        Kept {
            backend: Arc::clone(backend),
            client_certificate,
            addresses,
            _counts: counts,
            live,
        }
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

fn lookup(endpoint: &Endpoint, names: &Resolved) -> Option<Arc<[IpAddr]>> {
    match &endpoint.host {
        EndpointHost::Address(address) => Some(Arc::new([*address])),
        EndpointHost::Name(name) => names.get(name).cloned(),
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
