//! What each Gateway of ours needs around it in Kubernetes: from what was read to what is made.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use daemun_model::names::ObjectName;
use daemun_objects::Open;
use daemun_objects::core::service::{Service, ServiceType};

use crate::cluster::Cluster;
use crate::exposure::change::{self, Asking, Changes};
use crate::exposure::fronts::{Fronts, Selector, is_load_balancer, owners};
use crate::exposure::{ALLOW_RECREATION, Asked, Exposure, ServiceKind, shown};
use crate::infrastructure::{
    CLASS_NAME, GATEWAY_NAME, Infrastructure, MANAGED_BY, MANAGER, OF_GATEWAY, PART_NAME, PROXY,
    Port, Wanted, bind_port, is_reserved,
};
use crate::listener::Entry;
use crate::read::gateway::ReadGateway;

/// What a Gateway of ours needs in Kubernetes.
pub(crate) fn of(cluster: &Cluster, gateway: &ReadGateway, changes: &Changes) -> Infrastructure {
    let metadata = &gateway.object.metadata;
    let written = gateway.object.spec.infrastructure.clone();
    let written = written.unwrap_or_default();
    let port = |entry: &Entry| {
        Some(Port {
            port: entry.port,
            bind: bind_port(cluster.settings.home, entry.port),
            transport: entry.protocol?.transport(),
        })
    };
    // Also those without a certificate: an address does not come and go with a Secret.
    let accepted = gateway.all_entries().filter(|entry| entry.accepted());
    let ports: BTreeSet<Port> = accepted.filter_map(port).collect();
    let exposure = gateway.exposure.clone();
    let exposure = exposure.unwrap_or_else(|| as_it_is(cluster, gateway));
    let mut parameters = gateway.parameters.clone().unwrap_or_default();
    // A proxy that ends goes on accepting until the load balancer has noticed.
    if let Some(notices) = exposure.notices {
        parameters.proxy.drain_delay = parameters.proxy.drain_delay.max(notices);
    }
    let unlocked = |mut keys: BTreeMap<String, String>| {
        keys.retain(|key, _| !parameters.locked_keys.contains(key));
        keys
    };
    Infrastructure {
        gateway: gateway.name.clone(),
        uid: metadata.uid.clone().unwrap_or_default(),
        generation: metadata.generation.unwrap_or_default(),
        class: gateway.object.spec.gateway_class_name.clone(),
        on_hold: !gateway.accepted()
            || gateway.unusable.is_some()
            || metadata.deletion_timestamp.is_some(),
        labels: unlocked(written.labels),
        annotations: unlocked(written.annotations),
        ports: ports.into_iter().collect(),
        addresses: changes
            .addresses
            .as_ref()
            .unwrap_or(&gateway.wanted)
            .clone(),
        brought: match exposure.kind {
            ServiceKind::Unmanaged => brought(cluster, &gateway.name),
            ServiceKind::LoadBalancer
            | ServiceKind::ClusterIp
            | ServiceKind::NodePort
            | ServiceKind::HostPorts => Vec::new(),
        },
        exposure,
        fates: changes.fates.clone(),
        looked_at: None,
        named: BTreeMap::new(),
        lacks_public: false,
        parameters,
    }
}

