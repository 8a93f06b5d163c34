//! XBackendTrafficPolicy: how many requests to a backend may be sent again, and its sessions. One that cannot be
//! used closes its targets, as every policy does that may be there to protect: their requests are answered 500.

use std::collections::BTreeMap;

use daemun_model::names::ObjectRef;
use daemun_model::policy::budget::RetryBudget;
use daemun_model::policy::session::BackendSession;
use daemun_model::verdict::FieldPath;
use daemun_objects::experimental::xbackendtrafficpolicy::{
    XBackendTrafficPolicy, XBackendTrafficPolicySpec,
};
use daemun_objects::gateway_api::shared::PolicyTargetReference;

use super::gateway::age;
use crate::cluster::Cluster;
use crate::policy::targets::{Claims, Judged, Target};
use crate::policy::{budget, session};
use crate::refs::{OWN_GROUP, X_GROUP};
use crate::verdict::Refusal;

/// What can be a target.
const KINDS: [(&str, &str); 3] = [
    ("", "Service"),
    (OWN_GROUP, "Backend"),
    (X_GROUP, "XBackend"),
];

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrafficSettings {
    /// How many requests may be sent again.
    pub(crate) retry_budget: Option<RetryBudget>,
    /// Sessions.
    pub(crate) session: Option<BackendSession>,
}

/// Settings by target: what holds, or why the target is closed.
pub(crate) type TrafficByTarget = BTreeMap<Target, Result<TrafficSettings, String>>;

/// Reads all policies, the oldest first.
pub(crate) fn read_all(cluster: &Cluster) -> (TrafficByTarget, Vec<Judged>) {
    let mut policies: Vec<_> = cluster.x_backend_traffic_policies.iter().collect();
    policies.sort_by_key(|(name, policy)| age(policy.metadata.created(), name));
    let mut claims = Claims::default();
    let mut by_target = TrafficByTarget::new();
    let mut judged = Vec::with_capacity(policies.len());
    for (name, policy) in policies {
        let targets: Vec<PolicyTargetReference> = policy
            .spec
            .target_refs
            .iter()
            .map(|target| PolicyTargetReference {
                group: target.group.clone(),
                kind: target.kind.clone(),
                name: target.name.clone(),
                section_name: None,
            })
            .collect();
        let claimed = claims.claim(cluster, name, &targets, &KINDS);
        let settings = read(policy);
        for target in &claimed.won {
            let settings = settings
                .clone()
                .map_err(|refusal| format!("XBackendTrafficPolicy {name}: {}", refusal.message));
            by_target.insert(target.clone(), settings);
        }
        judged.push(Judged {
            object: ObjectRef::new("XBackendTrafficPolicy", name.clone()),
            generation: policy.metadata.generation.unwrap_or_default(),
            claimed,
            invalid: settings.err(),
            unresolved: None,
        });
    }
    (by_target, judged)
}

fn read(policy: &XBackendTrafficPolicy) -> Result<TrafficSettings, Refusal> {
    let XBackendTrafficPolicySpec {
        target_refs: _, // In read_all.
        retry_constraint,
        session_persistence,
    } = &policy.spec;
    let spec = FieldPath::of("spec");
    Ok(TrafficSettings {
        retry_budget: retry_constraint
            .as_ref()
            .map(|written| budget::read(written, &spec.field("retryConstraint")))
            .transpose()?,
        session: session_persistence
            .as_ref()
            .map(|written| session::of_backend(written, &spec.field("sessionPersistence")))
            .transpose()?,
    })
}
