//! How much time there is: CI ends a run after a while, and a check that says that it was skipped is better than
//! one that was ended.

use std::time::{Duration, Instant};

/// A run of the checks, and when it has to end.
pub(super) struct Plan {
    started: Instant,
    may_take: Duration,
    everything: bool,
}

#[expect(
    clippy::disallowed_methods,
    reason = "xtask does not run inside Daemun's clock"
)]
impl Plan {
    /// Begins a run that may take so many minutes, of every check or only of the usual ones.
    pub(super) fn start(minutes: u64, everything: bool) -> Self {
        Self {
            started: Instant::now(),
            may_take: Duration::from_secs(minutes * 60),
            everything,
        }
    }

    /// Whether what takes long was asked for too (`--all`).
    pub(super) fn is_for_everything(&self) -> bool {
        self.everything
    }

    /// Whether there is time for something that takes so long; a sentence, if not.
    pub(super) fn has_time_for(&self, minutes: u64) -> Result<(), String> {
        let left = self.may_take.saturating_sub(self.started.elapsed());
        if left >= Duration::from_secs(minutes * 60) {
            return Ok(());
        }
        Err(format!(
            "it may take {minutes} minutes, and {} of {} are left (--minutes).",
            left.as_secs() / 60,
            self.may_take.as_secs() / 60
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;

    #[test]
    fn what_takes_longer_than_is_left_is_not_begun() {
        let plan = Plan::start(30, false);
        assert!(plan.has_time_for(29).is_ok());
        let why = plan.has_time_for(31).unwrap_err();
        assert!(why.starts_with("it may take 31 minutes, and 29 of 30 are left"));
    }
}
