//! Tencent's load balancers for TKE. It is private where a subnet is named, and public otherwise.

use super::{Evidence, EvidenceKind, Key, Known, Provider, Rules, Switch, Takes, Unsaid, Way};

const SUBNET: &str = "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid";
const ID: &str = "service.kubernetes.io/loadbalance-id";
const EXISTING: &str = "service.kubernetes.io/tke-existed-lbid";

pub(super) static RULES: Rules = Rules {
    provider: Provider::Tencent,
    name: "Tencent",
    product: "Tencent Cloud TKE",
    private: Switch::Keys(&[Key::subnet(SUBNET)]),
    public: Switch::Default,
    unsaid: Unsaid::Public,
    decides_reach: &[SUBNET, EXISTING, ID],
    reads: &[
        "service.kubernetes.io/qcloud-loadbalancer-*",
        "service.kubernetes.io/tke-*",
        ID,
        "service.kubernetes.io/local-svc-only-bind-node-with-pod",
        "service.cloud.tencent.com/*",
    ],
    keys: &[
        Known::new(SUBNET, Takes::Text),
        Known::new(EXISTING, Takes::Text),
        Known::new(ID, Takes::Text),
        Known::new(
            "service.kubernetes.io/local-svc-only-bind-node-with-pod",
            Takes::Text,
        ),
        Known::new("service.cloud.tencent.com/direct-access", Takes::Text),
        Known::new("service.cloud.tencent.com/tke-service-config", Takes::Text),
    ],
    subnet: Way::Is(SUBNET),
    written_back: &[ID],
    cannot: &[
        "A private address needs the subnet's id, since naming it is the switch; without one the address is public.",
    ],
    evidence: &[Evidence::of(
        EvidenceKind::Excerpt,
        "The keys; the presence of internal-subnetid makes it internal",
        "Tencent Cloud's documents and its cloud controller manager of 2020",
    )],
    ..Rules::UNKNOWN
};
