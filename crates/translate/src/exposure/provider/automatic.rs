//! Which provider it is when nobody said: from the nodes' `spec.providerID`, and never a guess towards public.
//!
//! Where several providers share a beginning, only what they share is written. Where no node has a
//! `providerID`, the private keys of both services called NKS are, which hurt nowhere else. Where no file knows
//! the beginning, nothing is made.

use std::collections::BTreeSet;

use super::{
    Evidence, EvidenceKind, Gate, Provider, Rules, Switch, Unsaid, Way, naver, openstack, rules,
};

/// What the nodes say.
#[derive(Clone, Debug)]
pub enum Automatic {
    /// These rules are safe.
    Rules(&'static Rules),
    /// No file knows this beginning of a `providerID`; or one `providerID` of those that have no such beginning.
    Unknown(String),
    /// The nodes may not be looked at.
    Unseen,
    /// The nodes are of several providers, by their beginnings.
    Several(Vec<String>),
}

/// Looks at the nodes' `spec.providerID`; nodes without one say nothing.
pub fn automatic<'a>(provider_ids: impl IntoIterator<Item = &'a str>) -> Automatic {
    let ids = provider_ids.into_iter().filter(|id| !id.is_empty());
    let (mut starts, mut without) = (BTreeSet::new(), BTreeSet::new());
    for id in ids {
        match beginning(id) {
            Some(start) => starts.insert(start),
            None => without.insert(id),
        };
    }
    // Where each node's begins otherwise, one stands for all.
    starts.extend(without.first());
    let mut starts = starts.into_iter();
    let Some(first) = starts.next() else {
        return Automatic::Rules(&NO_PROVIDER_ID);
    };
    if starts.len() > 0 {
        let all = [first].into_iter().chain(starts).map(str::to_owned);
        return Automatic::Several(all.collect());
    }
    match *super::of_node(first) {
        [] => Automatic::Unknown(first.to_owned()),
        [provider] => Automatic::Rules(rules(provider)),
        // The only beginning that several share; a test holds the files to it.
        _ => Automatic::Rules(&OPENSTACK_FAMILY),
    }
}

/// The rules of this name, those that were not told from others among them.
pub fn rules_named(name: &str) -> Option<&'static Rules> {
    let all = Provider::ALL.iter().map(|provider| rules(*provider));
    let mut all = all.chain([&OPENSTACK_FAMILY, &NO_PROVIDER_ID]);
    all.find(|rules| rules.name == name)
}

/// What tells one provider from another: what is before `://`, or the beginning of an id without that, if a file knows
/// it.
pub fn beginning(id: &str) -> Option<&str> {
    match id.find("://") {
        Some(end) => id.get(..end + 3),
        None => known_start(id),
    }
}

fn known_start(id: &str) -> Option<&'static str> {
    let prefixes = Provider::ALL
        .iter()
        .flat_map(|provider| rules(*provider).node_prefixes);
    let mut prefixes = prefixes.copied();
    prefixes.find(|prefix| id.starts_with(prefix))
}

/// What NHN, OpenStack and OVH share.
static OPENSTACK_FAMILY: Rules = Rules {
    provider: Provider::Generic,
    name: "Auto (openstack://)",
    product: "NHN Cloud NKS, OpenStack or OVH (the nodes do not tell which)",
    product_ko: Some("NHN Cloud NKS, OpenStack, OVH 중 하나(노드로는 구별할 수 없음)"),
    node_prefixes: &["openstack://"],
    private: openstack::PRIVATE,
    public: openstack::PUBLIC,
    unsaid: Unsaid::Public,
    decides_reach: openstack::DECIDES_REACH,
    reads: &[
        "loadbalancer.openstack.org/*",
        "loadbalancer.nhncloud/*",
        "loadbalancer.ovhcloud.com/*",
        "service.beta.kubernetes.io/openstack-*",
    ],
    fixed_address: openstack::FIXED,
    node_ports: Way::Is(Gate::SECURITY_GROUP),
    written_back: openstack::WRITTEN_BACK,
    cannot: &[
        "The nodes do not tell NHN Cloud from other clouds built on OpenStack; write provider: NHN, OpenStack or OVH, so that more than the private switch can be said.",
    ],
    evidence: &[Evidence::of(
        EvidenceKind::Inferred,
        "Nodes of NHN Cloud and of OpenStack are not told apart by the beginning of their providerID",
        "concluded from the descent of NHN's controller",
    )],
    ..Rules::UNKNOWN
};

/// Where no node says anything: the private keys of both services called NKS.
static NO_PROVIDER_ID: Rules = Rules {
    provider: Provider::Generic,
    name: "Auto (no providerID)",
    product: "a maker of load balancers that the nodes do not name",
    guessed: true,
    private: Switch::Keys(&[
        super::Key::is(openstack::INTERNAL, "true"),
        super::Key::is(naver::INTERNAL, "true"),
    ]),
    public: Switch::NotKnown,
    decides_reach: openstack::DECIDES_REACH,
    cannot: &[
        "No node has a providerID, so it is not known who makes load balancers here; write provider, so that more than a private address can be asked for.",
    ],
    ..Rules::UNKNOWN
};
