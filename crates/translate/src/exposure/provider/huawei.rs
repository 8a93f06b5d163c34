//! Huawei's load balancers for CCE. The switch is a field in a JSON text of which not all is known here.

use super::{
    Aspect, ClientAddress, Evidence, EvidenceKind, Key, Known, Provider, Rules, Switch, Takes,
    Unsaid, Way,
};

const AUTOCREATE: &str = "kubernetes.io/elb.autocreate";
const ID: &str = "kubernetes.io/elb.id";
const EIP: &str = "kubernetes.io/elb.eip-id";
const KEEP: &str = "kubernetes.io/elb.keep-eip";
const SUBNET: &str = "kubernetes.io/elb.subnet-id";

pub(super) static RULES: Rules = Rules {
    provider: Provider::Huawei,
    name: "Huawei",
    product: "Huawei Cloud CCE",
    private: Switch::Keys(&[Key::is(AUTOCREATE, r#"{"type":"inner"}"#)]),
    // What else a public one needs in elb.autocreate was not in the pieces that were read.
    public: Switch::NotKnown,
    unsaid: Unsaid::NotKnown,
    decides_reach: &[AUTOCREATE, ID, EIP],
    reads: &["kubernetes.io/elb.*"],
    keys: &[
        Known::new(AUTOCREATE, Takes::Text).create_only(),
        Known::new(
            "kubernetes.io/elb.class",
            Takes::Words(&["union", "performance"]),
        ),
        Known::new(ID, Takes::Text).create_only(),
        Known::new(EIP, Takes::Text),
        Known::new(KEEP, Takes::Text),
        Known::new(SUBNET, Takes::Text),
        Known::new(
            "kubernetes.io/elb.enable-transparent-client-ip",
            Takes::Text,
        ),
        Known::new("kubernetes.io/elb.pass-through", Takes::Text),
        Known::new("kubernetes.io/elb.idle-timeout", Takes::Text),
        Known::new("kubernetes.io/elb.lb-algorithm", Takes::Text),
        Known::new("kubernetes.io/elb.health-check-flag", Takes::Text),
        Known::new("kubernetes.io/elb.health-check-option", Takes::Text),
    ],
    create_only: &[Aspect::Reach],
    kept_address: Way::Is(Key::is(KEEP, "true")),
    subnet: Way::Is(SUBNET),
    client: ClientAddress::Depends(
        "With elb.class performance packets pass through; with union it is not known.",
    ),
    cannot: &[
        "What a public load balancer needs in elb.autocreate is not known here; bring a Service of your own with reach Unmanaged.",
        "Both elb.id and elb.autocreate on one Service let the existing load balancer be deleted with it.",
    ],
    evidence: &[
        Evidence::of(
            EvidenceKind::Excerpt,
            "The keys; type inner or public in elb.autocreate, which may not change",
            "kubernetes/cloud-provider-huaweicloud and Huawei Cloud's documents",
        ),
        Evidence::of(
            EvidenceKind::Inferred,
            "The type alone is enough in elb.autocreate for a private one; elb.keep-eip takes \"true\"",
            "concluded from the names of the keys",
        ),
    ],
    ..Rules::UNKNOWN
};
