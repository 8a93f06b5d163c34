//! cloud-provider-kind: a proxy in a container, with an address of the container network.

use super::{
    Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Provider, RangesPlace, Rules,
    SourceRanges, Switch, Unsaid, Way,
};

const DOCKER: &str = "The network of kind's containers decides.";

pub(super) static RULES: Rules = Rules {
    provider: Provider::Kind,
    name: "Kind",
    product: "cloud-provider-kind",
    node_prefixes: &["kind://"],
    private: Switch::Elsewhere(DOCKER),
    public: Switch::Elsewhere(DOCKER),
    unsaid: Unsaid::Depends(DOCKER),
    live: super::COMMON,
    udp: Way::Is(()),
    fixed_address: FixedAddress {
        private: Way::NotKnown,
        public: Way::NotKnown,
    },
    subnet: Way::No(DOCKER),
    source_ranges: Way::Is(SourceRanges {
        place: RangesPlace::Field,
        condition: None,
    }),
    client: ClientAddress::Hidden,
    node_ports: Way::No("It runs on one host with the nodes, and nothing stands between them."),
    classes: Classes::Ignores,
    cannot: &["It has a Gateway controller of its own; --gateway-channel=disabled turns it off."],
    evidence: &[Evidence::of(
        EvidenceKind::Source,
        "A proxy for TCP and UDP, which ranges of callers and health checks count for; no key for private; any class is ignored",
        "kubernetes-sigs/cloud-provider-kind 57084484",
    )],
    ..Rules::UNKNOWN
};
