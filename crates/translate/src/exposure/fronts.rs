//! The Services in front of each Gateway, as they are seen: those that belong to it by their owner reference. An
//! annotation says nothing of it, since whoever may write Services could set it on any.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_objects::Open;
use daemun_objects::core::node::{NodeAddress, NodeAddressType};
use daemun_objects::core::service::{Service, ServiceType};
use daemun_objects::{Metadata, OwnerReference};

use super::class::{Side, class_in};
use crate::changes::Changed;
use crate::cluster::Cluster;
use crate::infrastructure::{MANAGED_BY, MANAGER, OF_CONTROLLER, OF_GATEWAY};
use crate::refs::GATEWAY_GROUP;

/// The labels by which a Service finds its pods.
pub(crate) type Selector = BTreeMap<String, String>;

/// A load balancer in front of a Gateway.
#[derive(Clone, Copy)]
pub(crate) struct Front<'a> {
    pub(crate) name: &'a ObjectName,
    pub(crate) service: &'a Service,
    /// Whether Daemun made it.
    pub(crate) made: bool,
}

/// The Services in front of each Gateway.
#[derive(Debug, Default)]
pub(crate) struct Fronts {
    /// By the Gateway's uid.
    services: BTreeMap<String, BTreeMap<ObjectName, Arc<Service>>>,
    /// Services that lead to pods from outside of the cluster, by their namespace: whosever they are.
    outside: BTreeMap<String, BTreeMap<ObjectName, Arc<Service>>>,
    /// Nodes that can be reached from outside of the network, in words; none if there are none.
    nodes_outside: Option<String>,
}

impl Fronts {
    /// Takes in what changed.
    pub(crate) fn take(&mut self, old: Option<&Cluster>, new: &Cluster, changed: &Changed) {
        let same_nodes =
            |old: &Cluster| old.nodes.is_same(&new.nodes) && old.settings == new.settings;
        if !old.is_some_and(same_nodes) {
            self.nodes_outside = nodes_outside(new);
        }
        match changed {
            Changed::All => {
                self.services.clear();
                self.outside.clear();
                for (name, service) in &new.services {
                    self.put(name, service);
                }
            }
            Changed::These(names) => {
                for name in names {
                    let before = old.and_then(|old| old.services.get(name));
                    for uid in before.into_iter().flat_map(|before| owners(before)) {
                        if let Some(fronts) = self.services.get_mut(uid) {
                            fronts.remove(name);
                        }
                    }
                    if let Some(others) = self.outside.get_mut(&name.namespace) {
                        others.remove(name);
                    }
                    if let Some(service) = new.services.get(name) {
                        self.put(name, service);
                    }
                }
                self.services.retain(|_, fronts| !fronts.is_empty());
                self.outside.retain(|_, others| !others.is_empty());
            }
        }
    }

    fn put(&mut self, name: &ObjectName, service: &Arc<Service>) {
        let has_port_on_nodes = matches!(
            service.spec.r#type,
            Some(Open::Known(ServiceType::NodePort))
        );
        if !service.spec.selector.is_empty() && (leads_outside(service) || has_port_on_nodes) {
            let others = self.outside.entry(name.namespace.clone()).or_default();
            others.insert(name.clone(), Arc::clone(service));
        }
        for uid in owners(service) {
            let fronts = self.services.entry(uid.to_owned()).or_default();
            fronts.insert(name.clone(), Arc::clone(service));
        }
    }

