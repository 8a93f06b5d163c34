//! What a change of mind means for a load balancer that is there. Much of what a Service says counts only when it is
//! made, and of much more nobody knows whether it may change later. Such a change is not made: the Service stays as it
//! is, and the Gateway says what would happen, until it is annotated to allow that.
//!
//! With an address at will the new Service comes first, and the old one goes once the new one has an address that
//! agrees. An address that is asked for cannot be on two load balancers: the old one goes first, after it has been
//! told to keep the address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use daemun_model::address::Side;
use daemun_model::names::ObjectName;
use daemun_objects::core::service::Service;
use serde::Serialize;

use super::judge::{Asked, Exposure, ServiceKind};
use super::made::made_as;
use super::provider::{self, Aspect, Change, RangesPlace, Rules, listener_key};
use super::shown::Shown;
use crate::cluster::Cluster;
use crate::infrastructure::Wanted;

/// The annotation of a Gateway that allows a load balancer to be made anew: the name of the Service that goes, or the
/// address that moves.
pub const ALLOW_RECREATION: &str = "gateway.daemun.dev/allow-recreation";

/// What becomes of a Service that cannot become what is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Fate {
    /// It stays.
    Held(Held),
    /// It serves until the new one does.
    Migrating,
    /// It goes: the new one serves.
    Goes,
    /// It goes, and the new one is made when it is gone.
    GoesFirst,
}

/// What stays as it is on a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Annotations as they are on it; none of those that are not.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, Option<String>>,
    /// What it was made as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<Asked>,
    /// Its `loadBalancerClass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// What becomes of all of them, by name, and what is said about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Of those that become what is asked for nothing.
    pub(crate) fates: BTreeMap<String, Fate>,
    /// What is not done, and what would allow it.
    pub(crate) refused: Option<String>,
    /// What is being done.
    pub(crate) under_way: Option<String>,
}

/// What is asked for.
pub(crate) struct Asking<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) exposure: &'a Exposure,
    /// The annotations that the Service is to have.
    pub(crate) annotations: &'a BTreeMap<String, String>,
    pub(crate) addresses: &'a [Wanted],
    /// What the Gateway allows.
    pub(crate) allowed: Option<&'a str>,
}

/// Something that is not on a Service as it is asked for, and would not come through.
struct Difference {
    /// In words; none where another one says it.
    what: Option<String>,
    /// Whether it is known that it does not.
    known: bool,
    key: Option<(String, Option<String>)>,
}

/// Decides what becomes of a Gateway's load balancers.
pub(crate) fn decide<'a>(
    asking: &Asking<'_>,
    services: impl Iterator<Item = (&'a ObjectName, &'a Service)>,
) -> Changes {
    let exposure = asking.exposure;
    let rules = match exposure.kind {
        ServiceKind::LoadBalancer => provider::rules_named(exposure.provider),
        ServiceKind::ClusterIp | ServiceKind::NodePort | ServiceKind::Unmanaged => None,
    };
    let Some(rules) = rules else {
        return Changes::default();
    };
    let (mut current, mut outdated) = (Vec::new(), Vec::new());
    for (name, service) in services {
        let differences = differences(asking, rules, service);
        match differences.is_empty() {
            true => current.push((name, service)),
            false => outdated.push((name, service, differences)),
        }
    }
    let serves = current
        .iter()
        .any(|(name, service)| agrees(asking, name, service));
    let mut changes = Changes::default();
    for (name, service, differences) in outdated {
        let one = Outdated {
            name,
            service,
            differences,
        };
        one.decide(asking, rules, serves, &mut changes);
    }
    changes
}

/// A Service that cannot become what is asked for.
struct Outdated<'a> {
    name: &'a ObjectName,
    service: &'a Service,
    differences: Vec<Difference>,
}

