//! Our BackendPolicy: how requests are balanced over a Service's or Backend's endpoints, and how connections
//! to them are kept. One that cannot be used closes its targets: their requests are answered 500.

use std::collections::BTreeMap;

use daemun_model::backend::Connections;
use daemun_model::names::ObjectRef;
use daemun_model::policy::balance::Balance;
use daemun_model::verdict::FieldPath;
use daemun_objects::own::backend_policy::{BackendPolicy, BackendPolicySpec};

use super::gateway::age;
use crate::cluster::Cluster;
use crate::policy::balance;
use crate::policy::targets::{Claims, Judged, Target};
use crate::refs::OWN_GROUP;
use crate::verdict::Refusal;

/// What can be a target.
const KINDS: [(&str, &str); 2] = [("", "Service"), (OWN_GROUP, "Backend")];

/// What a policy says, section by section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BackendSettings {
    /// Which endpoint gets a request.
    pub(crate) balance: Option<Balance>,
    /// How connections are kept.
    pub(crate) connections: Option<Connections>,
}

/// Settings by target: what holds, or why the target is closed.
pub(crate) type SettingsByTarget = BTreeMap<Target, Result<BackendSettings, String>>;

/// Reads all policies, the oldest first.
pub(crate) fn read_all(cluster: &Cluster) -> (SettingsByTarget, Vec<Judged>) {
    let mut policies: Vec<_> = cluster.backend_policies.iter().collect();
    policies.sort_by_key(|(name, policy)| age(policy.metadata.created(), name));
    let mut claims = Claims::default();
    let mut by_target = SettingsByTarget::new();
    let mut judged = Vec::with_capacity(policies.len());
    for (name, policy) in policies {
        let claimed = claims.claim(cluster, name, &policy.spec.target_refs, &KINDS);
        let settings = read(policy);
        for target in &claimed.won {
            let settings = settings
                .clone()
                .map_err(|refusal| format!("BackendPolicy {name}: {}", refusal.message));
            by_target.insert(target.clone(), settings);
        }
        judged.push(Judged {
            object: ObjectRef::new("BackendPolicy", name.clone()),
            generation: policy.metadata.generation.unwrap_or_default(),
            claimed,
            invalid: settings.err(),
            unresolved: None,
        });
    }
    (by_target, judged)
}

fn read(policy: &BackendPolicy) -> Result<BackendSettings, Refusal> {
    let BackendPolicySpec {
        target_refs: _, // In read_all.
        balance,
        connections,
    } = &policy.spec;
    let spec = FieldPath::of("spec");
    Ok(BackendSettings {
        balance: balance
            .as_ref()
            .map(|written| balance::read(written, &spec.field("balance")))
            .transpose()?,
        connections: connections
            .as_ref()
            .map(|written| balance::connections(written, &spec.field("connections")))
            .transpose()?,
    })
}
