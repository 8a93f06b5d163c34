//! Putting what we say beside what others say, and finding what is to be written: nothing, if it stands there
//! already.
//!
//! Conditions are merged by their type, entries of parents and ancestors by their controller and by whom they are
//! about. What others wrote stays; what we wrote and do not say any more goes. (Gateway API, implementer's
//! guide; sections 5.1 and following of the contract of conditions.)

use daemun_model::shown::plain_lines;
use daemun_model::verdict::{Condition, Status};
use daemun_translate::exposure::REACH_VERIFIED;
use serde_json::{Map, Value, json};

use super::said::{Entries, GROUP, ListenerSaid, Said};

/// The types of conditions that are ours to take out when they are not said any more.
const OURS: &[&str] = &[
    "Accepted",
    "Conflicted",
    "DefaultGateway",
    "InsecureFrontendValidationMode",
    "OverlappingTLSConfig",
    "PartiallyInvalid",
    "Programmed",
    REACH_VERIFIED,
    "ResolvedRefs",
    "SupportedVersion",
];
/// As many conditions as an object or an entry may have.
const MOST_CONDITIONS: usize = 8;
/// As many bytes as a message may have.
const LONGEST_MESSAGE: usize = 32_768;

/// What is to be written.
#[derive(Debug, PartialEq)]
pub(crate) enum Change {
    /// Nothing: all of it stands there.
    Nothing,
    /// Nothing: what stands there is about a newer generation than what we know.
    Newer,
    /// These fields of the status; null takes one out.
    Fields(Map<String, Value>),
}

/// Compares what stands in a status with what should.
pub(crate) fn merge(existing: Option<&str>, said: &Said, controller: &str, now: &str) -> Change {
    let existing: Map<String, Value> = existing
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let merging = Merging {
        generation: said.generation,
        controller,
        now,
    };
    if merging.is_newer(&existing, said) {
        return Change::Newer;
    }
    let Said {
        generation: _,
        conditions,
        fields,
        listeners,
        entries,
    } = said;
    let mut wanted: Vec<(&str, Value)> = fields
        .iter()
        .map(|(field, value)| (*field, value.clone().unwrap_or_default()))
        .collect();
    if !conditions.is_empty() {
        let merged = merging.conditions(existing.get("conditions"), conditions);
        wanted.push(("conditions", merged));
    }
    if let Some(listeners) = listeners {
        let merged = merging.listeners(existing.get("listeners"), listeners);
        wanted.push(("listeners", merged));
    }
    if let Some(entries) = entries {
        let field = entries.list.field();
        wanted.push((field, merging.entries(existing.get(field), entries)));
    }
    let changed: Map<String, Value> = wanted
        .into_iter()
        .filter(|(field, value)| !is_same(existing.get(*field), value))
        .map(|(field, value)| (field.to_owned(), value))
        .collect();
    if changed.is_empty() {
        Change::Nothing
    } else {
        Change::Fields(changed)
    }
}

/// An empty list, null and nothing are the same.
fn is_same(existing: Option<&Value>, wanted: &Value) -> bool {
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    match existing {
        Some(existing) => existing == wanted || (empty(existing) && empty(wanted)),
        None => empty(wanted),
    }
}

struct Merging<'a> {
    generation: i64,
    controller: &'a str,
    now: &'a str,
}

