//! `address`, `keepAddress` and `subnet`: which address a Gateway has, where it is written, and whether it may be that
//! one at all.

use std::net::IpAddr;

use daemun_model::verdict::FieldPath;

use super::reach::word;
use super::{Annotations, Asked, Question, ServiceKind, refusal};
use crate::exposure::class::{Side, class_in};
use crate::exposure::provider::{FixedAddress, Key, Place, Rules, Value, Way};
use crate::infrastructure::Wanted;
use crate::verdict::{Refusal, reason};

/// The addresses that are asked for, of a load balancer, and why one cannot be used.
pub(super) fn wanted(
    asked: &Question<'_>,
    reach: Option<Asked>,
    rules: &Rules,
) -> (Vec<Wanted>, Option<Refusal>) {
    let (wanted, contradicts) = both(asked);
    let certain = || certain(&wanted);
    let wrong = || certain().find_map(|address| wrong_class(asked, reach, address));
    let cannot = || certain().next().and_then(|_| cannot_choose(reach, rules));
    let unusable = contradicts.or_else(wrong).or_else(cannot);
    (wanted, unusable)
}

/// The addresses that are asked for where there is no load balancer.
pub(super) fn without_load_balancer(
    asked: &Question<'_>,
    kind: ServiceKind,
) -> (Vec<Wanted>, Option<Refusal>) {
    let (wanted, contradicts) = both(asked);
    let why = match kind {
        ServiceKind::NodePort | ServiceKind::HostPorts => Some(
            "A Gateway with reach Node is reached by its nodes' addresses, and none can be asked for; take it out.",
        ),
        ServiceKind::Unmanaged => Some(
            "With reach Unmanaged the address is that of the Service that you bring; take it out, and ask for it there.",
        ),
        ServiceKind::LoadBalancer | ServiceKind::ClusterIp => None,
    };
    let chosen = certain(&wanted).next();
    let why = why.filter(|_| chosen.is_some()).map(unusable);
    (wanted, contradicts.or(why))
}

fn certain(wanted: &[Wanted]) -> impl Iterator<Item = IpAddr> {
    wanted.iter().filter_map(|wanted| match wanted {
        Wanted::Ip(address) => Some(*address),
        Wanted::Any => None,
    })
}

/// What the Gateway says (`spec.addresses`) and what its parameters say, as one.
fn both(asked: &Question<'_>) -> (Vec<Wanted>, Option<Refusal>) {
    let of_gateway = asked.wanted;
    let Some(address) = asked.way_in.address else {
        return (of_gateway.to_vec(), None);
    };
    match of_gateway {
        [] | [Wanted::Any] => (vec![Wanted::Ip(address)], None),
        [Wanted::Ip(same)] if *same == address => (of_gateway.to_vec(), None),
        others => {
            let others: Vec<String> = certain(others).map(|it| it.to_string()).collect();
            let others = match others.as_slice() {
                [] => "several of its own choice".to_owned(),
                others => crate::nearest::list_all(others),
            };
            let why = unusable(format!(
                "The Gateway asks for {others} (spec.addresses), and its parameters for {address} (exposure.address), so nothing is made; write it in one place."
            ));
            (of_gateway.to_vec(), Some(why))
        }
    }
}

/// Why an address is not of the kind that is asked for.
fn wrong_class(asked: &Question<'_>, reach: Option<Asked>, address: IpAddr) -> Option<Refusal> {
    let class = class_in(&asked.cluster.settings, address);
    let (reach, option) = match reach? {
        Asked::Private if class.side() == Side::Outside => ("private", "--private-ranges"),
        Asked::Public if class.side() != Side::Outside => ("public", "--public-ranges"),
        Asked::Private | Asked::Public => return None,
    };
    Some(unusable(format!(
        "{address} is asked for, which by its range is {}, and a {reach} address is asked for (exposure.reach), so nothing is made. Write another address or another reach; if it is {reach} in this network, name its range in {option} of the controller.",
        class.as_str()
    )))
}

