//! Load balancers whose address nobody asks for any more: another address is asked for, or none of a load balancer's
//! at all. An address that clients know is not taken away by the way: the Service stays as it is, and the Gateway says
//! what would happen, until it is annotated to allow that. What shows no address yet, or not the one that it asked
//! for, is nobody's loss and goes at once.
//!
//! What else on a Service may not change is `change`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use daemun_model::names::ObjectName;
use daemun_objects::Known as _;
use daemun_objects::core::service::Service;

use super::change::{ALLOW_RECREATION, Asking, Changes, Fate, Held, agrees};
use super::class::{Side, class_of};
use super::fronts::{is_load_balancer, is_made};
use super::judge::{Asked, Exposure, Stays};
use super::made::{is_noted, made_as};
use super::provider::{Key, Place, Rules, Value};
use crate::cluster::Cluster;
use crate::infrastructure::Wanted;
use crate::nearest::list_all;

/// The load balancers of a Gateway that may not go yet, if there are any.
pub(crate) fn stays(
    cluster: &Cluster,
    (gateway, uid): (&ObjectName, &str),
    allowed: Option<&str>,
) -> Option<Stays> {
    let all = cluster.services.in_namespace(&gateway.namespace);
    let ours = all.filter(|(_, service)| {
        is_load_balancer(service)
            && is_made(cluster, gateway, uid, service)
            && is_worth_keeping(service)
    });
    let ours: Vec<&Service> = ours.map(|(_, service)| &**service).collect();
    let first = ours.first()?;
    let addresses: Vec<&str> = ours.iter().flat_map(|service| shown(service)).collect();
    let allowed = addresses.iter().all(|address| allows(allowed, address));
    (!allowed).then(|| Stays {
        reach: made_as(first),
        count: ours.len(),
        addresses: addresses.join(", "),
        annotation: ALLOW_RECREATION,
    })
}

/// Whether a Gateway's annotation names it, maybe among others.
pub(super) fn allows(allowed: Option<&str>, needed: &str) -> bool {
    let mut named = allowed.into_iter().flat_map(|it| it.split(','));
    named.any(|it| it.trim() == needed)
}

/// Decides about the load balancers whose address is not asked for any more, after it was decided which of them cannot
/// become what is asked for otherwise.
pub(super) fn decide(
    asking: &Asking<'_>,
    rules: &Rules,
    services: &[(&ObjectName, &Service)],
    changes: &mut Changes,
) {
    let staying: Vec<_> = services
        .iter()
        .copied()
        .filter(|(name, service)| {
            let fate = changes.fates.get(&name.name);
            service.metadata.deletion_timestamp.is_none()
                && !matches!(fate, Some(Fate::Migrating | Fate::Goes | Fate::GoesFirst))
        })
        .collect();
    if asking.exposure.instead.is_some() {
        without_load_balancer(asking, rules, &staying, changes);
        return;
    }
    let seated = Seated::of(asking, &staying);
    let unasked = seated.unasked.iter();
    let unasked = unasked.filter(|(_, service)| is_worth_keeping_for(service, asking.exposure));
    // Each address that is asked for takes the place of one. What is beyond that was asked for once if Daemun noted it,
    // and the number of addresses was said; else it is a copy that somebody made, the younger one.
    let certain = wanted(asking).iter().all(|it| *it != Wanted::Any);
    let once = |(index, (_, service)): &(usize, &(&ObjectName, &Service))| {
        *index < seated.missing.len() || (certain && is_noted(service))
    };
    let mut held = 0;
    for (_, (name, service)) in unasked.enumerate().filter(once) {
        if allows(asking.allowed, &name.name) {
            let fate = match seated.serves {
                true => Fate::Goes,
                false => {
                    changes.under_way.get_or_insert(format!(
                        "A new load balancer takes the place of Service {name}, which serves until the new one has an address that agrees."
                    ));
                    Fate::Migrating
                }
            };
            changes.fates.insert(name.name.clone(), fate);
            continue;
        }
        held += 1;
        let message = refusal((name, service), &seated.missing, asking.exposure, rules);
        changes.refused.get_or_insert(message);
        hold(changes, (name, service), name.name.clone(), &seated.missing);
    }
    if held > 0 {
        // What has a seat keeps it, what is held has one again, and what would come instead waits.
        let missing = |wanted: &&Wanted| match wanted {
            Wanted::Ip(address) => !seated.missing.contains(address),
            Wanted::Any => true,
        };
        let mut addresses: Vec<Wanted> = wanted(asking).iter().filter(missing).copied().collect();
        addresses.extend(std::iter::repeat_n(Wanted::Any, held));
        changes.addresses = Some(addresses);
    }
}

