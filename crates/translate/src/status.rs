//! What owners of GatewayClasses, Gateways and ListenerSets must be told.

use std::sync::Arc;

use daemun_model::names::{ListenerOwner, ObjectName, ObjectRef};
use daemun_model::verdict::{Condition, Finding, Part, Place, Status, Verdict};
use daemun_objects::gateway_api::listenerset::ListenerSet;

use crate::exposure::ADDRESS_NOT_USABLE;
use crate::exposure::observed::Observed;
use crate::listener::Entry;
use crate::read::gateway::ReadGateway;
use crate::read::listenerset::ReadSet;
use crate::standing::Standing;
use crate::verdict::{Refusal, fails, holds, messages, resolved_refs};

/// What is said about a Gateway.
pub(crate) fn gateway(
    gateway: &ReadGateway,
    standing: &Standing,
    observed: Option<&Observed>,
) -> Verdict {
    let programmed = match observed.filter(|observed| observed.unusable) {
        Some(Observed { closed, .. }) => fails(
            "Programmed",
            ADDRESS_NOT_USABLE,
            closed.clone().unwrap_or_default(),
        ),
        None => match &gateway.unusable {
            Some(Refusal {
                reason, message, ..
            }) if gateway.accepted() => fails("Programmed", reason, message.clone()),
            Some(_) | None => programmed(gateway),
        },
    };
    let mut conditions = vec![accepted(gateway), programmed, refs(gateway)];
    conditions.extend(observed.map(|observed| observed.condition.clone()));
    if gateway.insecure {
        conditions.push(holds(
            "InsecureFrontendValidationMode",
            "ConfigurationChanged",
            "spec.tls.frontend lets clients in whose certificate is missing or invalid (AllowInsecureFallback).",
        ));
    }
    if gateway.is_default() {
        conditions.push(holds(
            "DefaultGateway",
            "DefaultGateway",
            "The Gateway has default scope All: it takes Routes that ask for default Gateways (useDefaultGateways: All).",
        ));
    }
    let sets = gateway
        .sets
        .iter()
        .filter(|set| set_accepted(gateway, set).status == Status::True)
        .count();
    let mut parts = vec![Part {
        place: Place::Object,
        conditions,
        attached: u32::try_from(sets).ok(),
        supported_kinds: None,
    }];
    parts.extend(
        gateway
            .entries
            .iter()
            .map(|entry| listener(gateway, entry, standing, observed)),
    );
    let certificate = gateway
        .client_certificate
        .iter()
        .filter_map(|certificate| certificate.as_ref().err());
    let mut findings: Vec<Finding> = gateway
        .refused
        .iter()
        .chain(&gateway.unusable)
        .chain(certificate)
        .filter_map(Refusal::finding)
        .collect();
    findings.extend(gateway.findings.iter().cloned());
    findings.extend(observed.into_iter().flat_map(Observed::findings));
    findings.extend(gateway.entries.iter().flat_map(entry_findings));
    Verdict {
        object: ObjectRef::new("Gateway", gateway.name.clone()),
        generation: gateway.object.metadata.generation.unwrap_or_default(),
        parts: parts.into(),
        findings,
    }
}

fn accepted(gateway: &ReadGateway) -> Condition {
    if let Some(why) = &gateway.pending {
        return Condition {
            kind: "Accepted",
            status: Status::Unknown,
            reason: "Pending",
            message: format!("The GatewayClass is not accepted: {why}"),
        };
    }
    if let Some(first) = gateway.refused.first() {
        return fails("Accepted", first.reason, messages(&gateway.refused));
    }
    let bad: Vec<&Entry> = gateway
        .all_entries()
        .filter(|entry| !entry.served())
        .collect();
    let names: Vec<String> = bad.iter().map(|entry| within_gateway(entry)).collect();
    listeners_accepted(gateway.accepted(), gateway.all_entries().count(), &names)
}

/// A listener as a Gateway's conditions name it: those of ListenerSets may have the names of others.
fn within_gateway(entry: &Entry) -> String {
    match entry.key.owner {
        ListenerOwner::Gateway => entry.key.name.clone(),
        ListenerOwner::ListenerSet => entry.key.to_string(),
    }
}

