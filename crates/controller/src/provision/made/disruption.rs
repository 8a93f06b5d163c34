//! How many proxies may be away on purpose (a node that is drained): one at a time.

use serde_json::json;

use daemun_translate::infrastructure::parameters::Workload;

use super::{Kind, Maker, Manifest};

/// The PodDisruptionBudget; none for a DaemonSet, whose pods are not moved when a node is drained.
pub(super) fn budget(maker: &Maker<'_>) -> Option<Manifest> {
    match maker.wanted.parameters.workload {
        Workload::DaemonSet => None,
        Workload::Deployment(_) | Workload::Scaled { .. } => Some(maker.manifest(
            Kind::PodDisruptionBudget,
            json!({
                "spec": {
                    "maxUnavailable": 1,
                    "selector": { "matchLabels": maker.proxies() },
                    // A proxy that does not work is no reason to hold a node.
                    "unhealthyPodEvictionPolicy": "AlwaysAllow",
                },
            }),
        )),
    }
}
