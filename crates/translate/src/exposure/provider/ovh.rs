//! OVH's managed Kubernetes: OpenStack's controller, with a few keys of its own and a few that do not count.

use super::openstack::{
    DECIDES_REACH, FIXED, HEALTH_WITHOUT_TRIES, KEEP, KEYS, PRIVATE, PROXY, PROXY_NEEDS, PUBLIC,
    SUBNET, TERMINATES, WRITTEN_BACK,
};
use super::{
    Classes, ClientAddress, Evidence, EvidenceKind, Gate, Key, Provider, Rules, Unsaid, Way,
};

pub(super) static RULES: Rules = Rules {
    provider: Provider::Ovh,
    name: "OVH",
    product: "OVHcloud Managed Kubernetes",
    node_prefixes: &["openstack://"],
    private: PRIVATE,
    public: PUBLIC,
    unsaid: Unsaid::Public,
    decides_reach: DECIDES_REACH,
    reads: &[
        "loadbalancer.openstack.org/*",
        "loadbalancer.ovhcloud.com/*",
        "service.beta.kubernetes.io/openstack-*",
    ],
    keys: KEYS,
    terminates: TERMINATES,
    live: super::COMMON,
    fixed_address: FIXED,
    kept_address: Way::Is(Key::is(KEEP, "true")),
    subnet: Way::Is(SUBNET),
    proxy_protocol: PROXY,
    proxy_needs: Some(PROXY_NEEDS),
    health_check: HEALTH_WITHOUT_TRIES,
    client: ClientAddress::Hidden,
    node_ports: Way::Is(Gate::SECURITY_GROUP),
    classes: Classes::Ignores,
    written_back: WRITTEN_BACK,
    cannot: &[
        "How many failures of its health check take a node out is not to be said: max-retries-down is not supported.",
        "x-forwarded-for and the keys of floating networks are not supported.",
        "The kind of load balancer is loadbalancer.ovhcloud.com/class (octavia since Kubernetes 1.31, or iolb), its size loadbalancer.ovhcloud.com/flavor (small, medium or large).",
        "Whether the switch may change on a live Service depends on its version of OpenStack's controller.",
    ],
    evidence: &[
        Evidence::of(
            EvidenceKind::Excerpt,
            "The switch, keep-floatingip, proxy-protocol, class and flavor; what is not supported; a health check by default",
            "OVHcloud's documents",
        ),
        Evidence::of(
            EvidenceKind::Inferred,
            "Keys that the documents do not name count as in OpenStack's controller",
            "concluded from its descent",
        ),
    ],
    ..Rules::UNKNOWN
};
