//! MetalLB: a pool of addresses decides.

use super::{
    ClientAddress, Evidence, EvidenceKind, FixedAddress, Known, Place, Provider, Rules, Switch,
    Takes, Unsaid, Way,
};

const POOL: &str = "A pool of MetalLB's (IPAddressPool) decides; metallb.io/address-pool under annotations chooses it.";
const IPS: Way<Place> = Way::Is(Place::Annotation("metallb.io/loadBalancerIPs"));

pub(super) static RULES: Rules = Rules {
    provider: Provider::MetalLb,
    name: "MetalLB",
    product: "MetalLB",
    private: Switch::Elsewhere(POOL),
    public: Switch::Elsewhere(POOL),
    unsaid: Unsaid::Depends(POOL),
    reads: &["metallb.io/*", "metallb.universe.tf/*"],
    keys: &[
        Known::new("metallb.io/address-pool", Takes::Text),
        Known::new("metallb.io/loadBalancerIPs", Takes::Text),
        Known::new("metallb.io/allow-shared-ip", Takes::Text),
        Known::new("metallb.universe.tf/address-pool", Takes::Text),
        Known::new("metallb.universe.tf/loadBalancerIPs", Takes::Text),
        Known::new("metallb.universe.tf/allow-shared-ip", Takes::Text),
    ],
    fixed_address: FixedAddress {
        private: IPS,
        public: IPS,
    },
    subnet: Way::No(POOL),
    proxy_protocol: Way::No("Packets pass through, so there is no PROXY header."),
    client: ClientAddress::Kept,
    node_ports: Way::No(
        "Nodes announce the address themselves, and connections come to the ports of the listeners.",
    ),
    written_back: &[
        "metallb.io/ip-allocated-from-pool",
        "metallb.universe.tf/ip-allocated-from-pool",
    ],
    cannot: &[
        "There is no health check; with externalTrafficPolicy Local, nodes with proxies announce the address.",
        "A loadBalancerClass is MetalLB's only where it runs with --lb-class.",
    ],
    evidence: &[Evidence::of(
        EvidenceKind::Source,
        "The keys; the pool decides; the class only with --lb-class",
        "metallb/metallb 7938d3f89",
    )],
    ..Rules::UNKNOWN
};
