//! How many requests to a backend may be sent again (gateway-api `RetryConstraint`, GEP-3388).
//!
//! Requests and tries are counted in windows that slide in steps of a tenth of their length. All workers count into
//! the same atomics; a count that two workers make at the moment at which a step begins may get lost, which a bound
//! on a share of thousands can bear.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use daemun_model::policy::budget::RetryBudget;

/// Steps of a window.
const STEPS: usize = 10;

/// A backend's budget, shared by all workers.
#[derive(Debug)]
pub(crate) struct Budget {
    meant: RetryBudget,
    began: Instant,
    /// Requests, those that are sent again included.
    requests: Window,
    again: Window,
    /// The same as `again`, within the time of the least rate.
    again_lately: Window,
}

impl Budget {
    /// Nothing counted yet.
    pub(crate) fn new(meant: &RetryBudget) -> Self {
        Self {
            meant: meant.clone(),
            began: daemun_base::clock::now(),
            requests: Window::new(meant.interval),
            again: Window::new(meant.interval),
            again_lately: Window::new(meant.least_interval),
        }
    }

    /// What it is made of.
    pub(crate) fn meant(&self) -> &RetryBudget {
        &self.meant
    }

    /// A request begins.
    pub(crate) fn request(&self) {
        self.request_at(self.now());
    }

    /// Whether a request may be sent again. If so, that is counted.
    pub(crate) fn once_more(&self) -> bool {
        self.once_more_at(self.now())
    }

    fn now(&self) -> Duration {
        daemun_base::clock::now().saturating_duration_since(self.began)
    }

    fn request_at(&self, now: Duration) {
        self.requests.add(now);
    }

    fn once_more_at(&self, now: Duration) -> bool {
        let of_all = self.requests.sum(now) + 1;
        let share = of_all * u64::from(self.meant.percent.min(100)) / 100;
        let granted =
            self.again.sum(now) < share || self.again_lately.sum(now) < u64::from(self.meant.least);
        if granted {
            self.requests.add(now);
            self.again.add(now);
            self.again_lately.add(now);
        }
        granted
    }
}

/// A count over a time.
#[derive(Debug)]
struct Window {
    step: Duration,
    /// The number of the step in the upper half, its count in the lower.
    counts: [AtomicU64; STEPS],
}

impl Window {
    fn new(length: Duration) -> Self {
        Self {
            // No step is empty: it is divided by.
            step: (length / STEPS as u32).max(Duration::from_micros(1)),
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// The step of a moment, from 1, so that none is the one of counts that were never made.
    fn step_of(&self, now: Duration) -> u32 {
        let step = now.as_micros() / self.step.as_micros();
        u32::try_from(step % u128::from(u32::MAX)).unwrap_or_default() + 1
    }

    fn add(&self, now: Duration) {
        let step = self.step_of(now);
        let Some(count) = self.counts.get(step as usize % STEPS) else {
            return;
        };
        let held = count.load(Ordering::Relaxed);
        if of_step(held) == step {
            count.fetch_add(1, Ordering::Relaxed);
        } else {
            count.store(u64::from(step) << 32 | 1, Ordering::Relaxed);
        }
    }

    fn sum(&self, now: Duration) -> u64 {
        let step = self.step_of(now);
        let held = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        held.filter(|held| step.saturating_sub(of_step(*held)) < STEPS as u32)
            .map(|held| held & u64::from(u32::MAX))
            .sum()
    }
}

fn of_step(held: u64) -> u32 {
    u32::try_from(held >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daemun_model::policy::budget::RetryBudget;

    use super::Budget;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn granted(budget: &Budget, now: Duration) -> usize {
        (0..10_000).take_while(|_| budget.once_more_at(now)).count()
    }

    #[test]
    fn a_fifth_of_the_requests_of_ten_seconds_may_be_sent_again() {
        let budget = Budget::new(&RetryBudget {
            least: 1,
            ..RetryBudget::default()
        });
        for _ in 0..1_000 {
            budget.request_at(seconds(3));
        }
        // 250 of 1,250 are a fifth.
        let first = granted(&budget, seconds(4));
        assert!((245..=255).contains(&first), "{first}");
        assert_eq!(granted(&budget, seconds(4)), 0);
        // What was longer ago than the interval does not count, neither way.
        assert_eq!(granted(&budget, seconds(20)), 1);
    }

    #[test]
    fn a_few_may_be_sent_again_whatever_the_share() {
        let budget = Budget::new(&RetryBudget {
            percent: 0,
            ..RetryBudget::default()
        });
        assert_eq!(granted(&budget, seconds(1)), 10);
        assert_eq!(granted(&budget, Duration::from_millis(1_500)), 0);
        assert_eq!(granted(&budget, Duration::from_millis(2_100)), 10);
    }
}
