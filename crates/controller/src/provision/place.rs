//! What became of what was made, for a Gateway's status.

use std::collections::BTreeSet;
use std::net::IpAddr;

use daemun_translate::exposure::{Fate, REACH_VERIFIED, ServiceKind, silence};
use daemun_translate::infrastructure::{Infrastructure, Wanted};

use super::apply::Failure;
use super::kinds::Kind;
use super::made::{Seat, seats};
use super::plan;
use super::pods;
use super::seen::Seen;
use super::store::Around;
use super::waiter::{Waiter, Waiting};
use super::{Address, Place};

/// What there is around a Gateway.
pub(super) fn place(
    wanted: &Infrastructure,
    around: &Around,
    waiting: &Waiting,
    failed: Option<&Failure>,
) -> Place {
    let mut place = Place {
        ready: ready(around),
        pods: pods::trouble(wanted, around, waiting),
        silence: silence::in_words(&wanted.exposure, &wanted.ports),
        ..Place::default()
    };
    let services = services(around);
    for seat in seats(wanted, &services) {
        let seen = services.iter().find(|seen| seen.name() == seat.name);
        match addresses(wanted, &seat, (seen.copied(), around), waiting) {
            Ok(addresses) => place.addresses.extend(addresses),
            Err(trouble) => place.trouble = place.trouble.or(Some(trouble)),
        }
    }
    if is_at_nodes(wanted)
        && let (Some((_, trouble)), Some(pods)) = (&mut place.trouble, &place.pods)
    {
        // It waits for pods, and for nothing else.
        *trouble = format!("{trouble} {pods}");
    }
    place.trouble = place.trouble.or_else(|| held_back(wanted));
    let mut leaving = services
        .iter()
        .filter(|seen| matches!(wanted.fates.get(seen.name()), Some(Fate::Migrating)));
    if place.addresses.is_empty()
        && let Some(old) = leaving.find(|seen| !seen.given().is_empty())
    {
        // It serves until the new one does.
        place.addresses = old.given().into_iter().map(address).collect();
        place.trouble = None;
    }
    let stuck = going(&services).find_map(|seen| Some((seen, says(waiting, seen.name())?)));
    if let Some((seen, why)) = stuck {
        let (namespace, name) = (&wanted.gateway.namespace, seen.name());
        let said = place.pods.take().map(|pods| pods + " ").unwrap_or_default();
        place.pods = Some(format!(
            "{said}Service {namespace}/{name} was deleted. {why}"
        ));
    }
    let mut short = private_only(wanted, &services);
    let short = short.find_map(|seen| Some((seen, says(waiting, seen.name())?)));
    if let Some((seen, why)) = short {
        let (namespace, name) = (&wanted.gateway.namespace, seen.name());
        let said = place.pods.take().map(|pods| pods + " ").unwrap_or_default();
        place.pods = Some(format!(
            "{said}Service {namespace}/{name} has no public address. {why}"
        ));
    }
    place
        .addresses
        .extend(wanted.brought.iter().map(|text| address(text)));
    if let Some(Failure { reason, why }) = failed {
        let lacks = |fits: fn(Kind) -> bool| !around.keys().any(|(kind, _)| fits(*kind));
        let needs_service = wanted.exposure.kind != ServiceKind::Unmanaged;
        if lacks(Kind::is_workload) || needs_service && lacks(|kind| kind == Kind::Service) {
            place.trouble = Some((reason, why.clone()));
        } else {
            // What was made before serves.
            place.pods = Some(why.clone());
        }
    }
    place
}

/// What is not made, because it would take an address away.
fn held_back(wanted: &Infrastructure) -> Option<(&'static str, String)> {
    let namespace = &wanted.gateway.namespace;
    wanted.fates.iter().find_map(|(name, fate)| match fate {
        Fate::Held(held) if !held.instead.is_empty() => {
            let instead: Vec<String> = held.instead.iter().map(ToString::to_string).collect();
            Some((
                "AddressNotAssigned",
                format!(
                    "{} was asked for, and Service {namespace}/{name} keeps the address that it has until that is allowed; the condition {REACH_VERIFIED} says how.",
                    instead.join(" and ")
                ),
            ))
        }
        Fate::Held(_) | Fate::Lacks(_) | Fate::Migrating | Fate::Goes | Fate::GoesFirst => None,
    })
}

/// The Services around a Gateway.
pub(super) fn services(around: &Around) -> Vec<&Seen> {
    around
        .iter()
        .filter(|((kind, _), _)| *kind == Kind::Service)
        .map(|(_, seen)| seen)
        .collect()
}

/// What is known about a Service that waits.
fn says<'a>(waiting: &'a Waiting, service: &str) -> Option<&'a String> {
    waiting.get(&Waiter::Service(service.to_owned()))
}

/// Services that wait for an address, for a public one, or to be gone; and where nodes are the way in, the first pod that waits for a port
/// of one.
pub(super) fn waiting(wanted: &Infrastructure, around: &Around) -> Vec<Waiter> {
    if is_at_nodes(wanted) {
        let pod = pods::without_port(around);
        return pod
            .map(|pod| Waiter::Pod(pod.name().to_owned()))
            .into_iter()
            .collect();
    }
    let services = services(around);
    seats(wanted, &services)
        .into_iter()
        .filter(|seat| {
            let seen = services.iter().find(|seen| seen.name() == seat.name);
            seen.is_some_and(|seen| given(wanted, seat, (seen, around)).is_err())
        })
        .map(|seat| seat.name)
        .chain(going(&services).map(|seen| seen.name().to_owned()))
        .chain(private_only(wanted, &services).map(|seen| seen.name().to_owned()))
        .map(Waiter::Service)
        .collect()
}

