//! A backend with its endpoints: the EndpointSlices of a Service, merged, or what a Backend lists.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use daemun_model::backend::{
    Backend, BackendProtocol, Connections, Endpoint, EndpointHost, EndpointState,
};
use daemun_model::names::{BackendKey, BackendKind, ObjectName, Transport};
use daemun_model::policy::balance::Balance;
use daemun_objects::Open;
use daemun_objects::core::endpointslice::{EndpointAddressType, EndpointSlice};
use daemun_objects::core::service::{IntOrString, Service, ServicePort};
use daemun_objects::own::backend::{Backend as OwnBackend, BackendEndpoint, Protocol};

use crate::backends;
use crate::cluster::{Cluster, namespace_of};
use crate::destination;
use crate::value::port;

/// EndpointSlices by the Service that they belong to, and by their own names.
#[derive(Debug, Default)]
pub(crate) struct Slices(BTreeMap<ObjectName, BTreeMap<ObjectName, Arc<EndpointSlice>>>);

impl Slices {
    /// Takes a slice in place of an older one of its name. Gives the Services to which the two belong.
    pub(crate) fn replace(
        &mut self,
        name: &ObjectName,
        old: Option<&Arc<EndpointSlice>>,
        new: Option<&Arc<EndpointSlice>>,
    ) -> impl Iterator<Item = ObjectName> {
        let old = old.and_then(|old| service_of(old));
        if let Some(service) = &old
            && let Some(slices) = self.0.get_mut(service)
        {
            slices.remove(name);
            // A Service without slices is another thing than one whose slices are empty.
            if slices.is_empty() {
                self.0.remove(service);
            }
        }
        let next = new.and_then(|new| Some((service_of(new)?, new)));
        let service = next.map(|(service, new)| {
            let slices = self.0.entry(service.clone()).or_default();
            slices.insert(name.clone(), Arc::clone(new));
            service
        });
        old.into_iter().chain(service)
    }

    fn of(&self, service: &ObjectName) -> Option<&BTreeMap<ObjectName, Arc<EndpointSlice>>> {
        self.0.get(service)
    }
}

/// The Service that a slice belongs to.
fn service_of(slice: &EndpointSlice) -> Option<ObjectName> {
    slice
        .service_name()
        .map(|service| ObjectName::new(namespace_of(&slice.metadata), service))
}

/// A backend that exists, without policies.
pub(crate) fn backend(cluster: &Cluster, slices: &Slices, key: &BackendKey) -> Option<Backend> {
    let (protocol, endpoints) = match key.kind {
        BackendKind::Service => {
            let service = cluster.services.get(&key.name)?;
            let port = port_of(service, key);
            if port.is_none() && !backends::is_name_only(service) {
                return None;
            }
            let app_protocol = port.and_then(|port| port.app_protocol.as_deref());
            // Below HTTP nobody looks at it, and none is wrong.
            let spoken = backends::protocol(app_protocol)
                .map_or_else(|_| BackendProtocol::default(), |spoken| spoken.protocol);
            let slices = slices.of(&key.name);
            let endpoints = match (slices, port) {
                (Some(slices), Some(port)) => merged(slices.values(), port),
                _ if cluster.on_host() => vec![by_name(service, key, port)],
                _ => Vec::new(),
            };
            (spoken, endpoints)
        }
        BackendKind::Backend => {
            let backend = cluster.backends.get(&key.name)?;
            (own_protocol(backend), own_endpoints(backend, key.port))
        }
        BackendKind::XBackend => {
            let backend = cluster.x_backends.get(&key.name)?;
            // One without a name is closed.
            let endpoint = destination::hostname(backend).ok().map(|name| Endpoint {
                host: EndpointHost::Name(name),
                port: key.port,
                weight: 1,
                state: EndpointState::Ready,
            });
            (
                destination::protocol(backend),
                endpoint.into_iter().collect(),
            )
        }
    };
    let by_name = |endpoint: &Endpoint| matches!(endpoint.host, EndpointHost::Name(_));
    Some(Backend {
        key: key.clone(),
        outside: !cluster.on_host() && endpoints.iter().any(by_name),
        protocol,
        tls: None,
        refused: None,
        tls_refused: None,
        endpoints,
        balance: Balance::default(),
        connections: Connections::default(),
        retry_budget: None,
        session: None,
    })
}

