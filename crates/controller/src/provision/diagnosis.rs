//! Why a Service has no address: what its events say, or who is likely to be missing.

use std::time::Duration;

use daemun_base::clock;
use daemun_model::shown;
use k8s_openapi::api::core::v1::{Event, Pod, Service};
use kube::api::ListParams;
use kube::{Api, Client};
use tokio::sync::OnceCell;

use super::pods::sentence;
use super::ports::{self, K3S};

/// So long an address may take before anybody is told of a reason that is only likely.
const PATIENCE: Duration = Duration::from_secs(30);

/// By how many seconds others' clocks may be ahead.
const CLOCKS_DIFFER: i64 = 60;

/// When to look, by how often it was done: soon, then when patience ends, then now and then.
pub(super) fn next_look(times: u32) -> Duration {
    match times {
        0 => Duration::from_secs(2),
        1 => Duration::from_secs(6),
        2 => PATIENCE,
        times => PATIENCE + Duration::from_secs(60) * (times - 2),
    }
}

/// The cluster's Services of type LoadBalancer, listed when they are first looked at.
#[derive(Default)]
pub(super) struct Others(OnceCell<Option<Vec<Service>>>);

/// Says why a Service that has waited for so long has no address; none while it is too early to say. What may not be
/// asked is left out.
pub(super) async fn look(
    client: &Client,
    others: &Others,
    (namespace, name, uid): (&str, &str, &str),
    waited: Duration,
) -> Option<String> {
    let mut found = Found {
        event: last_event(client, (namespace, name, uid)).await,
        ..Found::default()
    };
    let told = found.event.as_ref().is_some_and(|event| event.is_warning);
    if !told && waited >= PATIENCE {
        let services = others.0.get_or_init(|| load_balancers(client)).await;
        found.is_sure = services.is_some();
        let services = services.as_deref().unwrap_or_default();
        let own = services
            .iter()
            .find(|service| is_named(service, namespace, name));
        found.port_taken = match own {
            Some(own) => port_taken(client, own, services).await,
            None => None,
        };
        found.class = own
            .and_then(|own| own.spec.as_ref())
            .and_then(|spec| spec.load_balancer_class.clone());
        found.given = own.is_some_and(is_given);
        found.going = own.is_some_and(|own| own.metadata.deletion_timestamp.is_some());
        found.other = services
            .iter()
            .find(|service| is_given(service))
            .map(name_of);
    }
    in_words(&found, waited)
}

/// What was found out.
#[derive(Debug, Default)]
struct Found {
    /// What the cluster said last about the Service.
    event: Option<LastEvent>,
    /// Which port of the nodes is taken, and by whom.
    port_taken: Option<String>,
    /// The class that the Service asks for.
    class: Option<String>,
    /// Another Service that has an address.
    other: Option<String>,
    /// Whether it was deleted, and does not go.
    going: bool,
    /// Whether it has an address, if not the one that was asked for.
    given: bool,
    /// Whether the other Services could be seen.
    is_sure: bool,
}

#[derive(Debug)]
struct LastEvent {
    is_warning: bool,
    says: String,
}

fn in_words(found: &Found, waited: Duration) -> Option<String> {
    let Found {
        event,
        port_taken,
        class,
        other,
        going,
        given,
        is_sure,
    } = found;
    if let Some(warning) = event.as_ref().filter(|event| event.is_warning) {
        return Some(format!("The cluster says: {}", warning.says));
    }
    if waited < PATIENCE {
        return None;
    }
    if *going {
        let last = event.as_ref().map(|event| event.says.as_str());
        let last = last.unwrap_or("nothing was said about it");
        return Some(format!(
            "It is still there after more than {} s, because its load balancer is not gone yet; the last thing the cluster said is: {last}",
            PATIENCE.as_secs()
        ));
    }
    if *given {
        // Who gives addresses is there, and has nothing to say.
        return None;
    }
    if port_taken.is_some() {
        return port_taken.clone();
    }
    let long = format!("It has waited for longer than {} s", PATIENCE.as_secs());
    Some(match (event, class, other) {
        (Some(event), ..) => format!("{long}; the last thing the cluster said is: {}", event.says),
        (None, Some(class), _) => format!(
            "{long}, and no event says why. It asks for the load balancer class {class} (exposure.loadBalancerClass of GatewayParameters), and nobody here seems to answer to that."
        ),
        (None, None, Some(other)) => format!(
            "{long}, and no event says why. Others have one ({other}), so somebody here gives addresses: there may be none left. The log of who gives them says more."
        ),
        (None, None, None) => format!(
            "{long}, {}: nobody in this cluster answers Services of type LoadBalancer. In a cloud that is the cloud controller manager; elsewhere install MetalLB or kube-vip (kind: cloud-provider-kind; minikube: minikube tunnel), or set exposure.reach: Cluster in GatewayParameters.",
            if *is_sure {
                "no event says why, and no other Service has one"
            } else {
                "and no event says why. The likely reason"
            }
        ),
    })
}