impl Outdated<'_> {
    fn decide(self, asking: &Asking<'_>, rules: &Rules, serves: bool, changes: &mut Changes) {
        let Self { name, service, .. } = &self;
        let fixed = self.fixed(asking);
        let needed = fixed.map_or_else(|| name.name.clone(), |address| address.to_string());
        let allowed = asking.allowed.is_some_and(|it| it.trim() == needed);
        let fate = match (allowed, fixed) {
            (false, _) => {
                changes
                    .refused
                    .get_or_insert(self.refusal(rules, fixed, &needed));
                Fate::Held(self.held())
            }
            (true, Some(address)) => match self.keeping(rules) {
                Some((key, value)) => {
                    changes.under_way.get_or_insert(format!(
                        "Service {name} is to go and a new one to take its address {address}; it is told to keep the address first ({key}: \"{value}\")."
                    ));
                    let mut held = self.held();
                    held.annotations
                        .insert(key.to_owned(), Some(value.to_owned()));
                    Fate::Held(held)
                }
                None => {
                    changes.under_way.get_or_insert(format!(
                        "Service {name} goes, and a new one takes its address {address} when it is gone; nothing is reached until then."
                    ));
                    Fate::GoesFirst
                }
            },
            (true, None) if serves || service.metadata.deletion_timestamp.is_some() => Fate::Goes,
            (true, None) => {
                changes.under_way.get_or_insert(format!(
                    "A new load balancer takes the place of Service {name}, which serves until the new one has an address that agrees."
                ));
                Fate::Migrating
            }
        };
        changes.fates.insert(name.name.clone(), fate);
    }

    fn held(&self) -> Held {
        let differences = self.differences.iter();
        Held {
            annotations: differences.filter_map(|it| it.key.clone()).collect(),
            reach: made_as(self.service),
            class: self.service.spec.load_balancer_class.clone(),
        }
    }

    /// An address that the Service has and that is asked for.
    fn fixed(&self, asking: &Asking<'_>) -> Option<IpAddr> {
        let ingress = self.service.status.load_balancer.ingress.iter();
        let shown: BTreeSet<IpAddr> = ingress
            .filter_map(|ingress| ingress.ip.as_ref()?.parse().ok())
            .collect();
        asking.addresses.iter().find_map(|wanted| match wanted {
            Wanted::Ip(address) => shown.contains(address).then_some(*address),
            Wanted::Any => None,
        })
    }

    /// What the Service has to be told so that its public address outlives it, if it was not yet.
    fn keeping(&self, rules: &Rules) -> Option<(&'static str, &'static str)> {
        let key = rules.kept_address.get()?;
        let provider::Value::Is(value) = key.value else {
            return None;
        };
        let annotations = &self.service.metadata.annotations;
        let is_told = annotations.get(key.key).is_some_and(|told| told == value);
        (made_as(self.service) == Some(Asked::Public) && !is_told).then_some((key.key, value))
    }

    fn refusal(&self, rules: &Rules, fixed: Option<IpAddr>, needed: &str) -> String {
        let differences = self.differences.iter();
        let what: Vec<&str> = differences.filter_map(|it| it.what.as_deref()).collect();
        let why = match self.differences.iter().any(|it| it.known) {
            true => "does not come through once a load balancer is there",
            false => "is not known to come through once a load balancer is there",
        };
        let then = match fixed {
            Some(address) => format!(
                "It takes a new load balancer; the address {address} cannot be on two, so the old one goes first, and nothing is reached until the new one has it."
            ),
            None => "It takes a new load balancer with another address: the new one comes first, and the old one goes with its address when the new one serves.".to_owned(),
        };
        format!(
            "Service {} stays as it is: {}, and with {} that {why}. {then} To allow that, annotate the Gateway with {ALLOW_RECREATION}: \"{needed}\".",
            self.name,
            what.join("; "),
            rules.product
        )
    }
}

/// Whether a Service has an address, and all that it has is as asked for.
fn agrees(asking: &Asking<'_>, name: &ObjectName, service: &Service) -> bool {
    let shown = Shown::read(asking.cluster, name, service);
    let sides: Vec<Side> = shown.classes().iter().map(|class| class.side()).collect();
    !shown.is_empty()
        && !shown.has_unknown()
        && match asking.exposure.reach {
            Some(Asked::Private) => sides.iter().all(|side| *side == Side::Inside),
            Some(Asked::Public) => sides.iter().any(|side| *side != Side::Inside),
            None => true,
        }
}

