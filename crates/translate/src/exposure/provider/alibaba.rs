//! Alibaba's load balancers for ACK. Of its two kinds, only the newer (NLB) may change between private and public.

use super::{
    Aspect, ClassRule, Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Key, Known,
    Place, Provider, ProxyProtocol, ProxyVersion, Rules, Shows, Switch, Takes, Unsaid, Way,
};

const TYPE: &str = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type";
const ID: &str = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-id";
const IP: &str = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-ip";
const SUBNET: &str = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-vswitch-id";
const HOSTNAME: &str = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-hostname";
const PROXY: &str = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-proxy-protocol";

// The controller reads each key with its old beginning too.
const OLD_TYPE: &str = "service.beta.kubernetes.io/alicloud-loadbalancer-address-type";
const OLD_ID: &str = "service.beta.kubernetes.io/alicloud-loadbalancer-id";
const OLD_HOSTNAME: &str = "service.beta.kubernetes.io/alicloud-loadbalancer-hostname";

/// A key that takes any text.
const fn text(key: &'static str) -> Known {
    Known::new(key, Takes::Text)
}

pub(super) static RULES: Rules = Rules {
    provider: Provider::Alibaba,
    name: "Alibaba",
    product: "Alibaba Cloud ACK",
    private: Switch::Keys(&[Key::is(TYPE, "intranet")]),
    public: Switch::Keys(&[Key::is(TYPE, "internet")]),
    unsaid: Unsaid::Public,
    decides_reach: &[TYPE, ID, OLD_TYPE, OLD_ID],
    reads: &[
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-*",
        "service.beta.kubernetes.io/alicloud-loadbalancer-*",
    ],
    keys: &[
        Known::new(TYPE, Takes::Words(&["internet", "intranet"])).create_only(),
        text(ID),
        text(IP),
        text(SUBNET),
        text(PROXY),
        text(HOSTNAME),
        text("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-zone-maps"),
        text("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-acl-status"),
        text("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-acl-id"),
        text("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-acl-type"),
        text("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-health-check-flag"),
        text("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-health-check-type"),
        text("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-health-check-uri"),
        text("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-preserve-lb-on-delete"),
        text("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-delete-protection"),
        text("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-force-override-listeners"),
    ],
    create_only: &[Aspect::Reach],
    fixed_address: FixedAddress {
        private: Way::Is(Place::Annotation(IP)),
        public: Way::NotKnown,
    },
    kept_address: Way::No(
        "Alibaba keeps a whole load balancer (alibaba-cloud-loadbalancer-preserve-lb-on-delete under annotations), not an address.",
    ),
    subnet: Way::Is(SUBNET),
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(PROXY, "on")],
        version: ProxyVersion::V2,
        condition: None,
    }),
    source_ranges: Way::No(
        "Alibaba takes ids of access control lists (alibaba-cloud-loadbalancer-acl-id under annotations), not ranges.",
    ),
    client: ClientAddress::Kept,
    shows: Shows::Ip,
    chooses_shown: &[HOSTNAME, OLD_HOSTNAME],
    classes: Classes::Selects(&[ClassRule {
        class: "alibabacloud.com/nlb",
        reach: None,
    }]),
    cannot: &[
        "A CLB cannot change between private and public once it is made (\"can not change LoadBalancer AddressType once created\"); an NLB may.",
        "An NLB needs zone-maps under annotations.",
        "Deletion protection is on by default.",
    ],
    evidence: &[
        Evidence::of(
            EvidenceKind::Source,
            "The keys, their defaults, and that a CLB refuses to change its address type",
            "kubernetes/cloud-provider-alibaba-cloud eeb0ddc68",
        ),
        Evidence::of(
            EvidenceKind::Inferred,
            "alibaba-cloud-loadbalancer-ip is for private addresses",
            "concluded from the vswitch beside it",
        ),
    ],
    ..Rules::UNKNOWN
};
