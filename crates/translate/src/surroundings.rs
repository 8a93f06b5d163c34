//! What each Gateway of ours needs around it in Kubernetes: from what was read to what is made.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::Cluster;
use crate::infrastructure::{Infrastructure, Port, bind_port};
use crate::listener::Entry;
use crate::read::gateway::ReadGateway;

/// What a Gateway of ours needs in Kubernetes.
pub(crate) fn of(cluster: &Cluster, gateway: &ReadGateway) -> Infrastructure {
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
    let exposure = gateway.exposure.clone().unwrap_or_default();
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
        on_hold: !gateway.accepted() || metadata.deletion_timestamp.is_some(),
        labels: unlocked(written.labels),
        annotations: unlocked(written.annotations),
        ports: ports.into_iter().collect(),
        addresses: gateway.wanted.clone(),
        exposure,
        parameters,
    }
}
