//! The Services in front of each Gateway, as they are seen: those that belong to it by their owner reference. An
//! annotation says nothing of it, since whoever may write Services could set it on any.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_objects::Open;
use daemun_objects::core::service::{Service, ServiceType};

use crate::changes::Changed;
use crate::cluster::Cluster;

/// The Services in front of each Gateway, by the Gateway's uid.
#[derive(Debug, Default)]
pub(crate) struct Fronts(BTreeMap<String, BTreeMap<ObjectName, Arc<Service>>>);

impl Fronts {
    /// Takes in the Services that changed.
    pub(crate) fn take(&mut self, old: Option<&Cluster>, new: &Cluster, changed: &Changed) {
        match changed {
            Changed::All => {
                self.0.clear();
                for (name, service) in &new.services {
                    self.put(name, service);
                }
            }
            Changed::These(names) => {
                for name in names {
                    let before = old.and_then(|old| old.services.get(name));
                    for uid in before.into_iter().flat_map(|before| owners(before)) {
                        if let Some(fronts) = self.0.get_mut(uid) {
                            fronts.remove(name);
                        }
                    }
                    if let Some(service) = new.services.get(name) {
                        self.put(name, service);
                    }
                }
                self.0.retain(|_, fronts| !fronts.is_empty());
            }
        }
    }

    fn put(&mut self, name: &ObjectName, service: &Arc<Service>) {
        for uid in owners(service) {
            let fronts = self.0.entry(uid.to_owned()).or_default();
            fronts.insert(name.clone(), Arc::clone(service));
        }
    }

    /// The load balancers in front of a Gateway.
    pub(crate) fn load_balancers<'a>(
        &'a self,
        gateway: &'a ObjectName,
        uid: &str,
    ) -> impl Iterator<Item = (&'a ObjectName, &'a Service)> {
        let all = self.0.get(uid).into_iter().flatten();
        // Who owns an object is in its namespace.
        all.filter(|(name, service)| {
            name.namespace == gateway.namespace && is_load_balancer(service)
        })
        .map(|(name, service)| (name, &**service))
    }

    /// The names that the load balancers in front of a Gateway show instead of addresses.
    pub(crate) fn names<'a>(&'a self, gateway: &'a ObjectName, uid: &str) -> BTreeSet<&'a str> {
        let services = self.load_balancers(gateway, uid);
        let ingress = services.flat_map(|(_, service)| &service.status.load_balancer.ingress);
        ingress
            .filter(|ingress| ingress.ip.as_deref().unwrap_or_default().is_empty())
            .filter_map(|ingress| ingress.hostname.as_deref())
            .filter(|name| !name.is_empty())
            .collect()
    }
}

/// The uids of the Gateways that a Service belongs to.
fn owners(service: &Service) -> impl Iterator<Item = &str> {
    let owners = service.metadata.owner_references.iter();
    let owners = owners.filter(|owner| owner.kind == "Gateway" && !owner.uid.is_empty());
    owners.map(|owner| owner.uid.as_str())
}

fn is_load_balancer(service: &Service) -> bool {
    matches!(
        service.spec.r#type,
        Some(Open::Known(ServiceType::LoadBalancer))
    )
}