/// What is in front of a Gateway of which it cannot be said what that is to be: nothing is made, and its addresses stay
/// known.
fn as_it_is(cluster: &Cluster, gateway: &ReadGateway) -> Exposure {
    let mut services = cluster.services.in_namespace(&gateway.name.namespace);
    let uid = gateway.uid();
    let own = services.find(|(_, it)| !uid.is_empty() && owners(it).any(|owner| owner == uid));
    let kind = own.and_then(|(_, it)| it.spec.r#type.as_ref()?.known());
    Exposure {
        kind: match kind {
            Some(ServiceType::ClusterIp) => ServiceKind::ClusterIp,
            Some(ServiceType::NodePort) => ServiceKind::NodePort,
            Some(ServiceType::LoadBalancer | ServiceType::ExternalName) | None => {
                ServiceKind::LoadBalancer
            }
        },
        ..Exposure::default()
    }
}

/// The addresses that the Services of a Gateway show, where a private one was asked for.
pub(crate) fn looked_at(
    cluster: &Cluster,
    fronts: &Fronts,
    gateway: &ReadGateway,
) -> Option<BTreeSet<String>> {
    let exposure = gateway.exposure.as_ref()?;
    (exposure.reach == Some(Asked::Private)).then(|| {
        let services = fronts.load_balancers(cluster, &gateway.name, gateway.uid());
        services.flat_map(|front| ingress(front.service)).collect()
    })
}

/// Whether a public address was asked for, and the Services of a Gateway show private ones only.
pub(crate) fn lacks_public(cluster: &Cluster, fronts: &Fronts, gateway: &ReadGateway) -> bool {
    let exposure = gateway.exposure.as_ref();
    exposure.is_some_and(|exposure| exposure.reach == Some(Asked::Public))
        && shown::only_private(
            cluster,
            fronts.load_balancers(cluster, &gateway.name, gateway.uid()),
        )
}

/// Whether a selector finds a Gateway's proxies. What cannot be told finds them.
pub(crate) fn selects(gateway: &ReadGateway, selector: &Selector) -> bool {
    let own = gateway.object.spec.infrastructure.as_ref();
    // A label's value is cut where a name is too long for one.
    let is_label = |value: &str, name: &str| {
        value == name || name.get(..54).is_some_and(|start| value.starts_with(start))
    };
    selector.iter().all(|(key, value)| match key.as_str() {
        GATEWAY_NAME => is_label(value, &gateway.name.name),
        CLASS_NAME => is_label(value, &gateway.object.spec.gateway_class_name),
        MANAGED_BY => value == MANAGER,
        PART_NAME => value == PROXY,
        key if is_reserved(key) || key.ends_with("-hash") => true,
        key => own.is_some_and(|own| own.labels.get(key) == Some(value)),
    })
}

/// The names that load balancers of a Gateway show, with those of the addresses that are asked for that each has.
pub(crate) fn named(
    cluster: &Cluster,
    fronts: &Fronts,
    gateway: &ReadGateway,
) -> BTreeMap<String, Vec<IpAddr>> {
    let wanted = |address: &&IpAddr| gateway.wanted.contains(&Wanted::Ip(**address));
    let names = fronts.names(&gateway.name, gateway.uid()).into_iter();
    names
        .filter_map(|name| {
            let all = cluster.resolved.get(name)?.iter();
            let all: Vec<IpAddr> = all.filter(wanted).copied().collect();
            (!all.is_empty()).then(|| (name.to_owned(), all))
        })
        .collect()
}

/// What a change of mind means for the load balancers that are there. What cannot be judged changes nothing.
pub(crate) fn changes(cluster: &Cluster, fronts: &Fronts, gateway: &ReadGateway) -> Changes {
    let exposure = gateway.exposure.as_ref();
    let Some(exposure) = exposure.filter(|_| gateway.accepted() && gateway.unusable.is_none())
    else {
        return Changes::default();
    };
    let mut services = fronts
        .load_balancers(cluster, &gateway.name, gateway.uid())
        .filter(|front| front.made && is_load_balancer(front.service))
        .map(|front| (front.name, front.service))
        .peekable();
    let allowed = gateway.object.metadata.annotations.get(ALLOW_RECREATION);
    if services.peek().is_none() && allowed.is_none() {
        return Changes::default();
    }
    let own = gateway.object.spec.infrastructure.as_ref();
    let own = own.map(|own| own.annotations.clone()).unwrap_or_default();
    let locked = gateway.parameters.as_ref().map(|it| &it.locked_keys);
    let own = own
        .into_iter()
        .filter(|(key, _)| !is_reserved(key) && locked.is_none_or(|locked| !locked.contains(key)));
    let annotations = exposure.annotations.clone().into_iter().chain(own);
    let annotations = annotations.chain(exposure.switch.clone()).collect();
    let accepted = gateway.all_entries().filter(|entry| entry.accepted());
    let ports = accepted.map(|entry| entry.port).collect();
    let asking = Asking {
        cluster,
        exposure,
        annotations: &annotations,
        addresses: &gateway.wanted,
        ports: &ports,
        allowed: allowed.map(String::as_str),
    };
    change::decide(&asking, services)
}

/// Where the Services are reached that say in an annotation that they are the Gateway's, and that somebody else
/// made: what their load balancers give, else their address inside of the cluster.
fn brought(cluster: &Cluster, gateway: &ObjectName) -> Vec<String> {
    let services = cluster.services.in_namespace(&gateway.namespace);
    let of = |service: &Service| {
        let named = service.metadata.annotations.get(OF_GATEWAY);
        named == Some(&gateway.name) && owners(service).next().is_none()
    };
    let services = services.filter(|(_, service)| of(service));
    services
        .flat_map(|(_, service)| reached_at(service))
        .collect()
}

/// What a load balancer gave a Service: an address or a name each.
fn ingress(service: &Service) -> impl Iterator<Item = String> {
    let ingress = service.status.load_balancer.ingress.iter();
    ingress.filter_map(|it| it.text().map(str::to_owned))
}

fn reached_at(service: &Service) -> Vec<String> {
    let kind = service.spec.r#type.as_ref().and_then(Open::known);
    match kind.unwrap_or(ServiceType::ClusterIp) {
        ServiceType::LoadBalancer => ingress(service).collect(),
        ServiceType::ClusterIp | ServiceType::NodePort => {
            let address = service.spec.cluster_ip.iter();
            address
                .filter(|text| text.parse::<IpAddr>().is_ok())
                .cloned()
                .collect()
        }
        ServiceType::ExternalName => service.spec.external_name.iter().cloned().collect(),
    }
}
