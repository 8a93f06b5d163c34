//! When to act on changes: the first one after quiet at once, those that follow it together, and a file
//! that is just being written not before it is whole.
//!
//! Only the decision is here, as a function of what was touched and when; waiting and looking are the
//! controller's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A change comes with others (a rename is two events): this long they are waited for.
const AT_ONCE: Duration = Duration::from_millis(2);
/// After acting, changes are gathered this long.
const GATHER: Duration = Duration::from_millis(50);
/// A file that was created, emptied or removed, and not closed since: it may be being replaced.
const WRITING: Duration = Duration::from_millis(100);
/// Certificate and key are two files and renewed one after the other.
const TOGETHER: Duration = Duration::from_millis(250);
/// Whoever writes for longer than this is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It is whole: it was closed after writing, or renamed into its place.
    Whole,
    /// It was created, written to, or removed: more may come.
    Partial,
    /// One of several that belong together was written.
    OneOfSeveral,
}

/// Changes that were not acted on yet.
#[derive(Debug, Default)]
pub struct Settle {
    /// When to act on files that are whole.
    at: Option<Instant>,
    touched: BTreeSet<PathBuf>,
    unsettled: BTreeMap<PathBuf, Unsettled>,
    acted: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Unsettled {
    first: Instant,
    due: Instant,
}

/// What to act on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Act {
    /// Files that changed.
    pub touched: BTreeSet<PathBuf>,
    /// Files that are not whole yet.
    pub unsettled: BTreeSet<PathBuf>,
}

impl Settle {
    /// Notes that a file was touched.
    pub fn touch(&mut self, now: Instant, path: PathBuf, touch: Touch) {
        let quiet = match touch {
            Touch::Whole => {
                self.unsettled.remove(&path);
                self.touched.insert(path);
                self.soon(now);
                return;
            }
            Touch::Partial => WRITING,
            Touch::OneOfSeveral => TOGETHER,
        };
        let unsettled = self.unsettled.entry(path).or_insert(Unsettled {
            first: now,
            due: now,
        });
        let latest = unsettled.first + PATIENCE;
        unsettled.due = (now + quiet).min(latest);
        if touch == Touch::OneOfSeveral {
            // Those that belong together are acted on together.
            let due = unsettled.due;
            for other in self.unsettled.values_mut() {
                other.due = other.due.max(due.min(other.first + PATIENCE));
            }
        }
    }

    /// Acts soon without a file that was touched: something else tells that there is news.
    pub fn soon(&mut self, now: Instant) {
        let gathered = self.acted.map(|acted| acted + GATHER);
        let at = gathered.map_or(now + AT_ONCE, |gathered| gathered.max(now + AT_ONCE));
        self.at = Some(self.at.map_or(at, |earlier| earlier.min(at)));
    }

    /// When to act, if there is something to act on.
    pub fn due(&self) -> Option<Instant> {
        let unsettled = self.unsettled.values().map(|file| file.due);
        unsettled.chain(self.at).min()
    }

    /// Takes what is to be acted on now.
    pub fn act(&mut self, now: Instant) -> Act {
        let (settled, unsettled): (BTreeMap<_, _>, _) = std::mem::take(&mut self.unsettled)
            .into_iter()
            .partition(|(_, file)| file.due <= now);
        self.unsettled = unsettled;
        self.at = None;
        self.acted = Some(now);
        let mut touched = std::mem::take(&mut self.touched);
        touched.extend(settled.into_keys());
        Act {
            touched,
            unsettled: self.unsettled.keys().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    use daemun_base::clock;

    use super::{Act, Settle, Touch};

    fn ms(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    fn act(touched: &[&str], unsettled: &[&str]) -> Act {
        Act {
            touched: touched.iter().map(PathBuf::from).collect(),
            unsettled: unsettled.iter().map(PathBuf::from).collect(),
        }
    }

    #[test]
    fn the_first_change_is_acted_on_at_once_and_followers_together() {
        let (start, mut settle) = (clock::now(), Settle::default());
        assert_eq!(settle.due(), None);
        settle.touch(start, "a".into(), Touch::Whole);
        assert_eq!(settle.due(), Some(ms(start, 2)));
        assert_eq!(settle.act(ms(start, 2)), act(&["a"], &[]));
        for (millis, path) in [(5, "b"), (30, "c")] {
            settle.touch(ms(start, millis), path.into(), Touch::Whole);
            assert_eq!(settle.due(), Some(ms(start, 52)), "{path}");
        }
        assert_eq!(settle.act(ms(start, 52)), act(&["b", "c"], &[]));
        settle.touch(ms(start, 500), "d".into(), Touch::Whole);
        assert_eq!(settle.due(), Some(ms(start, 502)), "quiet again");
    }

    #[test]
    fn a_file_is_acted_on_when_it_is_whole() {
        let (start, mut settle) = (clock::now(), Settle::default());
        settle.touch(start, "a".into(), Touch::Partial);
        settle.touch(start, "b".into(), Touch::Whole);
        assert_eq!(settle.act(ms(start, 2)), act(&["b"], &["a"]));
        settle.touch(ms(start, 60), "a".into(), Touch::Whole);
        assert_eq!(settle.due(), Some(ms(start, 62)));
        assert_eq!(settle.act(ms(start, 62)), act(&["a"], &[]));
        assert_eq!(settle.due(), None);
    }

    #[test]
    fn a_file_that_nobody_closes_is_waited_for_but_not_for_ever() {
        let (start, mut settle) = (clock::now(), Settle::default());
        settle.touch(start, "a".into(), Touch::Partial);
        assert_eq!(settle.due(), Some(ms(start, 100)));
        for millis in (0..10_000).step_by(50) {
            settle.touch(ms(start, millis), "a".into(), Touch::Partial);
        }
        assert_eq!(settle.due(), Some(ms(start, 2_000)));
        assert_eq!(settle.act(ms(start, 2_000)), act(&["a"], &[]));
    }

    #[test]
    fn files_that_belong_together_are_acted_on_together() {
        let (start, mut settle) = (clock::now(), Settle::default());
        settle.touch(start, "tls.crt".into(), Touch::OneOfSeveral);
        settle.touch(ms(start, 200), "tls.key".into(), Touch::OneOfSeveral);
        assert_eq!(settle.due(), Some(ms(start, 450)));
        assert_eq!(
            settle.act(ms(start, 450)),
            act(&["tls.crt", "tls.key"], &[])
        );
    }
}
