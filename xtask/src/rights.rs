//! `cargo xtask rights`: the controller's roles allow what it does, and nothing else. What it does is in the audit log
//! of the lab's API server; the conformance suite makes it do nearly everything.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::lab::place::Place;
use crate::lab::{build, install};

/// A right that is used: API group, resource with subresource, verb.
type Right = (String, String, String);

/// What is allowed although no run of the suite needs it, and why.
const RARELY: &[(&str, &str, &str)] = &[
    (
        "daemonsets",
        "create patch delete",
        "a workload that GatewayParameters ask for",
    ),
    (
        "horizontalpodautoscalers",
        "create patch delete",
        "an autoscaler that they ask for",
    ),
    (
        "configmaps",
        "delete",
        "a Gateway that goes to another class leaves its things behind",
    ),
    ("deployments", "delete", "the same"),
    ("poddisruptionbudgets", "delete", "the same"),
    ("serviceaccounts", "delete", "the same"),
    (
        "backends/status",
        "patch",
        "a kind of ours, which the suite does not know",
    ),
    ("backendpolicies/status", "patch", "the same"),
    ("gatewayparameters/status", "patch", "the same"),
    ("listenerpolicies/status", "patch", "the same"),
    (
        "xbackends/status",
        "patch",
        "an experimental kind that the suite does not use",
    ),
    (
        "xbackends",
        "list watch",
        "the same; in the standard channel it is not there",
    ),
    (
        "xbackendtrafficpolicies",
        "list watch",
        "only in the experimental channel",
    ),
    ("xbackendtrafficpolicies/status", "patch", "the same"),
    (
        "secrets",
        "create update",
        "the controllers' authorities, which are renewed after months",
    ),
    ("leases", "create", "the first start of all"),
    ("pods", "list", "of K3s, when a Service gets no address"),
    ("services", "list", "the same"),
    ("events", "list", "when a Service gets no address"),
];

/// Compares, with what the lab's API server has noted so far.
pub(crate) fn run() -> Result<(), String> {
    check(&Place::find()?)
}

/// The same, for a lab.
pub(crate) fn check(place: &Place) -> Result<(), String> {
    let log = place.run().join("log/audit");
    let log = fs::read_to_string(&log)
        .map_err(|error| format!("{}: {error}. cargo xtask lab up starts it.", log.display()))?;
    let objects = install::objects(build::PROFILE, "daemun")?;
    let objects: Vec<Value> = serde_saphyr::from_multiple(&objects)
        .map_err(|error| format!("What daemun install prints is no YAML: {error}."))?;
    let allowed = allowed(&objects);
    let Done { used, refused } = done(&log);
    let mut wrong: Vec<String> = refused
        .iter()
        .map(|(group, resource, verb)| {
            format!("{verb} on {resource} ({group}) was tried, and its roles do not allow it.")
        })
        .collect();
    let needless = allowed.difference(&used).filter(|right| !is_rare(right));
    wrong.extend(needless.map(|(group, resource, verb)| {
        format!("{verb} on {resource} ({group}) is allowed, and was never done.")
    }));
    if wrong.is_empty() {
        println!(
            "rights: the controller used {} of {} rights, and the others have a reason.",
            used.intersection(&allowed).count(),
            allowed.len()
        );
        return Ok(());
    }
    wrong.push("The rights are in crates/daemun/src/command/install/rights.rs; what is rarely done is in xtask/src/rights.rs.".to_owned());
    Err(wrong.join("\n"))
}

fn is_rare((_, resource, verb): &Right) -> bool {
    RARELY
        .iter()
        .any(|(of, verbs, _)| of == resource && verbs.split(' ').any(|rare| rare == verb))
}

/// What the roles allow, one by one.
fn allowed(objects: &[Value]) -> BTreeSet<Right> {
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().into_iter().flatten();
        list.filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    let mut all = BTreeSet::new();
    for object in objects {
        for rule in object["rules"].as_array().into_iter().flatten() {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    for verb in texts(&rule["verbs"]) {
                        all.insert((group.clone(), resource.clone(), verb));
                    }
                }
            }
        }
    }
    all
}

/// What was done, and what was refused.
struct Done {
    used: BTreeSet<Right>,
    refused: BTreeSet<Right>,
}

fn done(log: &str) -> Done {
    let mut done = Done {
        used: BTreeSet::new(),
        refused: BTreeSet::new(),
    };
    // The last line may be half written.
    for event in log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
    {
        let text = |pointer: &str| {
            let text = event.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let mut resource = text("/objectRef/resource");
        if resource.is_empty() {
            continue;
        }
        let part = text("/objectRef/subresource");
        if !part.is_empty() {
            resource = format!("{resource}/{part}");
        }
        let right = (text("/objectRef/apiGroup"), resource, text("/verb"));
        let decision = event.pointer("/annotations/authorization.k8s.io~1decision");
        if decision.and_then(Value::as_str) == Some("forbid") {
            done.refused.insert(right);
        } else {
            done.used.insert(right);
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{allowed, done};

    #[test]
    fn rights_are_taken_apart_and_uses_are_read() {
        let role = json!({ "rules": [
            { "apiGroups": [""], "resources": ["services", "pods"], "verbs": ["get", "list"] },
        ] });
        let allowed = allowed(&[role]);
        assert_eq!(allowed.len(), 4);
        let log = r#"{"verb":"get","objectRef":{"resource":"services"},"annotations":{"authorization.k8s.io/decision":"allow"}}
{"verb":"patch","objectRef":{"resource":"gateways","apiGroup":"gateway.networking.k8s.io","subresource":"status"}}
{"verb":"list","objectRef":{"resource":"nodes"},"annotations":{"authorization.k8s.io/decision":"forbid"}}
{"verb":"get","requestURI":"/version"}
{"verb":"ge"#;
        let done = done(log);
        let right = |group: &str, resource: &str, verb: &str| {
            (group.to_owned(), resource.to_owned(), verb.to_owned())
        };
        assert!(done.used.contains(&right("", "services", "get")));
        assert!(done.used.contains(&right(
            "gateway.networking.k8s.io",
            "gateways/status",
            "patch"
        )));
        assert_eq!(done.used.len(), 2);
        assert!(done.refused.contains(&right("", "nodes", "list")));
    }
}