/// `Accepted` of an object whose listeners are what there is to judge.
fn listeners_accepted(accepted: bool, all: usize, bad: &[String]) -> Condition {
    if bad.is_empty() {
        let message = match all {
            1 => "Its listener is valid.".to_owned(),
            all => format!("All {all} listeners are valid."),
        };
        return holds("Accepted", "Accepted", message);
    }
    let names = crate::nearest::list(bad, "");
    let message = match (bad.len(), all) {
        (1, 1) => format!("Its listener {names} is not valid; the listener's conditions say why."),
        (1, _) => {
            format!("1 of {all} listeners is not valid: {names}. Its own conditions say why.")
        }
        (bad, _) => format!(
            "{bad} of {all} listeners are not valid: {names}. Their own conditions say why."
        ),
    };
    if accepted {
        holds("Accepted", "ListenersNotValid", message)
    } else {
        fails("Accepted", "ListenersNotValid", message)
    }
}

fn programmed(gateway: &ReadGateway) -> Condition {
    if gateway.accepted() && gateway.all_entries().any(Entry::served) {
        return holds(
            "Programmed",
            "Programmed",
            "The configuration is complete and is given to the proxy.",
        );
    }
    fails(
        "Programmed",
        "Invalid",
        "There is nothing that could be served; the other conditions say why.",
    )
}

fn refs(gateway: &ReadGateway) -> Condition {
    match &gateway.client_certificate {
        Some(Err(refusal)) => fails("ResolvedRefs", refusal.reason, refusal.message.clone()),
        Some(Ok(_)) | None => {
            let unresolved: Vec<String> = gateway
                .all_entries()
                .filter(|entry| !entry.unresolved.is_empty())
                .map(within_gateway)
                .collect();
            if unresolved.is_empty() {
                return resolved_refs(&[]);
            }
            fails(
                "ResolvedRefs",
                "ListenersNotResolved",
                format!(
                    "Listeners with references that cannot be resolved: {}. Their own conditions say why.",
                    crate::nearest::list(&unresolved, "")
                ),
            )
        }
    }
}

/// What is said about a ListenerSet of a Gateway of ours.
pub(crate) fn set(
    gateway: &ReadGateway,
    set: &ReadSet,
    standing: &Standing,
    observed: Option<&Observed>,
) -> Verdict {
    let accepted = set_accepted(gateway, set);
    let programmed = if accepted.status == Status::True {
        shut(gateway, observed).unwrap_or_else(|| {
            holds(
                "Programmed",
                "Programmed",
                "The configuration is complete and is given to the proxy.",
            )
        })
    } else {
        fails("Programmed", accepted.reason, accepted.message.clone())
    };
    let mut parts = vec![Part {
        place: Place::Object,
        conditions: vec![accepted, programmed],
        attached: None,
        supported_kinds: None,
    }];
    let mut findings: Vec<Finding> = set.refused.iter().cloned().map(Into::into).collect();
    if set.refused.is_none() {
        parts.extend(
            set.entries
                .iter()
                .map(|entry| listener(gateway, entry, standing, observed)),
        );
        findings.extend(set.findings.iter().cloned());
        findings.extend(set.entries.iter().flat_map(entry_findings));
    }
    Verdict {
        object: ObjectRef::new("ListenerSet", set.name.clone()),
        generation: set.object.metadata.generation.unwrap_or_default(),
        parts: parts.into(),
        findings,
    }
}

fn set_accepted(gateway: &ReadGateway, set: &ReadSet) -> Condition {
    if let Some(refusal) = &set.refused {
        return fails("Accepted", refusal.reason, refusal.message.clone());
    }
    if !gateway.usable() {
        return fails(
            "Accepted",
            "ParentNotAccepted",
            format!(
                "Gateway {} is not accepted: {}",
                gateway.name,
                accepted(gateway).message
            ),
        );
    }
    let bad: Vec<&Entry> = set.entries.iter().filter(|entry| !entry.served()).collect();
    let accepted = bad.len() < set.entries.len();
    let names: Vec<String> = bad.iter().map(|entry| entry.key.name.clone()).collect();
    listeners_accepted(accepted, set.entries.len(), &names)
}