async fn last_event(
    client: &Client,
    (namespace, name, uid): (&str, &str, &str),
) -> Option<LastEvent> {
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    let of = format!("involvedObject.kind=Service,involvedObject.name={name}");
    let list = api.list(&ListParams::default().fields(&of)).await.ok()?;
    let last = newest(list.items, uid, clock::unix_seconds())?;
    let reason = last.reason.as_deref().unwrap_or("(no reason)");
    let message = sentence(last.message.as_deref().unwrap_or_default());
    let source = last.source.and_then(|source| source.component);
    let source = source.or(last.reporting_component);
    let source = source.filter(|source| !source.is_empty());
    let source = source.unwrap_or_else(|| "by nobody who gives a name".to_owned());
    Some(LastEvent {
        is_warning: last.type_.as_deref() == Some("Warning"),
        // Whoever may write Events says this, so it is told as somebody's words.
        says: format!("\"{reason}: {message}\" ({source})"),
    })
}

/// The newest Event about the Service itself. One about an earlier Service of the name, or from the future, is not.
fn newest(events: Vec<Event>, uid: &str, now: i64) -> Option<Event> {
    let latest = shown::moment(now + CLOCKS_DIFFER);
    let counts = |event: &Event| {
        event.involved_object.uid.as_deref() == Some(uid)
            && time(event).is_none_or(|time| time <= latest)
    };
    events.into_iter().filter(counts).max_by_key(time)
}

fn time(event: &Event) -> Option<String> {
    let json = serde_json::to_value(event).ok()?;
    let text = |field: &str| json.get(field)?.as_str().map(str::to_owned);
    text("lastTimestamp").or_else(|| text("eventTime"))
}

/// K3s answers with a pod on each node that takes the port of the host; another Service may have it.
async fn port_taken(client: &Client, own: &Service, services: &[Service]) -> Option<String> {
    let api: Api<Pod> = Api::all(client.clone());
    let (namespace, name) = (
        own.metadata.namespace.as_deref()?,
        own.metadata.name.as_deref()?,
    );
    let of = format!("{}={name},{}={namespace}", K3S.0, K3S.1);
    let pods = api.list(&ListParams::default().labels(&of)).await.ok()?;
    let stuck = pods.items.iter().find(|pod| {
        let conditions = pod.status.as_ref().and_then(|it| it.conditions.as_ref());
        conditions.into_iter().flatten().any(|condition| {
            condition.type_ == "PodScheduled"
                && condition.status == "False"
                && condition.message.as_deref().is_some_and(ports::is_about)
        })
    })?;
    if let Some(held) = ports::holder(client, stuck).await {
        return Some(format!(
            "A port of the nodes that it needs is taken: Pod {} of K3s finds no node with it free. {held}",
            stuck.metadata.name.as_deref().unwrap_or_default()
        ));
    }
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
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    Some(format!(
        "A port of the nodes that it needs ({}) is taken by {by}: Pod {} of K3s finds no node with it free. Use another port, or delete the other one (K3s brings Traefik: --disable traefik).",
        ports.join(", "),
        stuck.metadata.name.as_deref().unwrap_or_default()
    ))
}

