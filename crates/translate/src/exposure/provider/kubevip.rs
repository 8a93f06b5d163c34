//! kube-vip: a range of addresses in a ConfigMap decides, or DHCP.

use super::{
    ClassRule, Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Known, Place,
    Provider, Rules, Switch, Takes, Unsaid, Way,
};

const POOL: &str =
    "The ranges in kube-vip's ConfigMap (cidr-NAMESPACE, range-global), or DHCP, decide.";
const HOSTNAME: &str = "kube-vip.io/loadbalancerHostname";
const IPS: Way<Place> = Way::Is(Place::Annotation("kube-vip.io/loadbalancerIPs"));

pub(super) static RULES: Rules = Rules {
    provider: Provider::KubeVip,
    name: "KubeVIP",
    product: "kube-vip",
    private: Switch::Elsewhere(POOL),
    public: Switch::Elsewhere(POOL),
    unsaid: Unsaid::Depends(POOL),
    reads: &["kube-vip.io/*"],
    keys: &[
        Known::new("kube-vip.io/loadbalancerIPs", Takes::Text),
        Known::new("kube-vip.io/serviceInterface", Takes::Text),
        Known::new(HOSTNAME, Takes::Text),
        Known::new("kube-vip.io/ignore", Takes::Text),
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
    classes: Classes::Selects(&[ClassRule {
        class: "kube-vip.io/kube-vip-class",
        reach: None,
    }]),
    cannot: &["The address 0.0.0.0 asks DHCP for one."],
    chooses_shown: &[HOSTNAME],
    evidence: &[Evidence::of(
        EvidenceKind::Source,
        "The keys, the class and the ConfigMap",
        "kube-vip/kube-vip bee5cfe and kube-vip/kube-vip-cloud-provider d3522c6",
    )],
    ..Rules::UNKNOWN
};
