//! Who has a port of a node that a pod waits for. The scheduler says that no node has it free, and not who has it; the pods
//! on the nodes say it. A program of a node's own is not seen by either.

use k8s_openapi::api::core::v1::{ContainerPort, Pod};
use kube::api::ListParams;
use kube::{Api, Client};

use super::names;

/// The labels of the pods by which K3s answers a Service.
pub(super) const K3S: (&str, &str) = (
    "svccontroller.k3s.cattle.io/svcname",
    "svccontroller.k3s.cattle.io/svcnamespace",
);
/// As many pods are listed at a time, and so many times.
const PAGE: u32 = 500;
const PAGES: usize = 20;

/// Whether the scheduler's message is that ports are not free.
pub(super) fn is_about(message: &str) -> bool {
    message.contains("free ports")
}

/// Says who has a port that a pod waits for. None if nobody is found, or what has it is going.
pub(super) async fn look(client: &Client, (namespace, name): (&str, &str)) -> Option<String> {
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let this = ListParams::default().fields(&format!("metadata.name={name}"));
    let pod = api.list(&this).await.ok()?.items.into_iter().next()?;
    holder(client, &pod).await
}

/// The same, of a pod that is at hand.
pub(super) async fn holder(client: &Client, pod: &Pod) -> Option<String> {
    let mut parameters = ListParams::default().limit(PAGE);
    if let Some(node) = bound_for(pod) {
        parameters = parameters.fields(&format!("spec.nodeName={node}"));
    }
    let mut api: Api<Pod> = Api::all(client.clone());
    for _ in 0..PAGES {
        let list = match api.list(&parameters).await {
            Ok(list) => list,
            // Who looks at some namespaces only sees no others.
            Err(_) if parameters.continue_token.is_none() => {
                let own = pod.metadata.namespace.as_deref()?;
                api = Api::namespaced(client.clone(), own);
                api.list(&parameters).await.ok()?
            }
            Err(_) => return None,
        };
        if let Some((port, holder)) = list.items.iter().find_map(|other| meets(pod, other)) {
            return in_words(pod, port, holder);
        }
        let more = list.metadata.continue_.filter(|token| !token.is_empty())?;
        parameters = parameters.continue_token(&more);
    }
    None
}

/// The node that a pod of a DaemonSet is for.
fn bound_for(pod: &Pod) -> Option<&str> {
    let affinity = pod
        .spec
        .as_ref()?
        .affinity
        .as_ref()?
        .node_affinity
        .as_ref()?;
    let required = affinity
        .required_during_scheduling_ignored_during_execution
        .as_ref()?;
    let fields = required.node_selector_terms.iter();
    let mut fields = fields.flat_map(|term| term.match_fields.iter().flatten());
    let names = fields.find(|field| field.key == "metadata.name")?;
    names.values.as_ref()?.first().map(String::as_str)
}

/// The ports of its node that a pod has, or wants.
fn host_ports(pod: &Pod) -> impl Iterator<Item = &ContainerPort> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let ports = containers.flat_map(|container| container.ports.iter().flatten());
    ports.filter(|port| port.host_port.is_some_and(|port| port != 0))
}

/// The port that another pod has and this one wants, with that pod.
fn meets<'a>(pod: &'a Pod, other: &'a Pod) -> Option<(&'a ContainerPort, &'a Pod)> {
    let phase = other.status.as_ref().and_then(|it| it.phase.as_deref());
    let node = other.spec.as_ref().and_then(|it| it.node_name.as_deref());
    if node.is_none() || matches!(phase, Some("Succeeded" | "Failed")) {
        return None;
    }
    let of = |port: &ContainerPort| (port.host_port, protocol(port).to_owned());
    let mut wanted = host_ports(pod);
    let met = wanted.find(|port| host_ports(other).any(|held| of(held) == of(port)))?;
    Some((met, other))
}

fn protocol(port: &ContainerPort) -> &str {
    port.protocol.as_deref().unwrap_or("TCP")
}

/// Who has the port, in a sentence; none if it is a pod of the same Gateway that makes room.
fn in_words(pod: &Pod, port: &ContainerPort, holder: &Pod) -> Option<String> {
    let (protocol, number) = (protocol(port), port.host_port.unwrap_or_default());
    let node = holder.spec.as_ref().and_then(|it| it.node_name.as_deref());
    let node = node.unwrap_or_default();
    let gateway = gateway_of(holder);
    if gateway.is_some() && gateway == gateway_of(pod) {
        return holder.metadata.deletion_timestamp.is_none().then(|| {
            format!(
                "{protocol} {number} of node {node} is taken by another proxy of this Gateway: there is room for one on each node. Ask for fewer (workload.replicas), or for one on each node (workload.kind: DaemonSet)."
            )
        });
    }
    Some(format!(
        "{protocol} {number} of node {node} is taken by {}. Take that away from the node, or use another port.",
        whose(holder)
    ))
}

/// Whose a pod is: the Service or Gateway that it answers, else who made it, with its own name.
fn whose(pod: &Pod) -> String {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let pod_name = format!("Pod {namespace}/{name}");
    let label = |key: &str| pod.metadata.labels.as_ref()?.get(key);
    if let (Some(service), Some(of)) = (label(K3S.0), label(K3S.1)) {
        return format!(
            "Service {of}/{service}, which K3s answers with {pod_name} (K3s brings Traefik: --disable traefik)"
        );
    }
    if let Some((namespace, gateway)) = gateway_of(pod) {
        return format!("Gateway {namespace}/{gateway} ({pod_name})");
    }
    let owner = pod.metadata.owner_references.iter().flatten().next();
    match owner {
        Some(owner) => format!("{} {namespace}/{} ({pod_name})", owner.kind, owner.name),
        None => pod_name,
    }
}

