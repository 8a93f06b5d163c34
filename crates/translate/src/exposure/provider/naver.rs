//! NAVER Cloud's Kubernetes service, which is called NKS too.
//!
//! Of its present documents only pieces were read, so much is not known here. Its load balancers show names.

use super::{
    Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Key, Known, Place, Provider,
    ProxyProtocol, ProxyVersion, Rules, Shows, Switch, Takes, Terminates, Unsaid, Way,
};

/// A load balancer of the private network.
pub(super) const INTERNAL: &str = "service.beta.kubernetes.io/ncloud-load-balancer-internal";
const KEEP: &str =
    "service.beta.kubernetes.io/ncloud-load-balancer-retain-public-ip-on-termination";
const SUBNET: &str = "service.beta.kubernetes.io/ncloud-load-balancer-subnet-id";
const PROXY: &str = "service.beta.kubernetes.io/ncloud-load-balancer-proxy-protocol";
const KIND: &str = "service.beta.kubernetes.io/ncloud-load-balancer-layer-type";

const KEYS: &[Known] = &[
    Known::new(INTERNAL, Takes::Boolean),
    Known::new(KEEP, Takes::Boolean),
    Known::new(SUBNET, Takes::Text),
    Known::new(PROXY, Takes::Boolean),
    Known::new(KIND, Takes::Words(&["nplb", "nlb"])).create_only(),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-size",
        Takes::Words(&["SMALL", "MEDIUM", "LARGE", "XLARGE"]),
    ),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-description",
        Takes::Text,
    ),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-termination-protection",
        Takes::Boolean,
    ),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-inbound-source",
        Takes::Text,
    ),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-idle-timeout",
        Takes::Number(1, 3600),
    ),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-ssl-certificate-no",
        Takes::Text,
    ),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-tls-ports",
        Takes::Text,
    ),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-tls-min-version",
        Takes::Text,
    ),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-backend-protocol",
        Takes::Words(&["tcp", "http", "https", "ssl"]),
    ),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-ssl-cert",
        Takes::Text,
    ),
    Known::new(
        "service.beta.kubernetes.io/ncloud-load-balancer-ssl-ports",
        Takes::Text,
    ),
];

pub(super) static RULES: Rules = Rules {
    provider: Provider::Naver,
    name: "NAVER",
    product: "NAVER Cloud NKS",
    private: Switch::Keys(&[Key::is(INTERNAL, "true")]),
    public: Switch::Keys(&[Key::is(INTERNAL, "false")]),
    unsaid: Unsaid::Public,
    decides_reach: &[INTERNAL],
    reads: &["service.beta.kubernetes.io/ncloud-load-balancer-*"],
    keys: KEYS,
    terminates: &[
        Terminates {
            key: "service.beta.kubernetes.io/ncloud-load-balancer-ssl-certificate-no",
            values: &[],
        },
        Terminates {
            key: "service.beta.kubernetes.io/ncloud-load-balancer-ssl-cert",
            values: &[],
        },
        Terminates {
            key: "service.beta.kubernetes.io/ncloud-load-balancer-backend-protocol",
            values: &["http", "https", "ssl"],
        },
    ],
    fixed_address: FixedAddress {
        private: Way::NotKnown,
        public: Way::Is(Place::LoadBalancerIp),
    },
    kept_address: Way::Is(Key::is(KEEP, "true")),
    subnet: Way::Is(SUBNET),
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(PROXY, "true")],
        version: ProxyVersion::NotKnown,
        condition: None,
    }),
    client: ClientAddress::Depends(
        "With layer-type nplb, the default, the proxies see the load balancer's address; with nlb and externalTrafficPolicy Local they see the client's.",
    ),
    shows: Shows::Hostname,
    classes: Classes::Ignores,
    cannot: &[
        "The type of a load balancer cannot be changed once it is made.",
        "Private and public names look alike; only their addresses tell them apart.",
        "How several ranges are written at inbound-source is not known, so ranges of callers are not said there.",
        "Changes in the console break the connection with the Service.",
    ],
    evidence: &[
        Evidence::of(
            EvidenceKind::Excerpt,
            "The keys and their defaults; public unless the switch says \"true\"",
            "guide.ncloud-docs.com, k8s-k8suse-loadbalancer",
        )
        .dated("2026-09-17"),
        Evidence::of(
            EvidenceKind::User,
            "retain-public-ip-on-termination together with spec.loadBalancerIP keeps a public address",
            "users' repositories",
        ),
        Evidence::of(
            EvidenceKind::Excerpt,
            "With any loadBalancerClass nothing is made, from Kubernetes 1.27 on",
            "guide.ncloud-docs.com, k8s-k8suse-loadbalancer",
        )
        .dated("2026-09-17"),
        Evidence::of(
            EvidenceKind::User,
            "PROXY headers on one side only are an outage",
            "a user's report of 2023",
        ),
    ],
    ..Rules::UNKNOWN
};
