//! `cargo xtask rights`: the controller's roles allow what it does, and nothing else. What it does is in the audit log
//! of the lab's API server; the conformance suite makes it do nearly everything.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::lab::place::Place;
use crate::lab::{build, install};

/// A right that is used: API group, resource with subresource, verb.
type Right = (String, String, String);

/// What is allowed although not every run of the suite needs it.
struct Rare {
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    why: &'static str,
}

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const EXPERIMENTAL: &str = "gateway.networking.x-k8s.io";
const OURS: &str = "gateway.daemun.dev";

const RARELY: &[Rare] = &[
    Rare {
        group: GATEWAY_API,
        resources: &[
            "backendtlspolicies",
            "gatewayclasses",
            "gateways",
            "grpcroutes",
            "httproutes",
            "listenersets",
            "tcproutes",
            "tlsroutes",
            "udproutes",
        ],
        verbs: &["get"],
        why: "a status into which somebody else wrote at the same moment",
    },
    Rare {
        group: EXPERIMENTAL,
        resources: &["xbackends", "xbackendtrafficpolicies"],
        verbs: &["get", "watch"],
        why: "the same; and in the standard channel they are not there",
    },
    Rare {
        group: EXPERIMENTAL,
        resources: &["xbackends/status", "xbackendtrafficpolicies/status"],
        verbs: &["patch"],
        why: "experimental kinds, which the suite does not use",
    },
    Rare {
        group: OURS,
        resources: &["backendpolicies", "backends", "listenerpolicies"],
        verbs: &["get"],
        why: "kinds of ours, which the suite does not know",
    },
    Rare {
        group: OURS,
        resources: &[
            "backendpolicies/status",
            "backends/status",
            "listenerpolicies/status",
        ],
        verbs: &["patch"],
        why: "kinds of ours, which the suite does not know",
    },
    Rare {
        group: "apps",
        resources: &["daemonsets"],
        verbs: &["get", "create", "patch", "delete"],
        why: "a workload that GatewayParameters ask for",
    },
    Rare {
        group: "autoscaling",
        resources: &["horizontalpodautoscalers"],
        verbs: &["get", "create", "patch", "delete"],
        why: "an autoscaler that GatewayParameters ask for",
    },
    Rare {
        group: "",
        resources: &["configmaps", "serviceaccounts", "services"],
        verbs: &["delete"],
        why: "a Gateway that goes to another class leaves its things behind",
    },
    Rare {
        group: "apps",
        resources: &["deployments"],
        verbs: &["delete"],
        why: "a Gateway that goes to another class leaves its things behind",
    },
    Rare {
        group: "policy",
        resources: &["poddisruptionbudgets"],
        verbs: &["delete"],
        why: "a Gateway that goes to another class leaves its things behind",
    },
    Rare {
        group: "",
        resources: &["secrets"],
        verbs: &["create", "update"],
        why: "the controllers' authorities, which are renewed after months",
    },
    Rare {
        group: "coordination.k8s.io",
        resources: &["leases"],
        verbs: &["create"],
        why: "the first start of all",
    },
    Rare {
        group: "",
        resources: &["events"],
        verbs: &["list"],
        why: "a Service gets no address",
    },
];

impl Rare {
    fn rights(&self) -> impl Iterator<Item = Right> {
        self.resources.iter().flat_map(|resource| {
            let right = |verb: &&str| (self.group.into(), (*resource).into(), (*verb).into());
            self.verbs.iter().map(right)
        })
    }
}

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
    let done = done(&log);
    let mut wrong = differences(&allowed, &done);
    if wrong.is_empty() {
        println!(
            "rights: the controller used {} of {} rights, and the others have a reason.",
            done.used.intersection(&allowed).count(),
            allowed.len()
        );
        return Ok(());
    }
    wrong.push("The rights are in crates/daemun/src/command/install/rights.rs; what is rarely done is in xtask/src/rights.rs.".to_owned());
    Err(wrong.join("\n"))
}

/// What is refused, what is needless, and what is called rare and is not allowed at all.
fn differences(allowed: &BTreeSet<Right>, Done { used, refused }: &Done) -> Vec<String> {
    let in_words = |(group, resource, verb): &Right| {
        let of = if group.is_empty() { "core" } else { group };
        format!("{verb} on {resource} ({of})")
    };
    let tried = refused
        .iter()
        .map(|right| format!("{} was tried, and was refused.", in_words(right)));
    let rare: BTreeSet<Right> = RARELY.iter().flat_map(Rare::rights).collect();
    let needless = allowed.difference(used).filter(|it| !rare.contains(it));
    let needless =
        needless.map(|right| format!("{} is allowed, and was never done.", in_words(right)));
    let unknown = RARELY.iter().flat_map(|entry| {
        let lost = entry.rights().filter(|right| !allowed.contains(right));
        lost.map(move |right| {
            format!(
                "{} is called rare ({}), and is not allowed.",
                in_words(&right),
                entry.why
            )
        })
    });
    tried.chain(needless).chain(unknown).collect()
}