    /// The load balancers in front of a Gateway, whoever made them.
    pub(crate) fn load_balancers<'a>(
        &'a self,
        cluster: &'a Cluster,
        gateway: &'a ObjectName,
        uid: &'a str,
    ) -> impl Iterator<Item = Front<'a>> {
        self.in_front(gateway, uid)
            .map(move |(name, service)| Front {
                name,
                service,
                made: is_made(cluster, gateway, uid, service),
            })
    }

    /// What leads to pods from outside of the cluster by a selector, and does not even say that it is a Gateway's.
    pub(crate) fn others<'a>(
        &'a self,
        gateway: &ObjectName,
        uid: &'a str,
        selects: &'a dyn Fn(&Selector) -> bool,
    ) -> impl Iterator<Item = Front<'a>> {
        let all = self.outside.get(&gateway.namespace).into_iter().flatten();
        let all = all.map(|(name, service)| (name, &**service));
        all.filter(move |(_, service)| {
            selects(&service.spec.selector) && owners(service).all(|owner| owner != uid)
        })
        .map(|(name, service)| Front {
            name,
            service,
            made: false,
        })
    }

    fn in_front<'a>(
        &'a self,
        gateway: &'a ObjectName,
        uid: &str,
    ) -> impl Iterator<Item = (&'a ObjectName, &'a Service)> {
        let all = self.services.get(uid).into_iter().flatten();
        // Who owns an object is in its namespace.
        all.filter(|(name, service)| name.namespace == gateway.namespace && leads_outside(service))
            .map(|(name, service)| (name, &**service))
    }

    /// Nodes that can be reached from outside of the network, in words, if a load balancer in front of a Gateway can
    /// be gone round by their ports.
    pub(crate) fn way_round(&self, gateway: &ObjectName, uid: &str) -> Option<&str> {
        let nodes = self.nodes_outside.as_deref()?;
        let has_node_ports = |service: &Service| {
            let mut ports = service.spec.ports.iter();
            ports.any(|port| port.node_port.is_some_and(|port| port != 0))
        };
        let mut services = self.in_front(gateway, uid);
        services
            .any(|(_, service)| has_node_ports(service))
            .then_some(nodes)
    }

    /// The names that the load balancers in front of a Gateway show instead of addresses.
    pub(crate) fn names<'a>(&'a self, gateway: &'a ObjectName, uid: &str) -> BTreeSet<&'a str> {
        let services = self.in_front(gateway, uid);
        let ingress = services.flat_map(|(_, service)| &service.status.load_balancer.ingress);
        ingress
            .filter_map(|ingress| ingress.hostname.as_deref())
            .filter(|name| !name.is_empty())
            .collect()
    }
}

/// `node n1 (203.0.113.7)`, and how many more; none if no node has an address outside.
fn nodes_outside(cluster: &Cluster) -> Option<String> {
    let outside = |address: &NodeAddress| {
        let ip = address.address.parse().ok()?;
        let class = class_in(&cluster.settings, ip);
        let external = matches!(
            address.r#type,
            Some(Open::Known(NodeAddressType::ExternalIp))
        );
        // Some clouds' public pools are of private ranges.
        let ranges = &cluster.settings.private_ranges;
        let named = || ranges.iter().any(|range| range.contains(&ip));
        let is = class.side() == Side::Outside || (external && !named());
        is.then(|| address.address.clone())
    };
    let mut nodes = cluster.nodes.iter().filter_map(|(name, node)| {
        let address = node.status.addresses.iter().find_map(outside)?;
        Some((&name.name, address))
    });
    let (name, address) = nodes.next()?;
    Some(match nodes.count() {
        0 => format!("node {name} has the address {address}"),
        more => format!("node {name} has the address {address}, and {more} more have such"),
    })
}

/// Whether a Service is one that Daemun made for a Gateway. It is the Gateway's own, and has all by which the
/// controller finds what it made: so whoever forges all of that has made a Service that the controller takes away,
/// since a Gateway has its Services already. What is not made by Daemun counts where that makes anything worse, and
/// nowhere else.
pub(crate) fn is_made(
    cluster: &Cluster,
    gateway: &ObjectName,
    uid: &str,
    service: &Service,
) -> bool {
    let Metadata {
        labels,
        annotations,
        owner_references,
        ..
    } = &service.metadata;
    let mut owners = owner_references.iter();
    let is = |map: &BTreeMap<String, String>, key, value: &str| {
        map.get(key).is_some_and(|it| it == value)
    };
    let group = |owner: &OwnerReference| owner.api_version.split('/').next() == Some(GATEWAY_GROUP);
    owners.any(|it| it.controller && it.kind == "Gateway" && it.uid == uid && group(it))
        && is(labels, MANAGED_BY, MANAGER)
        && is(annotations, OF_CONTROLLER, &cluster.settings.controller)
        && is(annotations, OF_GATEWAY, &gateway.name)
}

/// The uids of the Gateways that a Service belongs to.
pub(crate) fn owners(service: &Service) -> impl Iterator<Item = &str> {
    let owners = service.metadata.owner_references.iter();
    let owners = owners.filter(|owner| owner.kind == "Gateway" && !owner.uid.is_empty());
    owners.map(|owner| owner.uid.as_str())
}

/// Whether something but the nodes leads to it from outside of the cluster.
pub(crate) fn leads_outside(service: &Service) -> bool {
    is_load_balancer(service) || !service.spec.external_ips.is_empty()
}

/// Whether it is a load balancer's.
pub(crate) fn is_load_balancer(service: &Service) -> bool {
    matches!(
        service.spec.r#type,
        Some(Open::Known(ServiceType::LoadBalancer))
    )
}
