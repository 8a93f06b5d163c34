//! A verdict in a few words, and how bad it is.

use daemun_model::verdict::{Condition, Place, Severity, Status, Verdict};
use daemun_translate::nearest::list_all;
use serde::Serialize;

/// How an object fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum Level {
    /// As it was meant.
    Fine,
    /// Works, and may surprise.
    Warning,
    /// Something that was asked for is refused or will not work.
    Refused,
}

/// Conditions that are bad when they are True.
const BAD_WHEN_TRUE: &[&str] = &[
    "Conflicted",
    "PartiallyInvalid",
    "OverlappingTLSConfig",
    "InsecureFrontendValidationMode",
];
/// Bad conditions that stop nothing.
const SURPRISING: &[&str] = &["OverlappingTLSConfig", "InsecureFrontendValidationMode"];

/// How bad a condition is.
pub(super) fn level_of(condition: &Condition) -> Level {
    // What waits for an address that no file has is not wrong.
    let waits = (condition.kind, condition.reason) == ("Programmed", "Pending");
    let bad = match condition.status {
        Status::False if waits => false,
        Status::True => BAD_WHEN_TRUE.contains(&condition.kind),
        Status::False => !BAD_WHEN_TRUE.contains(&condition.kind),
        Status::Unknown => false,
    };
    match (bad, SURPRISING.contains(&condition.kind)) {
        (false, _) => Level::Fine,
        (true, true) => Level::Warning,
        (true, false) => Level::Refused,
    }
}

/// How an object fares as a whole.
pub(super) fn level(verdict: &Verdict) -> Level {
    let conditions = verdict.parts.iter().flat_map(|part| &part.conditions);
    let findings = verdict
        .findings
        .iter()
        .map(|finding| match finding.severity {
            Severity::Warning => Level::Warning,
            Severity::Error => Level::Refused,
        });
    conditions
        .map(level_of)
        .chain(findings)
        .max()
        .unwrap_or(Level::Fine)
}

/// `accepted by shop/http and shop/https`, `not attached (Accepted=False, NotAllowedByListeners)`, …
pub(super) fn result(verdict: &Verdict) -> String {
    if verdict.parts.is_empty() {
        return without_parts(verdict).to_owned();
    }
    let of_route = |place: &Place| matches!(place, Place::Parent { .. });
    if verdict.parts.iter().any(|part| of_route(&part.place)) {
        return route(verdict);
    }
    let ancestors: Vec<String> = verdict
        .parts
        .iter()
        .filter_map(|part| match &part.place {
            Place::Ancestor(name) => Some(name.to_string()),
            Place::Object | Place::Listener(_) | Place::Parent { .. } => None,
        })
        .collect();
    let mut own = Vec::new();
    let mut words = Vec::new();
    for part in verdict.parts.iter() {
        let bad = part.conditions.iter().filter(|it| !sums_up(it, verdict));
        let Some(bad) = worst(bad) else {
            continue;
        };
        let shown = shown(bad);
        match &part.place {
            Place::Listener(name) => {
                let how = how_served(&part.conditions);
                words.push(format!("listener {name} {how} {shown}"));
            }
            Place::Ancestor(name) if ancestors.len() > 1 => {
                words.push(format!("for {name}: {shown}"))
            }
            Place::Object | Place::Ancestor(_) | Place::Parent { .. } => own.push(shown),
        }
    }
    own.dedup();
    let accepted = verdict
        .parts
        .iter()
        .filter(|part| !matches!(part.place, Place::Listener(_)))
        .all(|part| !is_refused(&part.conditions));
    let mut first = match (accepted, ancestors.is_empty()) {
        (true, true) => "accepted".to_owned(),
        (true, false) => format!("accepted for {}", list_all(&ancestors)),
        (false, _) => "refused".to_owned(),
    };
    if !own.is_empty() {
        let but = if accepted { ", but" } else { "" };
        first = format!("{first}{but} {}", own.join(" "));
    }
    words.insert(0, first);
    words.join("; ")
}

