//! Vultr's load balancers, which are always public.

use super::{
    Classes, ClientAddress, Evidence, EvidenceKind, Key, Known, Provider, ProxyProtocol,
    ProxyVersion, Rules, Switch, Takes, Unsaid, Way,
};

const VPC: &str = "service.beta.kubernetes.io/vultr-loadbalancer-vpc";
const HOSTNAME: &str = "service.beta.kubernetes.io/vultr-loadbalancer-hostname";
const PROXY: &str = "service.beta.kubernetes.io/vultr-loadbalancer-proxy-protocol";

pub(super) static RULES: Rules = Rules {
    provider: Provider::Vultr,
    name: "Vultr",
    product: "Vultr Kubernetes Engine",
    node_prefixes: &["vultr://"],
    private: Switch::Impossible(
        "Vultr has no private load balancers; vultr-loadbalancer-vpc only attaches a public one to a VPC.",
    ),
    public: Switch::Default,
    unsaid: Unsaid::Public,
    reads: &["service.beta.kubernetes.io/vultr-loadbalancer-*"],
    keys: &[
        Known::new(VPC, Takes::Boolean),
        Known::new(PROXY, Takes::Boolean),
        Known::new(
            "service.beta.kubernetes.io/vultr-loadbalancer-firewall-rules",
            Takes::Text,
        ),
        Known::new(HOSTNAME, Takes::Text),
        Known::new(
            "service.beta.kubernetes.io/vultr-loadbalancer-timeout",
            Takes::Text,
        ),
    ],
    live: super::COMMON,
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(PROXY, "true")],
        version: ProxyVersion::NotKnown,
        condition: None,
    }),
    client: ClientAddress::Hidden,
    classes: Classes::Ignores,
    cannot: &[
        "A private address cannot be had.",
        "Ranges of callers are a text of rules (vultr-loadbalancer-firewall-rules) whose form is not known here.",
    ],
    chooses_shown: &[HOSTNAME],
    evidence: &[Evidence::of(
        EvidenceKind::Source,
        "The keys, and that nothing makes it private",
        "vultr/vultr-cloud-controller-manager d5f3ab03",
    )],
    ..Rules::UNKNOWN
};