/// Whether the Gateway is reached by the nodes that run its proxies.
fn is_at_nodes(wanted: &Infrastructure) -> bool {
    matches!(
        wanted.exposure.kind,
        ServiceKind::NodePort | ServiceKind::HostPorts
    )
}

/// Services that were deleted and are still there.
fn going<'a>(services: &'a [&Seen]) -> impl Iterator<Item = &'a Seen> {
    services.iter().copied().filter(|seen| seen.is_going())
}

/// Services that have a private address, and were to have a public one; of one whose place another one takes, or that
/// stays as it is, something else is said.
fn private_only<'a>(
    wanted: &'a Infrastructure,
    services: &'a [&Seen],
) -> impl Iterator<Item = &'a Seen> {
    let services = services.iter().copied().filter(|_| wanted.lacks_public);
    services.filter(|seen| !seen.is_going() && !wanted.fates.contains_key(seen.name()))
}

/// The addresses of one Service, or what is said of it.
fn addresses(
    wanted: &Infrastructure,
    seat: &Seat,
    (seen, around): (Option<&Seen>, &Around),
    waiting: &Waiting,
) -> Result<Vec<Address>, (&'static str, String)> {
    let namespace = &wanted.gateway.namespace;
    let service = format!("Service {namespace}/{}", seat.name);
    let Some(seen) = seen else {
        return Err((
            "AddressNotAssigned",
            format!("{service}, through which the Gateway gets its address, is not there yet."),
        ));
    };
    let others = match given(wanted, seat, (seen, around)) {
        Ok(addresses) => return Ok(addresses),
        Err(others) => others,
    };
    if is_at_nodes(wanted) {
        return Err((
            "AddressNotAssigned",
            "The Gateway is reached by the nodes that run a proxy of it, and none is ready yet."
                .to_owned(),
        ));
    }
    let why = says(waiting, &seat.name);
    match seat.wanted {
        Wanted::Ip(address) if !others.is_empty() => Err((
            "AddressNotUsable",
            format!(
                "{address} was asked for (spec.addresses), and {service} was given {} instead. Ask for an address that is free and belongs to the load balancer's pool, or for none.",
                others.join(", ")
            ),
        )),
        Wanted::Ip(address) => match why {
            Some(why) => Err((
                "AddressNotUsable",
                format!(
                    "{service} has not been given {address}, which was asked for (spec.addresses). {why}"
                ),
            )),
            None => Err((
                "AddressNotAssigned",
                format!("{service} asks for {address} and has not been given it yet."),
            )),
        },
        Wanted::Any => {
            let why = why.map(|why| format!(" {why}")).unwrap_or_default();
            Err((
                "AddressNotAssigned",
                format!("{service} has no address yet.{why}"),
            ))
        }
    }
}

/// The addresses of a Service that count, or, if there is none, those that do not.
fn given(
    wanted: &Infrastructure,
    seat: &Seat,
    (seen, around): (&Seen, &Around),
) -> Result<Vec<Address>, Vec<String>> {
    let given: Vec<Address> = match wanted.exposure.kind {
        ServiceKind::LoadBalancer => {
            let given = seen.given().into_iter();
            given
                .filter(|text| may_be_used(wanted, text))
                .map(address)
                .collect()
        }
        ServiceKind::ClusterIp => seen.cluster_ips().into_iter().map(Address::Ip).collect(),
        ServiceKind::NodePort | ServiceKind::HostPorts => {
            nodes(around).into_iter().map(Address::Ip).collect()
        }
        ServiceKind::Unmanaged => Vec::new(),
    };
    let counts: Vec<Address> = match seat.wanted {
        Wanted::Any => given.clone(),
        Wanted::Ip(address) => {
            // A load balancer that shows a name may have it all the same, and it is the address that was asked for.
            let mut given = given.iter();
            let same = given.any(|given| wanted.is_at(&given.to_string(), address));
            same.then_some(Address::Ip(address)).into_iter().collect()
        }
    };
    if counts.is_empty() {
        return Err(given.iter().map(Address::to_string).collect());
    }
    Ok(counts)
}

fn may_be_used(wanted: &Infrastructure, text: &str) -> bool {
    let looked_at = wanted.looked_at.as_ref();
    looked_at.is_none_or(|looked_at| looked_at.contains(text))
}

/// The addresses of the nodes that run a ready proxy. A pod that goes is not counted on any more.
fn nodes(around: &Around) -> BTreeSet<IpAddr> {
    let pods = around.iter().filter(|((kind, _), _)| *kind == Kind::Pod);
    let ready = pods
        .map(|(_, pod)| pod)
        .filter(|pod| !pod.is_going() && is_ready(pod));
    ready
        .filter_map(|pod| pod.text("/status/hostIP").parse().ok())
        .collect()
}

fn is_ready(pod: &Seen) -> bool {
    pod.list("/status/conditions").iter().any(|condition| {
        let has = |field: &str, value: &str| condition.get(field).is_some_and(|it| it == value);
        has("type", "Ready") && has("status", "True")
    })
}

fn address(text: &str) -> Address {
    text.parse::<IpAddr>()
        .map_or_else(|_| Address::Name(text.to_owned()), Address::Ip)
}

/// Pods that are ready, and how many are wanted, over all workloads there are.
fn ready(around: &Around) -> (u32, u32) {
    let number = |number: i64| u32::try_from(number).unwrap_or_default();
    around
        .iter()
        .filter(|((kind, _), _)| kind.is_workload())
        .map(|(_, seen)| plan::readiness(seen))
        .fold((0, 0), |(ready, all), (more, of)| {
            (ready + number(more), all + number(of))
        })
}
