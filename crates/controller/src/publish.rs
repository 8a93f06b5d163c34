//! What the controller makes known: to proxies what they must do, to people what is wrong.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use daemun_model::verdict::{Severity, Verdict};
use daemun_model::{Configuration, Verdicts};

use crate::source::files::{Positions, Problem, Reason};

/// Everything that is in force after a step. Immutable; the next step makes a new one.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Counts up with every state that differs from the one before; the first that was read is 1.
    pub revision: u64,
    /// What proxies must do. The same `Arc` as before if nothing changed for them.
    pub configuration: Arc<Configuration>,
    /// What owners must be told, one for each object that is judged.
    pub verdicts: Verdicts,
    /// What is wrong in the files at this moment.
    pub problems: Problems,
    /// Every object in force, and where it stands in the files.
    pub positions: Positions,
    /// How many files were read.
    pub files: usize,
    /// When the state came about, in seconds since 1970.
    pub since: i64,
    /// Counters for metrics.
    pub counts: Counts,
}

/// What happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Changes that were read without a new error.
    pub accepted: u64,
    /// Changes that brought a new error, so that something goes on as it was or is not there.
    pub refused: u64,
}

/// All that is wrong in the files at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Arc<[Problem]>);

impl Problems {
    /// A list of problems.
    pub fn new(problems: Vec<Problem>) -> Self {
        Self(problems.into())
    }

    /// One after the other, in the order of files.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are of each reason, for metrics.
    pub fn by_reason(&self) -> BTreeMap<Reason, usize> {
        self.0.iter().fold(BTreeMap::new(), |mut counts, problem| {
            *counts.entry(problem.reason).or_default() += 1;
            counts
        })
    }

    /// Those that mean that something written is not in force.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        let is_error = |problem: &&Problem| problem.severity == Severity::Error;
        self.0.iter().filter(is_error)
    }

    /// One sentence for `/readyz?verbose`: `live`, or what is not and where the first of it stands.
    pub fn summary(&self) -> String {
        let mut errors = self.errors();
        let Some(first) = errors.next() else {
            return "all files are live".to_owned();
        };
        let place = match &first.spot {
            Some(spot) => spot.to_string(),
            None => first.file.to_string(),
        };
        let more = match errors.count() {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        format!("{place}: {}{more} {}", first.message, first.consequence())
    }

    /// Those of these that are not in an earlier list.
    fn that_are_not_in(&self, earlier: &Self) -> Vec<Problem> {
        let is_new = |problem: &&Problem| !earlier.iter().any(|known| known.is_same(problem));
        self.0.iter().filter(is_new).cloned().collect()
    }
}

/// What a step brought, for whoever tells people about it.
#[derive(Clone, Debug)]
pub struct News {
    /// What is in force now.
    pub state: Arc<State>,
    /// Whether proxies have something new to do.
    pub publish: bool,
    /// Problems that were not there before: each is told once.
    pub problems: Vec<Problem>,
    /// Problems that are gone.
    pub solved: Vec<Problem>,
    /// Verdicts that are new or different.
    pub tell: Vec<Arc<Verdict>>,
}

impl News {
    pub(crate) fn new(
        state: Arc<State>,
        before: &State,
        publish: bool,
        tell: Vec<Arc<Verdict>>,
    ) -> Self {
        Self {
            publish,
            problems: state.problems.that_are_not_in(&before.problems),
            solved: before.problems.that_are_not_in(&state.problems),
            tell,
            state,
        }
    }

    /// The problems as a console shows them: place, message, snippet, and what goes on being served.
    pub fn problems_text(&self) -> String {
        let mut text = String::new();
        for (index, problem) in self.problems.iter().enumerate() {
            let _ = writeln!(text, "{problem}");
            let next = self.problems.get(index + 1);
            // What goes on is said once for each object.
            let same =
                next.is_some_and(|next| next.object.is_some() && next.object == problem.object);
            let consequence = problem.consequence();
            if !same && !consequence.is_empty() {
                let _ = writeln!(text, "{consequence}");
            }
        }
        text
    }

    /// What was wrong and is put right, one line each.
    pub fn solved_text(&self) -> String {
        let mut text = String::new();
        for problem in &self.solved {
            let is_error = problem.severity == Severity::Error;
            let still = self
                .problems
                .iter()
                .any(|now| now.file == problem.file && now.object == problem.object);
            if is_error && !still {
                let _ = match &problem.object {
                    Some(object) => {
                        writeln!(text, "{}: {object} is put right and live.", problem.file)
                    }
                    None => writeln!(text, "{} is put right and live.", problem.file),
                };
            }
        }
        text
    }
}
