//! `hostPorts`: the ports of the nodes themselves (port 80 of a node, say) that the proxies take.
//!
//! They are `hostPort`s of the pods, and not the nodes' network (`hostNetwork`): the proxies stay as they are, without a
//! capability and in a network of their own, where network policies hold and their health port meets nobody else's; and the
//! scheduler knows who has which port. They are listed, and do not follow the listeners, for two reasons. Whoever may write a
//! listener, in a ListenerSet perhaps, would else take any port of every node, the one of its SSH or of its kubelet too.
//! And the pods depend on the list alone, so that no listener replaces a pod. A listener of another port is refused.

use daemun_model::names::{ObjectName, Transport};
use daemun_model::verdict::Finding;
use daemun_objects::Known as _;
use daemun_objects::own::exposure::Reach;

use super::{ServiceKind, at, refusal};
use crate::cluster::{Cluster, Home};
use crate::infrastructure::way_in::WayIn;
use crate::infrastructure::{Port, bind_port};
use crate::listener::Entry;
use crate::verdict::{Refusal, warning};

/// The label of a namespace that says what its pods may do, and its value that allows them ports of nodes.
const LABEL: (&str, &str) = ("pod-security.kubernetes.io/enforce", "privileged");

/// The field.
const FIELD: &str = "hostPorts";

/// What a Gateway that is reached by its nodes is reached by.
pub(super) fn kind(way_in: &WayIn) -> ServiceKind {
    if way_in.reach == Some(Reach::Node) && !way_in.host_ports.is_empty() {
        ServiceKind::HostPorts
    } else {
        ServiceKind::NodePort
    }
}

/// Refuses them where they mean nothing, and where the pods would not be let in: a Gateway whose pods never come says less
/// about it than a refusal.
pub(super) fn check(cluster: &Cluster, namespace: &str, way_in: &WayIn) -> Result<(), Refusal> {
    if way_in.host_ports.is_empty() {
        return Ok(());
    }
    match way_in.reach {
        Some(Reach::Node) => {}
        reach => {
            let reach = reach.map_or("none is written", Reach::as_str);
            return Err(refusal(
                FIELD,
                format!(
                    "exposure.hostPorts are ports of the nodes, which only a Gateway with reach Node is reached by, and the reach here is another one ({reach}). Write exposure.reach: Node, or take hostPorts out (hostPorts: [] where the class's parameters list some)."
                ),
            ));
        }
    }
    let object = cluster.namespaces.get(&ObjectName::new("", namespace));
    let (label, value) = LABEL;
    let written = object.map(|object| object.metadata.labels.get(label));
    let is = match written {
        Some(Some(written)) if written == value => return Ok(()),
        Some(Some(other)) => format!("is labelled {label}: {other}"),
        Some(None) => format!("has no label {label}"),
        None => "is not among the objects at hand".to_owned(),
    };
    Err(refusal(
        FIELD,
        format!(
            "exposure.hostPorts take ports of nodes. Pod Security lets pods do that only in a namespace labelled {label}: {value}, and namespace {namespace} {is}. Nothing was made. An administrator of the cluster allows it (kubectl label namespace {namespace} {label}={value}), best for a namespace of this Gateway's own, since all its pods may then do as they like. Without hostPorts, reach Node needs no label."
        ),
    ))
}

/// Refuses the listeners at ports that are not listed: they would be reached nowhere.
pub(crate) fn refuse_others<'a>(ports: &[Port], entries: impl Iterator<Item = &'a mut Entry>) {
    if ports.is_empty() {
        return;
    }
    for entry in entries {
        let Some(protocol) = entry.protocol else {
            continue;
        };
        let asked = Port {
            port: entry.port,
            bind: bind_port(Home::Kubernetes, entry.port),
            transport: protocol.transport(),
        };
        if ports.contains(&asked) {
            continue;
        }
        entry.refused.push(Refusal::new(
            entry.path.field("port"),
            "PortUnavailable",
            format!(
                "The Gateway is reached by ports of its nodes, and {asked} is not one of them ({}). Use one of those, or let whoever writes its GatewayParameters list {asked} in exposure.hostPorts.",
                in_words(ports)
            ),
        ));
    }
}

/// Warns of ports that nodes are likely to need themselves.
pub(super) fn of_nodes(ports: &[Port]) -> Vec<Finding> {
    let tcp = ports.iter().filter(|port| port.transport == Transport::Tcp);
    let whose = tcp.filter_map(|port| Some((port.port, owner(port.port)?)));
    whose
        .map(|(port, owner)| {
            warning(
                at(FIELD),
                "HostPortOfNode",
                format!(
                    "Port {port} of a node is likely to be {owner}. With {port} in exposure.hostPorts, what comes from outside to that port gets to the proxies, and {owner} is cut off on every node with a proxy. Take it out, unless that was moved elsewhere."
                ),
            )
        })
        .collect()
}

fn owner(port: u16) -> Option<&'static str> {
    Some(match port {
        22 => "its SSH",
        2379 | 2380 => "the cluster's etcd",
        6443 => "the API server",
        10_250 => "the kubelet",
        10_256 => "kube-proxy's health check",
        10_257 => "the controller manager",
        10_259 => "the scheduler",
        30_000..=32_767 => "a Service's (NodePort)",
        _ => return None,
    })
}

/// `TCP 80, TCP 443`
pub(crate) fn in_words(ports: &[Port]) -> String {
    let each = ports.iter().map(ToString::to_string);
    each.collect::<Vec<_>>().join(", ")
}
