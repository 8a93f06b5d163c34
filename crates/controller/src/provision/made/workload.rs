//! What runs the proxies. A rolling update never has fewer of them than before: the new one first.

use std::collections::BTreeMap;

use daemun_translate::infrastructure::parameters::Workload;
use serde_json::{Value, json};

use super::{Kind, Maker, Manifest, names, pod};

/// The Deployment or DaemonSet.
pub(super) fn workload(maker: &Maker<'_>) -> Manifest {
    let kind = match maker.wanted.parameters.workload {
        Workload::Deployment(_) | Workload::Scaled { .. } => Kind::Deployment,
        Workload::DaemonSet => Kind::DaemonSet,
    };
    let mut selector: BTreeMap<String, String> = maker.proxies();
    // Both may be there for a while, and each has pods of its own.
    selector.insert(names::WORKLOAD.to_owned(), kind.as_str().to_owned());
    let template = pod::template(maker, &selector);
    let selector = json!({ "matchLabels": selector });
    let spec = match maker.wanted.parameters.workload {
        Workload::DaemonSet => json!({
            "selector": selector,
            "template": template,
            "revisionHistoryLimit": 2,
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 },
            },
        }),
        Workload::Deployment(replicas) => {
            let mut spec = deployment(&selector, &template);
            spec["replicas"] = json!(replicas);
            spec
        }
        // The number is the autoscaler's.
        Workload::Scaled { .. } => deployment(&selector, &template),
    };
    maker.manifest(kind, json!({ "spec": spec }))
}

fn deployment(selector: &Value, template: &Value) -> Value {
    json!({
        "selector": selector,
        "template": template,
        "revisionHistoryLimit": 2,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": { "maxUnavailable": 0, "maxSurge": "25%" },
        },
    })
}
