//! OpenStack's cloud controller manager with Octavia.
//!
//! NHN's controller and OVH's descend from it; what they share is said here once.

use super::{
    Aspect, Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Gate, HealthKey,
    HealthPart, Key, Known, Place, Provider, ProxyNeeds, ProxyProtocol, ProxyVersion, RangesPlace,
    Rules, Shows, SourceRanges, Switch, Takes, Terminates, Unit, Unsaid, Way,
};

/// No floating IP.
pub(super) const INTERNAL: &str = "service.beta.kubernetes.io/openstack-internal-load-balancer";
/// A floating IP outlives the Service.
pub(super) const KEEP: &str = "loadbalancer.openstack.org/keep-floatingip";
/// The subnet of the address.
pub(super) const SUBNET: &str = "loadbalancer.openstack.org/subnet-id";
/// The network of the address.
pub(super) const NETWORK: &str = "loadbalancer.openstack.org/network-id";

/// What makes it private.
pub(super) const PRIVATE: Switch = Switch::Keys(&[Key::is(INTERNAL, "true")]);
/// What makes it public.
pub(super) const PUBLIC: Switch = Switch::Keys(&[Key::is(INTERNAL, "false")]);
/// What decides which addresses it has: floating networks, other load balancers and ports that may have any.
pub(super) const DECIDES_REACH: &[&str] = &[
    INTERNAL,
    "loadbalancer.openstack.org/floating-*",
    "loadbalancer.openstack.org/class",
    "loadbalancer.openstack.org/load-balancer-id",
    "loadbalancer.openstack.org/port-id",
];
/// What the controller writes on the Service.
pub(super) const WRITTEN_BACK: &[&str] = &["loadbalancer.openstack.org/load-balancer-id", ADDRESS];
/// The address, a floating IP where there is one.
const ADDRESS: &str = "loadbalancer.openstack.org/load-balancer-address";
/// A name that is shown in the place of the address.
const HOSTNAME: &str = "loadbalancer.openstack.org/hostname";
/// Both kinds of address are said in the same place.
pub(super) const FIXED: FixedAddress = FixedAddress {
    private: Way::Is(Place::LoadBalancerIp),
    public: Way::Is(Place::LoadBalancerIp),
};
/// How the header is switched on; it is the first version.
pub(super) const PROXY: Way<ProxyProtocol> = Way::Is(ProxyProtocol {
    keys: &[Key::is("loadbalancer.openstack.org/proxy-protocol", "true")],
    version: ProxyVersion::V1,
    condition: Some("It is for TCP, and not together with x-forwarded-for."),
});
/// What it is not sent together with.
pub(super) const PROXY_NEEDS: ProxyNeeds = ProxyNeeds {
    key: "loadbalancer.openstack.org/x-forwarded-for",
    values: &["false"],
    unsaid: true,
};
/// The health check, which is off unless it is asked for.
pub(super) const HEALTH: &[HealthKey] = &[
    ENABLE,
    DELAY,
    TIMEOUT,
    // How many failures there are until a node is out; max-retries counts successes until it is in.
    HealthKey::of(
        HealthPart::Tries,
        "loadbalancer.openstack.org/health-monitor-max-retries-down",
        Unit::Count,
    ),
];
/// The same where no annotation says after how many failures a node is out.
pub(super) const HEALTH_WITHOUT_TRIES: &[HealthKey] = &[ENABLE, DELAY, TIMEOUT];
const ENABLE: HealthKey = HealthKey::of(
    HealthPart::Enable,
    "loadbalancer.openstack.org/enable-health-monitor",
    Unit::Text,
);
const DELAY: HealthKey = HealthKey::of(
    HealthPart::Delay,
    "loadbalancer.openstack.org/health-monitor-delay",
    Unit::Seconds,
);
const TIMEOUT: HealthKey = HealthKey::of(
    HealthPart::Timeout,
    "loadbalancer.openstack.org/health-monitor-timeout",
    Unit::Seconds,
);
/// What makes a listener one of HTTP, with or without TLS.
pub(super) const TERMINATES: &[Terminates] = &[
    Terminates {
        key: "loadbalancer.openstack.org/default-tls-container-ref",
        values: &[],
    },
    Terminates {
        key: "loadbalancer.openstack.org/x-forwarded-for",
        values: &["true"],
    },
];
/// The keys that are known.
pub(super) const KEYS: &[Known] = &[
    Known::new(INTERNAL, Takes::Boolean).live(),
    Known::new(KEEP, Takes::Boolean),
    Known::new(SUBNET, Takes::Text),
    Known::new(NETWORK, Takes::Text),
    Known::new("loadbalancer.openstack.org/member-subnet-id", Takes::Text),
    Known::new(
        "loadbalancer.openstack.org/floating-network-id",
        Takes::Text,
    ),
    Known::new("loadbalancer.openstack.org/floating-subnet", Takes::Text),
    Known::new("loadbalancer.openstack.org/floating-subnet-id", Takes::Text),
    Known::new(
        "loadbalancer.openstack.org/floating-subnet-tags",
        Takes::Text,
    ),
    Known::new("loadbalancer.openstack.org/class", Takes::Text),
    Known::new("loadbalancer.openstack.org/port-id", Takes::Text),
    Known::new("loadbalancer.openstack.org/connection-limit", Takes::Text),
    Known::new(
        "loadbalancer.openstack.org/proxy-protocol",
        Takes::Words(&["true", "false", "v1", "v2"]),
    ),
    Known::new("loadbalancer.openstack.org/x-forwarded-for", Takes::Boolean),
    Known::new(
        "loadbalancer.openstack.org/lb-method",
        Takes::Words(&[
            "ROUND_ROBIN",
            "LEAST_CONNECTIONS",
            "SOURCE_IP",
            "SOURCE_IP_PORT",
        ]),
    ),
    Known::new(
        "loadbalancer.openstack.org/timeout-client-data",
        Takes::Text,
    ),
    Known::new(
        "loadbalancer.openstack.org/timeout-member-connect",
        Takes::Text,
    ),
    Known::new(
        "loadbalancer.openstack.org/timeout-member-data",
        Takes::Text,
    ),
    Known::new(
        "loadbalancer.openstack.org/timeout-tcp-inspect",
        Takes::Text,
    ),
    Known::new(
        "loadbalancer.openstack.org/enable-health-monitor",
        Takes::Boolean,
    ),
    Known::new(
        "loadbalancer.openstack.org/health-monitor-delay",
        Takes::Text,
    ),
    Known::new(
        "loadbalancer.openstack.org/health-monitor-timeout",
        Takes::Text,
    ),
    Known::new(
        "loadbalancer.openstack.org/health-monitor-max-retries",
        Takes::Text,
    ),
    Known::new(
        "loadbalancer.openstack.org/health-monitor-max-retries-down",
        Takes::Text,
    ),
    Known::new("loadbalancer.openstack.org/flavor-id", Takes::Text),
    Known::new("loadbalancer.openstack.org/availability-zone", Takes::Text),
    Known::new(
        "loadbalancer.openstack.org/default-tls-container-ref",
        Takes::Text,
    ),
    Known::new("loadbalancer.openstack.org/load-balancer-id", Takes::Text).create_only(),
    Known::new(ADDRESS, Takes::Text),
    Known::new(HOSTNAME, Takes::Text),
    Known::new("loadbalancer.openstack.org/node-selector", Takes::Text),
    Known::new(
        "service.beta.kubernetes.io/load-balancer-source-ranges",
        Takes::Text,
    ),
];

