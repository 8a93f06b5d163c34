//! Google's load balancers for GKE: packets pass through, and a class goes before the annotation.

use super::{
    ClassRule, Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Key, Known, Place,
    Provider, RangesPlace, Rules, Shows, SourceRanges, Switch, Takes, Unsaid, Way,
};

const TYPE: &str = "networking.gke.io/load-balancer-type";
const OLD_TYPE: &str = "cloud.google.com/load-balancer-type";
const SUBNET: &str = "networking.gke.io/load-balancer-subnet";

pub(super) static RULES: Rules = Rules {
    provider: Provider::Gke,
    name: "GKE",
    product: "Google Kubernetes Engine",
    node_prefixes: &["gce://"],
    private: Switch::Keys(&[Key::is(TYPE, "Internal")]),
    public: Switch::Default,
    unsaid: Unsaid::Public,
    decides_reach: &[TYPE, OLD_TYPE],
    reads: &[
        "networking.gke.io/*",
        "cloud.google.com/load-balancer-type",
        "cloud.google.com/l4-rbs",
        "cloud.google.com/network-tier",
    ],
    keys: &[
        Known::new(TYPE, Takes::Text),
        Known::new(OLD_TYPE, Takes::Text),
        Known::new(SUBNET, Takes::Text),
        Known::new("networking.gke.io/load-balancer-ip-addresses", Takes::Text),
        Known::new(
            "networking.gke.io/internal-load-balancer-allow-global-access",
            Takes::Boolean,
        ),
        Known::new("cloud.google.com/l4-rbs", Takes::Text),
        Known::new("cloud.google.com/network-tier", Takes::Text),
    ],
    live: super::COMMON,
    fixed_address: FixedAddress {
        private: Way::Is(Place::LoadBalancerIp),
        public: Way::Is(Place::LoadBalancerIp),
    },
    subnet: Way::Is(SUBNET),
    proxy_protocol: Way::No(
        "Packets pass through GKE's load balancers, so there is no PROXY header.",
    ),
    source_ranges: Way::Is(SourceRanges {
        place: RangesPlace::Field,
        condition: None,
    }),
    client: ClientAddress::Kept,
    shows: Shows::Ip,
    classes: Classes::Selects(&[
        ClassRule {
            class: "networking.gke.io/l4-regional-internal",
            reach: Some(Unsaid::Private),
        },
        ClassRule {
            class: "networking.gke.io/l4-regional-external",
            reach: Some(Unsaid::Public),
        },
        ClassRule {
            class: "networking.gke.io/l4-regional-internal-legacy",
            reach: Some(Unsaid::Private),
        },
        ClassRule {
            class: "networking.gke.io/l4-regional-external-legacy",
            reach: Some(Unsaid::Public),
        },
    ]),
    written_back: &[
        "service.kubernetes.io/tcp-forwarding-rule",
        "service.kubernetes.io/backend-service",
    ],
    cannot: &[
        "A loadBalancerClass decides before the annotation does.",
        "The health check is healthCheckNodePort with externalTrafficPolicy Local, else kube-proxy's port 10256; it has no keys.",
    ],
    evidence: &[Evidence::of(
        EvidenceKind::Excerpt,
        "The keys, the classes (from version 1.33.1 on), and that a class goes before the annotation",
        "cloud.google.com documents and kubernetes/ingress-gce",
    )],
    ..Rules::UNKNOWN
};
