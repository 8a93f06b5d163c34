//! From what is written about the way in to what the Service is to be, before anything exists. What cannot be had,
//! or would go round `reach`, is refused here, so that no load balancer is ever made for it.

use std::collections::BTreeMap;

use daemun_model::verdict::FieldPath;
use daemun_objects::own::exposure::Reach;
use serde::Serialize;

use super::provider::{
    Automatic, HealthDefaults, HealthPart, Provider, Rules, Switch, Value, Way, automatic, rules,
};
use crate::cluster::Cluster;
use crate::infrastructure::parameters::WayIn;
use crate::read::parameters::INVALID_PARAMETERS;
use crate::verdict::Refusal;

/// What the Service in front of a Gateway's proxies is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// Its type.
    pub kind: ServiceKind,
    /// Who may reach it; none means that this was not said, and is not decided by the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<Asked>,
    /// By whose rules.
    pub provider: &'static str,
    /// Whether only nodes with a proxy take traffic; none leaves it to Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
    /// `loadBalancerClass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Annotations, over which the Gateway's own go.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Annotations that decide who may reach it; nothing goes over them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub switch: BTreeMap<String, String>,
    /// Why the load balancer cannot carry UDP, if it cannot.
    #[serde(skip)]
    pub no_udp: Option<&'static str>,
    /// How many seconds pass before the load balancer notices that a node is gone, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notices: Option<u64>,
}

/// A Service's type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum ServiceKind {
    /// A load balancer.
    #[default]
    LoadBalancer,
    /// The cluster.
    ClusterIp,
}

/// Who may reach a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Asked {
    /// Who is inside of the network.
    Private,
    /// Anybody.
    Public,
}

/// Who makes load balancers, where nobody says it.
pub(crate) fn makers(cluster: &Cluster) -> Automatic {
    let nodes = cluster.nodes.iter();
    automatic(nodes.filter_map(|(_, node)| node.spec.provider_id.as_deref()))
}

/// Judges what is written of a Gateway's way in. The Gateway's own annotations (`spec.infrastructure.annotations`) get
/// to the Service as well, and so are looked at as well.
pub(crate) fn judge(
    way_in: &WayIn,
    own: &BTreeMap<String, String>,
    makers: &Automatic,
) -> Result<Exposure, Refusal> {
    let WayIn {
        reach,
        provider,
        local,
        class,
        annotations,
    } = way_in;
    // Whoever makes load balancers here: a key that decides reach somewhere has no other use.
    keys_of_reach(annotations, "exposure.annotations of its GatewayParameters")?;
    keys_of_reach(own, "spec.infrastructure.annotations")?;
    if *reach == Some(Reach::Cluster) {
        return Ok(Exposure {
            kind: ServiceKind::ClusterIp,
            provider: "",
            annotations: annotations.clone(),
            ..Exposure::default()
        });
    }
    let rules = match provider {
        Some(provider) => rules(*provider),
        None => recognised(makers)?,
    };
    let (reach, switch) = asked(*reach, rules)?;
    let told = health_check(rules, annotations, own);
    Ok(Exposure {
        kind: ServiceKind::LoadBalancer,
        reach,
        provider: rules.name,
        local: local.or_else(|| rules.health_defaults.map(|_| false)),
        class: class.clone(),
        annotations: told.into_iter().chain(annotations.clone()).collect(),
        switch,
        no_udp: match rules.udp {
            Way::No(why) => Some(why),
            Way::Is(()) | Way::NotKnown => None,
        },
        notices: rules
            .health_defaults
            .map(|HealthDefaults { delay, tries, .. }| u64::from(delay) * u64::from(tries)),
    })
}

/// Annotations that decide who may reach the address are `reach`'s alone.
fn keys_of_reach(annotations: &BTreeMap<String, String>, written: &str) -> Result<(), Refusal> {
    let mut keys = annotations.keys();
    let decides = |key: &&String| {
        let all = Provider::ALL.iter();
        all.copied()
            .any(|provider| rules(provider).decides_reach(key))
    };
    match keys.find(decides) {
        None => Ok(()),
        Some(key) => Err(refusal(format!(
            "The annotation {key} ({written}) decides who may reach the Gateway, and that is said in one place only; take it out, and write exposure.reach in GatewayParameters: Private, Public or Cluster."
        ))),
    }
}

