//! Linode's (Akamai's) NodeBalancers. There is no switch for private; a front end in a VPC is the nearest thing.

use super::{
    Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, HealthKey, HealthPart, Key,
    Known, Place, Provider, ProxyProtocol, ProxyVersion, Rules, Switch, Takes, Unit, Unsaid, Way,
};

const SUBNET: &str = "service.beta.kubernetes.io/linode-loadbalancer-frontend-subnet-id";
const RESERVED: &str = "service.beta.kubernetes.io/linode-loadbalancer-reserved-ipv4";
const RETAIN: &str = "service.beta.kubernetes.io/linode-loadbalancer-retain-reserved-ipv4";
const PROXY: &str = "service.beta.kubernetes.io/linode-loadbalancer-default-proxy-protocol";
const TYPE: &str = "service.beta.kubernetes.io/linode-loadbalancer-check-type";
const PATH: &str = "service.beta.kubernetes.io/linode-loadbalancer-check-path";
const INTERVAL: &str = "service.beta.kubernetes.io/linode-loadbalancer-check-interval";
const TIMEOUT: &str = "service.beta.kubernetes.io/linode-loadbalancer-check-timeout";
const ATTEMPTS: &str = "service.beta.kubernetes.io/linode-loadbalancer-check-attempts";

/// A key that takes any text.
const fn text(key: &'static str) -> Known {
    Known::new(key, Takes::Text)
}

pub(super) static RULES: Rules = Rules {
    provider: Provider::Linode,
    name: "Linode",
    product: "Linode (Akamai) Kubernetes",
    node_prefixes: &["linode://"],
    private: Switch::Keys(&[Key::subnet(SUBNET)]),
    public: Switch::Default,
    unsaid: Unsaid::Public,
    decides_reach: &[
        "service.beta.kubernetes.io/linode-loadbalancer-frontend-*",
        "service.beta.kubernetes.io/linode-loadbalancer-nodebalancer-id",
    ],
    reads: &["service.beta.kubernetes.io/linode-loadbalancer-*"],
    keys: &[
        text(SUBNET),
        text("service.beta.kubernetes.io/linode-loadbalancer-frontend-vpc-name"),
        text("service.beta.kubernetes.io/linode-loadbalancer-frontend-subnet-name"),
        text("service.beta.kubernetes.io/linode-loadbalancer-frontend-ipv4-range"),
        text(RESERVED),
        text(RETAIN),
        Known::new(PROXY, Takes::Words(&["none", "v1", "v2"])),
        text("service.beta.kubernetes.io/linode-loadbalancer-firewall-acl"),
        text(TYPE),
        text(PATH),
        text(INTERVAL),
        text(TIMEOUT),
        text(ATTEMPTS),
        text("service.beta.kubernetes.io/linode-loadbalancer-check-passive"),
        text("service.beta.kubernetes.io/linode-loadbalancer-preserve"),
        text("service.beta.kubernetes.io/linode-loadbalancer-nodebalancer-id"),
        text("service.beta.kubernetes.io/linode-loadbalancer-hostname-only-ingress"),
    ],
    live: super::COMMON,
    fixed_address: FixedAddress {
        private: Way::NotKnown,
        public: Way::Is(Place::Annotation(RESERVED)),
    },
    kept_address: Way::Is(Key::is(RETAIN, "true")),
    subnet: Way::Is(SUBNET),
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(PROXY, "v2")],
        version: ProxyVersion::V2,
        condition: None,
    }),
    health_check: &[
        HealthKey::of(HealthPart::Kind, TYPE, Unit::NotKnown),
        HealthKey::of(HealthPart::Path, PATH, Unit::Text),
        HealthKey::of(HealthPart::Delay, INTERVAL, Unit::NotKnown),
        HealthKey::of(HealthPart::Timeout, TIMEOUT, Unit::NotKnown),
        HealthKey::of(HealthPart::Tries, ATTEMPTS, Unit::Count),
    ],
    client: ClientAddress::Hidden,
    classes: Classes::Ignores,
    cannot: &[
        "There is no switch for private; a private address needs the id of a VPC's subnet for the front end, and is believed only when it is seen.",
        "Ranges of callers are a text of firewall rules (linode-loadbalancer-firewall-acl) whose form is not known here.",
    ],
    evidence: &[
        Evidence::of(
            EvidenceKind::Source,
            "The keys, and that there is no switch for private",
            "linode/linode-cloud-controller-manager b9aa9012",
        ),
        Evidence::of(
            EvidenceKind::Inferred,
            "A front end in a VPC's subnet has no public address; retain-reserved-ipv4 takes \"true\"",
            "concluded from the names of the keys",
        ),
    ],
    ..Rules::UNKNOWN
};
