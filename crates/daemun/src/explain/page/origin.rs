//! Who made an object: what its owners, labels, annotations and field managers say. A field manager is a program's name;
//! no person is named, and none is known here.

use std::collections::BTreeMap;

use daemun_model::names::ObjectName;
use daemun_translate::infrastructure::OF_GATEWAY;
use serde::Serialize;
use serde_json::Value;

use super::seen::{Seen, moment};

/// The field manager under which the controller applies.
const OUR_MANAGER: &str = "daemun";
/// The label that names the class of the Gateway for which something was made.
const CLASS_LABEL: &str = "gateway.networking.k8s.io/gateway-class-name";

/// Who made a Service, as far as it tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(crate) enum Maker {
    /// Daemun's controller, for a Gateway.
    Daemun {
        /// The Gateway.
        gateway: ObjectName,
    },
    /// Envoy Gateway, for a Gateway.
    EnvoyGateway {
        /// The Gateway.
        gateway: ObjectName,
    },
    /// Another controller of the Gateway API, for a Gateway.
    GatewayController {
        /// The Gateway.
        gateway: ObjectName,
        /// Its class, if that is said.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
    /// Helm, as part of a release.
    Helm {
        /// The release.
        release: ObjectName,
        /// The chart, if that is said.
        #[serde(skip_serializing_if = "Option::is_none")]
        chart: Option<String>,
    },
    /// A controller that looks after another object.
    Owner {
        /// `Kind name`.
        owner: String,
    },
    /// A program that keeps a cluster as a repository has it.
    Repository {
        /// The program.
        program: &'static str,
        /// What it calls that part of the repository.
        name: String,
    },
    /// Somebody with kubectl.
    Kubectl {
        /// The command: `kubectl apply`.
        command: String,
    },
    /// Nothing tells, beyond field managers.
    Unknown,
}

/// A program that wrote into an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manager {
    /// Its name.
    pub(crate) manager: String,
    /// `Apply` or `Update`.
    pub(crate) operation: String,
    /// When it wrote last.
    pub(crate) time: String,
    /// Whether it wrote the status.
    pub(crate) of_status: bool,
    /// What it wrote last: `spec.type`, `metadata.annotations`, …
    pub(crate) fields: Vec<String>,
    /// The annotations that are its own.
    #[serde(skip)]
    pub(crate) annotations: Vec<String>,
}

/// Who made a Service, and the labels, annotations and owners that say so.
///
/// A Gateway is `ours` if it is known to be of a class of Daemun's.
pub(crate) fn maker(object: Seen<'_>, ours: bool) -> (Maker, Vec<(String, String)>) {
    let gateway_label = "gateway.networking.k8s.io/gateway-name";
    let namespace = object.whole_name().namespace;
    let here = |name: &str| ObjectName::new(namespace.clone(), name);
    let labels = object.map("/metadata/labels");
    let annotations = object.annotations();
    let found = Found {
        labels: &labels,
        annotations: &annotations,
    };
    let owner = object.owner();
    let by_owner = owner.filter(|(kind, _)| *kind == "Gateway");
    // An annotation anybody may write, or take away; whom it belongs to the controller says as well.
    if let Some(owner) = by_owner {
        let applied = managers(object).into_iter().find(is_our_manager);
        if annotations.contains_key(OF_GATEWAY) || ours || applied.is_some() {
            let gateway = here(owner.1);
            let mut evidence = found.of(&[OF_GATEWAY, CLASS_LABEL]);
            evidence.push(owned(owner));
            evidence.extend(applied.map(|it| ("metadata.managedFields".to_owned(), it.manager)));
            return (Maker::Daemun { gateway }, evidence);
        }
    }
    let envoy = [
        "gateway.envoyproxy.io/owning-gateway-namespace",
        "gateway.envoyproxy.io/owning-gateway-name",
    ];
    if let (Some(namespace), Some(name)) = (labels.get(envoy[0]), labels.get(envoy[1])) {
        let gateway = ObjectName::new(*namespace, *name);
        return (Maker::EnvoyGateway { gateway }, found.of(&envoy));
    }
    let by_label = labels.get(gateway_label).copied();
    if let Some(name) = by_label.or(by_owner.map(|(_, name)| name)) {
        let maker = Maker::GatewayController {
            gateway: here(name),
            class: labels.get(CLASS_LABEL).map(|it| (*it).to_owned()),
        };
        let mut evidence = found.of(&[gateway_label, CLASS_LABEL]);
        evidence.extend(by_owner.map(owned));
        return (maker, evidence);
    }
    let helm = [
        "meta.helm.sh/release-namespace",
        "meta.helm.sh/release-name",
        "app.kubernetes.io/managed-by",
        "helm.sh/chart",
    ];
    if let Some(release) = annotations.get(helm[1]) {
        let place = annotations.get(helm[0]).copied().unwrap_or_default();
        let maker = Maker::Helm {
            release: ObjectName::new(place, *release),
            chart: labels.get(helm[3]).map(|it| (*it).to_owned()),
        };
        return (maker, found.of(&helm));
    }
    if let Some(owner) = owner {
        let (kind, name) = owner;
        let maker = Maker::Owner {
            owner: format!("{kind} {name}"),
        };
        return (maker, vec![owned(owner)]);
    }
    for (program, key) in [
        ("Argo CD", "argocd.argoproj.io/tracking-id"),
        ("Argo CD", "argocd.argoproj.io/instance"),
        ("Flux", "kustomize.toolkit.fluxcd.io/name"),
        ("Flux", "helm.toolkit.fluxcd.io/name"),
    ] {
        if let Some(name) = annotations.get(key).or_else(|| labels.get(key)) {
            let name = (*name).to_owned();
            return (Maker::Repository { program, name }, found.of(&[key]));
        }
    }
    by_kubectl(object, &found)
}