/// Whether an address that outlives a Service can be asked for by the next one.
pub(super) fn can_come_back(asking: &Asking<'_>, rules: &Rules) -> bool {
    let told = |key: &Key| match key.value {
        Value::Is(value) => asking
            .annotations
            .get(key.key)
            .is_some_and(|it| it == value),
        Value::Subnet => false,
    };
    let keeps = asking.exposure.keeps_address || rules.kept_address.get().is_some_and(told);
    keeps && asking.exposure.address.is_some() && wanted(asking) == [Wanted::Any]
}

/// A kept address moves by the annotation that allows it: the old Service is gone then, and nothing else says which one
/// it was.
pub(super) fn bring_back(
    asking: &Asking<'_>,
    rules: &Rules,
    services: &[(&ObjectName, &Service)],
    changes: &mut Changes,
) {
    let address = asking.allowed.and_then(|it| it.trim().parse().ok());
    let Some(address) = address.filter(|_| can_come_back(asking, rules)) else {
        return;
    };
    let settings = &asking.cluster.settings;
    let class = class_of(address, &settings.private_ranges, &settings.public_ranges);
    let is_inside = class.side() == Side::Inside;
    let fits = match asking.exposure.reach {
        Some(Asked::Private) => is_inside,
        Some(Asked::Public) => !is_inside,
        None => true,
    };
    let stays = services.iter().any(|(name, service)| {
        service.metadata.deletion_timestamp.is_none()
            && changes.fates.get(&name.name) != Some(&Fate::GoesFirst)
    });
    if fits && !stays {
        changes.addresses = Some(vec![Wanted::Ip(address)]);
    }
}

/// Which Service is for which address that is asked for: as the controller seats them.
struct Seated<'a> {
    /// Those that are for none.
    unasked: Vec<(&'a ObjectName, &'a Service)>,
    /// Certain addresses without a Service.
    missing: Vec<IpAddr>,
    /// Whether all that is asked for is there.
    serves: bool,
}

impl<'a> Seated<'a> {
    fn of(asking: &Asking<'_>, staying: &[(&'a ObjectName, &'a Service)]) -> Self {
        let mut free = staying.to_vec();
        free.sort_by_key(|(_, service)| service.metadata.created());
        let (mut missing, mut serves) = (Vec::new(), true);
        let is_there = |(name, service): (&ObjectName, &Service)| agrees(asking, name, service);
        for wanted in wanted(asking) {
            let Wanted::Ip(address) = wanted else {
                continue;
            };
            let asks = |service: &Service| asked_of(service, asking.exposure) == Some(*address);
            let has = |service: &Service| {
                asked_of(service, asking.exposure).is_none()
                    && addresses(asking.cluster, service).contains(address)
            };
            let found = free.iter().position(|(_, service)| asks(service));
            let found = found.or_else(|| free.iter().position(|(_, service)| has(service)));
            match found.map(|position| free.remove(position)) {
                Some(service) => serves &= is_there(service),
                None => missing.push(*address),
            }
        }
        for wanted in wanted(asking) {
            if *wanted == Wanted::Any {
                serves &= !free.is_empty() && is_there(free.remove(0));
            }
        }
        Self {
            unasked: free,
            serves: serves && missing.is_empty(),
            missing,
        }
    }
}

fn wanted<'a>(asking: &Asking<'a>) -> &'a [Wanted] {
    match asking.addresses {
        [] => &[Wanted::Any],
        addresses => addresses,
    }
}

/// No load balancer is asked for any more.
fn without_load_balancer(
    asking: &Asking<'_>,
    rules: &Rules,
    staying: &[(&ObjectName, &Service)],
    changes: &mut Changes,
) {
    let Some((instead, needed)) = &asking.exposure.instead else {
        return;
    };
    let staying = staying.iter().copied();
    let staying: Vec<_> = staying
        .filter(|(_, service)| is_worth_keeping(service))
        .collect();
    for (name, service) in &staying {
        hold(changes, (name, service), needed.clone(), &[]);
    }
    if let Some((name, service)) = staying.first() {
        let (namespace, goes) = (&name.namespace, goes(service, asking.exposure, rules));
        let names = staying.iter().map(|(name, _)| name.name.clone());
        let names = list_all(&names.collect::<Vec<_>>());
        // It goes before all others: with it there is no other one.
        changes.refused = Some(format!(
            "Service {namespace}/{names} stays a load balancer's: {} is asked for (exposure.reach), which has none, and {goes}. To allow that, annotate the Gateway with {ALLOW_RECREATION}: \"{needed}\".",
            instead.as_str()
        ));
    }
}

fn hold(
    changes: &mut Changes,
    (name, service): (&ObjectName, &Service),
    needed: String,
    missing: &[IpAddr],
) {
    let held = match changes.fates.remove(&name.name) {
        Some(Fate::Held(held) | Fate::Lacks(held)) => held,
        Some(Fate::Migrating | Fate::Goes | Fate::GoesFirst) | None => Held {
            reach: made_as(service),
            class: service.spec.load_balancer_class.clone(),
            ..Held::default()
        },
    };
    let held = Held {
        unasked: true,
        needed,
        instead: missing.to_vec(),
        ..held
    };
    changes.fates.insert(name.name.clone(), Fate::Held(held));
}