/// What on a Service is not as asked for, and would not come through.
fn differences(asking: &Asking<'_>, rules: &Rules, service: &Service) -> Vec<Difference> {
    let annotations = &service.metadata.annotations;
    let mut differences = Vec::new();
    let (asked, made) = (asking.exposure.reach, made_as(service));
    let reach = rules.change(Aspect::Reach);
    let turns = match (asked, made) {
        (Some(asked), Some(made)) if asked != made && reach != Change::Live => Some((asked, made)),
        _ => None,
    };
    if let Some((asked, made)) = turns {
        differences.push(Difference {
            what: Some(format!(
                "it was made {}, and {} is asked for",
                made.as_str(),
                asked.as_str()
            )),
            known: reach == Change::CreateOnly,
            key: None,
        });
    }
    for (key, value) in asking.annotations {
        let there = annotations.get(key);
        let of_reach = rules.decides_reach(key);
        // Without a change of mind a switch that differs was meddled with, and is put right.
        if there == Some(value) || (of_reach && turns.is_none()) || is_of_new_port(key, service) {
            continue;
        }
        let change = meaning(rules, key);
        if change == Change::Live {
            continue;
        }
        let has = there.map_or_else(|| "nothing".to_owned(), |there| format!("\"{there}\""));
        differences.push(Difference {
            what: (!of_reach)
                .then(|| format!("it says {has} for {key}, and \"{value}\" is asked for")),
            known: change == Change::CreateOnly,
            key: Some((key.clone(), there.cloned())),
        });
    }
    let (asked, there) = (&asking.exposure.class, &service.spec.load_balancer_class);
    if let Some(asked) = asked
        .as_ref()
        .filter(|asked| Some(*asked) != there.as_ref())
    {
        differences.push(Difference {
            what: Some(format!("its loadBalancerClass is not {asked}")),
            known: true,
            key: None,
        });
    }
    differences
}

/// Whether a key is for a listener that the load balancer does not have yet, and which it will be made with.
fn is_of_new_port(key: &str, service: &Service) -> bool {
    listener_key(key).is_some_and(|(_, number, _)| {
        let mut ports = service.spec.ports.iter();
        ports.all(|port| port.port != i32::from(number))
    })
}

/// What a change of a key means.
fn meaning(rules: &Rules, key: &str) -> Change {
    let bare = listener_key(key).map_or(key, |(_, _, bare)| bare);
    let is_kept = rules
        .kept_address
        .get()
        .is_some_and(|kept| kept.key == bare);
    if is_kept || !(rules.reads(bare) || rules.decides_reach(bare)) {
        // Keeping is for the time when the Service goes; what nobody reads cannot do harm.
        return Change::Live;
    }
    if rules.decides_reach(bare) {
        return rules.change(Aspect::Reach);
    }
    let of_proxy = |it: &provider::ProxyProtocol| it.keys.iter().any(|key| key.key == bare);
    let of_ranges = |it: &provider::SourceRanges| it.place == key_place(bare, it);
    let aspect = if rules.proxy_protocol.get().is_some_and(of_proxy) {
        Aspect::ProxyProtocol
    } else if rules.subnet.get() == Some(&bare) {
        Aspect::Subnet
    } else if rules.source_ranges.get().is_some_and(of_ranges) {
        Aspect::SourceRanges
    } else if rules.health_check.iter().any(|key| key.key == bare) {
        Aspect::HealthCheck
    } else {
        return match rules.known(bare) {
            Some(known) => known.change,
            None => rules.change(Aspect::Annotation),
        };
    };
    match rules.known(bare).map(|known| known.change) {
        Some(Change::NotKnown) | None => rules.change(aspect),
        Some(change) => change,
    }
}

fn key_place(bare: &str, ranges: &provider::SourceRanges) -> RangesPlace {
    match ranges.place {
        RangesPlace::Annotation(key) if key == bare => RangesPlace::Annotation(key),
        RangesPlace::Annotation(_) | RangesPlace::Field => RangesPlace::Annotation(""),
    }
}
