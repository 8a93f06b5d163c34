//! When to act on changes in a cluster: on the first after quiet at once; those that come while something is done, or so
//! soon after it that acting would be all that is done, are gathered.

use std::time::{Duration, Instant};

/// The longest time for which changes are gathered.
const LONGEST: Duration = Duration::from_millis(100);

/// Changes that were not acted on, and when was acted last.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: bool,
    /// Not before this.
    free: Option<Instant>,
}

impl Pace {
    /// Something changed.
    pub(super) fn changed(&mut self) {
        self.waiting = true;
    }

    /// Whether something changed that was not acted on.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// When to act on what changed.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        self.waiting
            .then(|| self.free.map_or(now, |free| free.max(now)))
    }

    /// Acting on all that changed begins.
    pub(super) fn acts(&mut self) {
        self.waiting = false;
    }

    /// Acting took this long, and ended now: as long as that the next changes are gathered, so that a burst takes half the
    /// time that there is and not all of it.
    pub(super) fn acted(&mut self, now: Instant, took: Duration) {
        self.free = Some(now + took.min(LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daemun_base::clock;

    use super::{LONGEST, Pace};

    #[test]
    fn the_first_change_is_acted_on_at_once_and_a_burst_takes_half_of_the_time() {
        let (start, mut pace) = (clock::now(), Pace::default());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(pace.due(at(0)), None);
        pace.changed();
        assert_eq!(pace.due(at(1)), Some(at(1)));
        pace.acts();
        assert_eq!(pace.due(at(2)), None);
        pace.changed();
        pace.acted(at(6), Duration::from_millis(5));
        assert_eq!(pace.due(at(6)), Some(at(11)));
        pace.acts();
        pace.acted(at(12), Duration::from_millis(1));
        pace.changed();
        assert_eq!(pace.due(at(500)), Some(at(500)), "quiet again");
        pace.acted(at(600), Duration::from_secs(5));
        assert_eq!(pace.due(at(600)), Some(at(600) + LONGEST));
    }
}
