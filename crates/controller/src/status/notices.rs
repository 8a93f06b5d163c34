//! What of a changed status a person should notice: that something stopped working or was refused, and that a Gateway
//! works.

use std::collections::BTreeMap;

use daemun_objects::seconds_since_epoch;
use serde_json::{Map, Value};

use super::said::List;
use crate::events::Notice;

/// As many seconds as an address may take.
const A_WHILE: i64 = 20;

/// A condition, and to which part of the object it belongs; empty for the object itself.
type Place = (String, String);

struct Stands<'v> {
    status: &'v str,
    reason: &'v str,
    message: &'v str,
    since: &'v str,
}

/// Compares a status with what is about to be written into it.
pub(super) fn notices(
    existing: Option<&str>,
    changed: &Map<String, Value>,
    controller: &str,
    now: &str,
) -> Vec<Notice> {
    let existing: Map<String, Value> = existing
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let before = standing(&existing, controller);
    let after = standing(changed, controller);
    let accepted = |place: &str| {
        let accepted = after.get(&(place.to_owned(), "Accepted".to_owned()));
        accepted.is_none_or(|stands| stands.status != "False")
    };
    after
        .iter()
        .filter(|((place, kind), stands)| {
            let old = before.get(&(place.clone(), kind.clone()));
            is_news(old, stands, now) && is_said(place, kind, stands, accepted(place))
        })
        .map(|((place, _), stands)| notice(place, stands))
        .collect()
}

/// Whether it was otherwise before. What works from the beginning is no news, except that a Gateway does. Addresses
/// take their time: that one is missing is news when more is said about it after a while.
fn is_news(old: Option<&Stands<'_>>, new: &Stands<'_>, now: &str) -> bool {
    let old_status = old.map_or("Unknown", |old| old.status);
    match (new.status, new.reason) {
        ("False", "AddressNotAssigned") => old.is_some_and(|old| {
            old.status == "False" && old.message != new.message && after(old.since, now) >= A_WHILE
        }),
        ("False", _) => old_status != "False" || old.is_some_and(|old| old.reason != new.reason),
        _ => old_status != new.status,
    }
}

/// Seconds from one time to another.
fn after(since: &str, now: &str) -> i64 {
    let seconds = |text| seconds_since_epoch(text).unwrap_or_default();
    seconds(now) - seconds(since)
}

fn is_said(place: &str, kind: &str, stands: &Stands<'_>, accepted: bool) -> bool {
    let waits = stands.reason == "Pending";
    match (kind, stands.status) {
        ("Accepted" | "ResolvedRefs", "False") => true,
        // Of a part, and of what is not accepted, the others say why.
        ("Programmed", "False") => place.is_empty() && accepted && !waits,
        ("Programmed", "True") => place.is_empty(),
        ("SupportedVersion", "False") | ("PartiallyInvalid", "True") => true,
        _ => false,
    }
}

fn notice(place: &str, stands: &Stands<'_>) -> Notice {
    let Stands {
        status,
        reason,
        message,
        since,
    } = stands;
    let note = match place {
        "" => (*message).to_owned(),
        place => format!("{place}: {message}"),
    };
    Notice {
        warning: !(*reason == "Programmed" && *status == "True"),
        reason: (*reason).to_owned(),
        note,
        since: (*since).to_owned(),
    }
}

/// All conditions of a status that are ours.
fn standing<'v>(status: &'v Map<String, Value>, controller: &str) -> BTreeMap<Place, Stands<'v>> {
    let mut all = BTreeMap::new();
    let mut add = |place: &str, conditions: Option<&'v Value>| {
        for condition in items(conditions) {
            let stands = Stands {
                status: text(condition, "status"),
                reason: text(condition, "reason"),
                message: text(condition, "message"),
                since: text(condition, "lastTransitionTime"),
            };
            let kind = text(condition, "type").to_owned();
            all.insert((place.to_owned(), kind), stands);
        }
    };
    add("", status.get("conditions"));
    for listener in items(status.get("listeners")) {
        let place = format!("Listener {}", text(listener, "name"));
        add(&place, listener.get("conditions"));
    }
    for list in [List::Parents, List::Ancestors] {
        for entry in items(status.get(list.field())) {
            if text(entry, "controllerName") == controller {
                let about = entry.get(list.reference()).unwrap_or(&Value::Null);
                add(&named(about), entry.get("conditions"));
            }
        }
    }
    all
}

