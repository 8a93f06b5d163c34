//! DigitalOcean's load balancers.

use super::{
    Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Key, Known, Place, Provider,
    ProxyNeeds, ProxyProtocol, ProxyVersion, RangesPlace, Rules, SourceRanges, Switch, Takes,
    Unsaid, Way,
};

const NETWORK: &str = "service.beta.kubernetes.io/do-loadbalancer-network";
const IP: &str = "service.beta.kubernetes.io/do-loadbalancer-ip";
const TYPE: &str = "service.beta.kubernetes.io/do-loadbalancer-type";
/// Whoever writes it takes over a load balancer that is there.
const ID: &str = "kubernetes.digitalocean.com/load-balancer-id";
const HOSTNAME: &str = "service.beta.kubernetes.io/do-loadbalancer-hostname";
const PROXY: &str = "service.beta.kubernetes.io/do-loadbalancer-enable-proxy-protocol";

pub(super) static RULES: Rules = Rules {
    provider: Provider::DigitalOcean,
    name: "DigitalOcean",
    product: "DigitalOcean Kubernetes",
    node_prefixes: &["digitalocean://"],
    private: Switch::Keys(&[Key::is(NETWORK, "INTERNAL")]),
    public: Switch::Keys(&[Key::is(NETWORK, "EXTERNAL")]),
    unsaid: Unsaid::Public,
    decides_reach: &[NETWORK, ID],
    reads: &[
        "service.beta.kubernetes.io/do-loadbalancer-*",
        "service.kubernetes.io/do-loadbalancer-disown",
    ],
    keys: &[
        Known::new(NETWORK, Takes::Words(&["EXTERNAL", "INTERNAL"])),
        Known::new(IP, Takes::Text).create_only(),
        Known::new(TYPE, Takes::Words(&["REGIONAL_NETWORK", "REGIONAL"])),
        Known::new(PROXY, Takes::Boolean),
        Known::new(
            "service.beta.kubernetes.io/do-loadbalancer-allow-rules",
            Takes::Text,
        ),
        Known::new(
            "service.beta.kubernetes.io/do-loadbalancer-deny-rules",
            Takes::Text,
        ),
        Known::new(
            "service.beta.kubernetes.io/do-loadbalancer-override-health-check",
            Takes::Text,
        ),
        Known::new(HOSTNAME, Takes::Text),
        Known::new("service.kubernetes.io/do-loadbalancer-disown", Takes::Text),
    ],
    live: super::COMMON,
    fixed_address: FixedAddress {
        private: Way::NotKnown,
        public: Way::Is(Place::Annotation(IP)),
    },
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(PROXY, "true")],
        version: ProxyVersion::V1,
        condition: Some(
            "It counts with do-loadbalancer-type REGIONAL; the default REGIONAL_NETWORK passes packets through.",
        ),
    }),
    proxy_needs: Some(ProxyNeeds {
        key: TYPE,
        values: &["REGIONAL"],
        unsaid: false,
    }),
    source_ranges: Way::Is(SourceRanges {
        place: RangesPlace::Field,
        condition: None,
    }),
    client: ClientAddress::Depends(
        "With do-loadbalancer-type REGIONAL_NETWORK, the default, packets pass through; with REGIONAL the proxies see the load balancer's address.",
    ),
    classes: Classes::Ignores,
    chooses_shown: &[HOSTNAME],
    written_back: &[ID],
    cannot: &[
        "An address at choice is one that you brought to DigitalOcean, and counts at creation only.",
    ],
    evidence: &[
        Evidence::of(
            EvidenceKind::Source,
            "The keys, their values and defaults",
            "digitalocean/digitalocean-cloud-controller-manager 70d527e38",
        ),
        Evidence::of(
            EvidenceKind::Inferred,
            "PROXY headers need the type REGIONAL",
            "concluded from REGIONAL_NETWORK's passing packets through",
        ),
    ],
    ..Rules::UNKNOWN
};
