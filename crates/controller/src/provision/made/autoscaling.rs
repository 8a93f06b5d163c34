//! What chooses the number of proxies, where that is asked for.

use daemun_translate::infrastructure::parameters::Workload;
use serde_json::json;

use super::{Kind, Maker, Manifest};

/// The HorizontalPodAutoscaler.
pub(super) fn autoscaler(maker: &Maker<'_>) -> Option<Manifest> {
    let Workload::Scaled { min, max, cpu } = maker.wanted.parameters.workload else {
        return None;
    };
    Some(maker.manifest(
        Kind::HorizontalPodAutoscaler,
        json!({
            "spec": {
                "scaleTargetRef": {
                    "apiVersion": Kind::Deployment.api_version(),
                    "kind": Kind::Deployment.as_str(),
                    "name": maker.base,
                },
                "minReplicas": min,
                "maxReplicas": max,
                "metrics": [{
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": { "type": "Utilization", "averageUtilization": cpu },
                    },
                }],
            },
        }),
    ))
}
