//! What policies are about: targets, and which policy counts where several have the same (gateway-api
//! `PolicyTargetReference`, GEP-713). The older policy has precedence; one for a part of a target goes before
//! one for the whole.

use std::collections::{BTreeMap, BTreeSet};

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::{FieldPath, Finding, Part, Place, Verdict};
use daemun_objects::gateway_api::backendtlspolicy::BackendTlsPolicy;
use daemun_objects::gateway_api::shared::PolicyTargetReference;

use crate::cluster::{Cluster, namespace_of};
use crate::nearest::{did_you_mean, list};
use crate::verdict::{Refusal, fails, holds, messages, reason, resolved_refs, warning};

/// The Services, or single ports of them, that BackendTLSPolicies are about: all that Routes need to know
/// of those policies.
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
fn tls_targets(
    policy: &BackendTlsPolicy,
) -> impl Iterator<Item = (ObjectName, Option<String>)> + '_ {
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

/// A target, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// The kind, as written.
    pub(crate) kind: &'static str,
    /// The object.
    pub(crate) name: ObjectName,
    /// `sectionName`.
    pub(crate) section: Option<String>,
}

/// Which policies have which targets, gathered from the oldest on.
#[derive(Debug, Default)]
pub(crate) struct Claims(BTreeMap<Target, ObjectName>);

/// What a policy is about, of what it names.
#[derive(Debug, Default)]
pub(crate) struct Claimed {
    /// The targets for which it counts.
    pub(crate) won: Vec<Target>,
    /// All targets that exist.
    pub(crate) exist: Vec<Target>,
    /// Targets that do not exist, or that an older policy has.
    pub(crate) refused: Vec<Refusal>,
}

impl Claims {
    /// Takes the targets that a policy names, as far as they exist and no older policy has them.
    pub(crate) fn claim(
        &mut self,
        cluster: &Cluster,
        policy: &ObjectName,
        written: &[PolicyTargetReference],
        kinds: &[(&'static str, &'static str)],
    ) -> Claimed {
        let mut claimed = Claimed::default();
        for (index, reference) in written.iter().enumerate() {
            let path = FieldPath::of("spec.targetRefs").index(index);
            let target = match find(cluster, policy, reference, (kinds, &path)) {
                Ok(target) => target,
                Err(refusal) => {
                    claimed.refused.push(refusal);
                    continue;
                }
            };
            claimed.exist.push(target.clone());
            let holder = self
                .0
                .entry(target.clone())
                .or_insert_with(|| policy.clone());
            if holder == policy && claimed.won.contains(&target) {
                claimed.refused.push(Refusal::new(
                    path,
                    reason::INVALID,
                    "This target is named before; take one of them out.",
                ));
            } else if holder == policy {
                claimed.won.push(target);
            } else {
                claimed.refused.push(Refusal::new(
                    path.field("name"),
                    reason::CONFLICTED,
                    format!(
                        "{} {}{} already has a policy of this kind: {holder}, which is older (or, of the same age, first by name). This one does not count for it; write both into one.",
                        target.kind,
                        target.name,
                        section_text(target.section.as_deref()),
                    ),
                ));
            }
        }
        claimed
    }
}

fn section_text(section: Option<&str>) -> String {
    section
        .map(|section| format!(" ({section})"))
        .unwrap_or_default()
}

fn find(
    cluster: &Cluster,
    policy: &ObjectName,
    reference: &PolicyTargetReference,
    (kinds, path): (&[(&'static str, &'static str)], &FieldPath),
) -> Result<Target, Refusal> {
    let known = kinds
        .iter()
        .find(|(group, kind)| *group == reference.group && *kind == reference.kind);
    let Some((_, kind)) = known else {
        let kinds: Vec<String> = kinds
            .iter()
            .map(|(group, kind)| format!("{kind} (group \"{group}\")"))
            .collect();
        return Err(Refusal::new(
            path.field("kind"),
            reason::TARGET_NOT_FOUND,
            format!(
                "{} of group \"{}\" cannot be the target of this policy; {} can.",
                reference.kind,
                reference.group,
                list(&kinds, "")
            ),
        ));
    };
    let name = ObjectName::new(&policy.namespace, &reference.name);
    let Some(sections) = sections(cluster, kind, &name) else {
        let namespace = &name.namespace;
        let suggestion = match *kind {
            "Service" => did_you_mean(&name.name, cluster.services.names_in(namespace)),
            "Backend" => did_you_mean(&name.name, cluster.backends.names_in(namespace)),
            "XBackend" => did_you_mean(&name.name, cluster.x_backends.names_in(namespace)),
            "Gateway" => did_you_mean(&name.name, cluster.gateways.names_in(namespace)),
            _ => did_you_mean(&name.name, cluster.listener_sets.names_in(namespace)),
        };
        return Err(Refusal::new(
            path.field("name"),
            reason::TARGET_NOT_FOUND,
            cluster.withheld.absence(kind, &name, || {
                format!(" A policy is in the namespace of its target.{suggestion}")
            }),
        ));
    };
    if let Some(section) = &reference.section_name
        && !sections.contains(section)
    {
        let what = match *kind {
            "Service" | "Backend" | "XBackend" => "port",
            _ => "listener",
        };
        return Err(Refusal::new(
            path.field("sectionName"),
            reason::TARGET_NOT_FOUND,
            format!(
                "{kind} {name} has no {what} with the name \"{section}\"; it has {}.",
                list(&sections, "none with a name")
            ),
        ));
    }
    Ok(Target {
        kind,
        name,
        section: reference.section_name.clone(),
    })
}

