//! `proxyProtocol`: one switch for both sides, the load balancer that sends PROXY headers and the listeners that
//! believe them.
//!
//! The order is safe because a header is accepted and not demanded: listeners that accept it take connections without
//! one as well (of health checks, of callers in the cluster), so they may accept it long before the load balancer
//! sends it. Both are told at once. Proxies have their configuration within milliseconds and before they are ready;
//! the load balancer that sends headers is one that is made, which takes its maker seconds: no maker is known to change
//! this on a live one, so a late change is one to a new load balancer. The other way round headers are believed for as
//! long as a Service of the Gateway's still says that they are sent.

use std::net::IpAddr;

use daemun_model::verdict::Finding;
use daemun_objects::core::node::{Node, NodeAddressType};
use daemun_objects::core::service::Service;
use ipnet::IpNet;

use super::{Annotations, Question, ServiceKind, at, refusal};
use crate::cluster::Cluster;
use crate::exposure::provider::{
    Automatic, Provider, ProxyNeeds, ProxyVersion, Rules, Value, Way, listener_key, rules,
};
use crate::verdict::{Refusal, warning};

/// What is done about PROXY headers.
#[derive(Debug, Default)]
pub(super) struct Proxy {
    /// The keys that switch them on.
    pub(super) keys: Annotations,
    /// Their version.
    pub(super) version: Option<ProxyVersion>,
    /// Whose headers are believed.
    pub(super) trusted: Option<Vec<IpNet>>,
    /// On what it depends that they are sent, if that is not certain.
    pub(super) conditional: Option<&'static str>,
    /// What may surprise.
    pub(super) findings: Vec<Finding>,
}

/// Decides on both sides of a load balancer.
pub(super) fn decide(asked: &Question<'_>, local: bool, rules: &Rules) -> Result<Proxy, Refusal> {
    let mut proxy = Proxy::default();
    if !asked.way_in.proxy_protocol {
        go_on(asked, local, &mut proxy);
        return Ok(proxy);
    }
    match rules.proxy_protocol {
        Way::Is(way) => {
            proxy.version = Some(way.version);
            proxy.conditional = way.condition.filter(|_| !is_sent(asked, rules));
            proxy.findings.extend(proxy.conditional.map(|condition| {
                warning(
                    at("proxyProtocol"),
                    "ProxyProtocolConditional",
                    format!(
                        "exposure.proxyProtocol is true, and it is not certain that {} sends PROXY headers: {condition} Where none comes, the load balancer's or a node's address counts as the client's.",
                        rules.product
                    ),
                )
            }));
            for key in way.keys {
                if let Value::Is(value) = key.value {
                    proxy.keys.insert(key.key.to_owned(), value.to_owned());
                }
            }
        }
        Way::No(why) => {
            return Err(refusal(
                "proxyProtocol",
                format!(
                    "{} sends no PROXY headers: {why} Take exposure.proxyProtocol out; with externalTrafficPolicy Local the proxies see clients' addresses there.",
                    rules.product
                ),
            ));
        }
        Way::NotKnown if asked.way_in.provider == Some(Provider::Generic) => {
            proxy.findings.push(one_sided());
        }
        Way::NotKnown => {
            return Err(refusal(
                "proxyProtocol",
                format!(
                    "It is not known how {} is asked for PROXY headers, and with one side switched nothing would be gained. Say who makes load balancers here (exposure.provider); with {} you write its annotation under exposure.annotations yourself.",
                    rules.product,
                    Provider::Generic.name()
                ),
            ));
        }
    }
    trust(asked, local, &mut proxy)?;
    Ok(proxy)
}

/// Whether it is certain that headers are sent, by the annotation that decides it.
fn is_sent(asked: &Question<'_>, rules: &Rules) -> bool {
    let Some(ProxyNeeds {
        key,
        values,
        unsaid,
    }) = rules.proxy_needs
    else {
        return false;
    };
    let fits = |value: &String| values.contains(&value.as_str());
    let way_in = asked.way_in;
    let said = asked.own.get(key).or(way_in.annotations.get(key));
    let mut listeners = way_in.listener_annotations.iter();
    said.map_or(unsaid, fits)
        && listeners.all(|(of, value)| {
            listener_key(of).is_none_or(|(_, _, bare)| bare != key) || fits(value)
        })
}

/// Decides on the listeners' side where somebody else's load balancer may stand in front.
pub(super) fn without_load_balancer(
    asked: &Question<'_>,
    kind: ServiceKind,
) -> Result<Proxy, Refusal> {
    let by_nodes = kind == ServiceKind::NodePort && asked.way_in.local != Some(true);
    if !asked.way_in.proxy_protocol {
        let mut proxy = Proxy::default();
        go_on(asked, !by_nodes, &mut proxy);
        return Ok(proxy);
    }
    if asked.way_in.trusted.is_none() && !by_nodes {
        return Err(refusal(
            "proxyProtocol",
            "Who would send PROXY headers is not known with this reach; write their addresses in exposure.trustedRanges, or take exposure.proxyProtocol out.",
        ));
    }
    let mut proxy = Proxy {
        findings: vec![one_sided()],
        ..Proxy::default()
    };
    trust(asked, !by_nodes, &mut proxy)?;
    Ok(proxy)
}