/// An object that nothing takes: there is nobody whose conditions could be told.
fn without_parts(verdict: &Verdict) -> &'static str {
    match (level(verdict), verdict.object.kind.as_str()) {
        (Level::Refused, kind) if kind.ends_with("Route") => "not attached",
        (Level::Refused, _) => "refused",
        (Level::Fine | Level::Warning, _) => "accepted",
    }
}

/// What a bad condition makes of a listener.
fn how_served(conditions: &[Condition]) -> &'static str {
    let holds = |kind: &str, status| {
        conditions
            .iter()
            .any(|condition| condition.kind == kind && condition.status == status)
    };
    let not_served = holds("Accepted", Status::False)
        || holds("Programmed", Status::False)
        || holds("Conflicted", Status::True);
    match worst(conditions).map(level_of) {
        _ if not_served => "is not served",
        Some(Level::Refused) => "is refused in part",
        Some(Level::Warning | Level::Fine) | None => "has a warning",
    }
}

/// Whether a condition of a Gateway only says that listeners have bad conditions, which are shown anyway.
pub(super) fn sums_up(condition: &Condition, verdict: &Verdict) -> bool {
    let is_listener = |place: &Place| matches!(place, Place::Listener(_));
    let mut listeners = verdict.parts.iter().filter(|part| is_listener(&part.place));
    condition.reason.starts_with("Listeners")
        && condition.kind != "Accepted"
        && listeners.any(|part| worst(&part.conditions).is_some())
}

fn route(verdict: &Verdict) -> String {
    let home = &verdict.object.name.namespace;
    let mut accepted = Vec::new();
    let mut refused: Vec<(String, String)> = Vec::new();
    let mut in_part = Vec::new();
    for part in verdict.parts.iter() {
        let Place::Parent {
            parent,
            section,
            port,
            ..
        } = &part.place
        else {
            continue;
        };
        let mut name = if parent.name.namespace == *home {
            parent.name.name.clone()
        } else {
            parent.name.to_string()
        };
        if let Some(section) = section {
            name = format!("{name}/{section}");
        }
        if let Some(port) = port {
            name = format!("{name}:{port}");
        }
        if let Some(why) = part.conditions.iter().find(|it| is_not_accepted(it)) {
            refused.push((name, shown(why)));
            continue;
        }
        accepted.push(name);
        if let Some(bad) = worst(&part.conditions) {
            let bad = shown(bad);
            if !in_part.contains(&bad) {
                in_part.push(bad);
            }
        }
    }
    let mut words = Vec::new();
    if !accepted.is_empty() {
        words.push(format!("accepted by {}", list_all(&accepted)));
    }
    if !in_part.is_empty() {
        words.push(format!("refused in part {}", in_part.join(" ")));
    }
    for (name, why) in &refused {
        if verdict.parts.len() == 1 {
            words.push(format!("not attached {why}"));
        } else {
            words.push(format!("not attached to {name} {why}"));
        }
    }
    words.join(", ")
}

fn is_not_accepted(condition: &Condition) -> bool {
    condition.kind == "Accepted" && condition.status == Status::False
}

fn is_refused(conditions: &[Condition]) -> bool {
    conditions.iter().any(is_not_accepted)
}

/// The condition that says most about what is wrong: why it is not accepted, before what follows from it.
fn worst<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Option<&'c Condition> {
    let bad = conditions
        .into_iter()
        .filter(|condition| level_of(condition) > Level::Fine);
    bad.min_by_key(|condition| match condition.kind {
        "Accepted" => 0,
        "Programmed" => 2,
        _ => 1,
    })
}

/// `(Accepted=False, NotAllowedByListeners)`
fn shown(condition: &Condition) -> String {
    let status = match condition.status {
        Status::True => "True",
        Status::False => "False",
        Status::Unknown => "Unknown",
    };
    format!("({}={status}, {})", condition.kind, condition.reason)
}

#[cfg(test)]
mod tests {
    use daemun_model::names::{ObjectName, ObjectRef};
    use daemun_model::verdict::{
        Condition, FieldPath, Finding, Part, Place, Severity, Status, Verdict,
    };

    use super::{Level, level, result};