impl Merging<'_> {
    /// Whether one of our conditions is about a newer generation.
    fn is_newer(&self, existing: &Map<String, Value>, said: &Said) -> bool {
        let newer = |conditions: Option<&Value>| {
            items(conditions).iter().any(|condition| {
                let ours = OURS.contains(&text(condition, "type"));
                let generation = condition.get("observedGeneration").and_then(Value::as_i64);
                ours && generation.is_some_and(|generation| generation > self.generation)
            })
        };
        let own = !said.conditions.is_empty() && newer(existing.get("conditions"));
        let entry = said.entries.as_ref().is_some_and(|entries| {
            items(existing.get(entries.list.field()))
                .iter()
                .any(|entry| self.is_ours(entry) && newer(entry.get("conditions")))
        });
        own || entry
    }

    fn is_ours(&self, entry: &Value) -> bool {
        text(entry, "controllerName") == self.controller
    }

    /// Those that are there and said, or not ours, in their order; then the new ones.
    fn conditions(&self, existing: Option<&Value>, said: &[Condition]) -> Value {
        let mut merged: Vec<Value> = Vec::with_capacity(said.len());
        for old in items(existing) {
            let kind = text(old, "type");
            match said.iter().find(|condition| condition.kind == kind) {
                Some(condition) => merged.push(self.condition(condition, Some(old))),
                None if OURS.contains(&kind) => {}
                None => merged.push(old.clone()),
            }
        }
        let is_new = |condition: &&Condition| {
            let mut old = items(existing).iter();
            !old.any(|old| text(old, "type") == condition.kind)
        };
        let new = said.iter().filter(is_new);
        merged.extend(new.map(|condition| self.condition(condition, None)));
        while merged.len() > MOST_CONDITIONS {
            // Of others, the oldest goes: the API server would refuse all of it.
            let foreign = merged
                .iter()
                .position(|it| !OURS.contains(&text(it, "type")));
            merged.remove(foreign.unwrap_or(MOST_CONDITIONS));
        }
        Value::Array(merged)
    }

    fn condition(&self, said: &Condition, old: Option<&Value>) -> Value {
        let Condition {
            kind,
            status,
            reason,
            message,
        } = said;
        let status = match status {
            Status::True => "True",
            Status::False => "False",
            Status::Unknown => "Unknown",
        };
        // The time of the last transition is that of the status, not of the words.
        let since = old
            .filter(|old| text(old, "status") == status)
            .map(|old| text(old, "lastTransitionTime"))
            .filter(|since| !since.is_empty());
        json!({
            "type": kind,
            "status": status,
            "reason": reason,
            "message": shortened(message),
            "observedGeneration": self.generation,
            "lastTransitionTime": since.unwrap_or(self.now),
        })
    }

    /// Exactly those that are said, in their order.
    fn listeners(&self, existing: Option<&Value>, said: &[ListenerSaid]) -> Value {
        let listeners = said.iter().map(|listener| {
            let ListenerSaid {
                name,
                attached,
                kinds,
                conditions,
            } = listener;
            let old = items(existing)
                .iter()
                .find(|old| text(old, "name") == name);
            let kinds: Vec<Value> = kinds
                .iter()
                .map(|kind| json!({"group": GROUP, "kind": kind}))
                .collect();
            json!({
                "name": name,
                "attachedRoutes": attached,
                "supportedKinds": kinds,
                "conditions": self.conditions(old.and_then(|old| old.get("conditions")), conditions),
            })
        });
        listeners.collect()
    }

    /// Those of others, and ours that are said, in their order; then the new ones.
    fn entries(&self, existing: Option<&Value>, said: &Entries) -> Value {
        let reference = said.list.reference();
        let entry = |about: &Value, conditions: Value| {
            json!({
                reference: about,
                "controllerName": self.controller,
                "conditions": conditions,
            })
        };
        let mut left: Vec<&(Value, Vec<Condition>)> = said.ours.iter().collect();
        let mut merged: Vec<Value> = Vec::new();
        for old in items(existing) {
            if !self.is_ours(old) {
                merged.push(old.clone());
                continue;
            }
            let same = left
                .iter()
                .position(|(about, _)| old.get(reference) == Some(about));
            if let Some(same) = same {
                let (about, conditions) = left.remove(same);
                let conditions = self.conditions(old.get("conditions"), conditions);
                merged.push(entry(about, conditions));
            }
        }
        merged.extend(
            left.into_iter()
                .map(|(about, conditions)| entry(about, self.conditions(None, conditions))),
        );
        // Others' entries come first where there is not room for all.
        while merged.len() > said.list.most() {
            let last_of_ours = merged.iter().rposition(|entry| self.is_ours(entry));
            match last_of_ours {
                Some(ours) => drop(merged.remove(ours)),
                None => break,
            }
        }
        Value::Array(merged)
    }
}

fn items(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn shortened(message: &str) -> String {
    let seen = plain_lines(message);
    seen[..seen.floor_char_boundary(LONGEST_MESSAGE)].to_owned()
}

#[cfg(test)]
mod tests;