fn refusal(
    (name, service): (&ObjectName, &Service),
    missing: &[IpAddr],
    exposure: &Exposure,
    rules: &Rules,
) -> String {
    let at = list_all(&shown(service).map(str::to_owned).collect::<Vec<_>>());
    let goes = goes(service, exposure, rules);
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let then = match missing.as_slice() {
        [] => format!(
            "it is reached at {at}, which is not asked for any more. It would be deleted, and {goes}."
        ),
        missing => format!(
            "it is reached at {at}, and {} is asked for. A load balancer keeps its address, so that takes another one: the new one comes first, the old one goes when the new one serves, and {goes}.",
            list_all(missing)
        ),
    };
    let needed = &name.name;
    format!(
        "Service {name} stays as it is: {then} To allow that, annotate the Gateway with {ALLOW_RECREATION}: \"{needed}\"."
    )
}

/// `its address 192.0.2.1 is lost with it`, or what else becomes of it.
fn goes(service: &Service, exposure: &Exposure, rules: &Rules) -> String {
    let addresses: Vec<String> = shown(service).map(str::to_owned).collect();
    let (address, is) = match addresses.len() {
        0 | 1 => ("address", "is"),
        _ => ("addresses", "are"),
    };
    let addresses = list_all(&addresses);
    if is_kept(service, rules) {
        return format!(
            "its {address} {addresses} {is} kept, and may be billed, until you release it"
        );
    }
    match asked_of(service, exposure) {
        Some(_) => format!(
            "its {address} {addresses} {is} free then; what was allocated before the Service stays allocated to you"
        ),
        None => format!(
            "its {address} {addresses} {is} lost with it: a later load balancer gets another one"
        ),
    }
}

/// Whether a Service says that its address is to outlive it.
pub(super) fn is_kept(service: &Service, rules: &Rules) -> bool {
    let key = rules.kept_address.get();
    key.is_some_and(|key| match key.value {
        Value::Is(value) => {
            let annotations = &service.metadata.annotations;
            annotations.get(key.key).is_some_and(|told| told == value)
        }
        Value::Subnet => false,
    })
}

/// Where the load balancer of a Service is reached that is there to stay.
pub(crate) fn shown_by(service: &Service) -> Vec<String> {
    let stays = is_load_balancer(service) && is_worth_keeping(service);
    let shown = shown(service).filter(|_| stays);
    shown.map(str::to_owned).collect()
}

/// Whether a Service has what somebody may use.
fn is_worth_keeping(service: &Service) -> bool {
    service.metadata.deletion_timestamp.is_none() && shown(service).next().is_some()
}

/// The same, where it is known what it asked for: what was given instead was never told to anybody.
fn is_worth_keeping_for(service: &Service, exposure: &Exposure) -> bool {
    let asked = asked_of(service, exposure);
    let mut shown = shown(service);
    shown.any(|text| match (asked, text.parse::<IpAddr>()) {
        (Some(asked), Ok(address)) => asked == address,
        (None, _) | (_, Err(_)) => true,
    })
}

/// Where a Service is reached, as written.
fn shown(service: &Service) -> impl Iterator<Item = &str> {
    let ingress = service.status.load_balancer.ingress.iter();
    let texts = ingress.filter_map(|it| {
        let ip = it.ip.as_deref().filter(|text| !text.is_empty());
        ip.or(it.hostname.as_deref())
    });
    texts.filter(|text| !text.is_empty())
}

/// The addresses at which a Service is reached, those of the names that it shows among them.
pub(super) fn addresses(cluster: &Cluster, service: &Service) -> BTreeSet<IpAddr> {
    let all = shown(service).flat_map(|text| match text.parse() {
        Ok(address) => vec![address],
        Err(_) => cluster.resolved.get(text).cloned().unwrap_or_default(),
    });
    all.collect()
}

/// The address that a load balancer's Service asks for.
pub(super) fn asked_of(service: &Service, exposure: &Exposure) -> Option<IpAddr> {
    let annotation = |key: &str| service.metadata.annotations.get(key).map(String::as_str);
    let field = service.spec.load_balancer_ip.as_deref();
    exposure.asked_of(annotation, field.unwrap_or_default())
}

impl Exposure {
    /// The address that a load balancer's Service asks for, by its annotations and its `spec.loadBalancerIP`.
    pub fn asked_of<'a>(
        &self,
        annotation: impl Fn(&str) -> Option<&'a str>,
        field: &'a str,
    ) -> Option<IpAddr> {
        let said = |key: &str| annotation(key).filter(|text| !text.is_empty());
        let text = match self.address {
            Some(Place::Annotation(key)) => said(key),
            Some(Place::ByFamily { v4, v6 }) => said(v4).or_else(|| said(v6)),
            Some(Place::LoadBalancerIp) | None => Some(field),
        };
        text?.parse().ok()
    }
}
