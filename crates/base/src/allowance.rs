//! How often something may happen: a few times at once, and after that with a least interval. It does not wait by
//! itself, and knows no clock.

use std::time::{Duration, Instant};

/// What is left of an allowance.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    at_once: u32,
    every: Duration,
    left: u32,
    /// Up to when it has been filled.
    filled: Instant,
}

impl Allowance {
    /// A full one.
    pub fn new(at_once: u32, every: Duration, now: Instant) -> Self {
        Self {
            at_once,
            every,
            left: at_once,
            filled: now,
        }
    }

    /// Whether it may happen now; then it counts as happened.
    pub fn take(&mut self, now: Instant) -> bool {
        while self.left < self.at_once && self.filled + self.every <= now {
            self.left += 1;
            self.filled += self.every;
        }
        if self.left == self.at_once {
            self.filled = now;
        }
        let may = self.left > 0;
        self.left -= u32::from(may);
        may
    }

    /// When it may happen once more, if nothing is left.
    pub fn next(&self) -> Instant {
        self.filled + self.every
    }

    /// Whether nothing of it is left.
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Whether it is full again: then it need not be remembered.
    pub fn is_full(&self, now: Instant) -> bool {
        let lacks = self.at_once - self.left;
        self.filled + self.every * lacks <= now
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Allowance;

    #[test]
    fn a_few_at_once_and_then_one_at_a_time() {
        let begin = crate::clock::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let mut allowance = Allowance::new(3, Duration::from_secs(1), begin);
        let taken = (0..5).filter(|_| allowance.take(after(100))).count();
        assert_eq!(taken, 3);
        assert!(allowance.is_spent() && !allowance.is_full(after(102)));
        assert_eq!(allowance.next(), after(101));
        assert!(allowance.take(after(101)) && !allowance.take(after(101)));
        assert!(allowance.is_full(after(104)));
        let taken = (0..5).filter(|_| allowance.take(after(200))).count();
        assert_eq!(taken, 3);
    }
}
