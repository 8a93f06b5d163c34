//! What a GatewayClass leaves to its Gateways of the way in: who may reach them is its owner's to say, and what
//! would go round that is as well.

use daemun_model::verdict::FieldPath;
use daemun_objects::own::exposure::{ExposureSettings, HostPort, HostProtocol, Reach};
use daemun_objects::{Known as _, Open};

use super::makers;
use crate::cluster::Cluster;
use crate::exposure::provider::{Automatic, Classes, Provider, rules};
use crate::verdict::Refusal;

/// Refuses what a Gateway's own parameters may not say beside those of its class. The path is one in the former.
pub(crate) fn check(
    cluster: &Cluster,
    class: Option<&ExposureSettings>,
    own: &ExposureSettings,
    locks_reach: bool,
) -> Result<(), Refusal> {
    let none = ExposureSettings::default();
    let class = class.unwrap_or(&none);
    let path = FieldPath::of("spec.exposure");
    if own.allowed_reach.is_some() {
        return Err(Refusal::unsupported(
            path.field("allowedReach"),
            "What Gateways may ask for is their GatewayClass's to say; take it out here.",
        ));
    }
    if own.on_violation.is_some() {
        return Err(Refusal::unsupported(
            path.field("onViolation"),
            "What is done about a wrong address is the GatewayClass's to say; take it out here, and ask the owner of the class.",
        ));
    }
    check_reach(class, own, locks_reach, &path.field("reach"))?;
    let limits = class.reach.is_some() || class.allowed_reach.is_some() || locks_reach;
    if limits {
        check_provider(cluster, class, own, &path.field("provider"))?;
        check_class(cluster, class, own, &path.field("loadBalancerClass"))?;
        check_host_ports(class, own, &path.field("hostPorts"))?;
    }
    Ok(())
}

/// What the class says is fixed, unless it allows more.
fn check_reach(
    class: &ExposureSettings,
    own: &ExposureSettings,
    locked: bool,
    path: &FieldPath,
) -> Result<(), Refusal> {
    let Some(asked) = own.reach.as_ref() else {
        return Ok(());
    };
    let others = class.allowed_reach.iter().flatten();
    let allowed: Vec<&Open<Reach>> = class
        .reach
        .iter()
        .chain(others.filter(|_| !locked))
        .collect();
    if allowed.contains(&asked) || (allowed.is_empty() && !locked) {
        return Ok(());
    }
    let mut names: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    names.dedup();
    let whose = if names.is_empty() {
        "leaves that to its owner (spec.locked of the class's parameters)".to_owned()
    } else {
        format!("allows {} only", crate::nearest::list_all(&names))
    };
    Err(Refusal::unsupported(
        path.clone(),
        format!(
            "The Gateway asks for reach {asked}, and its GatewayClass {whose}; take it out, use another GatewayClass, or ask this one's owner for it (exposure.allowedReach of the class's parameters)."
        ),
    ))
}

/// Ports of nodes that the class does not list are its owner's to give.
fn check_host_ports(
    class: &ExposureSettings,
    own: &ExposureSettings,
    path: &FieldPath,
) -> Result<(), Refusal> {
    let read = |port: &HostPort| {
        let protocol = port.protocol.as_ref().map(Open::as_str);
        let protocol = protocol.unwrap_or(HostProtocol::Tcp.as_str()).to_owned();
        (protocol, port.port)
    };
    let in_words = |(protocol, port): &(String, i32)| format!("{protocol} {port}");
    let given = class.host_ports.iter().flatten().map(read);
    let given: Vec<(String, i32)> = given.collect();
    let mut asked = own.host_ports.iter().flatten().map(read).enumerate();
    let Some((index, port)) = asked.find(|(_, port)| !given.contains(port)) else {
        return Ok(());
    };
    let list: Vec<String> = given.iter().map(in_words).collect();
    let list = match list.as_slice() {
        [] => "none".to_owned(),
        list => crate::nearest::list_all(list),
    };
    Err(Refusal::unsupported(
        path.index(index),
        format!(
            "The Gateway asks for {} of the nodes. Its GatewayClass limits who may reach its Gateways, and lists {list} (exposure.hostPorts of the class's parameters); take it out, or ask the owner of the class for it.",
            in_words(&port)
        ),
    ))
}

/// Another provider's keys would go round the class's reach: they are not read here.
fn check_provider(
    cluster: &Cluster,
    class: &ExposureSettings,
    own: &ExposureSettings,
    path: &FieldPath,
) -> Result<(), Refusal> {
    let written = |settings: &ExposureSettings| {
        let named = settings.provider.clone();
        named.filter(|name| !matches!(name.as_str(), "" | "Auto"))
    };
    let Some(asked) = written(own) else {
        let un_named = own.provider.is_some() && written(class).is_some();
        return if un_named {
            Err(fixed(class, path))
        } else {
            Ok(())
        };
    };
    let allowed = match written(class) {
        Some(provider) => provider == asked,
        None => Provider::named(&asked).is_none_or(|provider| may_be(cluster, provider)),
    };
    if allowed {
        Ok(())
    } else {
        Err(fixed(class, path))
    }
}

/// A class of load balancers chooses who makes one, and only what the provider's data has reads the keys that are
/// written; whether it agrees with the reach is judged with that.
fn check_class(
    cluster: &Cluster,
    class: &ExposureSettings,
    own: &ExposureSettings,
    path: &FieldPath,
) -> Result<(), Refusal> {
    let Some(asked) = &own.load_balancer_class else {
        return Ok(());
    };
    let named = [own, class].into_iter().find_map(|settings| {
        let name = settings.provider.as_deref()?;
        Provider::named(name)
    });
    let known = match (named, makers(cluster)) {
        (Some(provider), _) => Some(rules(provider)),
        (None, Automatic::Rules(known)) => Some(known),
        (None, Automatic::Unknown(_) | Automatic::Several(_) | Automatic::Unseen) => None,
    };
    let is_theirs = known.is_some_and(|rules| match rules.classes {
        Classes::Selects(known) => known.iter().any(|known| known.class == asked),
        Classes::Ignores | Classes::NotKnown => false,
    });
    if is_theirs || class.load_balancer_class.as_ref() == Some(asked) {
        return Ok(());
    }
    Err(Refusal::unsupported(
        path.clone(),
        format!(
            "The GatewayClass limits who may reach its Gateways, and the class of load balancers {asked} chooses another maker, of whom it is not known that he does what is written for that; take loadBalancerClass out, or ask the owner of the class for it (exposure.loadBalancerClass of the class's parameters)."
        ),
    ))
}

/// Whether the nodes may be of a provider.
fn may_be(cluster: &Cluster, provider: Provider) -> bool {
    match makers(cluster) {
        // Several share the nodes' providerID, or there is none: those whose keys are written anyhow.
        Automatic::Rules(family) if family.provider == Provider::Generic => {
            let keys = rules(provider).private.keys();
            !keys.is_empty() && keys.iter().all(|key| family.private.keys().contains(key))
        }
        Automatic::Rules(known) => known.provider == provider,
        Automatic::Unknown(_) | Automatic::Several(_) | Automatic::Unseen => false,
    }
}

fn fixed(class: &ExposureSettings, path: &FieldPath) -> Refusal {
    let whose = match &class.provider {
        Some(provider) => format!("says {provider}"),
        None => "leaves it to what the nodes say (Auto)".to_owned(),
    };
    Refusal::unsupported(
        path.clone(),
        format!(
            "The GatewayClass limits who may reach its Gateways, and who makes load balancers decides what is written for it; the class {whose}, so take provider out here, or ask the owner of the class."
        ),
    )
}
