//! What a running gateway tells about its files and objects, on standard error: each thing once.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use daemun_controller::publish::{News, State};
use daemun_model::names::ObjectRef;
use daemun_model::verdict::{FieldPath, Severity};

use crate::output::counted;

/// Findings that are told at once; of further ones only the number is.
const MOST: usize = 20;

/// What was told. Before [`Told::begin`], news wait, so that they come after the list of what is served.
#[derive(Default)]
pub(super) struct Told(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    begun: bool,
    waiting: String,
    findings: HashSet<Finding>,
}

type Finding = (ObjectRef, FieldPath, String);

impl Told {
    /// Tells news.
    pub(super) fn tell(&self, news: &News) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = format!("{}{}", news.problems_text(), news.solved_text());
        text.push_str(&inner.new_findings(&news.state));
        if inner.begun {
            eprint!("{text}");
        } else {
            inner.waiting.push_str(&text);
        }
    }

    /// Tells what has waited, and from now on everything at once.
    pub(super) fn begin(&self) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.begun = true;
        eprint!("{}", std::mem::take(&mut inner.waiting));
    }
}

impl Inner {
    /// Findings that were not there in the state before.
    fn new_findings(&mut self, state: &State) -> String {
        let before = std::mem::take(&mut self.findings);
        let mut locator = state.positions.locator();
        let (mut errors, mut warnings, mut lines) = (0_usize, 0_usize, Vec::new());
        for verdict in state.verdicts.iter() {
            for finding in &verdict.findings {
                let key = (
                    verdict.object.clone(),
                    finding.path.clone(),
                    finding.message.clone(),
                );
                if !before.contains(&key) {
                    match finding.severity {
                        Severity::Error => errors += 1,
                        Severity::Warning => warnings += 1,
                    }
                    if lines.len() < MOST {
                        let place = locator
                            .spot(&verdict.object, &finding.path)
                            .map_or_else(String::new, |spot| format!("{spot}: "));
                        lines.push(format!("  {place}{}: {}", verdict.object, finding.message));
                    }
                }
                self.findings.insert(key);
            }
        }
        let all = errors + warnings;
        let mut text = String::new();
        if self.findings.is_empty() && !before.is_empty() {
            text.push_str("Nothing in the objects is wrong any more.\n");
        }
        if all > 0 {
            let _ = writeln!(text, "{}:", headline(errors, warnings));
            for line in &lines {
                let _ = writeln!(text, "{line}");
            }
            if all > lines.len() {
                let _ = writeln!(
                    text,
                    "  … and {} more; daemun check shows all.",
                    all - lines.len()
                );
            }
        }
        text
    }
}

fn headline(errors: usize, warnings: usize) -> String {
    let parts: Vec<String> = [(errors, "error"), (warnings, "warning")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, thing)| counted(count, thing))
        .collect();
    parts.join(" and ")
}