    fn part(place: Place, conditions: &[(&'static str, Status, &'static str)]) -> Part {
        let conditions = conditions.iter().map(|&(kind, status, reason)| Condition {
            kind,
            status,
            reason,
            message: String::new(),
        });
        Part {
            place,
            conditions: conditions.collect(),
            attached: None,
            supported_kinds: None,
        }
    }

    fn parent(namespace: &str, section: Option<&str>) -> Place {
        Place::Parent {
            parent: ObjectRef::new("Gateway", ObjectName::new(namespace, "shop")),
            section: section.map(str::to_owned),
            port: None,
        }
    }

    fn verdict(parts: Vec<Part>) -> Verdict {
        Verdict {
            object: ObjectRef::new("HTTPRoute", ObjectName::new("default", "orders")),
            generation: 0,
            parts: parts.into(),
            findings: Vec::new(),
        }
    }

    #[test]
    fn a_route_that_no_gateway_takes_is_not_called_accepted() {
        let mut lost = verdict(Vec::new());
        assert_eq!(result(&lost), "accepted");
        lost.findings.push(Finding {
            severity: Severity::Error,
            reason: "NoMatchingParent",
            path: FieldPath::root(),
            message: String::new(),
        });
        assert_eq!(result(&lost), "not attached");
    }

    #[test]
    fn results_read_as_sentences_do() {
        use Status::{False, True};
        let listener = |name: &str| Place::Listener(name.to_owned());
        let accepted = ("Accepted", True, "Accepted");
        let resolved = ("ResolvedRefs", True, "ResolvedRefs");
        let missing = ("ResolvedRefs", False, "BackendNotFound");
        for (parts, words, how) in [
            (
                vec![
                    part(parent("default", Some("http")), &[accepted, resolved]),
                    part(parent("infra", None), &[accepted, resolved]),
                ],
                "accepted by shop/http and infra/shop",
                Level::Fine,
            ),
            (
                vec![part(parent("default", None), &[accepted, missing])],
                "accepted by shop, refused in part (ResolvedRefs=False, BackendNotFound)",
                Level::Refused,
            ),
            (
                vec![part(
                    parent("default", None),
                    &[("Accepted", False, "NotAllowedByListeners"), resolved],
                )],
                "not attached (Accepted=False, NotAllowedByListeners)",
                Level::Refused,
            ),
            (
                vec![
                    part(parent("default", Some("a")), &[accepted]),
                    part(
                        parent("default", Some("b")),
                        &[("Accepted", False, "NoMatchingParent")],
                    ),
                ],
                "accepted by shop/a, not attached to shop/b (Accepted=False, NoMatchingParent)",
                Level::Refused,
            ),
            (
                vec![
                    part(
                        Place::Object,
                        &[accepted, ("Programmed", True, "Programmed")],
                    ),
                    part(
                        listener("https"),
                        &[accepted, ("Conflicted", True, "HostnameConflict")],
                    ),
                    part(
                        listener("http"),
                        &[accepted, ("Conflicted", False, "NoConflicts")],
                    ),
                ],
                "accepted; listener https is not served (Conflicted=True, HostnameConflict)",
                Level::Refused,
            ),
            (
                vec![part(
                    Place::Object,
                    &[
                        accepted,
                        ("OverlappingTLSConfig", True, "OverlappingHostnames"),
                    ],
                )],
                "accepted, but (OverlappingTLSConfig=True, OverlappingHostnames)",
                Level::Warning,
            ),
            (
                vec![part(
                    Place::Object,
                    &[
                        ("Programmed", False, "Invalid"),
                        ("Accepted", False, "UnsupportedAddress"),
                    ],
                )],
                "refused (Accepted=False, UnsupportedAddress)",
                Level::Refused,
            ),
            (
                vec![part(
                    Place::Ancestor(ObjectName::new("default", "shop")),
                    &[accepted],
                )],
                "accepted for default/shop",
                Level::Fine,
            ),
        ] {
            let verdict = verdict(parts);
            assert_eq!((result(&verdict).as_str(), level(&verdict)), (words, how));
        }
    }
}