/// The names of the parts that an object has, if it exists.
fn sections(cluster: &Cluster, kind: &str, name: &ObjectName) -> Option<Vec<String>> {
    match kind {
        "Service" => cluster.services.get(name).map(|service| {
            let ports = service.spec.ports.iter();
            ports.filter_map(|port| port.name.clone()).collect()
        }),
        "Backend" => cluster.backends.get(name).map(|_| Vec::new()),
        "XBackend" => cluster.x_backends.get(name).map(|_| Vec::new()),
        "Gateway" => cluster.gateways.get(name).map(|gateway| {
            let listeners = gateway.spec.listeners.iter();
            listeners.map(|listener| listener.name.clone()).collect()
        }),
        _ => cluster.listener_sets.get(name).map(|set| {
            let listeners = set.spec.listeners.iter();
            listeners.map(|listener| listener.name.clone()).collect()
        }),
    }
}

/// A policy that was judged, until it is known through which Gateways it works.
#[derive(Debug)]
pub(crate) struct Judged {
    /// The policy.
    pub(crate) object: ObjectRef,
    /// `metadata.generation`.
    pub(crate) generation: i64,
    /// What became of its targets.
    pub(crate) claimed: Claimed,
    /// Why the policy itself cannot be used, if so.
    pub(crate) invalid: Option<Refusal>,
    /// References that could not be resolved; none where the policy has no references.
    pub(crate) unresolved: Option<Vec<Refusal>>,
}

impl Judged {
    /// What its owner must be told, with the Gateways through which it works. In Kubernetes nothing, if no
    /// Gateway of ours is concerned: others may be.
    pub(crate) fn verdict(
        self,
        cluster: &Cluster,
        gateways: &BTreeSet<ObjectName>,
    ) -> Option<Verdict> {
        if gateways.is_empty() && !cluster.on_host() {
            return None;
        }
        let Self {
            object,
            generation,
            claimed,
            invalid,
            unresolved,
        } = self;
        let mut conditions = vec![match (&invalid, claimed.won.is_empty()) {
            (Some(invalid), _) => fails("Accepted", invalid.reason, invalid.message.clone()),
            (None, true) => {
                let first = claimed.refused.first();
                fails(
                    "Accepted",
                    first.map_or(reason::INVALID, |refusal| refusal.reason),
                    first.map_or_else(
                        || "The policy names no target; name one in spec.targetRefs.".to_owned(),
                        |_| messages(&claimed.refused),
                    ),
                )
            }
            (None, false) => holds("Accepted", "Accepted", "The policy counts for its targets."),
        }];
        if let Some(unresolved) = &unresolved {
            conditions.push(resolved_refs(unresolved));
        }
        let part = |place| Part {
            place,
            conditions: conditions.clone(),
            attached: None,
            supported_kinds: None,
        };
        let mut parts: Vec<Part> = gateways
            .iter()
            .map(|gateway| part(Place::Ancestor(gateway.clone())))
            .collect();
        if parts.is_empty() {
            parts.push(part(Place::Object));
        }
        let partly = !claimed.won.is_empty();
        let mut findings: Vec<Finding> = invalid
            .into_iter()
            .chain(unresolved.unwrap_or_default())
            .map(Into::into)
            .collect();
        findings.extend(claimed.refused.into_iter().map(|refusal| {
            let Refusal {
                path,
                reason,
                message,
                ..
            } = refusal.clone();
            match partly && reason == reason::CONFLICTED {
                true => warning(path, reason, message),
                false => refusal.into(),
            }
        }));
        Some(Verdict {
            object,
            generation,
            parts: parts.into(),
            findings,
        })
    }
}
