//! The kinds of object that are made, and those that are only looked at.

use kube::core::GroupVersionKind;
use kube::discovery::ApiResource;

/// A kind of object around a Gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// The authorities by which proxies know the controller.
    ConfigMap,
    /// Whom the proxies are.
    ServiceAccount,
    /// What leads to the proxies.
    Service,
    /// How many proxies may be away on purpose.
    PodDisruptionBudget,
    /// What runs a number of proxies.
    Deployment,
    /// What runs a proxy on each node.
    DaemonSet,
    /// What chooses that number.
    HorizontalPodAutoscaler,
    /// The proxies. Made by the workload, and only looked at here.
    Pod,
}

impl Kind {
    /// All of them, in the order in which they are made.
    pub(super) const ALL: [Self; 8] = [
        Self::ConfigMap,
        Self::ServiceAccount,
        Self::Service,
        Self::PodDisruptionBudget,
        Self::Deployment,
        Self::DaemonSet,
        Self::HorizontalPodAutoscaler,
        Self::Pod,
    ];

    /// The kind as written in `kind:`.
    pub(super) fn as_str(self) -> &'static str {
        self.names().2
    }

    /// `apiVersion`.
    pub(super) fn api_version(self) -> String {
        let (group, version, ..) = self.names();
        if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        }
    }

    /// How its objects are asked for.
    pub(super) fn resource(self) -> ApiResource {
        let (group, version, kind, plural) = self.names();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }

    /// Whether it runs proxies.
    pub(super) fn is_workload(self) -> bool {
        matches!(self, Self::Deployment | Self::DaemonSet)
    }

    fn names(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::ConfigMap => ("", "v1", "ConfigMap", "configmaps"),
            Self::ServiceAccount => ("", "v1", "ServiceAccount", "serviceaccounts"),
            Self::Service => ("", "v1", "Service", "services"),
            Self::PodDisruptionBudget => (
                "policy",
                "v1",
                "PodDisruptionBudget",
                "poddisruptionbudgets",
            ),
            Self::Deployment => ("apps", "v1", "Deployment", "deployments"),
            Self::DaemonSet => ("apps", "v1", "DaemonSet", "daemonsets"),
            Self::HorizontalPodAutoscaler => (
                "autoscaling",
                "v2",
                "HorizontalPodAutoscaler",
                "horizontalpodautoscalers",
            ),
            Self::Pod => ("", "v1", "Pod", "pods"),
        }
    }
}