/// The port of a Service that a key is about: the number, of the protocol that carries it.
pub(crate) fn port_of<'s>(service: &'s Service, key: &BackendKey) -> Option<&'s ServicePort> {
    let protocol = protocol_of(key.transport);
    let mut ports = service.spec.ports.iter();
    ports.find(|port| port.port == i32::from(key.port) && port.protocol() == protocol)
}

/// What a Service writes as a port's `protocol`.
pub(crate) fn protocol_of(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
    }
}

/// A Service without slices, on a host: its name is resolved, and what is behind the name listens on the
/// port that its pods would.
fn by_name(service: &Service, key: &BackendKey, written: Option<&ServicePort>) -> Endpoint {
    let external = service.spec.external_name.as_deref().unwrap_or_default();
    let target = match written.and_then(|port| port.target_port.as_ref()) {
        Some(IntOrString::Int(number)) => port(*number),
        Some(IntOrString::String(_)) | None => None,
    };
    let (name, port) = if external.is_empty() {
        (key.name.name.as_str(), target.unwrap_or(key.port))
    } else {
        (external, key.port)
    };
    Endpoint {
        host: host(name),
        port,
        weight: 1,
        state: EndpointState::Ready,
    }
}

fn host(written: &str) -> EndpointHost {
    written.parse::<IpAddr>().map_or_else(
        |_| EndpointHost::Name(written.trim_end_matches('.').to_ascii_lowercase()),
        EndpointHost::Address,
    )
}

/// The endpoints of several slices, each once: the port by its name, both families, those that are ready
/// and those that are going away but still answer.
fn merged<'s>(
    slices: impl Iterator<Item = &'s Arc<EndpointSlice>>,
    service_port: &ServicePort,
) -> Vec<Endpoint> {
    let name = service_port.name.as_deref().unwrap_or_default();
    let mut found: BTreeMap<(EndpointHost, u16), EndpointState> = BTreeMap::new();
    for slice in slices {
        let ports = slice
            .ports
            .iter()
            .filter(|port| port.name() == name && port.protocol() == service_port.protocol())
            .filter_map(|port| port.port)
            .filter_map(port);
        for port in ports {
            for endpoint in &slice.endpoints {
                let conditions = &endpoint.conditions;
                let state = match (conditions.terminating(), conditions.ready()) {
                    (false, true) => EndpointState::Ready,
                    // publishNotReadyAddresses makes terminating endpoints ready, too.
                    (true, _) if conditions.serving() => EndpointState::Draining,
                    _ => continue,
                };
                // All addresses of an endpoint are the same endpoint.
                let Some(host) = endpoint
                    .addresses
                    .first()
                    .and_then(|address| address_of(&slice.address_type, address))
                else {
                    continue;
                };
                found
                    .entry((host, port))
                    .and_modify(|known| {
                        if state == EndpointState::Ready {
                            *known = state;
                        }
                    })
                    .or_insert(state);
            }
        }
    }
    found
        .into_iter()
        .map(|((host, port), state)| Endpoint {
            host,
            port,
            weight: 1,
            state,
        })
        .collect()
}

fn address_of(kind: &Open<EndpointAddressType>, written: &str) -> Option<EndpointHost> {
    match kind.known()? {
        EndpointAddressType::Ipv4 | EndpointAddressType::Ipv6 => {
            written.parse().ok().map(EndpointHost::Address)
        }
        EndpointAddressType::Fqdn => Some(host(written)),
    }
}

fn own_protocol(backend: &OwnBackend) -> BackendProtocol {
    match backend.spec.protocol.as_ref().and_then(|it| it.known()) {
        None | Some(Protocol::Http) => BackendProtocol::Http,
        Some(Protocol::Http1) => BackendProtocol::Http1,
        Some(Protocol::Http2) => BackendProtocol::Http2,
    }
}

fn own_endpoints(backend: &OwnBackend, port: u16) -> Vec<Endpoint> {
    backend
        .spec
        .endpoints
        .iter()
        .filter(|endpoint| port == 0 || endpoint.port == port)
        .filter_map(|endpoint| {
            let BackendEndpoint {
                address,
                hostname,
                port,
                weight,
            } = endpoint;
            let host = match (address, hostname) {
                (Some(address), _) => address.parse().ok().map(EndpointHost::Address),
                (None, Some(hostname)) => Some(host(hostname)),
                (None, None) => None,
            }?;
            Some(Endpoint {
                host,
                port: *port,
                weight: weight.unwrap_or(1),
                state: EndpointState::Ready,
            })
        })
        .collect()
}
