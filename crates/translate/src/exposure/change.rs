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

use super::differences::{Difference, differences};
use super::fronts::Front;
use super::judge::{Asked, Exposure, ServiceKind};
use super::leaving;
use super::made::made_as;
use super::provider::{self, Rules};
use super::shown::Shown;
use crate::cluster::Cluster;
use crate::infrastructure::Wanted;

/// The annotation of a Gateway that allows a load balancer to be made anew, or to go: the name of the Service that goes,
/// or the address that moves or is given up; several with commas.
pub const ALLOW_RECREATION: &str = "gateway.daemun.dev/allow-recreation";

/// What becomes of a Service that cannot become what is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Fate {
    /// It stays.
    Held(Held),
    /// It is what is asked for, but for what nobody wrote: what is said by default came after it was made.
    Lacks(Held),
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
    /// Whether only nodes with a proxy go on taking traffic, since its health check asks for that
    /// (`healthCheckNodePort`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
    /// Whether nobody asks for its address any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unasked: bool,
    /// Addresses that another Service would be made for, if this one might go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instead: Vec<IpAddr>,
    /// What the Gateway has to be annotated with to allow it; nothing where it is allowed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub needed: String,
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
    /// What nobody wrote, and comes with the next load balancer only.
    pub(crate) lacks: Option<String>,
    /// The addresses that count while what would take one away is not allowed; none: those that are asked for.
    pub(crate) addresses: Option<Vec<Wanted>>,
}

/// What is asked for.
pub(crate) struct Asking<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) exposure: &'a Exposure,
    /// The annotations that the Service is to have.
    pub(crate) annotations: &'a BTreeMap<String, String>,
    pub(crate) addresses: &'a [Wanted],
    /// The ports that the Service is to have.
    pub(crate) ports: &'a BTreeSet<u16>,
    /// What the Gateway allows.
    pub(crate) allowed: Option<&'a str>,
}

/// Decides what becomes of a Gateway's load balancers.
pub(crate) fn decide<'a>(
    asking: &Asking<'_>,
    services: impl Iterator<Item = (&'a ObjectName, &'a Service)>,
) -> Changes {
    let exposure = asking.exposure;
    let rules = match exposure.kind {
        ServiceKind::LoadBalancer => provider::rules_named(exposure.provider),
        ServiceKind::ClusterIp
        | ServiceKind::NodePort
        | ServiceKind::HostPorts
        | ServiceKind::Unmanaged => None,
    };
    let Some(rules) = rules else {
        return Changes::default();
    };
    let services: Vec<_> = services.collect();
    let all = services.iter().map(|&(name, service)| Compared {
        name,
        service,
        differences: differences(asking, rules, service),
    });
    let (current, outdated): (Vec<_>, Vec<_>) = all.partition(Compared::is_current);
    let mut all = current.iter();
    let serves = all.any(|it| agrees(asking, it.name, it.service));
    let mut changes = Changes::default();
    for one in current.iter().filter(|it| !it.differences.is_empty()) {
        changes.lacks.get_or_insert(one.lacks(rules));
        let fate = Fate::Lacks(one.held());
        changes.fates.insert(one.name.name.clone(), fate);
    }
    for one in outdated {
        one.decide(asking, rules, serves, &mut changes);
    }
    leaving::decide(asking, rules, &services, &mut changes);
    leaving::bring_back(asking, rules, &services, &mut changes);
    changes
}

/// A Service, and what is not on it as it is asked for, and would not come through.
struct Compared<'a> {
    name: &'a ObjectName,
    service: &'a Service,
    differences: Vec<Difference>,
}

impl Compared<'_> {
    /// Whether it is what somebody asks for: no load balancer is made anew for what nobody wrote.
    fn is_current(&self) -> bool {
        self.differences.iter().all(|it| it.unsaid)
    }

    fn decide(self, asking: &Asking<'_>, rules: &Rules, serves: bool, changes: &mut Changes) {
        let Self { name, service, .. } = &self;
        let fixed = self.fixed(asking, rules);
        let needed = fixed.map_or_else(|| name.name.clone(), |address| address.to_string());
        let allowed = leaving::allows(asking.allowed, &needed);
        let fate = match (allowed, fixed) {
            (false, _) => {
                changes
                    .refused
                    .get_or_insert(self.refusal(rules, fixed, &needed));
                let mut held = self.held();
                held.needed = needed;
                Fate::Held(held)
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
            local: self.differences.iter().any(|it| it.local),
            ..Held::default()
        }
    }

    /// What is said of what nobody wrote.
    fn lacks(&self, rules: &Rules) -> String {
        let keys = self.differences.iter().filter_map(|it| it.key.as_ref());
        let keys: Vec<String> = keys.map(|(key, _)| key.clone()).collect();
        format!(
            "Service {} goes on as it was made, without what is said by default on a new one ({}): with {} that is not known to come through once a load balancer is there, and nobody wrote it. Its next load balancer has it; who wants it sooner writes exposure.healthCheck, and allows a new one then.",
            self.name,
            crate::nearest::list_all(&keys),
            rules.product
        )
    }

    /// An address that the Service has and that is asked for, or that is to outlive it.
    fn fixed(&self, asking: &Asking<'_>, rules: &Rules) -> Option<IpAddr> {
        let shown = leaving::addresses(asking.cluster, self.service);
        let asked = asking.addresses.iter().find_map(|wanted| match wanted {
            Wanted::Ip(address) => shown.contains(address).then_some(*address),
            Wanted::Any => None,
        });
        let same = made_as(self.service) == asking.exposure.reach;
        let kept = || leaving::can_come_back(asking, rules) && same && shown.len() == 1;
        asked.or_else(|| shown.first().copied().filter(|_| kept()))
    }

    /// What the Service has to be told so that its public address outlives it, if it was not yet.
    fn keeping(&self, rules: &Rules) -> Option<(&'static str, &'static str)> {
        let key = rules.kept_address.get()?;
        let provider::Value::Is(value) = key.value else {
            return None;
        };
        let annotations = &self.service.metadata.annotations;
        let is_told = key.is_in(annotations.get(key.key).map(String::as_str));
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
pub(super) fn agrees(asking: &Asking<'_>, name: &ObjectName, service: &Service) -> bool {
    let front = Front {
        name,
        service,
        made: true,
    };
    let shown = Shown::read(asking.cluster, &front);
    let sides: Vec<Side> = shown.classes().iter().map(|class| class.side()).collect();
    !shown.is_empty()
        && !shown.has_unknown()
        && match asking.exposure.reach {
            Some(Asked::Private) => {
                !shown.proves_nothing() && sides.iter().all(|side| *side == Side::Inside)
            }
            Some(Asked::Public) => sides.iter().any(|side| *side != Side::Inside),
            None => true,
        }
}
