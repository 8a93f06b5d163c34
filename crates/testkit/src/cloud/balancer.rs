//! One Service and its load balancer, as the service controller that all clouds share goes about it.
//!
//! Every change of a Service leads here, and every look compares what is there with what should be: the
//! finalizer first, so that nothing is made that would be forgotten; then the load balancer, after the time
//! that it takes; then what is written back, the status, and the events.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::clock;
use k8s_openapi::api::core::v1::{LoadBalancerIngress, Node, Service, ServiceSpec};
use kube::api::{ListParams, Patch, PatchParams};
use kube::runtime::controller::Action;
use kube::runtime::events::{Event, EventType};
use kube::{Api, Resource as _, ResourceExt as _};
use serde_json::{Value, json};

use super::carrier::Wanted;
use super::make::Made;
use super::provider::{Seen, Shows};
use super::trouble::{self, Expect, Trouble};
use super::{Cloud, ledger, make, told, uid};

/// How long until a failure is tried again. Clouds wait longer each time, up to five minutes; tests do not.
const AGAIN: Duration = Duration::from_secs(2);

/// What a Service said, and what it was answered. As with the clouds' own, a status that somebody else changes is no
/// reason to look again.
#[derive(Clone, PartialEq)]
pub(super) struct Settled {
    spec: Option<ServiceSpec>,
    annotations: BTreeMap<String, String>,
    ingress: Vec<LoadBalancerIngress>,
}

/// Brings one Service's load balancer to what the Service says.
pub(super) async fn reconcile(
    service: Arc<Service>,
    cloud: Arc<Cloud>,
) -> Result<Action, kube::Error> {
    if !told::is_ours(&service) {
        return Ok(Action::await_change());
    }
    let expect = trouble::expect(&cloud.client, &service, (cloud.delay, cloud.played)).await?;
    if !told::wants_balancer(&service, expect.cloud.classes) {
        if told::has_finalizer(&service) {
            return delete(&service, &cloud, expect).await;
        }
        return Ok(Action::await_change());
    }
    if !told::has_finalizer(&service) {
        let finalizers: Vec<&str> = service
            .finalizers()
            .iter()
            .map(String::as_str)
            .chain([told::FINALIZER])
            .collect();
        let resource_version = &service.metadata.resource_version;
        let patch =
            json!({"metadata": {"finalizers": finalizers, "resourceVersion": resource_version}});
        change(&service, &cloud, patch).await?;
        note(
            &service,
            &cloud,
            "EnsuringLoadBalancer",
            "Ensuring load balancer",
        )
        .await?;
        return Ok(Action::await_change());
    }
    if let Some(wait) = still_being_made(&service, &cloud, expect) {
        return Ok(Action::requeue(wait));
    }
    let (owner, seen) = (uid(&service), Seen::of(&service, expect.public_pool));
    let (had, made) = cloud.addresses(|addresses| {
        let had = addresses.of(&owner).cloned();
        (had, make::ensure(addresses, &owner, &seen, expect))
    });
    match made {
        Ok(made) => {
            if let Some(change) = ledger::changed(had.as_ref(), &made.given) {
                tracing::info!("{}: {change}.", told::name(&service));
            }
            show(&service, &cloud, &made, expect).await
        }
        Err(why) => {
            tracing::info!("{}: {why}.", told::name(&service));
            let why = format!("Error syncing load balancer: failed to ensure load balancer: {why}");
            warn(&service, &cloud, "SyncLoadBalancerFailed", &why).await?;
            Ok(Action::requeue(AGAIN))
        }
    }
}

/// How long to wait until the load balancer is there; nothing, if it is.
fn still_being_made(service: &Service, cloud: &Cloud, expect: Expect) -> Option<Duration> {
    cloud.addresses(|addresses| {
        if addresses.of(&uid(service)).is_some() {
            return None;
        }
        if expect.trouble == Some(Trouble::Stuck) {
            return Some(AGAIN);
        }
        let since = addresses.asked(&uid(service), clock::now());
        let left = expect.delay.saturating_sub(clock::now() - since);
        (!left.is_zero()).then_some(left)
    })
}

/// Writes back what was made, where the Service does not say it yet.
async fn show(
    service: &Service,
    cloud: &Cloud,
    made: &Made,
    expect: Expect,
) -> Result<Action, kube::Error> {
    let owner = uid(service);
    let annotations: BTreeMap<_, _> = make::written(expect.cloud, &owner, &made.given)
        .into_iter()
        .collect();
    let written = |(key, value): (&&str, &String)| service.annotations().get(*key) == Some(value);
    if !annotations.iter().all(written) {
        let patch = json!({"metadata": {"annotations": annotations}});
        change(service, cloud, patch).await?;
    }
    let ingress = make::shown(expect.cloud, made, expect.shut);
    let settled = Settled {
        spec: service.spec.clone(),
        annotations: service.annotations().clone(),
        ingress: ingress.clone(),
    };
    if cloud.settled(|all| all.get(&owner) == Some(&settled)) {
        return Ok(Action::await_change());
    }
    carry(service, cloud, made, expect).await?;
    if made.forced {
        let why = "No floating network is known, so the load balancer is an internal one";
        warn(service, cloud, "LoadBalancerForcedInternal", why).await?;
    }
    if told::ingress(service) != ingress {
        let status = json!({"status": {"loadBalancer": {"ingress": ingress}}});
        change_status(service, cloud, status).await?;
        note(
            service,
            cloud,
            "EnsuredLoadBalancer",
            "Ensured load balancer",
        )
        .await?;
    }
    cloud.settled(|all| all.insert(owner, settled));
    Ok(Action::await_change())
}

