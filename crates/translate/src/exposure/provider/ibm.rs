//! IBM's load balancers, in classic infrastructure and in a VPC. They show names.

use super::{
    ClientAddress, Evidence, EvidenceKind, FixedAddress, Key, Known, Place, Provider,
    ProxyProtocol, ProxyVersion, Rules, Shows, Switch, Takes, Unsaid, Way,
};

const TYPE: &str = "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type";
const FEATURES: &str = "service.kubernetes.io/ibm-load-balancer-cloud-provider-enable-features";
const SUBNETS: &str = "service.kubernetes.io/ibm-load-balancer-cloud-provider-vpc-subnets";

pub(super) static RULES: Rules = Rules {
    provider: Provider::Ibm,
    name: "IBM",
    product: "IBM Cloud Kubernetes Service",
    private: Switch::Keys(&[Key::is(TYPE, "private")]),
    public: Switch::Keys(&[Key::is(TYPE, "public")]),
    unsaid: Unsaid::Public,
    decides_reach: &[TYPE],
    reads: &["service.kubernetes.io/ibm-load-balancer-cloud-provider-*"],
    keys: &[
        Known::new(TYPE, Takes::Words(&["public", "private"])),
        Known::new(
            FEATURES,
            Takes::Words(&["nlb", "proxy-protocol", "ipvs", "private-path"]),
        ),
        Known::new(SUBNETS, Takes::Text),
        Known::new(
            "service.kubernetes.io/ibm-load-balancer-cloud-provider-vpc-node-selector",
            Takes::Text,
        ),
        Known::new(
            "service.kubernetes.io/ibm-load-balancer-cloud-provider-vpc-lb-name",
            Takes::Text,
        ),
        Known::new(
            "service.kubernetes.io/ibm-load-balancer-cloud-provider-vpc-health-check-protocol",
            Takes::Text,
        ),
        Known::new(
            "service.kubernetes.io/ibm-load-balancer-cloud-provider-vpc-health-check-port",
            Takes::Text,
        ),
    ],
    fixed_address: FixedAddress {
        private: Way::Is(Place::LoadBalancerIp),
        public: Way::Is(Place::LoadBalancerIp),
    },
    subnet: Way::Is(SUBNETS),
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(FEATURES, "proxy-protocol")],
        version: ProxyVersion::NotKnown,
        condition: Some("It counts with a VPC's application load balancer."),
    }),
    client: ClientAddress::Depends(
        "With a VPC's application load balancer the proxies see its address; with enable-features nlb packets pass through.",
    ),
    shows: Shows::Hostname,
    cannot: &[
        "An address can be chosen in classic infrastructure only.",
        "The name of a private load balancer of a VPC is published in the public zone lb.appdomain.cloud.",
        "A load balancer with vpc-lb-name outlives the cluster.",
    ],
    evidence: &[Evidence::of(
        EvidenceKind::Excerpt,
        "The keys, their defaults, and the name in the status",
        "IBM Cloud's documents",
    )],
    ..Rules::UNKNOWN
};