/// Whose keys a Gateway's Service may say it with: those of the maker that is named, or of those that the nodes may be
/// of. A key that nobody reads sends no header, and then everybody could send one.
pub(crate) fn senders(named: Option<Provider>, makers: &Automatic) -> Vec<&'static Rules> {
    match (named, makers) {
        (Some(provider), _) => vec![rules(provider)],
        (None, Automatic::Rules(known)) => {
            let all = Provider::ALL.iter().map(|provider| rules(*provider));
            let shares = |rules: &&Rules| {
                let mut prefixes = rules.node_prefixes.iter();
                prefixes.any(|prefix| known.node_prefixes.contains(prefix))
            };
            all.filter(shares).collect()
        }
        (None, Automatic::Unknown(_) | Automatic::Unseen | Automatic::Several(_)) => Vec::new(),
    }
}

/// Whether a Service says to a load balancer of one of these that PROXY headers are to be sent.
pub(crate) fn is_asked_by(service: &Service, senders: &[&Rules]) -> bool {
    let annotations = &service.metadata.annotations;
    senders.iter().any(|rules| {
        let keys = rules.proxy_protocol.get().map(|way| way.keys);
        let mut keys = keys.into_iter().flatten();
        keys.any(|key| key.is_in(annotations.get(key.key).map(String::as_str)))
    })
}

/// Goes on believing headers that are still sent, as far as it is known who sends them. What is on a Service is not what
/// the Gateway asks for, so nothing is refused for it.
fn go_on(asked: &Question<'_>, local: bool, proxy: &mut Proxy) {
    if asked.still_sent {
        proxy.trusted = trusted(asked, local)
            .or_else(|_| trusted(asked, false))
            .ok();
    }
    if proxy.trusted.is_some() && !local {
        proxy.findings.push(through_nodes());
    }
}

/// Whether only nodes with a proxy may take traffic while headers are still sent: they come from the load balancer
/// itself then, which has to be known.
pub(super) fn may_be_local(asked: &Question<'_>) -> bool {
    !asked.still_sent || asked.way_in.proxy_protocol || trusted(asked, true).is_ok()
}

/// Notes whose headers are believed, and that others may go through the nodes.
fn trust(asked: &Question<'_>, local: bool, proxy: &mut Proxy) -> Result<(), Refusal> {
    proxy.trusted = Some(trusted(asked, local)?);
    if !local {
        proxy.findings.push(through_nodes());
    }
    Ok(())
}

fn through_nodes() -> Finding {
    warning(
        at("proxyProtocol"),
        "ProxyProtocolThroughNodes",
        "PROXY headers are believed from the nodes, through which everything passes that comes to a port of theirs (NodePort): who can reach one can claim any address as the client's. With externalTrafficPolicy Local, and the load balancer's range in exposure.trustedRanges, only the load balancer can.",
    )
}

/// Whose headers are believed.
pub(super) fn trusted(asked: &Question<'_>, local: bool) -> Result<Vec<IpNet>, Refusal> {
    let subnet = asked.way_in.subnet.as_deref();
    let subnet: Option<IpNet> = subnet.and_then(|subnet| subnet.parse().ok());
    match (&asked.way_in.trusted, subnet, local) {
        (Some(trusted), _, _) => Ok(trusted.clone()),
        (None, Some(subnet), true) => Ok(vec![subnet.trunc()]),
        (None, None, true) => Err(refusal(
            "proxyProtocol",
            "With externalTrafficPolicy Local the PROXY headers come from the load balancer's own addresses, which are not known here; write the range of its subnet in exposure.trustedRanges.",
        )),
        (None, _, false) => {
            let nodes = nodes(asked.cluster);
            if nodes.is_empty() {
                return Err(refusal(
                    "proxyProtocol",
                    "The PROXY headers come through the nodes, and no address of a node is known here; write their ranges in exposure.trustedRanges.",
                ));
            }
            Ok(nodes)
        }
    }
}

fn one_sided() -> Finding {
    warning(
        at("proxyProtocol"),
        "ProxyProtocolOneSided",
        "Listeners accept PROXY headers, and what stands in front of them has to be told elsewhere to send them: nothing here tells it.",
    )
}

/// The addresses that nodes have when they pass traffic on to a proxy: their own, and those of their end of the pods'
/// network, since with overlays that is what a proxy on another node sees.
fn nodes(cluster: &Cluster) -> Vec<IpNet> {
    let mut all: Vec<IpNet> = cluster
        .nodes
        .iter()
        .flat_map(|(_, node)| own(node).chain(tunnels(node)))
        .map(IpNet::from)
        .collect();
    all.sort();
    all.dedup();
    all
}

fn own(node: &Node) -> impl Iterator<Item = IpAddr> {
    let addresses = node.status.addresses.iter();
    addresses.filter_map(|it| {
        let inside = it.r#type.as_ref()? == &NodeAddressType::InternalIp;
        it.address.parse().ok().filter(|_| inside)
    })
}

/// Calico names its tunnels' addresses on the node; flannel's are the first two of the node's range of pods.
fn tunnels(node: &Node) -> impl Iterator<Item = IpAddr> {
    const CALICO: [&str; 4] = [
        "projectcalico.org/IPv4VXLANTunnelAddr",
        "projectcalico.org/IPv4IPIPTunnelAddr",
        "projectcalico.org/IPv4WireguardInterfaceAddr",
        "projectcalico.org/IPv6VXLANTunnelAddr",
    ];
    let annotations = &node.metadata.annotations;
    let calico = CALICO
        .into_iter()
        .filter_map(|key| annotations.get(key)?.parse().ok());
    let pods = node.spec.pod_cidrs.iter();
    let pods = pods.filter_map(|range| range.parse::<IpNet>().ok());
    let flannel = pods.flat_map(|range| {
        let first = range.network();
        let gateway = range.hosts().find(|host| *host != first);
        [Some(first), gateway].into_iter().flatten()
    });
    calico.chain(flannel)
}
