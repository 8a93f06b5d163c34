//! Routes that name Gateways which do not exist. Nobody serves them, so no controller writes anything into them; who
//! asks is told all the same.

use std::collections::BTreeMap;

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_objects::Object;
use daemun_objects::gateway_api::route::RouteSpec;
use daemun_objects::gateway_api::shared::ParentReference;
use daemun_translate::{Cluster, Objects, nearest};

use super::Glimpse;

impl Glimpse {
    /// What is to be said about such Routes, as sentences. Where the Gateways of a namespace were not seen, nothing is
    /// said about it.
    pub fn lost(&self) -> BTreeMap<ObjectRef, Vec<String>> {
        let Cluster {
            http_routes,
            grpc_routes,
            tls_routes,
            tcp_routes,
            udp_routes,
            ..
        } = &self.cluster;
        let mut lost = BTreeMap::new();
        self.of_kind(http_routes, &mut lost);
        self.of_kind(grpc_routes, &mut lost);
        self.of_kind(tls_routes, &mut lost);
        self.of_kind(tcp_routes, &mut lost);
        self.of_kind(udp_routes, &mut lost);
        lost
    }

    fn of_kind<S: RouteSpec>(
        &self,
        routes: &Objects<Object<S>>,
        lost: &mut BTreeMap<ObjectRef, Vec<String>>,
    ) {
        for (name, route) in routes {
            let parents = route.spec.parent_refs().iter().enumerate();
            let sentences: Vec<String> = parents
                .filter_map(|(index, parent)| {
                    let why = self.missing(name, parent)?;
                    Some(format!("spec.parentRefs[{index}].name: {why}"))
                })
                .collect();
            if !sentences.is_empty() {
                lost.insert(ObjectRef::new(S::KIND, name.clone()), sentences);
            }
        }
    }

    fn missing(&self, route: &ObjectName, parent: &ParentReference) -> Option<String> {
        let namespace = parent.namespace.as_ref().unwrap_or(&route.namespace);
        let is_seen = self.all_gateways || self.gateways_of.as_ref() == Some(namespace);
        let gateways = &self.cluster.gateways;
        let gateway = ObjectName::new(namespace, &parent.name);
        if parent.kind() != "Gateway" || !is_seen || gateways.get(&gateway).is_some() {
            return None;
        }
        let there = gateways.iter().map(|(name, _)| name);
        let there = there.filter(|name| name.namespace == *namespace);
        let there: Vec<&str> = there.map(|name| name.name.as_str()).collect();
        let meant = nearest::did_you_mean(&parent.name, there);
        Some(format!("Gateway {gateway} does not exist.{meant}"))
    }
}
