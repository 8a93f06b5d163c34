//! What policies are about: targets, and which policy counts where several have the same (gateway-api
//! `PolicyTargetReference`, GEP-713).

use std::collections::BTreeMap;

use daemun_model::names::ObjectName;
use daemun_objects::gateway_api::backendtlspolicy::BackendTlsPolicy;

use crate::cluster::{Cluster, namespace_of};

/// The Services, or single ports of them, that a BackendTLSPolicy is about: all that Routes need to know of
/// those policies.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TlsTargets(BTreeMap<ObjectName, Vec<Option<String>>>);

impl TlsTargets {
    /// Reads them from all policies.
    pub(crate) fn read(cluster: &Cluster) -> Self {
        let mut targets = Self::default();
        for (_, policy) in &cluster.backend_tls_policies {
            for (service, section) in tls_targets(policy) {
                targets.0.entry(service).or_default().push(section);
            }
        }
        targets
    }

    /// Whether a policy is about a port (by its name) of a Service.
    pub(crate) fn covers(&self, service: &ObjectName, port: Option<&str>) -> bool {
        self.0.get(service).is_some_and(|sections| {
            sections
                .iter()
                .any(|section| section.is_none() || section.as_deref() == port)
        })
    }
}

/// The Services that a policy is about, each with the port's name, if only that is meant.
pub(crate) fn tls_targets(
    policy: &BackendTlsPolicy,
) -> impl Iterator<Item = (ObjectName, Option<String>)> {
    let namespace = namespace_of(&policy.metadata);
    policy
        .spec
        .target_refs
        .iter()
        .filter(|target| target.group.is_empty() && target.kind == "Service")
        .map(move |target| {
            (
                ObjectName::new(namespace, &target.name),
                target.section_name.clone(),
            )
        })
}
