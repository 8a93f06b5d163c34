//! Oracle's load balancers: two kinds, each with a switch of its own, and neither may change later.
//!
//! Which kind it is depends on an annotation; so both switches are always written.

use super::{
    Aspect, Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress, Key, Known, Place,
    Provider, ProxyNeeds, ProxyProtocol, ProxyVersion, RangesPlace, Rules, Shows, SourceRanges,
    Switch, Takes, Unsaid, Way,
};

const LB: &str = "service.beta.kubernetes.io/oci-load-balancer-internal";
const NLB: &str = "oci-network-load-balancer.oraclecloud.com/internal";
const PPV2: &str = "oci-network-load-balancer.oraclecloud.com/is-ppv2-enabled";
const PRIVATE_V4: &str = "oci-network-load-balancer.oraclecloud.com/assigned-private-ipv4";

pub(super) static RULES: Rules = Rules {
    provider: Provider::Oci,
    name: "OCI",
    product: "Oracle Cloud Infrastructure",
    node_prefixes: &["oci"],
    private: Switch::Keys(&[Key::is(LB, "true"), Key::is(NLB, "true")]),
    public: Switch::Keys(&[Key::is(LB, "false"), Key::is(NLB, "false")]),
    unsaid: Unsaid::Public,
    decides_reach: &[LB, NLB],
    reads: &[
        "oci.oraclecloud.com/*",
        "oci-network-load-balancer.oraclecloud.com/*",
        "service.beta.kubernetes.io/oci-load-balancer-*",
    ],
    keys: &[
        Known::new(LB, Takes::Boolean).create_only(),
        Known::new(NLB, Takes::Boolean).create_only(),
        Known::new(
            "oci.oraclecloud.com/load-balancer-type",
            Takes::Words(&["lb", "nlb"]),
        ),
        Known::new(PPV2, Takes::Boolean),
        Known::new(PRIVATE_V4, Takes::Text),
        Known::new(
            "oci-network-load-balancer.oraclecloud.com/is-preserve-source",
            Takes::Boolean,
        ),
        Known::new(
            "oci-network-load-balancer.oraclecloud.com/external-ip-only",
            Takes::Boolean,
        ),
        Known::new(
            "oci.oraclecloud.com/ingress-ip-mode",
            Takes::Words(&["VIP", "Proxy"]),
        ),
        Known::new(
            "service.beta.kubernetes.io/oci-load-balancer-security-list-management-mode",
            Takes::Text,
        ),
    ],
    live: super::COMMON,
    create_only: &[Aspect::Reach],
    fixed_address: FixedAddress {
        private: Way::Is(Place::Annotation(PRIVATE_V4)),
        public: Way::Is(Place::LoadBalancerIp),
    },
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(PPV2, "true")],
        version: ProxyVersion::V2,
        condition: Some("It counts only with oci.oraclecloud.com/load-balancer-type: nlb."),
    }),
    proxy_needs: Some(ProxyNeeds {
        key: "oci.oraclecloud.com/load-balancer-type",
        values: &["nlb"],
        unsaid: false,
    }),
    source_ranges: Way::Is(SourceRanges {
        place: RangesPlace::Field,
        condition: None,
    }),
    client: ClientAddress::Depends(
        "With load-balancer-type lb the proxies see its address; with nlb, is-preserve-source and externalTrafficPolicy Local they see the client's.",
    ),
    shows: Shows::Mixed,
    classes: Classes::Ignores,
    cannot: &[
        "Private and public cannot change after creation.",
        "A public network load balancer shows a private address beside the public one, unless external-ip-only is \"true\".",
        "A public address at choice must be a reserved one; a private one can be chosen only with load-balancer-type nlb.",
        "The units of its health check's keys are not known here, so none is written.",
    ],
    evidence: &[
        Evidence::of(
            EvidenceKind::Source,
            "The keys; neither switch may change after creation; a status with private and public addresses",
            "oracle/oci-cloud-controller-manager 1100ac362",
        ),
        Evidence::of(
            EvidenceKind::Source,
            "With any loadBalancerClass the common service controller makes nothing",
            "kubernetes/cloud-provider 4666611",
        ),
    ],
    ..Rules::UNKNOWN
};
