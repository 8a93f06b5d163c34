//! A maker of load balancers that nothing is known about.
//!
//! No key is written, so nothing about reach is promised: what comes is observed and reported, and a written
//! `Private` is verified before anything is served.

use super::{Evidence, EvidenceKind, Provider, Rules, Switch};

pub(super) static RULES: Rules = Rules {
    provider: Provider::Generic,
    name: "Generic",
    product: "a maker of load balancers that is not known",
    private: Switch::Elsewhere(
        "Nothing is known of this maker of load balancers, so no annotation is written for reach; \
         the address that comes is looked at.",
    ),
    public: Switch::Elsewhere(
        "Nothing is known of this maker of load balancers, so no annotation is written for reach; \
         the address that comes is looked at.",
    ),
    cannot: &[
        "Keys for this maker of load balancers are yours to write under annotations; only what its Service shows can be verified.",
    ],
    evidence: &[Evidence::of(
        EvidenceKind::Source,
        "Every maker of load balancers shows its address in status.loadBalancer.ingress of the Service.",
        "kubernetes/cloud-provider 4666611, controllers/service/controller.go",
    )],
    ..Rules::UNKNOWN
};
