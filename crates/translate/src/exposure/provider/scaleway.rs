//! Scaleway's load balancers.

use super::{
    Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Key, Known, Provider,
    ProxyProtocol, ProxyVersion, Rules, Switch, Takes, Unsaid, Way,
};

const PRIVATE: &str = "service.beta.kubernetes.io/scw-loadbalancer-private";
const ID: &str = "service.beta.kubernetes.io/scw-loadbalancer-id";
const PROXY: &str = "service.beta.kubernetes.io/scw-loadbalancer-proxy-protocol-v2";
const IDS: &str = "Scaleway takes ids of reserved addresses (scw-loadbalancer-ip-ids or scw-loadbalancer-private-ip-ids under annotations), not addresses.";

pub(super) static RULES: Rules = Rules {
    provider: Provider::Scaleway,
    name: "Scaleway",
    product: "Scaleway Kapsule",
    node_prefixes: &["scaleway://"],
    private: Switch::Keys(&[Key::is(PRIVATE, "true")]),
    public: Switch::Keys(&[Key::is(PRIVATE, "false")]),
    unsaid: Unsaid::Public,
    decides_reach: &[PRIVATE, ID],
    reads: &["service.beta.kubernetes.io/scw-loadbalancer-*"],
    keys: &[
        Known::new(PRIVATE, Takes::Boolean),
        Known::new(ID, Takes::Text),
        Known::new(
            "service.beta.kubernetes.io/scw-loadbalancer-ip-ids",
            Takes::Text,
        ),
        Known::new(
            "service.beta.kubernetes.io/scw-loadbalancer-private-ip-ids",
            Takes::Text,
        ),
        Known::new(
            "service.beta.kubernetes.io/scw-loadbalancer-proxy-protocol-v1",
            Takes::Text,
        ),
        Known::new(PROXY, Takes::Text),
        Known::new(
            "service.beta.kubernetes.io/scw-loadbalancer-use-hostname",
            Takes::Boolean,
        ),
        Known::new(
            "service.beta.kubernetes.io/scw-loadbalancer-ip-mode",
            Takes::Words(&["VIP", "Proxy"]),
        ),
        Known::new(
            "service.beta.kubernetes.io/scw-loadbalancer-health-check-send-proxy",
            Takes::Boolean,
        ),
    ],
    live: super::COMMON,
    fixed_address: FixedAddress {
        private: Way::No(IDS),
        public: Way::No(IDS),
    },
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(PROXY, "true")],
        version: ProxyVersion::V2,
        condition: None,
    }),
    client: ClientAddress::Hidden,
    classes: Classes::Ignores,
    written_back: &[ID],
    cannot: &[
        "Before version 0.28 of its controller there is no private load balancer.",
        "Health checks come without a PROXY header, unless health-check-send-proxy is \"true\".",
    ],
    evidence: &[Evidence::of(
        EvidenceKind::Source,
        "The keys and their defaults; private from version 0.28 on; no class is served",
        "scaleway/scaleway-cloud-controller-manager bddc17f",
    )],
    ..Rules::UNKNOWN
};
