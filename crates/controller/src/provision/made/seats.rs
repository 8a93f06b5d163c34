//! Which Service is for which of the addresses that a Gateway asks for.
//!
//! A Service keeps its address for life: clouds do not move one. So an address that is asked for goes to the Service
//! that has it, or asked for it, already; another address is another Service, and the Service of an
//! address that is not asked for any more goes.

use std::net::IpAddr;

use daemun_translate::exposure::{Exposure, Fate, ServiceKind};
use daemun_translate::infrastructure::{Infrastructure, Wanted};

use super::health_port;
use super::service::type_of;
use super::{Seen, names};

/// A Service, and the address that it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Seat {
    pub(in super::super) name: String,
    /// None leaves the choice to who gives addresses.
    pub(in super::super) address: Option<IpAddr>,
    /// What the Gateway asks for there.
    pub(in super::super) wanted: Wanted,
    /// The port at which Kubernetes tells whether a node has a proxy, where it has to be chosen.
    pub(in super::super) health_port: u16,
}

/// The Services for all addresses that are asked for, in that order.
pub(in super::super) fn seats(wanted: &Infrastructure, services: &[&Seen]) -> Vec<Seat> {
    let infrastructure = wanted;
    let exposure = &wanted.exposure;
    let kind = exposure.kind;
    if kind == ServiceKind::Unmanaged {
        return Vec::new();
    }
    // It cannot change while the Service is there.
    let health_port = |name: &str| {
        let seen = services.iter().find(|seen| seen.name() == name);
        let there = seen.map(|seen| seen.number("/spec/healthCheckNodePort"));
        let there = there.and_then(|there| u16::try_from(there).ok());
        let there = there.filter(|there| *there != 0);
        there.unwrap_or_else(|| health_port::first(&wanted.gateway, name))
    };
    // What is to go takes no seat, and its name is not free before it is gone.
    let leaves = |seen: &Seen| {
        let fate = wanted.fates.get(seen.name());
        seen.is_going() || matches!(fate, Some(Fate::Migrating | Fate::Goes | Fate::GoesFirst))
    };
    let mut free: Vec<&&Seen> = services.iter().filter(|seen| !leaves(seen)).collect();
    // A copy of a Service is younger than what it was copied from, whatever its name.
    let base = names::base(&wanted.gateway.name, &wanted.class);
    free.sort_by_key(|seen| {
        (
            seen.text("/metadata/creationTimestamp"),
            seen.name() != base,
        )
    });
    let asked = if wanted.addresses.is_empty() {
        &[Wanted::Any][..]
    } else {
        &wanted.addresses[..]
    };
    let mut seats: Vec<Option<Seat>> = vec![None; asked.len()];
    let mut take = |fits: &dyn Fn(&Seen) -> bool| -> Option<String> {
        let position = free.iter().position(|seen| fits(seen))?;
        Some(free.remove(position).name().to_owned())
    };
    // Who has an address keeps it, before anybody who takes any gets a Service.
    for (seat, wanted) in seats.iter_mut().zip(asked) {
        if let Wanted::Ip(address) = wanted {
            let name =
                take(&|seen| is_of(seen, kind) && asked_of(seen, exposure) == Some(*address))
                    .or_else(|| {
                        take(&|seen| is_of(seen, kind) && has(seen, infrastructure, *address))
                    });
            *seat = name.map(|name| Seat {
                health_port: health_port(&name),
                name,
                address: Some(*address),
                wanted: *wanted,
            });
        }
    }
    for (seat, any) in seats.iter_mut().zip(asked) {
        if *any == Wanted::Any {
            // What is held does not give way to what goes.
            let held = |seen: &Seen| matches!(wanted.fates.get(seen.name()), Some(Fate::Held(_)));
            let name = take(&held)
                .or_else(|| take(&|seen| is_of(seen, kind)))
                .or_else(|| take(&|_| true));
            *seat = name.map(|name| Seat {
                health_port: health_port(&name),
                address: kept(&name, services, exposure),
                name,
                wanted: *any,
            });
        }
    }
    let mut taken: Vec<String> = services.iter().map(|seen| seen.name().to_owned()).collect();
    let made = seats.into_iter().zip(asked).map(|(seat, wanted)| {
        seat.unwrap_or_else(|| {
            let name = (1..)
                .map(|number| names::numbered(&base, number))
                .find(|name| !taken.contains(name))
                .unwrap_or_default();
            taken.push(name.clone());
            Seat {
                health_port: health_port(&name),
                name,
                address: match wanted {
                    Wanted::Ip(address) => Some(*address),
                    Wanted::Any => None,
                },
                wanted: *wanted,
            }
        })
    });
    made.collect()
}

/// The address that a load balancer's Service asked for stays asked for, also when any will do now.
fn kept(name: &str, services: &[&Seen], exposure: &Exposure) -> Option<IpAddr> {
    let seen = services.iter().find(|seen| seen.name() == name)?;
    match exposure.kind {
        ServiceKind::LoadBalancer if is_of(seen, exposure.kind) => asked_of(seen, exposure),
        ServiceKind::LoadBalancer
        | ServiceKind::ClusterIp
        | ServiceKind::NodePort
        | ServiceKind::HostPorts
        | ServiceKind::Unmanaged => None,
    }
}

fn is_of(seen: &Seen, kind: ServiceKind) -> bool {
    seen.text("/spec/type") == type_of(kind)
}

/// The address that a Service asks for.
fn asked_of(seen: &Seen, exposure: &Exposure) -> Option<IpAddr> {
    let text = match exposure.kind {
        ServiceKind::LoadBalancer => {
            let annotation = |key: &str| Some(seen.annotation(key));
            return exposure.asked_of(annotation, seen.text("/spec/loadBalancerIP"));
        }
        ServiceKind::ClusterIp => seen.text("/spec/clusterIP"),
        ServiceKind::NodePort | ServiceKind::HostPorts | ServiceKind::Unmanaged => "",
    };
    text.parse().ok()
}

/// Whether a Service that asked for none was given this one.
fn has(seen: &Seen, wanted: &Infrastructure, address: IpAddr) -> bool {
    let exposure = &wanted.exposure;
    match exposure.kind {
        ServiceKind::LoadBalancer => {
            asked_of(seen, exposure).is_none()
                && seen
                    .given()
                    .iter()
                    .any(|given| wanted.is_at(given, address))
        }
        ServiceKind::ClusterIp => seen.cluster_ips().contains(&address),
        ServiceKind::NodePort | ServiceKind::HostPorts | ServiceKind::Unmanaged => false,
    }
}