/// Carries the traffic of a load balancer that is a proxy.
async fn carry(
    service: &Service,
    cloud: &Cloud,
    made: &Made,
    expect: Expect,
) -> Result<(), kube::Error> {
    let Some(carrier) = &cloud.carrier else {
        return Ok(());
    };
    let from_inside = made.as_proxy || expect.cloud.shows == Shows::Hostname;
    let node = match from_inside || made.header.is_some() {
        true => node(cloud).await?,
        false => None,
    };
    let wanted = node.map(|node| Wanted {
        address: made.given.shown(),
        node,
        ports: told::ways(service)
            .map(|(port, behind)| (port, behind.filter(|_| !expect.shut)))
            .collect(),
        header: made.header,
        from_inside,
    });
    carrier.carry(&uid(service), wanted).await;
    Ok(())
}

/// A node, by the address that others have for it.
async fn node(cloud: &Cloud) -> Result<Option<IpAddr>, kube::Error> {
    let nodes = Api::<Node>::all(cloud.client.clone());
    let nodes = nodes.list(&ListParams::default()).await?;
    let mut addresses = nodes.items.into_iter().flat_map(|node| {
        let addresses = node.status.and_then(|status| status.addresses);
        addresses.unwrap_or_default()
    });
    Ok(addresses.find_map(|address| {
        let inside = address.type_ == "InternalIP";
        address.address.parse().ok().filter(|_| inside)
    }))
}

/// Takes the load balancer away; only then the Service may go.
async fn delete(service: &Service, cloud: &Cloud, expect: Expect) -> Result<Action, kube::Error> {
    note(
        service,
        cloud,
        "DeletingLoadBalancer",
        "Deleting load balancer",
    )
    .await?;
    let (owner, seen) = (uid(service), Seen::of(service, expect.public_pool));
    if expect.trouble == Some(Trouble::Undeletable) {
        let why = format!(
            "Error syncing load balancer: failed to delete load balancer: loadbalancer {owner} is in immutable status PENDING_UPDATE"
        );
        warn(service, cloud, "SyncLoadBalancerFailed", &why).await?;
        return Ok(Action::requeue(AGAIN));
    }
    if let Some(carrier) = &cloud.carrier {
        carrier.carry(&owner, None).await;
    }
    let had = cloud.addresses(|addresses| make::release(addresses, &owner, &seen, expect.cloud));
    if let Some((had, kept)) = had {
        let released = ledger::released(&had, kept);
        tracing::info!("{}: {released}.", told::name(service));
    }
    cloud.settled(|all| all.remove(&owner));
    if service.metadata.deletion_timestamp.is_none() {
        change_status(service, cloud, json!({"status": {"loadBalancer": null}})).await?;
    }
    let others: Vec<&String> = service
        .finalizers()
        .iter()
        .filter(|name| *name != told::FINALIZER)
        .collect();
    change(service, cloud, json!({"metadata": {"finalizers": others}})).await?;
    note(
        service,
        cloud,
        "DeletedLoadBalancer",
        "Deleted load balancer",
    )
    .await?;
    Ok(Action::await_change())
}

async fn change(service: &Service, cloud: &Cloud, patch: Value) -> Result<(), kube::Error> {
    let services = services(service, cloud);
    let (name, how) = (service.name_any(), PatchParams::default());
    if_there(services.patch(&name, &how, &Patch::Merge(patch)).await)
}

async fn change_status(service: &Service, cloud: &Cloud, patch: Value) -> Result<(), kube::Error> {
    let services = services(service, cloud);
    let (name, how) = (service.name_any(), PatchParams::default());
    if_there(
        services
            .patch_status(&name, &how, &Patch::Merge(patch))
            .await,
    )
}

fn services(service: &Service, cloud: &Cloud) -> Api<Service> {
    let namespace = service.namespace().unwrap_or_default();
    Api::namespaced(cloud.client.clone(), &namespace)
}

async fn note(
    service: &Service,
    cloud: &Cloud,
    reason: &str,
    note: &str,
) -> Result<(), kube::Error> {
    tell(service, cloud, EventType::Normal, (reason, note)).await
}

async fn warn(
    service: &Service,
    cloud: &Cloud,
    reason: &str,
    note: &str,
) -> Result<(), kube::Error> {
    tell(service, cloud, EventType::Warning, (reason, note)).await
}

/// Publishes an event.
async fn tell(
    service: &Service,
    cloud: &Cloud,
    type_: EventType,
    (reason, note): (&str, &str),
) -> Result<(), kube::Error> {
    let event = Event {
        type_,
        reason: reason.to_owned(),
        note: Some(note.to_owned()),
        action: reason.to_owned(),
        secondary: None,
    };
    match cloud
        .recorder
        .publish(&event, &service.object_ref(&()))
        .await
    {
        // Nothing can be said in a namespace that is going away.
        Err(kube::Error::Api(status)) if status.code == 403 || status.code == 404 => Ok(()),
        done => done,
    }
}

/// What is gone need not be changed.
fn if_there<T>(done: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match done {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error),
    }
}
