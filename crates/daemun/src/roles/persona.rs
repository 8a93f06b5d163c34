//! The people around a gateway, as the Gateway API tells them apart, and what each may do.
//!
//! What they share with everybody who may see a namespace is in the viewer's list; what Kubernetes' own role `edit` gives,
//! to which a developer's becomes a part, is named here as far as kinds are concerned that are read here.

use clap::ValueEnum;

use super::policy::MAY_EXPOSE;
use super::rule::{EXPERIMENTAL, GATEWAY_API, OURS, READ, Rule, rule};

/// A part that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Persona {
    /// Decides which gateways there can be, and who may reach them
    InfrastructureOperator,
    /// Decides where Gateways listen, for whom, and what holds for all of their Routes
    ClusterOperator,
    /// Leads requests to services of his or her own
    Developer,
    /// Looks, and changes nothing
    Viewer,
}

/// To do anything with objects.
const ALL: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
];

const INFRASTRUCTURE_OPERATOR: &[Rule] = &[
    rule(GATEWAY_API, &["gatewayclasses"], ALL),
    rule(OURS, &["gatewayparameters"], ALL),
    // Those of type LoadBalancer, above all.
    rule("", &["services"], ALL),
    // To make things reachable, where the policy of exposure asks.
    MAY_EXPOSE,
    // What became of it.
    rule(
        GATEWAY_API,
        &[
            "backendtlspolicies",
            "gateways",
            "grpcroutes",
            "httproutes",
            "listenersets",
            "referencegrants",
            "tcproutes",
            "tlsroutes",
            "udproutes",
        ],
        READ,
    ),
    rule(
        EXPERIMENTAL,
        &["xbackends", "xbackendtrafficpolicies"],
        READ,
    ),
    rule(
        OURS,
        &["backendpolicies", "backends", "listenerpolicies"],
        READ,
    ),
    rule("", &["namespaces", "nodes"], READ),
    // What the controller makes around a Gateway, as `daemun explain gateway` shows it.
    rule("apps", &["daemonsets", "deployments"], READ),
    rule("discovery.k8s.io", &["endpointslices"], READ),
    rule("", &["events", "pods"], READ),
];

const CLUSTER_OPERATOR: &[Rule] = &[
    rule(
        GATEWAY_API,
        &["gateways", "listenersets", "referencegrants"],
        ALL,
    ),
    rule(OURS, &["listenerpolicies"], ALL),
    // Addresses that requests are sent to, of whatever is reachable from the gateway. Whoever may write them can lead traffic
    // round the namespaces' borders, which is why Kubernetes lets no developer write EndpointSlices either.
    rule(OURS, &["backends"], ALL),
    rule(EXPERIMENTAL, &["xbackends"], ALL),
    // What became of it.
    rule(
        GATEWAY_API,
        &[
            "backendtlspolicies",
            "gatewayclasses",
            "grpcroutes",
            "httproutes",
            "tcproutes",
            "tlsroutes",
            "udproutes",
        ],
        READ,
    ),
    rule(EXPERIMENTAL, &["xbackendtrafficpolicies"], READ),
    rule(OURS, &["backendpolicies", "gatewayparameters"], READ),
    rule("", &["services"], READ),
    rule("", &["namespaces"], READ),
    // What the controller makes around a Gateway, as `daemun explain gateway` shows it.
    rule("apps", &["daemonsets", "deployments"], READ),
    rule("discovery.k8s.io", &["endpointslices"], READ),
    rule("", &["events", "pods"], READ),
];

const DEVELOPER: &[Rule] = &[
    rule(
        GATEWAY_API,
        &[
            "backendtlspolicies",
            "grpcroutes",
            "httproutes",
            "tcproutes",
            "tlsroutes",
            "udproutes",
        ],
        ALL,
    ),
    rule(EXPERIMENTAL, &["xbackendtrafficpolicies"], ALL),
    rule(OURS, &["backendpolicies"], ALL),
    // What the Routes meet.
    rule(
        GATEWAY_API,
        &["gateways", "listenersets", "referencegrants"],
        READ,
    ),
    rule(EXPERIMENTAL, &["xbackends"], READ),
    rule(
        OURS,
        &["backends", "gatewayparameters", "listenerpolicies"],
        READ,
    ),
];

/// So that the owners of Routes can look at them, and ask `daemun explain`.
const VIEWER: &[Rule] = &[
    rule(
        GATEWAY_API,
        &[
            "backendtlspolicies",
            "gateways",
            "grpcroutes",
            "httproutes",
            "listenersets",
            "tcproutes",
            "tlsroutes",
            "udproutes",
        ],
        READ,
    ),
    rule(GATEWAY_API, &["referencegrants"], READ),
    rule(
        EXPERIMENTAL,
        &["xbackends", "xbackendtrafficpolicies"],
        READ,
    ),
    rule(
        OURS,
        &["backendpolicies", "backends", "listenerpolicies"],
        READ,
    ),
    rule(OURS, &["gatewayparameters"], READ),
];

/// What Kubernetes' own roles give of the kinds that are read here.
const OF_KUBERNETES_EDIT: &[Rule] = &[rule("", &["configmaps", "secrets", "services"], ALL)];
const OF_KUBERNETES_VIEW: &[Rule] = &[
    rule("", &["configmaps", "services"], READ),
    rule("discovery.k8s.io", &["endpointslices"], READ),
];

impl Persona {
    /// All of them, from the one who decides most for others.
    pub(crate) const ALL: &[Self] = &[
        Self::InfrastructureOperator,
        Self::ClusterOperator,
        Self::Developer,
        Self::Viewer,
    ];

    /// The name of the ClusterRole.
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Self::InfrastructureOperator => "daemun-infrastructure-operator",
            Self::ClusterOperator => "daemun-cluster-operator",
            Self::Developer => "daemun-developer",
            Self::Viewer => "daemun-view",
        }
    }

    /// What the ClusterRole has.
    pub(crate) const fn rules(self) -> &'static [Rule] {
        match self {
            Self::InfrastructureOperator => INFRASTRUCTURE_OPERATOR,
            Self::ClusterOperator => CLUSTER_OPERATOR,
            Self::Developer => DEVELOPER,
            Self::Viewer => VIEWER,
        }
    }

    /// The role of Kubernetes' own that the ClusterRole becomes a part of, and what it gives of the kinds that are read
    /// here; none where the ClusterRole is bound itself.
    pub(crate) const fn part_of(self) -> Option<(&'static str, &'static [Rule])> {
        match self {
            Self::InfrastructureOperator | Self::ClusterOperator => None,
            Self::Developer => Some(("edit", OF_KUBERNETES_EDIT)),
            Self::Viewer => Some(("view", OF_KUBERNETES_VIEW)),
        }
    }

    /// As sentences name somebody of this role.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::InfrastructureOperator => "an infrastructure operator",
            Self::ClusterOperator => "a cluster operator",
            Self::Developer => "an application developer",
            Self::Viewer => "a viewer",
        }
    }

    /// Whether the role lets anybody do something with the objects of a resource, together with what it is part of.
    pub(crate) fn may(self, verb: &str, group: &str, resource: &str) -> bool {
        let given = self.part_of().map_or(&[][..], |(_, given)| given);
        let mut rules = self.rules().iter().chain(given);
        rules.any(|rule| rule.allows(verb, group, resource))
    }
}
