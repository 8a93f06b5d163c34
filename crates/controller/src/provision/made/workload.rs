//! What runs the proxies. A rolling update never has fewer of them than before: the new one first.
//!
//! With ports of the nodes that cannot be: a node's port is the old one's until it is gone. Then one goes at a time, and
//! the new one takes its place. The old one still drains as always; but between its end and the new one's start nobody is at
//! that node's port, and callers have to go to another node.

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
    let in_place = !maker.wanted.exposure.host_ports.is_empty();
    let selector = json!({ "matchLabels": selector });
    let spec = match maker.wanted.parameters.workload {
        Workload::DaemonSet => json!({
            "selector": selector,
            "template": template,
            "revisionHistoryLimit": 2,
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": one_by_one(in_place, &json!(1)),
            },
        }),
        Workload::Deployment(replicas) => {
            let mut spec = deployment(&selector, &template, in_place);
            spec["replicas"] = json!(replicas);
            spec
        }
        // The number is the autoscaler's.
        Workload::Scaled { .. } => deployment(&selector, &template, in_place),
    };
    maker.manifest(kind, json!({ "spec": spec }))
}

fn deployment(selector: &Value, template: &Value, in_place: bool) -> Value {
    json!({
        "selector": selector,
        "template": template,
        "revisionHistoryLimit": 2,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": one_by_one(in_place, &json!("25%")),
        },
    })
}

/// How many may be away meanwhile, and how many more there may be: none of the former, unless each needs the place of the
/// one before.
fn one_by_one(in_place: bool, surge: &Value) -> Value {
    if in_place {
        json!({ "maxUnavailable": 1, "maxSurge": 0 })
    } else {
        json!({ "maxUnavailable": 0, "maxSurge": surge })
    }
}