/// The Gateway of ours that a pod is a proxy of.
fn gateway_of(pod: &Pod) -> Option<(&str, &str)> {
    let labels = pod.metadata.labels.as_ref()?;
    if labels.get(names::MANAGED_BY).map(String::as_str) != Some(names::MANAGER) {
        return None;
    }
    let gateway = pod.metadata.annotations.as_ref()?.get(names::OF_GATEWAY)?;
    Some((pod.metadata.namespace.as_deref()?, gateway))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    use super::{bound_for, in_words, meets};

    /// A pod on node n1, with ports as written (`hostPort/protocol`).
    fn pod(name: &str, metadata: &Value, ports: &[(u16, &str)]) -> Pod {
        let ports = ports.iter().map(|(port, protocol)| {
            json!({ "containerPort": 20_000 + port, "hostPort": port, "protocol": protocol })
        });
        let ports: Vec<Value> = ports.chain([json!({ "containerPort": 9901 })]).collect();
        let mut metadata = metadata.clone();
        metadata["name"] = json!(name);
        let pod = json!({
            "metadata": metadata,
            "spec": { "nodeName": "n1", "containers": [{ "name": "proxy", "ports": ports }] },
            "status": { "phase": "Running" },
        });
        serde_json::from_value(pod).unwrap()
    }

    fn proxy(name: &str, gateway: &str, ports: &[(u16, &str)]) -> Pod {
        let metadata = json!({
            "namespace": "edge",
            "labels": { "app.kubernetes.io/managed-by": "daemun" },
            "annotations": { "gateway.daemun.dev/gateway": gateway },
        });
        pod(name, &metadata, ports)
    }

    fn said(waits: &Pod, other: &Pod) -> Option<String> {
        let (port, holder) = meets(waits, other)?;
        in_words(waits, port, holder)
    }

    #[test]
    fn who_has_the_port_is_named_by_what_people_know_it_as() {
        let waits = proxy("shop-1", "shop", &[(443, "TCP"), (80, "TCP")]);
        let of_k3s = json!({ "namespace": "kube-system", "labels": {
            "svccontroller.k3s.cattle.io/svcname": "traefik",
            "svccontroller.k3s.cattle.io/svcnamespace": "ingress",
        } });
        let owned = json!({
            "namespace": "ingress-nginx",
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "nginx", "uid": "u" }],
        });
        for (other, expected) in [
            (
                pod("svclb-traefik-x", &of_k3s, &[(80, "TCP")]),
                "TCP 80 of node n1 is taken by Service ingress/traefik, which K3s answers with Pod kube-system/svclb-traefik-x (K3s brings Traefik: --disable traefik). Take that away from the node, or use another port.",
            ),
            (
                proxy("other-1", "other", &[(80, "TCP")]),
                "TCP 80 of node n1 is taken by Gateway edge/other (Pod edge/other-1). Take that away from the node, or use another port.",
            ),
            (
                pod("nginx-a", &owned, &[(443, "TCP")]),
                "TCP 443 of node n1 is taken by DaemonSet ingress-nginx/nginx (Pod ingress-nginx/nginx-a). Take that away from the node, or use another port.",
            ),
            (
                pod("alone", &json!({ "namespace": "a" }), &[(80, "TCP")]),
                "TCP 80 of node n1 is taken by Pod a/alone. Take that away from the node, or use another port.",
            ),
        ] {
            assert_eq!(said(&waits, &other).as_deref(), Some(expected));
        }
    }

    #[test]
    fn others_are_not_in_the_way_and_own_pods_that_go_make_room() {
        let waits = proxy("shop-1", "shop", &[(80, "TCP")]);
        let other = |ports: &[(u16, &str)]| pod("other", &json!({ "namespace": "a" }), ports);
        assert_eq!(said(&waits, &other(&[(80, "UDP"), (81, "TCP")])), None);
        let mut done = other(&[(80, "TCP")]);
        done.status.as_mut().unwrap().phase = Some("Succeeded".to_owned());
        assert_eq!(said(&waits, &done), None);
        let mut unscheduled = other(&[(80, "TCP")]);
        unscheduled.spec.as_mut().unwrap().node_name = None;
        assert_eq!(said(&waits, &unscheduled), None);
        let mut own = proxy("shop-0", "shop", &[(80, "TCP")]);
        let why = said(&waits, &own).unwrap();
        assert!(why.contains("another proxy of this Gateway"), "{why}");
        own.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(said(&waits, &own), None);
    }

    #[test]
    fn a_pod_of_a_daemon_set_is_for_one_node() {
        let waits = json!({ "metadata": { "name": "a" }, "spec": { "containers": [], "affinity": { "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
                { "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["n2"] }] },
            ] },
        } } } });
        let waits: Pod = serde_json::from_value(waits).unwrap();
        assert_eq!(bound_for(&waits), Some("n2"));
        assert_eq!(bound_for(&Pod::default()), None);
    }
}