pub(super) static RULES: Rules = Rules {
    provider: Provider::OpenStack,
    name: "OpenStack",
    product: "OpenStack with Octavia",
    product_ko: Some("OpenStack(Octavia)"),
    node_prefixes: &["openstack://"],
    private: PRIVATE,
    public: PUBLIC,
    unsaid: Unsaid::Depends(
        "It gets a floating IP, unless the controller's configuration says internal-lb or knows no floating network.",
    ),
    decides_reach: DECIDES_REACH,
    reads: &[
        "loadbalancer.openstack.org/*",
        "service.beta.kubernetes.io/openstack-*",
    ],
    keys: KEYS,
    terminates: TERMINATES,
    live: &[
        Aspect::Reach,
        Aspect::SourceRanges,
        Aspect::Annotation,
    ],
    udp: Way::Is(()),
    fixed_address: FIXED,
    kept_address: Way::Is(Key::is(KEEP, "true")),
    subnet: Way::Is(SUBNET),
    proxy_protocol: PROXY,
    proxy_needs: Some(PROXY_NEEDS),
    source_ranges: Way::Is(SourceRanges {
        place: RangesPlace::Field,
        condition: Some(
            "Octavia counts them from API version 2.12 on; before, the event LoadBalancerSourceRangesIgnored tells that they do not count.",
        ),
    }),
    health_check: HEALTH,
    client: ClientAddress::Depends(
        "With the provider amphora the proxies see the load balancer's address; with OVN they see the client's.",
    ),
    node_ports: Way::Is(Gate::SECURITY_GROUP),
    shows: Shows::Ip,
    classes: Classes::Ignores,
    chooses_shown: &[HOSTNAME],
    written_back: WRITTEN_BACK,
    writes_address: Some(ADDRESS),
    cannot: &[
        "A switch counts only as \"true\" or \"false\"; anything else is the default, which is public.",
        "Before version 1.27 of the controller, a change to private leaves the floating IP attached.",
        "An IPv6 address is never a floating IP and may be reachable from outside although the load balancer is internal.",
        "Without a health check, which is the default, externalTrafficPolicy Local loses what is sent to nodes without a proxy.",
        "A floating IP at a chosen address must be allocated before and attached to nothing.",
    ],
    evidence: &[
        Evidence::of(EvidenceKind::Source, "The keys, their defaults, and that the switch counts only as \"true\" or \"false\"", "kubernetes/cloud-provider-openstack c453fb7c9, pkg/openstack/loadbalancer.go and its documentation").dated("2026-07-15"),
        Evidence::of(EvidenceKind::Source, "The switch may change on a live Service, both ways, since version 1.27", "kubernetes/cloud-provider-openstack pull request 2168").dated("2023-04-18"),
        Evidence::of(EvidenceKind::User, "A later change of spec.loadBalancerIP is not honoured", "kubernetes/cloud-provider-openstack issue 2443"),
        Evidence::of(EvidenceKind::Source, "With any loadBalancerClass the controller makes nothing; any change of an annotation, of ports or of ranges makes it look again", "kubernetes/cloud-provider 4666611, controllers/service/controller.go"),
        Evidence::of(EvidenceKind::Inferred, "UDP is carried: health checks of UDP listeners and PROXY for TCP alone are told apart", "concluded from the controller's source"),
    ],
    ..Rules::UNKNOWN
};
