//! `reach`: who may reach a Gateway, and the keys that say so.

use daemun_objects::Known as _;
use daemun_objects::own::exposure::Reach;

use super::{Annotations, Asked, names, refusal};
use crate::exposure::provider::{Automatic, ClientAddress, Provider, Rules, Switch, Unsaid, Value};
use crate::verdict::Refusal;

/// Who may reach it, as it is written. Where a class limits it, nothing written means private, and is asked for.
pub(super) fn written(reach: Option<Reach>, allowed: &[Reach]) -> Result<Option<Reach>, Refusal> {
    match reach {
        None if allowed.is_empty() => Ok(None),
        None if allowed.contains(&Reach::Private) => Ok(Some(Reach::Private)),
        None => {
            let allowed: Vec<String> = allowed.iter().map(|it| it.as_str().to_owned()).collect();
            Err(refusal(
                "allowedReach",
                format!(
                    "Nobody says who may reach the Gateway, and without a word it would be Private, which its GatewayClass does not allow; write exposure.reach in GatewayParameters: {}.",
                    crate::nearest::list_all(&allowed)
                ),
            ))
        }
        reach => Ok(reach),
    }
}

/// Who makes load balancers here, by the nodes.
pub(super) fn recognised(makers: &Automatic) -> Result<&'static Rules, Refusal> {
    match makers {
        Automatic::Rules(rules) => Ok(rules),
        Automatic::Unknown(start) => Err(refusal(
            "provider",
            format!(
                "The nodes' providerID {}, and it is not known who makes load balancers there, so no Service was made that might get a public address. {}",
                match start.ends_with("://") {
                    true => format!("begins with {start}"),
                    false => format!("says no cloud before ://, as {start} does not"),
                },
                name_it()
            ),
        )),
        Automatic::Unseen => Err(refusal(
            "provider",
            format!(
                "The controller may not list nodes, so it is not known who makes load balancers here, and no Service was made that might get a public address. Let the controller's ClusterRole get, list and watch nodes; or: {}",
                name_it()
            ),
        )),
        Automatic::Several(starts) => Err(refusal(
            "provider",
            format!(
                "The nodes belong to several clouds ({}), so it is not known who makes load balancers here. {}",
                crate::nearest::list(starts, ""),
                name_it()
            ),
        )),
    }
}

/// What to write where nothing tells who makes load balancers.
fn name_it() -> String {
    let generic = Provider::Generic;
    let others = Provider::ALL.iter().filter(|it| **it != generic);
    let others: Vec<&str> = others.map(|it| it.name()).collect();
    format!(
        "Write in GatewayParameters who it is (exposure.provider): {}. If it is none of these, write exposure: {{provider: {}, reach: Private}}: then no annotation asks for a private address, but Daemun looks at the address that comes, and serves nothing if it is public.",
        others.join(", "),
        generic.name()
    )
}

/// Whether a private Gateway waits until its address is seen: who wrote that wants it, and where it is known who makes
/// load balancers there will be one. Where that is only guessed there may never be one, and callers come by another
/// way.
pub(super) fn until_seen(reach: Option<Reach>, rules: &Rules) -> bool {
    reach.is_some() || !rules.guessed
}

/// Who may reach it, and the keys that say so.
pub(super) fn decided(
    reach: Option<Reach>,
    subnet: Option<&str>,
    rules: &Rules,
) -> Result<(Option<Asked>, Annotations), Refusal> {
    let (asked, switch) = match reach {
        Some(Reach::Public) => (Asked::Public, &rules.public),
        Some(Reach::Private) => (Asked::Private, &rules.private),
        // Without a word it is private where the Service can say so, and where it cannot, it is what it is.
        None | Some(Reach::Cluster | Reach::Node | Reach::Unmanaged) => match &rules.private {
            Switch::Keys(_) | Switch::Default => (Asked::Private, &rules.private),
            Switch::Elsewhere(_) => return Ok((None, Annotations::new())),
            Switch::Impossible(_) | Switch::NotKnown => return Err(only_public(rules)),
        },
    };
    let word = word(asked);
    match switch {
        Switch::Keys(keys) => {
            let keys = keys.iter().map(|key| match (key.value, subnet) {
                (Value::Is(value), _) => Ok((key.key.to_owned(), value.to_owned())),
                (Value::Subnet, Some(subnet)) => Ok((key.key.to_owned(), subnet.to_owned())),
                (Value::Subnet, None) => Err(refusal(
"reach", format!(
                    "{} gives a {word} address where its subnet is named, and a public one otherwise, so no Service was made. Name the subnet with exposure.subnet in GatewayParameters, or write exposure.reach: Public.",
                    rules.product
                ))),
            });
            Ok((Some(asked), keys.collect::<Result<_, _>>()?))
        }
        Switch::Default | Switch::Elsewhere(_) => Ok((Some(asked), Annotations::new())),
        Switch::Impossible(why) => Err(refusal(
            "reach",
            format!("{} cannot give a {word} address: {why}", rules.product),
        )),
        Switch::NotKnown => Err(refusal(
            "reach",
            format!(
                "It is not known how {} is asked for a {word} address, so no Service was made. Write who makes load balancers here (exposure.provider); known are {}.",
                rules.product,
                names()
            ),
        )),
    }
}

/// Why nothing is made where nobody says who may reach it, and what comes is not private.
fn only_public(rules: &Rules) -> Refusal {
    let why = match rules.private {
        Switch::Impossible(why) => {
            format!("{} cannot give a private address: {why}", rules.product)
        }
        Switch::Keys(_) | Switch::Default | Switch::Elsewhere(_) | Switch::NotKnown => format!(
            "It is not known how {} is asked for a private address.",
            rules.product
        ),
    };
    refusal(
        "provider",
        format!(
            "{why} Nobody says who may reach the Gateway, so no Service was made that might get a public address. Write in GatewayParameters exposure.reach: Public, if anybody on the internet may, or Cluster, if who is inside of the cluster."
        ),
    )
}

/// Refuses a class of load balancers that decides otherwise.
pub(super) fn agrees_with_class(
    reach: Option<Asked>,
    class: Option<&str>,
    rules: &Rules,
) -> Result<(), Refusal> {
    let (Some(reach), Some(class)) = (reach, class) else {
        return Ok(());
    };
    let other = match rules.reach_of_class(class) {
        Some(Unsaid::Private) => Asked::Private,
        Some(Unsaid::Public) => Asked::Public,
        Some(Unsaid::Depends(_) | Unsaid::NotKnown) | None => return Ok(()),
    };
    if other == reach {
        return Ok(());
    }
    Err(refusal(
        "loadBalancerClass",
        format!(
            "exposure.loadBalancerClass {class} gives a {} address on {}, whatever else is said, and a {} one is asked for; take the class out, or write another reach.",
            word(other),
            rules.product,
            word(reach)
        ),
    ))
}

/// Whether the proxies see clients' addresses.
pub(super) fn sees_client(has_header: bool, local: Option<bool>, rules: &Rules) -> bool {
    has_header || (local == Some(true) && rules.client == ClientAddress::Kept)
}

/// A word for who may reach it.
pub(super) fn word(asked: Asked) -> &'static str {
    match asked {
        Asked::Private => "private",
        Asked::Public => "public",
    }
}