/// What the roles that are bound to the controller's ServiceAccount allow, one by one.
fn allowed(objects: &[Value]) -> BTreeSet<Right> {
    let bound = objects.iter().filter(|object| {
        let subjects = object["subjects"].as_array().into_iter().flatten();
        let mut accounts = subjects.filter(|subject| subject["kind"] == "ServiceAccount");
        accounts.any(|subject| {
            subject["name"] == install::NAME && subject["namespace"] == install::NAMESPACE
        })
    });
    let roles = bound.filter_map(|binding| {
        objects.iter().find(|object| {
            let role = &binding["roleRef"];
            let (of, own) = (&object["metadata"], &binding["metadata"]);
            object["kind"] == role["kind"]
                && of["name"] == role["name"]
                && (role["kind"] == "ClusterRole" || of["namespace"] == own["namespace"])
        })
    });
    let rules = roles.flat_map(|role| role["rules"].as_array().into_iter().flatten());
    rules.flat_map(one_by_one).collect()
}

fn one_by_one(rule: &Value) -> Vec<Right> {
    let texts = |field: &str| -> Vec<String> {
        let list = rule[field].as_array().into_iter().flatten();
        list.filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    let mut all = Vec::new();
    for group in texts("apiGroups") {
        for resource in texts("resources") {
            for verb in texts("verbs") {
                all.push((group.clone(), resource.clone(), verb));
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
        // Server-side apply of what is not there needs both rights, and is noted as the one.
        let code = event
            .pointer("/responseStatus/code")
            .and_then(Value::as_u64);
        if right.2 == "patch" && code == Some(201) {
            let (group, resource, _) = right.clone();
            done.used.insert((group, resource, "create".to_owned()));
        }
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
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{Done, RARELY, Rare, Right, allowed, differences, done};
    use crate::lab::install;

    fn right(group: &str, resource: &str, verb: &str) -> Right {
        (group.to_owned(), resource.to_owned(), verb.to_owned())
    }

    #[test]
    fn only_the_controllers_roles_count() {
        let role = |kind: &str, name: &str, verb: &str| {
            let rules = json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": [verb] }]);
            json!({ "kind": kind, "metadata": { "name": name }, "rules": rules })
        };
        let subject = |name: &str| json!([{ "kind": "ServiceAccount", "name": name, "namespace": install::NAMESPACE }]);
        let binding = |kind: &str, name: &str, to: &str| {
            let of = json!({ "kind": kind, "name": name });
            json!({ "metadata": { "name": name }, "roleRef": of, "subjects": subject(to) })
        };
        let objects = [
            role("ClusterRole", "a", "get"),
            role("Role", "a", "list"),
            role("ClusterRole", "for-people", "watch"),
            role("ClusterRole", "others", "delete"),
            binding("ClusterRole", "a", install::NAME),
            binding("ClusterRole", "others", "somebody"),
        ];
        assert_eq!(
            allowed(&objects),
            BTreeSet::from([right("", "pods", "get")])
        );
    }

    #[test]
    fn uses_are_read() {
        let log = r#"{"verb":"get","objectRef":{"resource":"services"},"annotations":{"authorization.k8s.io/decision":"allow"}}
{"verb":"patch","objectRef":{"resource":"gateways","apiGroup":"gateway.networking.k8s.io","subresource":"status"},"responseStatus":{"code":200}}
{"verb":"patch","objectRef":{"resource":"deployments","apiGroup":"apps"},"responseStatus":{"code":201}}
{"verb":"list","objectRef":{"resource":"nodes"},"annotations":{"authorization.k8s.io/decision":"forbid"}}
{"verb":"get","requestURI":"/version"}
{"verb":"ge"#;
        let done = done(log);
        let used = [
            right("", "services", "get"),
            right(super::GATEWAY_API, "gateways/status", "patch"),
            right("apps", "deployments", "patch"),
            right("apps", "deployments", "create"),
        ];
        assert_eq!(done.used, BTreeSet::from(used));
        assert_eq!(done.refused, BTreeSet::from([right("", "nodes", "list")]));
    }

    #[test]
    fn what_differs_is_named() {
        let rare: BTreeSet<Right> = RARELY.iter().flat_map(Rare::rights).collect();
        let mut allowed = rare;
        let nothing = || Done {
            used: BTreeSet::new(),
            refused: BTreeSet::new(),
        };
        assert_eq!(differences(&allowed, &nothing()), Vec::<String>::new());
        allowed.insert(right("apps", "secrets", "update"));
        allowed.remove(&right("", "secrets", "update"));
        let tried = Done {
            refused: BTreeSet::from([right("", "nodes", "list")]),
            ..nothing()
        };
        assert_eq!(
            differences(&allowed, &tried),
            [
                "list on nodes (core) was tried, and was refused.",
                "update on secrets (apps) is allowed, and was never done.",
                "update on secrets (core) is called rare (the controllers' authorities, which are renewed after months), and is not allowed.",
            ]
        );
    }
}
