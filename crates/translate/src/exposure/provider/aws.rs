//! Amazon's load balancers, by either of two controllers: the one in the cloud controller manager and the AWS Load
//! Balancer Controller.
//!
//! Which of them takes a Service cannot be seen beforehand, and each ignores the other's switch; so both switches
//! are always written.

use super::{
    Aspect, ClassRule, Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, HealthKey,
    HealthPart, Key, Known, Place, Provider, ProxyProtocol, ProxyVersion, RangesPlace, Rules,
    Shows, SourceRanges, Switch, Takes, Unit, Unsaid, Way,
};

const INTERNAL: &str = "service.beta.kubernetes.io/aws-load-balancer-internal";
const SCHEME: &str = "service.beta.kubernetes.io/aws-load-balancer-scheme";
const SUBNETS: &str = "service.beta.kubernetes.io/aws-load-balancer-subnets";
const PROXY: &str = "service.beta.kubernetes.io/aws-load-balancer-proxy-protocol";
const PRIVATE_V4: &str = "service.beta.kubernetes.io/aws-load-balancer-private-ipv4-addresses";
const INTERVAL: &str = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-interval";
const TIMEOUT: &str = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-timeout";
const UNHEALTHY: &str =
    "service.beta.kubernetes.io/aws-load-balancer-healthcheck-unhealthy-threshold";
const PROTOCOL: &str = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-protocol";
const PATH: &str = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-path";
const PORT: &str = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-port";

const KEYS: &[Known] = &[
    Known::new(INTERNAL, Takes::Text).create_only(),
    Known::new(SCHEME, Takes::Words(&["internal", "internet-facing"])).create_only(),
    Known::new(
        "service.beta.kubernetes.io/aws-load-balancer-type",
        Takes::Text,
    )
    .create_only(),
    Known::new(
        "service.beta.kubernetes.io/aws-load-balancer-eip-allocations",
        Takes::Text,
    ),
    Known::new(SUBNETS, Takes::Text),
    Known::new(PROXY, Takes::Words(&["*"])),
    Known::new(
        "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes",
        Takes::Text,
    ),
    Known::new(
        "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type",
        Takes::Words(&["instance", "ip"]),
    ),
    Known::new(PRIVATE_V4, Takes::Text),
    Known::new(
        "service.beta.kubernetes.io/aws-load-balancer-connection-idle-timeout",
        Takes::Text,
    ),
    Known::new(INTERVAL, Takes::Text),
    Known::new(TIMEOUT, Takes::Text),
    Known::new(
        "service.beta.kubernetes.io/aws-load-balancer-healthcheck-healthy-threshold",
        Takes::Text,
    ),
    Known::new(UNHEALTHY, Takes::Text),
    Known::new(PROTOCOL, Takes::Text),
    Known::new(PATH, Takes::Path),
    Known::new(PORT, Takes::Text),
    Known::new(
        "service.beta.kubernetes.io/load-balancer-source-ranges",
        Takes::Text,
    ),
];

const HEALTH: &[HealthKey] = &[
    HealthKey::of(HealthPart::Delay, INTERVAL, Unit::Seconds),
    HealthKey::of(HealthPart::Timeout, TIMEOUT, Unit::Seconds),
    HealthKey::of(HealthPart::Tries, UNHEALTHY, Unit::Count),
    HealthKey::of(HealthPart::Kind, PROTOCOL, Unit::LowerText),
    HealthKey::of(HealthPart::Path, PATH, Unit::Text),
    HealthKey::of(HealthPart::Port, PORT, Unit::Count),
];

pub(super) static RULES: Rules = Rules {
    provider: Provider::Aws,
    name: "AWS",
    product: "AWS (in-tree controller or AWS Load Balancer Controller)",
    product_ko: Some("AWS(인트리 컨트롤러 또는 AWS Load Balancer Controller)"),
    node_prefixes: &["aws://"],
    private: Switch::Keys(&[Key::is(INTERNAL, "true"), Key::is(SCHEME, "internal")]),
    public: Switch::Keys(&[
        Key::is(INTERNAL, "false"),
        Key::is(SCHEME, "internet-facing"),
    ]),
    unsaid: Unsaid::Depends(
        "The in-tree controller makes it public; the AWS Load Balancer Controller makes it private, since its version 2.2.0.",
    ),
    decides_reach: &[INTERNAL, SCHEME],
    reads: &["service.beta.kubernetes.io/aws-load-balancer-*"],
    keys: KEYS,
    live: super::COMMON,
    create_only: &[Aspect::Reach],
    fixed_address: FixedAddress {
        private: Way::Is(Place::Annotation(PRIVATE_V4)),
        public: Way::No(
            "Amazon takes ids of Elastic IPs (aws-load-balancer-eip-allocations under annotations), not addresses, and refuses spec.loadBalancerIP.",
        ),
    },
    subnet: Way::Is(SUBNETS),
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(PROXY, "*")],
        version: ProxyVersion::Either,
        condition: Some(
            "It is version 1 with a Classic Load Balancer and version 2 by the AWS Load Balancer Controller; an in-tree NLB wants target-group-attributes instead.",
        ),
    }),
    source_ranges: Way::Is(SourceRanges {
        place: RangesPlace::Field,
        condition: Some(
            "The AWS Load Balancer Controller ignores them where the client's address is not preserved or security groups are given.",
        ),
    }),
    health_check: HEALTH,
    client: ClientAddress::Depends(
        "With a Classic Load Balancer the proxies see its address; with an NLB and instances as targets they see the client's.",
    ),
    shows: Shows::Hostname,
    classes: Classes::Selects(&[ClassRule {
        class: "service.k8s.aws/nlb",
        reach: None,
    }]),
    cannot: &[
        "Each of the two controllers ignores the other's switch, so both are written.",
        "A changed scheme replaces the load balancer, and taking the key away keeps the scheme before.",
        "Adding or changing aws-load-balancer-type on a live Service leaks resources or exposes a load balancer.",
        "The in-tree controller and the AWS Load Balancer Controller share the names of keys, not their meaning.",
        "An NLB closes idle connections after 350 seconds, a Classic Load Balancer after 60.",
    ],
    evidence: &[
        Evidence::of(
            EvidenceKind::Source,
            "The in-tree keys; the switch is anything but \"false\"; spec.loadBalancerIP is refused",
            "kubernetes/cloud-provider-aws 63ec440c",
        ),
        Evidence::of(
            EvidenceKind::Source,
            "The controller's keys; the scheme is internal by default since 2.2.0; the class service.k8s.aws/nlb",
            "kubernetes-sigs/aws-load-balancer-controller 225f44568",
        ),
        Evidence::of(
            EvidenceKind::User,
            "A switch of the other controller's is ignored, and the address is public",
            "kubernetes-sigs/aws-load-balancer-controller issues 2737, 3293, 4539 and 4110",
        ),
        Evidence::of(
            EvidenceKind::Inferred,
            "Intervals and timeouts of health checks are in seconds; private-ipv4-addresses counts with the AWS Load Balancer Controller only",
            "concluded from the names of the keys",
        ),
    ],
    ..Rules::UNKNOWN
};