/// The Services of type LoadBalancer; none if they may not be listed.
async fn load_balancers(client: &Client) -> Option<Vec<Service>> {
    let api: Api<Service> = Api::all(client.clone());
    let all = api.list(&ListParams::default()).await.ok()?;
    let of_type = |service: &Service| {
        let spec = service.spec.as_ref();
        spec.and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer")
    };
    Some(all.items.into_iter().filter(of_type).collect())
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Found, LastEvent, in_words};

    fn event(is_warning: bool, says: &str) -> Option<LastEvent> {
        let says = says.to_owned();
        Some(LastEvent { is_warning, says })
    }

    #[test]
    fn a_warning_is_told_at_once_and_what_is_only_likely_when_patience_ends() {
        let nothing = Found::default;
        let cases = [
            (nothing(), 5, None),
            (
                Found {
                    event: event(true, "SyncLoadBalancerFailed: quota exceeded."),
                    ..nothing()
                },
                2,
                Some("The cluster says: SyncLoadBalancerFailed: quota exceeded."),
            ),
            (
                Found {
                    event: event(false, "EnsuringLoadBalancer: Ensuring load balancer."),
                    ..nothing()
                },
                2,
                None,
            ),
            (
                Found {
                    event: event(false, "EnsuringLoadBalancer: Ensuring load balancer."),
                    ..nothing()
                },
                30,
                Some(
                    "It has waited for longer than 30 s; the last thing the cluster said is: EnsuringLoadBalancer: Ensuring load balancer.",
                ),
            ),
            (
                // It has an address, and was to have another one.
                Found {
                    event: event(false, "EnsuredLoadBalancer: Ensured load balancer."),
                    given: true,
                    ..nothing()
                },
                31,
                None,
            ),
            (
                Found {
                    event: event(true, "LoadBalancerForcedInternal: no floating network."),
                    given: true,
                    ..nothing()
                },
                31,
                Some("The cluster says: LoadBalancerForcedInternal: no floating network."),
            ),
            (
                Found {
                    event: event(
                        true,
                        "DeleteLoadBalancerFailed: it has deletion protection.",
                    ),
                    going: true,
                    ..nothing()
                },
                2,
                Some("The cluster says: DeleteLoadBalancerFailed: it has deletion protection."),
            ),
            (
                Found {
                    event: event(false, "DeletingLoadBalancer: Deleting load balancer."),
                    going: true,
                    ..nothing()
                },
                31,
                Some(
                    "It is still there after more than 30 s, because its load balancer is not gone yet; the last thing the cluster said is: DeletingLoadBalancer: Deleting load balancer.",
                ),
            ),
            (
                Found {
                    port_taken: Some("A port is taken.".to_owned()),
                    other: Some("a/b".to_owned()),
                    ..nothing()
                },
                30,
                Some("A port is taken."),
            ),
        ];
        for (found, seconds, expected) in cases {
            let said = in_words(&found, Duration::from_secs(seconds));
            assert_eq!(said.as_deref(), expected, "{found:?}");
        }
    }

    #[test]
    fn who_is_likely_to_be_missing_is_named() {
        let said = |class: Option<&str>, other: Option<&str>| {
            let found = Found {
                class: class.map(str::to_owned),
                other: other.map(str::to_owned),
                ..Found::default()
            };
            in_words(&found, Duration::from_secs(31)).unwrap()
        };
        assert!(said(None, None).contains("likely reason: nobody in this cluster answers"));
        assert!(said(None, Some("shop/web")).contains("Others have one (shop/web)"));
        assert!(said(Some("example.com/lb"), None).contains("class example.com/lb"));
    }

    #[test]
    fn an_event_from_the_future_or_about_another_service_says_nothing() {
        let event = |uid: &str, time: &str, reason: &str| -> k8s_openapi::api::core::v1::Event {
            serde_json::from_value(serde_json::json!({
                "metadata": {"name": reason, "namespace": "infra"},
                "involvedObject": {"kind": "Service", "name": "shop-daemun", "uid": uid},
                "lastTimestamp": time, "reason": reason,
            }))
            .unwrap()
        };
        let events = vec![
            event("1", "2026-01-02T00:00:00Z", "Real"),
            event("1", "2026-01-01T00:00:00Z", "Old"),
            event("1", "9999-01-01T00:00:00Z", "Future"),
            event("0", "2026-01-02T00:00:01Z", "Earlier"),
        ];
        let now = daemun_objects::seconds_since_epoch("2026-01-02T00:00:30Z").unwrap();
        let newest = super::newest(events, "1", now).and_then(|event| event.reason);
        assert_eq!(newest.as_deref(), Some("Real"));
        assert!(super::newest(Vec::new(), "1", now).is_none());
    }
}