/// What is said about a ListenerSet without a Gateway of ours.
pub(crate) fn orphan(name: &ObjectName, set: &ListenerSet, refusal: &Refusal) -> Verdict {
    Verdict {
        object: ObjectRef::new("ListenerSet", name.clone()),
        generation: set.metadata.generation.unwrap_or_default(),
        parts: Arc::new([Part {
            place: Place::Object,
            conditions: vec![
                fails("Accepted", refusal.reason, refusal.message.clone()),
                fails("Programmed", refusal.reason, refusal.message.clone()),
            ],
            attached: None,
            supported_kinds: None,
        }]),
        findings: vec![refusal.clone().into()],
    }
}

fn listener(
    gateway: &ReadGateway,
    entry: &Entry,
    standing: &Standing,
    observed: Option<&Observed>,
) -> Part {
    let accepted = match entry.refused.first() {
        None => holds("Accepted", "Accepted", "The listener is valid."),
        Some(first) => fails("Accepted", first.reason, messages(&entry.refused)),
    };
    let mut conditions = vec![accepted];
    if let Some(first) = entry.refused.first().filter(|_| entry.conflicted) {
        conditions.push(holds("Conflicted", first.reason, first.message.clone()));
    }
    conditions.push(certificates(entry));
    conditions.push(match entry.why_not_served() {
        None if !gateway.usable() => fails(
            "Programmed",
            "Invalid",
            format!(
                "Gateway {} itself is not accepted; its conditions say why.",
                gateway.name
            ),
        ),
        None => shut(gateway, observed).unwrap_or_else(|| {
            holds(
                "Programmed",
                "Programmed",
                "The configuration is complete and is given to the proxy.",
            )
        }),
        Some(why) => {
            let conflict = entry.refused.first().filter(|_| entry.conflicted);
            fails(
                "Programmed",
                conflict.map_or("Invalid", |refusal| refusal.reason),
                why,
            )
        }
    });
    if let Some((reason, message)) = &entry.overlap {
        conditions.push(holds("OverlappingTLSConfig", reason, message.clone()));
    }
    Part {
        place: Place::Listener(entry.key.name.clone()),
        conditions,
        attached: Some(standing.attached_to(&entry.key)),
        supported_kinds: Some(entry.kinds.iter().map(|kind| kind.as_str()).collect()),
    }
}

/// `Programmed` of what a Gateway serves that is closed. Who owns a ListenerSet may not be allowed to read the Gateway.
fn shut(gateway: &ReadGateway, observed: Option<&Observed>) -> Option<Condition> {
    let observed = observed.filter(|observed| observed.closed.is_some())?;
    let (reason, why) = match observed.unusable {
        true => ("Invalid", "its address is not known to be private"),
        false => ("Pending", "no address has been seen yet that is private"),
    };
    Some(fails(
        "Programmed",
        reason,
        format!(
            "Gateway {} serves nothing at the moment: a private address was asked for, and {why}. Its conditions say more.",
            gateway.name
        ),
    ))
}

/// `ResolvedRefs` of a listener, with what its certificates will mean to clients: one that has expired is resolved all
/// the same, and nothing else would say so after an Event is gone.
fn certificates(entry: &Entry) -> Condition {
    let mut condition = resolved_refs(&entry.unresolved);
    let path = entry.path.field("tls.certificateRefs");
    for warning in entry.warnings.iter().filter(|it| it.path == path) {
        condition.message.push(' ');
        condition.message.push_str(&warning.message);
    }
    condition
}

fn entry_findings(entry: &Entry) -> impl Iterator<Item = Finding> + '_ {
    entry
        .refused
        .iter()
        .chain(&entry.unresolved)
        .cloned()
        .map(Finding::from)
        .chain(entry.warnings.iter().cloned())
}