/// Why no address can be chosen.
fn cannot_choose(reach: Option<Asked>, rules: &Rules) -> Option<Refusal> {
    let FixedAddress { private, public } = rules.fixed_address;
    let way = match reach {
        Some(Asked::Public) => public,
        Some(Asked::Private) | None => private,
    };
    match way {
        Way::No(why) => Some(unusable(format!(
            "{} gives no address that is asked for: {why} Ask for none.",
            rules.product
        ))),
        Way::Is(_) | Way::NotKnown => None,
    }
}

/// Where an address is written; none means the field that Kubernetes has for it.
pub(super) fn place(reach: Option<Asked>, rules: &Rules) -> Option<Place> {
    let FixedAddress { private, public } = rules.fixed_address;
    let way = match reach {
        Some(Asked::Public) => public,
        Some(Asked::Private) | None => private,
    };
    way.get().copied()
}

/// The key of the subnet, where naming it does not decide reach: then it is in the switch already.
pub(super) fn subnet(
    subnet: Option<&str>,
    reach: Option<Asked>,
    rules: &Rules,
) -> Result<Annotations, Refusal> {
    let Some(subnet) = subnet else {
        return Ok(Annotations::new());
    };
    let says = |key: &Key| key.value == Value::Subnet;
    match rules.subnet {
        Way::Is(key) if rules.private.keys().iter().any(says) => match reach {
            Some(Asked::Private) => Ok(Annotations::new()),
            Some(Asked::Public) | None => Err(refusal(
                "subnet",
                format!(
                    "Naming a subnet ({key}) makes an address of {} private, and a public one is asked for; take exposure.subnet out, or write exposure.reach: Private.",
                    rules.product
                ),
            )),
        },
        Way::Is(key) => Ok([(key.to_owned(), subnet.to_owned())].into()),
        Way::No(why) => Err(refusal(
            "subnet",
            format!(
                "{} has no subnets to choose from: {why} Take exposure.subnet out.",
                rules.product
            ),
        )),
        Way::NotKnown => Err(refusal(
            "subnet",
            format!(
                "It is not known how {} is told a subnet; take exposure.subnet out, and write its annotation under exposure.annotations, or say who makes load balancers here (exposure.provider).",
                rules.product
            ),
        )),
    }
}

/// The key that keeps an address beyond the Service's end.
pub(super) fn kept(
    keep: bool,
    reach: Option<Asked>,
    rules: &Rules,
) -> Result<Annotations, Refusal> {
    if !keep {
        return Ok(Annotations::new());
    }
    if let Some(asked @ Asked::Private) = reach
        && rules.kept_address.get().is_some()
    {
        // What outlives a load balancer is an address that was allocated by itself.
        return Err(refusal(
            "keepAddress",
            format!(
                "{} keeps public addresses, and a {} one goes with its load balancer; take exposure.keepAddress out, and write exposure.address to get the same one again.",
                rules.product,
                word(asked)
            ),
        ));
    }
    match rules.kept_address {
        Way::Is(key) => match key.value {
            Value::Is(value) => Ok([(key.key.to_owned(), value.to_owned())].into()),
            Value::Subnet => Ok(Annotations::new()),
        },
        Way::No(why) => Err(refusal(
            "keepAddress",
            format!(
                "{} keeps no address: {why} Take exposure.keepAddress out.",
                rules.product
            ),
        )),
        Way::NotKnown => Err(refusal(
            "keepAddress",
            format!(
                "It is not known how {} is told to keep an address; take exposure.keepAddress out, and write its annotation under exposure.annotations, or say who makes load balancers here (exposure.provider).",
                rules.product
            ),
        )),
    }
}

fn unusable(message: impl Into<String>) -> Refusal {
    Refusal::new(
        FieldPath::of("spec.addresses"),
        reason::ADDRESS_NOT_USABLE,
        message,
    )
}
