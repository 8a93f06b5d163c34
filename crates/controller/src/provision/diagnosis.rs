//! Why a Service has no address: what its events say, or who is likely to be missing.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Pod, Service};
use kube::api::ListParams;
use kube::{Api, Client};

use super::pods::sentence;

/// So long an address may take before anybody is told of a reason that is only likely.
const PATIENCE: Duration = Duration::from_secs(30);
/// The labels of the pods by which K3s answers a Service.
const K3S: (&str, &str) = (
    "svccontroller.k3s.cattle.io/svcname",
    "svccontroller.k3s.cattle.io/svcnamespace",
);

/// When to look, by how often it was done: soon, then when patience ends, then now and then.
pub(super) fn next_look(times: u32) -> Duration {
    match times {
        0 => Duration::from_secs(2),
        1 => Duration::from_secs(6),
        2 => PATIENCE,
        times => PATIENCE + Duration::from_secs(60) * (times - 2),
    }
}

/// Says why a Service that has waited for so long has no address; none while it is too early to say. What may not be
/// asked is left out.
pub(super) async fn look(
    client: &Client,
    (namespace, name): (&str, &str),
    waited: Duration,
) -> Option<String> {
    let events = events(client, namespace, name).await;
    let last = events.iter().max_by_key(|event| time(event));
    if let Some(warning) = last.filter(|event| event.type_.as_deref() == Some("Warning")) {
        return Some(format!("The cluster says: {}", in_words(warning)));
    }
    if waited < PATIENCE {
        return None;
    }
    if let Some(taken) = host_port_taken(client, namespace, name).await {
        return Some(taken);
    }
    if let Some(last) = last {
        return Some(format!(
            "It has waited for longer than {} s; the last thing the cluster said is: {}",
            PATIENCE.as_secs(),
            in_words(last)
        ));
    }
    Some(match other_address(client).await {
        Some(other) => format!(
            "It has waited for longer than {} s, and no event says why. Others have one ({other}), so somebody here gives addresses: its pool may be empty, or it may look for another class (service.loadBalancerClass of GatewayParameters). See its log.",
            PATIENCE.as_secs()
        ),
        None => format!(
            "It has waited for longer than {} s, no event says why, and no other Service has one: nobody in this cluster answers Services of type LoadBalancer. In a cloud that is the cloud controller manager; elsewhere install MetalLB or kube-vip (kind: cloud-provider-kind; minikube: minikube tunnel), or set service.type: ClusterIP in GatewayParameters.",
            PATIENCE.as_secs()
        ),
    })
}

async fn events(client: &Client, namespace: &str, name: &str) -> Vec<Event> {
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    let of = format!("involvedObject.kind=Service,involvedObject.name={name}");
    let list = api.list(&ListParams::default().fields(&of)).await;
    list.map(|list| list.items).unwrap_or_default()
}

fn time(event: &Event) -> Option<String> {
    let json = serde_json::to_value(event).ok()?;
    let text = |field: &str| json.get(field)?.as_str().map(str::to_owned);
    text("lastTimestamp").or_else(|| text("eventTime"))
}

fn in_words(event: &Event) -> String {
    let reason = event.reason.as_deref().unwrap_or("(no reason)");
    let message = sentence(event.message.as_deref().unwrap_or_default());
    format!("{reason}: {message}")
}

/// K3s answers with a pod on each node that takes the port of the host; another Service may have it.
async fn host_port_taken(client: &Client, namespace: &str, name: &str) -> Option<String> {
    let api: Api<Pod> = Api::all(client.clone());
    let of = format!("{}={name},{}={namespace}", K3S.0, K3S.1);
    let pods = api.list(&ListParams::default().labels(&of)).await.ok()?;
    let stuck = pods.items.iter().find(|pod| {
        let conditions = pod.status.as_ref().and_then(|it| it.conditions.as_ref());
        conditions.into_iter().flatten().any(|condition| {
            condition.type_ == "PodScheduled"
                && condition.status == "False"
                && condition
                    .message
                    .as_deref()
                    .is_some_and(|message| message.contains("free ports"))
        })
    })?;
    let services = load_balancers(client).await;
    let own = services
        .iter()
        .find(|service| is_named(service, namespace, name))?;
    let ports = ports_of(own);
    let other = services.iter().find(|service| {
        !is_named(service, namespace, name)
            && is_given(service)
            && ports_of(service).iter().any(|port| ports.contains(port))
    });
    let by = other.map_or_else(
        || "another Service or a process of the nodes".to_owned(),
        |other| format!("Service {}", name_of(other)),
    );
    Some(format!(
        "A port of the nodes that it needs ({}) is taken by {by}: Pod {} of K3s finds no node with it free. Use another port, or delete the other one (K3s brings Traefik: --disable traefik).",
        ports
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        stuck.metadata.name.as_deref().unwrap_or_default()
    ))
}

/// A Service of the cluster that has an address from a load balancer.
async fn other_address(client: &Client) -> Option<String> {
    let services = load_balancers(client).await;
    services
        .iter()
        .find(|service| is_given(service))
        .map(name_of)
}

async fn load_balancers(client: &Client) -> Vec<Service> {
    let api: Api<Service> = Api::all(client.clone());
    let list = api.list(&ListParams::default()).await;
    let all = list.map(|list| list.items).unwrap_or_default();
    all.into_iter()
        .filter(|service| {
            let spec = service.spec.as_ref();
            spec.and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer")
        })
        .collect()
}

fn is_given(service: &Service) -> bool {
    let status = service.status.as_ref();
    let ingress = status
        .and_then(|status| status.load_balancer.as_ref())
        .and_then(|given| given.ingress.as_ref());
    ingress.is_some_and(|ingress| !ingress.is_empty())
}

fn ports_of(service: &Service) -> Vec<i32> {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_ref());
    ports.into_iter().flatten().map(|port| port.port).collect()
}

fn is_named(service: &Service, namespace: &str, name: &str) -> bool {
    service.metadata.namespace.as_deref() == Some(namespace)
        && service.metadata.name.as_deref() == Some(name)
}

fn name_of(service: &Service) -> String {
    format!(
        "{}/{}",
        service.metadata.namespace.as_deref().unwrap_or_default(),
        service.metadata.name.as_deref().unwrap_or_default()
    )
}
