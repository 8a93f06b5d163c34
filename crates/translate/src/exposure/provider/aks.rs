//! Azure's load balancers for AKS. `azure-disable-load-balancer-floating-ip` has nothing to do with public addresses.

use super::{
    Aspect, Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, HealthKey, HealthPart,
    Key, Known, Place, Provider, RangesPlace, Rules, Shows, SourceRanges, Switch, Takes, Unit,
    Unsaid, Way,
};

const INTERNAL: &str = "service.beta.kubernetes.io/azure-load-balancer-internal";
const SUBNET: &str = "service.beta.kubernetes.io/azure-load-balancer-internal-subnet";
const V4: &str = "service.beta.kubernetes.io/azure-load-balancer-ipv4";
const V6: &str = "service.beta.kubernetes.io/azure-load-balancer-ipv6";
const PROTOCOL: &str = "service.beta.kubernetes.io/azure-load-balancer-health-probe-protocol";
const INTERVAL: &str = "service.beta.kubernetes.io/azure-load-balancer-health-probe-interval";
const TRIES: &str = "service.beta.kubernetes.io/azure-load-balancer-health-probe-num-of-probe";
const PATH: &str = "service.beta.kubernetes.io/azure-load-balancer-health-probe-request-path";

const ADDRESS: Way<Place> = Way::Is(Place::ByFamily { v4: V4, v6: V6 });

const KEYS: &[Known] = &[
    Known::new(INTERNAL, Takes::Boolean).live(),
    Known::new(SUBNET, Takes::Text),
    Known::new(V4, Takes::Text),
    Known::new(V6, Takes::Text),
    Known::new("service.beta.kubernetes.io/azure-pip-name", Takes::Text),
    Known::new(
        "service.beta.kubernetes.io/azure-pip-prefix-id",
        Takes::Text,
    ),
    Known::new(
        "service.beta.kubernetes.io/azure-pls-create",
        Takes::Boolean,
    ),
    Known::new(
        "service.beta.kubernetes.io/azure-pls-proxy-protocol",
        Takes::Boolean,
    ),
    Known::new(
        "service.beta.kubernetes.io/azure-allowed-ip-ranges",
        Takes::Text,
    ),
    Known::new(
        "service.beta.kubernetes.io/azure-allowed-service-tags",
        Takes::Text,
    ),
    Known::new(
        "service.beta.kubernetes.io/azure-deny-all-except-load-balancer-source-ranges",
        Takes::Boolean,
    ),
    Known::new(PROTOCOL, Takes::Text),
    Known::new(INTERVAL, Takes::Text),
    Known::new(TRIES, Takes::Text),
    Known::new(PATH, Takes::Path),
    Known::new(
        "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout",
        Takes::Number(4, 100),
    ),
    Known::new(
        "service.beta.kubernetes.io/azure-disable-load-balancer-floating-ip",
        Takes::Boolean,
    ),
];

pub(super) static RULES: Rules = Rules {
    provider: Provider::Aks,
    name: "AKS",
    product: "Azure Kubernetes Service",
    node_prefixes: &["azure://"],
    private: Switch::Keys(&[Key::is(INTERNAL, "true")]),
    public: Switch::Keys(&[Key::is(INTERNAL, "false")]),
    unsaid: Unsaid::Public,
    decides_reach: &[INTERNAL],
    reads: &["service.beta.kubernetes.io/azure-*"],
    keys: KEYS,
    live: &[Aspect::Reach, Aspect::SourceRanges, Aspect::Annotation],
    fixed_address: FixedAddress {
        private: ADDRESS,
        public: ADDRESS,
    },
    subnet: Way::Is(SUBNET),
    proxy_protocol: Way::No(
        "Packets pass through Azure's load balancers; only a Private Link Service (azure-pls-create, azure-pls-proxy-protocol) sends PROXY headers, of version 2.",
    ),
    source_ranges: Way::Is(SourceRanges {
        place: RangesPlace::Field,
        condition: None,
    }),
    health_check: &[
        HealthKey::of(HealthPart::Kind, PROTOCOL, Unit::LowerText),
        HealthKey::of(HealthPart::Delay, INTERVAL, Unit::Seconds),
        HealthKey::of(HealthPart::Tries, TRIES, Unit::Count),
        HealthKey::of(HealthPart::Path, PATH, Unit::Text),
    ],
    client: ClientAddress::Kept,
    shows: Shows::Ip,
    classes: Classes::Ignores,
    cannot: &[
        "The switch counts only as \"true\"; \"0.0.0.0/0\", as Amazon once had it, does nothing.",
        "azure-disable-load-balancer-floating-ip is about packets' destination (DSR), not about public addresses.",
    ],
    evidence: &[
        Evidence::of(
            EvidenceKind::Source,
            "The keys; the switch counts only as \"true\" and may change on a live Service",
            "kubernetes-sigs/cloud-provider-azure 7b31c76ce and its documentation branch",
        ),
        Evidence::of(
            EvidenceKind::User,
            "\"0.0.0.0/0\" as the switch's value does nothing",
            "openshift-docs issue 18268",
        ),
        Evidence::of(
            EvidenceKind::Inferred,
            "The health probe's interval is in seconds and its protocol in small letters",
            "concluded from the names of the keys",
        ),
    ],
    ..Rules::UNKNOWN
};
