//! What is to be said of a Gateway that is reached by its nodes: which addresses they have, and who that lets in. Nobody
//! asked for addresses of a certain kind, so nothing is violated and nothing is closed; but a node may have an address
//! that is reached from further away than somebody thinks.

use std::collections::BTreeSet;
use std::net::IpAddr;

use daemun_objects::core::node::{Node, NodeAddressType};

use super::class::{AddressClass, Side, class_of, in_a_word};
use super::judge::{Exposure, ServiceKind, host_ports};
use crate::cluster::Cluster;

/// As many nodes are named.
const NAMED: usize = 3;

/// The class of the nodes' addresses in a word, none if no address is known; and what is to be said, in sentences.
pub(super) fn said(cluster: &Cluster, exposure: &Exposure) -> (Option<&'static str>, String) {
    let by = match exposure.kind {
        ServiceKind::HostPorts => format!(
            "a node with a proxy of it reaches the Gateway there, by the ports that the proxies take ({})",
            host_ports::in_words(&exposure.host_ports)
        ),
        ServiceKind::NodePort
        | ServiceKind::LoadBalancer
        | ServiceKind::ClusterIp
        | ServiceKind::Unmanaged => {
            "a node reaches the Gateway, by the ports that its Service has on every node".to_owned()
        }
    };
    let (class, have) = addresses(cluster);
    (
        class,
        format!(
            "Reach Node was asked for: whoever reaches {by}. {have} What stands in front of the nodes, a firewall or an address that somebody attached to one, is not visible here."
        ),
    )
}

/// The class of the nodes' addresses in a word, and the addresses in a sentence.
fn addresses(cluster: &Cluster) -> (Option<&'static str>, String) {
    if cluster.nodes_hidden {
        let why = "The controller may not list nodes, so their addresses are not known here.";
        return (None, why.to_owned());
    }
    let settings = &cluster.settings;
    let (mut classes, mut words) = (BTreeSet::new(), Vec::new());
    for (name, node) in &cluster.nodes {
        let mut each = Vec::new();
        for address in of(node) {
            let class = class_of(address, &settings.private_ranges, &settings.public_ranges);
            each.push(format!("{address} ({})", class.as_str()));
            classes.insert(class);
        }
        if !each.is_empty() {
            words.push(format!("{} has {}", name.name, each.join(" and ")));
        }
    }
    if words.is_empty() {
        return (None, "No address of a node is known here.".to_owned());
    }
    let more = match words.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and there are {more} more"),
    };
    words.truncate(NAMED);
    let outside = |class: &AddressClass| class.side() == Side::Outside;
    let internet = match classes.iter().any(outside) {
        true => {
            " A public address of a node is reached from the internet, unless a security rule keeps these ports shut."
        }
        false => "",
    };
    let have = format!("Of the nodes {}{more}.{internet}", words.join("; "));
    (in_a_word(&classes), have)
}

/// The addresses by which a node is reached, from inside of the network or from outside.
fn of(node: &Node) -> impl Iterator<Item = IpAddr> {
    let addresses = node.status.addresses.iter();
    addresses.filter_map(|it| {
        let kind = it.r#type.as_ref()?;
        let is_ip = *kind == NodeAddressType::InternalIp || *kind == NodeAddressType::ExternalIp;
        it.address.parse().ok().filter(|_| is_ip)
    })
}
