//! What can come of a check: counts, or a reason why it did not run.
//!
//! How it is shown is `test`'s business, how it comes about is `steps`'.

use std::fmt;

/// What came of one check.
pub(super) enum Outcome {
    /// What passed, failed and was skipped within the check; it passes if nothing failed.
    Counted(Count),
    /// The check did not run, and why.
    Skipped(String),
}

impl Outcome {
    /// Whether it ran, and nothing failed.
    pub(super) fn has_passed(&self) -> bool {
        matches!(self, Self::Counted(Count { failed: 0, .. }))
    }

    /// The outcome of a check that counts as one.
    pub(super) fn one(passed: bool) -> Self {
        let (passed, failed) = if passed { (1, 0) } else { (0, 1) };
        Self::Counted(Count {
            passed,
            failed,
            skipped: 0,
        })
    }
}

/// How many tests, or checks that count as one, came to which end.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}