/// `Gateway infra/shop, https`
fn named(about: &Value) -> String {
    let name = format!(
        "{} {}/{}",
        text(about, "kind"),
        text(about, "namespace"),
        text(about, "name")
    );
    match text(about, "sectionName") {
        "" => name,
        section => format!("{name}, {section}"),
    }
}

fn items(list: Option<&Value>) -> &[Value] {
    let list = list.and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    let text = object.get(field).and_then(Value::as_str);
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::notices;

    fn condition(kind: &str, status: &str, reason: &str) -> Value {
        json!({
            "type": kind, "status": status, "reason": reason,
            "message": format!("{kind} is {status}."), "lastTransitionTime": "t",
        })
    }

    fn told(before: &Value, after: &Value) -> Vec<String> {
        let after: Map<String, Value> = after.as_object().cloned().unwrap_or_default();
        let before = before.to_string();
        let told = notices(Some(&before), &after, "us", "2026-01-01T00:01:00Z");
        let line = |notice: &crate::events::Notice| {
            let sign = if notice.warning { "!" } else { " " };
            format!("{sign}{} {}", notice.reason, notice.note)
        };
        told.iter().map(line).collect()
    }

    #[test]
    fn what_begins_to_fail_is_told_once_and_a_gateway_that_works_too() {
        let pending = json!({"conditions": [condition("Programmed", "Unknown", "Pending")]});
        let waits = json!({"conditions": [
            condition("Accepted", "True", "Accepted"), condition("Programmed", "False", "Pending"),
        ]});
        let works = json!({"conditions": [condition("Programmed", "True", "Programmed")]});
        let fails = json!({"conditions": [
            condition("Accepted", "True", "Accepted"), condition("Programmed", "False", "AddressNotUsable"),
        ]});
        assert_eq!(told(&pending, &waits), [""; 0]);
        assert_eq!(told(&waits, &works), [" Programmed Programmed is True."]);
        assert_eq!(told(&works, &works), [""; 0]);
        assert_eq!(
            told(&works, &fails),
            ["!AddressNotUsable Programmed is False."]
        );
        assert_eq!(told(&fails, &fails), [""; 0]);
    }

    #[test]
    fn a_missing_address_is_told_when_more_is_known_after_a_while() {
        let missing = |message: &str, since: &str| {
            json!({"conditions": [{
                "type": "Programmed", "status": "False", "reason": "AddressNotAssigned",
                "message": message, "lastTransitionTime": since,
            }]})
        };
        let (old, young) = ("2026-01-01T00:00:30Z", "2026-01-01T00:00:50Z");
        assert_eq!(told(&json!({}), &missing("a", young)), [""; 0]);
        assert_eq!(told(&missing("a", young), &missing("b", young)), [""; 0]);
        assert_eq!(told(&missing("a", old), &missing("a", old)), [""; 0]);
        assert_eq!(
            told(&missing("a", old), &missing("b", old)),
            ["!AddressNotAssigned b"]
        );
    }

    #[test]
    fn parts_are_named_and_what_others_say_is_theirs() {
        let nothing = json!({});
        let refused = json!({
            "conditions": [
                condition("Accepted", "False", "ListenersNotValid"), condition("Programmed", "False", "Invalid"),
            ],
            "listeners": [{"name": "web", "conditions": [
                condition("ResolvedRefs", "False", "InvalidCertificateRef"), condition("Programmed", "False", "Invalid"),
            ]}],
        });
        assert_eq!(
            told(&nothing, &refused),
            [
                "!ListenersNotValid Accepted is False.",
                "!InvalidCertificateRef Listener web: ResolvedRefs is False.",
            ]
        );
        let entry = |controller: &str| {
            json!({
                "controllerName": controller,
                "parentRef": {"kind": "Gateway", "namespace": "n", "name": "gw", "sectionName": "web"},
                "conditions": [condition("Accepted", "False", "NotAllowedByListeners")],
            })
        };
        assert_eq!(
            told(&nothing, &json!({"parents": [entry("them"), entry("us")]})),
            ["!NotAllowedByListeners Gateway n/gw, web: Accepted is False."]
        );
    }
}
