//! What became of the way in: the addresses that a Gateway's Services show, by their class, and whether they are what
//! was asked for. Where a private address was asked for, nothing is served until one is there, and nothing any more
//! as soon as a public one is.
//!
//! Only what Services show can be seen. An address that somebody attaches in a cloud's console is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_model::verdict::{Condition, FieldPath, Finding, Status};
use daemun_objects::Open;
use daemun_objects::core::service::{LoadBalancerIngress, Service, ServiceType};

use super::class::{AddressClass, class_of};
use super::judge::{Asked, Exposure, ServiceKind};
use crate::changes::Changed;
use crate::cluster::{Cluster, Settings};
use crate::infrastructure::OF_GATEWAY;
use crate::verdict::warning;

/// The condition of a Gateway that says whether it is reached by whom it may be reached.
pub const REACH_VERIFIED: &str = "gateway.daemun.dev/ReachVerified";
/// The reason of `Programmed` where an address may not be used.
pub const ADDRESS_NOT_USABLE: &str = "AddressNotUsable";

/// The Services in front of each Gateway.
#[derive(Debug, Default)]
pub(crate) struct Fronts(BTreeMap<ObjectName, BTreeMap<ObjectName, Arc<Service>>>);

impl Fronts {
    /// Takes in the Services that changed.
    pub(crate) fn take(&mut self, old: Option<&Cluster>, new: &Cluster, changed: &Changed) {
        match changed {
            Changed::All => {
                self.0.clear();
                for (name, service) in &new.services {
                    self.put(name, service);
                }
            }
            Changed::These(names) => {
                for name in names {
                    let before = old.and_then(|old| old.services.get(name));
                    if let Some(gateway) = before.and_then(|it| gateway_of(name, it))
                        && let Some(fronts) = self.0.get_mut(&gateway)
                    {
                        fronts.remove(name);
                    }
                    if let Some(service) = new.services.get(name) {
                        self.put(name, service);
                    }
                }
            }
        }
    }

    fn put(&mut self, name: &ObjectName, service: &Arc<Service>) {
        if let Some(gateway) = gateway_of(name, service) {
            let fronts = self.0.entry(gateway).or_default();
            fronts.insert(name.clone(), Arc::clone(service));
        }
    }

    fn of(&self, gateway: &ObjectName) -> impl Iterator<Item = (&ObjectName, &Arc<Service>)> {
        self.0.get(gateway).into_iter().flatten()
    }
}

/// The Gateway for which a Service was made.
fn gateway_of(name: &ObjectName, service: &Service) -> Option<ObjectName> {
    let gateway = service.metadata.annotations.get(OF_GATEWAY)?;
    Some(ObjectName::new(&name.namespace, gateway))
}

/// What is to be said and done about what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Observed {
    /// `ReachVerified`.
    pub(crate) condition: Condition,
    /// Why nothing is served, if nothing is.
    pub(crate) closed: Option<String>,
    /// Whether it is closed because the address is not what was asked for, and not because there is none yet.
    pub(crate) violated: bool,
}

impl Observed {
    /// What a person should notice.
    pub(crate) fn finding(&self) -> Option<Finding> {
        let why = self.closed.clone().filter(|_| self.violated)?;
        Some(warning(
            FieldPath::of("status.addresses"),
            "ReachViolated",
            why,
        ))
    }
}

/// Looks at the Services of a Gateway. Nothing is to be said where there is no load balancer.
pub(crate) fn observe(
    settings: &Settings,
    fronts: &Fronts,
    gateway: &ObjectName,
    exposure: &Exposure,
) -> Option<Observed> {
    if exposure.kind != ServiceKind::LoadBalancer {
        return None;
    }
    let shown: Vec<Shown<'_>> = fronts
        .of(gateway)
        .filter(|(_, service)| is_load_balancer(service))
        .flat_map(|(name, service)| {
            let ingress = service.status.load_balancer.ingress.iter();
            ingress.filter_map(move |ingress| Shown::read(settings, name, ingress))
        })
        .collect();
    Some(verdict(exposure, &shown))
}

