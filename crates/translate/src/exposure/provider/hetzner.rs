//! Hetzner's load balancers. The switch takes the public network away; `use-private-ip` is about targets only.

use super::{
    Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Key, Known, Place, Provider,
    ProxyProtocol, ProxyVersion, Rules, Shows, Switch, Takes, Unsaid, Way,
};

const PRIVATE: &str = "load-balancer.hetzner.cloud/disable-public-network";
const PRIVATE_V4: &str = "load-balancer.hetzner.cloud/private-ipv4";
const SUBNET: &str = "load-balancer.hetzner.cloud/private-subnet-ip-range";
const ID: &str = "load-balancer.hetzner.cloud/id";
const HOSTNAME: &str = "load-balancer.hetzner.cloud/hostname";
const PROXY: &str = "load-balancer.hetzner.cloud/uses-proxyprotocol";

pub(super) static RULES: Rules = Rules {
    provider: Provider::Hetzner,
    name: "Hetzner",
    product: "Hetzner Cloud",
    node_prefixes: &["hcloud://"],
    private: Switch::Keys(&[Key::is(PRIVATE, "true")]),
    public: Switch::Keys(&[Key::is(PRIVATE, "false")]),
    unsaid: Unsaid::Public,
    decides_reach: &[PRIVATE, ID],
    reads: &["load-balancer.hetzner.cloud/*"],
    keys: &[
        Known::new(PRIVATE, Takes::Boolean),
        Known::new(PRIVATE_V4, Takes::Text),
        Known::new(SUBNET, Takes::Text),
        Known::new(PROXY, Takes::Boolean),
        Known::new("load-balancer.hetzner.cloud/use-private-ip", Takes::Boolean),
        Known::new(
            "load-balancer.hetzner.cloud/disable-private-ingress",
            Takes::Boolean,
        ),
        Known::new("load-balancer.hetzner.cloud/location", Takes::Text),
        Known::new("load-balancer.hetzner.cloud/network-zone", Takes::Text),
        Known::new(HOSTNAME, Takes::Text),
        Known::new("load-balancer.hetzner.cloud/ipv6-disabled", Takes::Boolean),
    ],
    live: super::COMMON,
    fixed_address: FixedAddress {
        private: Way::Is(Place::Annotation(PRIVATE_V4)),
        public: Way::NotKnown,
    },
    subnet: Way::Is(SUBNET),
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(PROXY, "true")],
        version: ProxyVersion::V1,
        condition: None,
    }),
    client: ClientAddress::Hidden,
    shows: Shows::Mixed,
    classes: Classes::Ignores,
    chooses_shown: &[HOSTNAME],
    written_back: &[
        ID,
        "load-balancer.hetzner.cloud/ipv4",
        "load-balancer.hetzner.cloud/ipv6",
    ],
    cannot: &[
        "A private load balancer needs a network, and location or network-zone is always needed.",
        "use-private-ip is about the way to the nodes only; it makes nothing private.",
        "The status of a public one has its IPv4, IPv6 and private addresses beside each other.",
        "Its subnet is a range (10.0.0.0/24), not an id.",
    ],
    evidence: &[Evidence::of(
        EvidenceKind::Source,
        "The keys, and what the status shows",
        "hetznercloud/hcloud-cloud-controller-manager 6485324f",
    )],
    ..Rules::UNKNOWN
};
