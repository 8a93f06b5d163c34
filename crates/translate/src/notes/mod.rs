//! What is said to the owners of Routes beyond what follows from each Route alone: that a backend has no endpoint that takes
//! requests, and that another Route takes all that this one could. Both work as they are written, and so no condition
//! becomes False by it; they are words in conditions, and warnings.
//!
//! Kept up from one translation to the next: what is looked at is what changed.

mod idle;
mod shadow;

use std::collections::BTreeSet;
use std::sync::Arc;

use daemun_model::Configuration;
use daemun_model::names::RouteKey;
use daemun_model::persistent::Map;
use daemun_model::verdict::{
    Condition, FieldPath, Finding, Part, Place, Severity, Status, Verdict,
};

use crate::standing::{Standing, Touched};
use idle::Idle;
use shadow::Shadows;

/// What is said of all Routes, with what was added.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// What was said of each Route alone.
    plain: Map<RouteKey, Arc<Verdict>>,
    verdicts: Map<RouteKey, Arc<Verdict>>,
    idle: Idle,
    shadows: Shadows,
}

/// Something to add to what is said of a Route.
struct Note {
    /// The type of the condition in which it is said, where that is True.
    condition: &'static str,
    reason: &'static str,
    path: FieldPath,
    message: String,
}

impl Notes {
    /// What is said of each Route.
    pub(crate) fn verdicts(&self) -> &Map<RouteKey, Arc<Verdict>> {
        &self.verdicts
    }

    /// Brings it up to date with what was made.
    pub(crate) fn update(
        &mut self,
        standing: &Standing,
        touched: &Touched,
        configuration: &Configuration,
    ) {
        let next = standing.verdicts();
        let judged = next.differences(&self.plain, Arc::ptr_eq);
        let mut stale: BTreeSet<RouteKey> = judged.into_iter().cloned().collect();
        let turned = self.idle.update(touched, configuration);
        if !turned.is_empty() {
            let users = standing
                .routes()
                .iter()
                .filter(|(_, outcome)| outcome.backends.iter().any(|key| turned.contains(key)));
            stale.extend(users.map(|(key, _)| key.clone()));
        }
        let routes = touched.routes.values().flatten();
        stale.extend(self.shadows.update(standing, routes));
        self.plain = next.clone();
        for key in stale {
            self.say(standing, &key);
        }
    }

    fn say(&mut self, standing: &Standing, key: &RouteKey) {
        let Some(plain) = self.plain.get(key) else {
            self.verdicts.remove(key);
            return;
        };
        let notes: Vec<Note> = match standing.routes().get(key) {
            None => Vec::new(),
            Some(outcome) => {
                let idle = self.idle.notes(outcome);
                idle.into_iter().chain(self.shadows.note(key)).collect()
            }
        };
        let noted = if notes.is_empty() {
            Arc::clone(plain)
        } else {
            Arc::new(with(plain, &notes))
        };
        if self.verdicts.get(key).is_none_or(|old| *old != noted) {
            self.verdicts.insert(key.clone(), noted);
        }
    }
}

fn with(plain: &Verdict, notes: &[Note]) -> Verdict {
    let mut parts: Vec<Part> = plain.parts.to_vec();
    for part in &mut parts {
        if let Place::Parent { .. } = part.place
            && holds(&part.conditions, "Accepted")
        {
            for condition in &mut part.conditions {
                add(condition, notes);
            }
        }
    }
    let mut findings = plain.findings.clone();
    findings.extend(notes.iter().map(|note| Finding {
        severity: Severity::Warning,
        path: note.path.clone(),
        reason: note.reason,
        message: note.message.clone(),
    }));
    Verdict {
        object: plain.object.clone(),
        generation: plain.generation,
        parts: parts.into(),
        findings,
    }
}

fn holds(conditions: &[Condition], kind: &str) -> bool {
    let mut conditions = conditions.iter();
    conditions.any(|condition| condition.kind == kind && condition.status == Status::True)
}

/// The first three whole, of the rest the number.
fn add(condition: &mut Condition, notes: &[Note]) {
    const SHOWN: usize = 3;
    if condition.status != Status::True {
        return;
    }
    let mut mine = notes.iter().filter(|note| note.condition == condition.kind);
    for note in mine.by_ref().take(SHOWN) {
        condition.message.push(' ');
        condition.message.push_str(&note.message);
    }
    match mine.count() {
        0 => {}
        more => condition.message.push_str(&format!(" And {more} more.")),
    }
}
