//! Whether somebody could apply an object: by the roles as they are installed, and by the policies as they would judge.
//!
//! Other roles that somebody may have are not known here. The policy of hostnames is taken to be in force where the objects
//! at hand say which hostnames a namespace has.

use daemun_controller::kubernetes::plural;
use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::{FieldPath, Finding, Severity};
use daemun_objects::Any;
use daemun_objects::KindInfo;
use daemun_objects::core::service::{ServiceSpec, ServiceType};
use daemun_objects::gateway_api::gateway::Protocol;
use daemun_translate::Cluster;

use super::persona::Persona;
use super::policy::{EXPOSE, HOSTNAMES, Owned};

/// What stands between a person and an object; nothing, if it could be applied.
pub(crate) fn obstacles(persona: Persona, object: &ObjectRef, cluster: &Cluster) -> Vec<Finding> {
    let Some(kind) = Any::KINDS.iter().find(|info| info.kind == object.kind) else {
        return Vec::new();
    };
    if !may_apply(persona, kind) {
        let message = no_right(persona, kind, &object.name);
        return vec![refusal("NoRight", FieldPath::of("kind"), message)];
    }
    let mut found = Vec::new();
    found.extend(exposure(persona, object, cluster));
    found.extend(hostnames(object, cluster));
    found
}

fn refusal(reason: &'static str, path: FieldPath, message: String) -> Finding {
    Finding {
        severity: Severity::Error,
        reason,
        path,
        message,
    }
}

/// Whether the roles let a person create and change objects of a kind.
fn may_apply(persona: Persona, kind: &KindInfo) -> bool {
    let resource = plural(kind);
    ["create", "patch"]
        .iter()
        .all(|verb| persona.may(verb, kind.group, &resource))
}

fn no_right(persona: Persona, kind: &KindInfo, name: &ObjectName) -> String {
    let who = persona.words();
    let kinds = kind.kind;
    let others: Vec<String> = Persona::ALL
        .iter()
        .filter(|other| may_apply(**other, kind))
        .map(|other| match other.part_of() {
            Some((role, _)) => format!(
                "{}, who has the role {role} in namespace {}",
                other.words(),
                name.namespace
            ),
            None => format!("{} (ClusterRole {})", other.words(), other.role()),
        })
        .collect();
    if others.is_empty() {
        return format!(
            "The role of {who} does not let anybody create or change objects of kind {kinds}. No role of Daemun's does: it takes an administrator of the cluster."
        );
    }
    format!(
        "The role of {who} does not let anybody create or change objects of kind {kinds}. Who may: {}.",
        others.join("; or ")
    )
}

/// As the policy of exposure has it for Services. GatewayParameters are operators' by role.
fn exposure(persona: Persona, object: &ObjectRef, cluster: &Cluster) -> Option<Finding> {
    let (group, resource, verb) = EXPOSE;
    if object.kind != "Service" || persona.may(verb, group, resource) {
        return None;
    }
    let (path, how) = reachable(&cluster.services.get(&object.name)?.spec)?;
    let message = format!(
        "A Service {how} is reachable from outside of the cluster. With the policy of exposure (daemun install --policy exposure) {} may not make one or change it. Who may: {} (ClusterRole {}), or whoever has the right to {verb} {resource}.{group} in namespace {}.",
        persona.words(),
        Persona::InfrastructureOperator.words(),
        Persona::InfrastructureOperator.role(),
        object.name.namespace
    );
    Some(refusal("Exposure", path, message))
}

fn reachable(spec: &ServiceSpec) -> Option<(FieldPath, String)> {
    let kind = spec.r#type.as_ref().and_then(|kind| kind.known());
    match kind {
        Some(ServiceType::LoadBalancer | ServiceType::NodePort) => {
            let kind = match kind {
                Some(ServiceType::NodePort) => "NodePort",
                _ => "LoadBalancer",
            };
            Some((FieldPath::of("spec.type"), format!("of type {kind}")))
        }
        _ if !spec.external_ips.is_empty() => Some((
            FieldPath::of("spec.externalIPs"),
            "with externalIPs".to_owned(),
        )),
        _ => None,
    }
}

/// As the policy of hostnames has it.
fn hostnames(object: &ObjectRef, cluster: &Cluster) -> Option<Finding> {
    let asked = asked(object, cluster)?;
    let annotation = |name: &str| {
        let namespace = cluster.namespaces.get(&ObjectName::new("", name))?;
        namespace.metadata.annotations.get(HOSTNAMES)
    };
    let mut all = cluster.namespaces.iter();
    let in_force = all.any(|(name, _)| annotation(&name.name).is_some());
    let namespace = &object.name.namespace;
    cluster.namespaces.get(&ObjectName::new("", namespace))?;
    if !in_force {
        return None;
    }
    let owned = Owned::read(annotation(namespace).map_or("", String::as_str));
    let given = match owned.shown() {
        none if none.is_empty() => format!("none: it has no annotation {HOSTNAMES}"),
        some => format!("{some} (annotation {HOSTNAMES})"),
    };
    let by_whom = "An administrator of the cluster may give it more.";
    for (path, hostname) in asked {
        let message = match hostname {
            Some(hostname) if owned.has(hostname) => continue,
            None if owned.is_everything() => continue,
            Some(hostname) => format!(
                "With the policy of hostnames (daemun install --policy hostnames) nobody may ask for {hostname} here: namespace {namespace} is given {given}. {by_whom}"
            ),
            None => format!(
                "Without a hostname all hostnames are meant, and with the policy of hostnames (daemun install --policy hostnames) nobody may ask for them here: namespace {namespace} is given {given}. {by_whom}"
            ),
        };
        return Some(refusal("HostnameNotOwned", path, message));
    }
    None
}

type Asked<'c> = Vec<(FieldPath, Option<&'c str>)>;

/// The hostnames that an object asks for, none meaning all; none for objects that ask for no hostnames.
fn asked<'c>(object: &ObjectRef, cluster: &'c Cluster) -> Option<Asked<'c>> {
    let name = &object.name;
    let hostnames = match object.kind.as_str() {
        "HTTPRoute" => &cluster.http_routes.get(name)?.spec.hostnames,
        "GRPCRoute" => &cluster.grpc_routes.get(name)?.spec.hostnames,
        "TLSRoute" => &cluster.tls_routes.get(name)?.spec.hostnames,
        "ListenerSet" => return Some(of_listeners(name, cluster)),
        _ => return None,
    };
    if hostnames.is_empty() {
        return Some(vec![(FieldPath::of("spec"), None)]);
    }
    let path = FieldPath::of("spec.hostnames");
    let all = hostnames.iter().enumerate();
    Some(
        all.map(|(index, hostname)| (path.index(index), Some(hostname.as_str())))
            .collect(),
    )
}

fn of_listeners<'c>(name: &ObjectName, cluster: &'c Cluster) -> Asked<'c> {
    let set = cluster.listener_sets.get(name);
    let listeners = set.into_iter().flat_map(|set| &set.spec.listeners);
    let with_hostnames = listeners.enumerate().filter(|(_, listener)| {
        let protocol = listener.protocol.known();
        let without = matches!(protocol, Some(Protocol::Tcp | Protocol::Udp));
        listener.hostname.is_some() || !without
    });
    let path = FieldPath::of("spec.listeners");
    with_hostnames
        .map(|(index, listener)| {
            let path = path.index(index);
            match &listener.hostname {
                Some(hostname) => (path.field("hostname"), Some(hostname.as_str())),
                None => (path, None),
            }
        })
        .collect()
}