fn is_load_balancer(service: &Service) -> bool {
    matches!(
        service.spec.r#type,
        Some(Open::Known(ServiceType::LoadBalancer))
    )
}

/// One address that a Service shows.
struct Shown<'a> {
    service: &'a ObjectName,
    address: &'a str,
    /// None for a name, which says nothing of itself.
    class: Option<AddressClass>,
}

impl<'a> Shown<'a> {
    fn read(
        settings: &Settings,
        service: &'a ObjectName,
        ingress: &'a LoadBalancerIngress,
    ) -> Option<Self> {
        let (private, public) = (&settings.private_ranges, &settings.public_ranges);
        if let Some(text) = ingress.ip.as_deref().filter(|text| !text.is_empty()) {
            let address: Option<IpAddr> = text.parse().ok();
            return Some(Self {
                service,
                address: text,
                class: address.map(|address| class_of(address, private, public)),
            });
        }
        let name = ingress.hostname.as_deref().filter(|it| !it.is_empty())?;
        Some(Self {
            service,
            address: name,
            class: None,
        })
    }

    fn sentence(&self) -> String {
        let kind = self.class.map_or("unknown", AddressClass::as_str);
        format!("Service {} shows {} ({kind})", self.service, self.address)
    }
}

const UNSEEN: &str =
    "An address that somebody attaches in the cloud's console is not visible here.";

fn verdict(exposure: &Exposure, shown: &[Shown<'_>]) -> Observed {
    let seen: Vec<String> = shown.iter().map(Shown::sentence).collect();
    let seen = seen.join("; ");
    let provider = exposure.provider;
    let classes: BTreeSet<AddressClass> = shown.iter().filter_map(|it| it.class).collect();
    let unresolved = shown.iter().any(|it| it.class.is_none());
    let public = classes.iter().any(|class| class.is_public());
    let mut classes = classes.into_iter();
    let reason = match (classes.next(), classes.next()) {
        _ if shown.is_empty() => "Pending",
        (None, _) => "Unresolved",
        (Some(class), None) if !unresolved => class.as_str(),
        (Some(_), _) => "Mixed",
    };
    let private = exposure.reach == Some(Asked::Private);
    let (status, message, closed) = match exposure.reach {
        Some(Asked::Private) if public => {
            let why = format!(
                "A private address was asked for, and {seen}; provider {provider}. Nothing is served, so that nobody reaches from the internet what is meant for the inside. If the address is right, write exposure.reach: Public; if the network uses that range inside, name it in --private-ranges of the controller; else take the address away from the Service."
            );
            (Status::False, why.clone(), Some(why))
        }
        Some(_) | None if shown.is_empty() => {
            let message =
                format!("No Service of the Gateway shows an address yet; provider {provider}.");
            let closed = format!(
                "{message} A private address was asked for, and nothing is served before it is there."
            );
            (Status::Unknown, message, private.then_some(closed))
        }
        Some(Asked::Private) if unresolved => {
            let why = format!(
                "{seen}; provider {provider}. It is not known whether that is private, and nothing is served before it is."
            );
            (Status::Unknown, why.clone(), Some(why))
        }
        Some(Asked::Private) => {
            let message = format!(
                "A private address was asked for, and {seen}; provider {provider}. {UNSEEN}"
            );
            (Status::True, message, None)
        }
        Some(Asked::Public) if public => {
            let message =
                format!("A public address was asked for, and {seen}; provider {provider}.");
            (Status::True, message, None)
        }
        Some(Asked::Public) if unresolved => (
            Status::Unknown,
            format!("{seen}; provider {provider}."),
            None,
        ),
        Some(Asked::Public) => {
            let message = format!(
                "A public address was asked for, and {seen}; provider {provider}. It may be reached from outside of the network by another address that is not visible here, or not at all."
            );
            (Status::False, message, None)
        }
        None => {
            let message = format!(
                "{seen}; provider {provider}. Nobody said who may reach it, and the Service does not decide it. {UNSEEN}"
            );
            (Status::Unknown, message, None)
        }
    };
    Observed {
        condition: Condition {
            kind: REACH_VERIFIED,
            status,
            reason,
            message,
        },
        closed,
        violated: private && public,
    }
}
