//! K3s' ServiceLB: the nodes' addresses are the Service's, which is public where a node has an external one.

use super::{
    Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Provider, RangesPlace, Rules,
    SourceRanges, Switch, Unsaid, Way,
};

const NODES: &str = "The nodes' external addresses are published, or their internal ones if no node has an external one.";

pub(super) static RULES: Rules = Rules {
    provider: Provider::K3s,
    name: "K3s",
    product: "K3s ServiceLB",
    node_prefixes: &["k3s://"],
    private: Switch::Elsewhere(NODES),
    public: Switch::Elsewhere(NODES),
    unsaid: Unsaid::Depends(NODES),
    fixed_address: FixedAddress {
        private: Way::No(NODES),
        public: Way::No(NODES),
    },
    kept_address: Way::No(NODES),
    subnet: Way::No(NODES),
    proxy_protocol: Way::No("Packets pass through, so there is no PROXY header."),
    source_ranges: Way::Is(SourceRanges {
        place: RangesPlace::Field,
        condition: None,
    }),
    client: ClientAddress::Kept,
    node_ports: Way::No("Connections come to the nodes' addresses at the ports of the listeners."),
    classes: Classes::Ignores,
    cannot: &[
        "No key on the Service is read; labels of nodes (svccontroller.k3s.cattle.io/enablelb and lbpool) choose which nodes take part.",
        "With externalTrafficPolicy Local only nodes with ready proxies are listed.",
    ],
    evidence: &[Evidence::of(
        EvidenceKind::Excerpt,
        "Which addresses are published; that ranges of callers count and a class makes it ignore the Service",
        "K3s' documents",
    )],
    ..Rules::UNKNOWN
};