fn recognised(makers: &Automatic) -> Result<&'static Rules, Refusal> {
    match makers {
        Automatic::Rules(rules) => Ok(rules),
        Automatic::Unknown(start) => Err(refusal(format!(
            "The nodes' providerID begins with {start}, and it is not known who makes load balancers there, so no Service was made that might get a public address. Write in GatewayParameters who it is, such as exposure: {{provider: {}}}; known are {}.",
            Provider::Generic.name(),
            names()
        ))),
        Automatic::Several(starts) => Err(refusal(format!(
            "The nodes belong to several clouds ({}), so it is not known who makes load balancers here. Write in GatewayParameters who it is, such as exposure: {{provider: {}}}; known are {}.",
            starts.join(", "),
            Provider::Generic.name(),
            names()
        ))),
    }
}

/// The names of all providers.
pub(crate) fn names() -> String {
    let names: Vec<&str> = Provider::ALL.iter().map(|it| it.name()).collect();
    names.join(", ")
}

type Annotations = BTreeMap<String, String>;

/// Who may reach it, and the keys that say so.
fn asked(reach: Option<Reach>, rules: &Rules) -> Result<(Option<Asked>, Annotations), Refusal> {
    let (asked, switch) = match reach {
        Some(Reach::Private) => (Asked::Private, &rules.private),
        Some(Reach::Public) => (Asked::Public, &rules.public),
        // Without a word it is private where the Service can say so, and where it cannot, it is what it is.
        None | Some(Reach::Cluster) => match &rules.private {
            Switch::Keys(_) | Switch::Default => (Asked::Private, &rules.private),
            Switch::Elsewhere(_) | Switch::Impossible(_) | Switch::NotKnown => {
                return Ok((None, Annotations::new()));
            }
        },
    };
    let word = match asked {
        Asked::Private => "private",
        Asked::Public => "public",
    };
    match switch {
        Switch::Keys(keys) => {
            let keys = keys.iter().map(|key| match key.value {
                Value::Is(value) => Ok((key.key.to_owned(), value.to_owned())),
                Value::Subnet => Err(refusal(format!(
                    "For {} a {word} address is asked for by naming its subnet ({}), which cannot be said yet; use exposure.reach: Cluster and a Service of your own.",
                    rules.product, key.key
                ))),
            });
            Ok((Some(asked), keys.collect::<Result<_, _>>()?))
        }
        Switch::Default | Switch::Elsewhere(_) => Ok((Some(asked), Annotations::new())),
        Switch::Impossible(why) => Err(refusal(format!(
            "{} cannot give a {word} address: {why}",
            rules.product
        ))),
        Switch::NotKnown => Err(refusal(format!(
            "It is not known how {} is asked for a {word} address, so no Service was made. Write who makes load balancers here (exposure.provider); known are {}.",
            rules.product,
            names()
        ))),
    }
}

/// What the maker's own defaults get wrong about the health check, in its keys, unless somebody says it otherwise.
fn health_check(rules: &Rules, annotations: &Annotations, own: &Annotations) -> Annotations {
    let Some(HealthDefaults {
        delay,
        timeout,
        tries,
    }) = rules.health_defaults
    else {
        return Annotations::new();
    };
    let parts = [
        (HealthPart::Delay, delay),
        (HealthPart::Timeout, timeout),
        (HealthPart::Tries, tries),
    ];
    let said = |key: &str| annotations.contains_key(key) || own.contains_key(key);
    let keys = parts.into_iter().filter_map(|(part, value)| {
        let key = rules.health_key(part)?.key;
        (!said(key)).then(|| (key.to_owned(), value.to_string()))
    });
    keys.collect()
}

fn refusal(message: String) -> Refusal {
    Refusal::new(
        FieldPath::of("spec.infrastructure"),
        INVALID_PARAMETERS,
        message,
    )
}
