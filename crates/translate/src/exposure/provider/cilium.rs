//! Cilium's LB-IPAM: a pool that selects Services decides.

use super::{
    ClassRule, Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Known, Place,
    Provider, RangesPlace, Rules, SourceRanges, Switch, Takes, Unsaid, Way,
};

const POOL: &str = "The CiliumLoadBalancerIPPool that selects the Service decides.";
const IPS: Way<Place> = Way::Is(Place::Annotation("lbipam.cilium.io/ips"));

pub(super) static RULES: Rules = Rules {
    provider: Provider::Cilium,
    name: "Cilium",
    product: "Cilium LB-IPAM",
    private: Switch::Elsewhere(POOL),
    public: Switch::Elsewhere(POOL),
    unsaid: Unsaid::Depends(POOL),
    reads: &["lbipam.cilium.io/*"],
    keys: &[
        Known::new("lbipam.cilium.io/ips", Takes::Text),
        Known::new("lbipam.cilium.io/sharing-key", Takes::Text),
    ],
    fixed_address: FixedAddress {
        private: IPS,
        public: IPS,
    },
    subnet: Way::No(POOL),
    proxy_protocol: Way::No("Packets pass through, so there is no PROXY header."),
    source_ranges: Way::Is(SourceRanges {
        place: RangesPlace::Field,
        condition: None,
    }),
    client: ClientAddress::Kept,
    node_ports: Way::No(
        "Nodes answer for the address themselves, and connections come to the ports of the listeners.",
    ),
    classes: Classes::Selects(&[
        ClassRule {
            class: "io.cilium/bgp-control-plane",
            reach: None,
        },
        ClassRule {
            class: "io.cilium/l2-announcer",
            reach: None,
        },
    ]),
    cannot: &[
        "Whether a wish for an address was heard is told by the Service's condition io.cilium/lb-ipam-request-satisfied.",
    ],
    evidence: &[Evidence::of(
        EvidenceKind::Excerpt,
        "The keys, the classes, and that ranges of callers count",
        "Cilium's documents",
    )],
    ..Rules::UNKNOWN
};