/// Whether the controller applied the object as this one.
fn is_our_manager(manager: &Manager) -> bool {
    manager.manager == OUR_MANAGER && manager.operation == "Apply" && !manager.of_status
}

fn owned((kind, name): (&str, &str)) -> (String, String) {
    let key = "metadata.ownerReferences".to_owned();
    (key, format!("{kind} {name}"))
}

/// What kubectl calls itself, and the command that does.
fn by_kubectl(object: Seen<'_>, found: &Found<'_>) -> (Maker, Vec<(String, String)>) {
    const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let managers = managers(object);
    let first = managers.iter().find(|it| it.manager.starts_with("kubectl"));
    let command = match first.map(|it| it.manager.as_str()) {
        Some("kubectl-create") => "kubectl create",
        Some("kubectl-expose") => "kubectl expose",
        Some("kubectl-client-side-apply" | "kubectl" | "kubectl-last-applied") => "kubectl apply",
        Some(_) => "kubectl",
        None if found.annotations.contains_key(APPLIED) => "kubectl apply",
        None => return (Maker::Unknown, Vec::new()),
    };
    let maker = Maker::Kubectl {
        command: command.to_owned(),
    };
    (maker, Vec::new())
}

struct Found<'a> {
    labels: &'a BTreeMap<&'a str, &'a str>,
    annotations: &'a BTreeMap<&'a str, &'a str>,
}

impl Found<'_> {
    /// Those of these keys that are there.
    fn of(&self, keys: &[&str]) -> Vec<(String, String)> {
        let all = keys.iter().filter_map(|key| {
            let value = self.labels.get(key).or_else(|| self.annotations.get(key))?;
            Some(((*key).to_owned(), (*value).to_owned()))
        });
        all.collect()
    }
}

/// The programs that wrote into an object, the earliest first.
pub(crate) fn managers(object: Seen<'_>) -> Vec<Manager> {
    let entries = object.list("/metadata/managedFields").iter().map(Seen);
    let mut managers: Vec<(&str, Manager)> = entries
        .map(|entry| {
            let time = entry.text("/time");
            let manager = Manager {
                manager: entry.text("/manager").to_owned(),
                operation: entry.text("/operation").to_owned(),
                time: moment(time),
                of_status: entry.text("/subresource") == "status",
                fields: fields(entry),
                annotations: names_at(entry, "/fieldsV1/f:metadata/f:annotations"),
            };
            (time, manager)
        })
        .collect();
    // Of two that wrote at the same time, who wrote the object goes before who wrote its status.
    managers.sort_by_key(|(time, it)| (it.of_status, *time));
    managers.into_iter().map(|(_, it)| it).collect()
}

/// The fields of an entry, two steps deep.
fn fields(entry: Seen<'_>) -> Vec<String> {
    let part = |part: &'static str| {
        let names = names_at(entry, &format!("/fieldsV1/f:{part}"));
        names.into_iter().map(move |name| format!("{part}.{name}"))
    };
    let all = part("metadata").chain(part("spec")).chain(part("status"));
    all.collect()
}

fn names_at(entry: Seen<'_>, pointer: &str) -> Vec<String> {
    let fields = entry.at(pointer).and_then(Value::as_object);
    let names = fields.into_iter().flatten();
    names
        .filter_map(|(name, _)| name.strip_prefix("f:").map(str::to_owned))
        .collect()
}

/// The last program besides the controller that wrote an object, status aside, and when.
pub(super) fn last_foreign_change(object: Seen<'_>) -> Option<(String, String)> {
    let managers = managers(object).into_iter();
    let foreign = managers.filter(|it| !it.of_status && !it.manager.starts_with(OUR_MANAGER));
    let last = foreign.max_by_key(|it| it.time.clone())?;
    Some((last.manager, last.time))
}
