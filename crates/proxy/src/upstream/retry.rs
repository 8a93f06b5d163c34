//! Which outcomes are tried again by a rule's `retry` stanza, and after which pause (GEP-1731).
//!
//! Connection errors and tries whose time was over always are; responses only with a status that is
//! listed. Whether the request can be sent again at all, and what is tried again without a stanza, is
//! `send`'s.

use std::time::Duration;

use daemun_model::policy::retry::Retry;
use http::StatusCode;

use super::failure::Failure;
use crate::balance::Random;

/// The longest pause, as a multiple of the shortest.
const LONGEST: u32 = 10;

/// The tries that a rule's stanza grants to one request.
pub(crate) struct Tries<'a> {
    policy: &'a Retry,
    /// How often the request was sent again.
    again: u32,
}

impl<'a> Tries<'a> {
    pub(crate) fn new(policy: &'a Retry) -> Self {
        Self { policy, again: 0 }
    }

    /// Whether a response with this status is thrown away and the request sent again. If so, that is
    /// counted.
    pub(crate) fn again_on_status(&mut self, status: StatusCode) -> bool {
        self.policy.codes.contains(&status.as_u16()) && self.one_more()
    }

    /// Whether the request is sent again after a failure. If so, that is counted.
    pub(crate) fn again_on_failure(&mut self, failure: &Failure) -> bool {
        match failure {
            Failure::Connect(_) | Failure::TryTimedOut | Failure::Broken(_) => self.one_more(),
            // Trying again finds no endpoint either, has no time, or has no body to send.
            Failure::NoEndpoints
            | Failure::TimedOut
            | Failure::Exhausted(_)
            | Failure::OverBudget
            | Failure::ClientBody
            | Failure::TooLarge => false,
        }
    }

    /// Whether the request was sent again at all.
    pub(crate) fn were_used(&self) -> bool {
        self.again > 0
    }

    /// The pause before the try that was granted last: doubling, and with a part by chance, so that
    /// clients that failed together do not come again together.
    pub(crate) fn pause(&self, random: &mut Random) -> Duration {
        let shortest = self.policy.backoff;
        let longest = shortest.saturating_mul(LONGEST);
        let doubled = 1u32
            .checked_shl(self.again.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let pause = shortest.saturating_mul(doubled).min(longest);
        let half = u64::try_from(pause.as_micros() / 2).unwrap_or(u64::MAX);
        let jitter = Duration::from_micros(random.below(half).unwrap_or_default());
        pause.saturating_add(jitter).min(longest)
    }

    fn one_more(&mut self) -> bool {
        let granted = self.again < self.policy.attempts;
        self.again += u32::from(granted);
        granted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daemun_model::policy::retry::Retry;
    use http::StatusCode;

    use super::Tries;
    use crate::balance::Random;
    use crate::upstream::failure::ConnectError;
    use crate::upstream::failure::Failure;

    fn policy(attempts: u32, backoff: u64) -> Retry {
        Retry {
            codes: vec![500, 503],
            attempts,
            backoff: Duration::from_millis(backoff),
        }
    }

    #[test]
    fn statuses_are_tried_again_if_listed_and_while_attempts_last() {
        let policy = policy(2, 1);
        let mut tries = Tries::new(&policy);
        for (status, again) in [
            (StatusCode::OK, false),
            (StatusCode::BAD_GATEWAY, false),
            (StatusCode::SERVICE_UNAVAILABLE, true),
            (StatusCode::INTERNAL_SERVER_ERROR, true),
            (StatusCode::INTERNAL_SERVER_ERROR, false),
        ] {
            assert_eq!(tries.again_on_status(status), again, "{status}");
        }
    }

    #[test]
    fn failures_of_connections_and_tries_are_tried_again() {
        let policy = policy(1, 1);
        for (failure, again) in [
            (Failure::Connect(ConnectError::TimedOut), true),
            (Failure::TryTimedOut, true),
            (Failure::NoEndpoints, false),
            (Failure::TimedOut, false),
            (Failure::ClientBody, false),
            (Failure::TooLarge, false),
        ] {
            let mut tries = Tries::new(&policy);
            assert_eq!(tries.again_on_failure(&failure), again, "{failure:?}");
            assert!(!again || !tries.again_on_failure(&failure));
        }
    }

    #[test]
    fn pauses_double_up_to_ten_times_and_are_never_shorter_than_asked() {
        let policy = policy(9, 100);
        let mut random = Random::fixed(1);
        let mut tries = Tries::new(&policy);
        for (least, most) in [
            (100, 150),
            (200, 300),
            (400, 600),
            (800, 1000),
            (1000, 1000),
            (1000, 1000),
        ] {
            assert!(tries.again_on_failure(&Failure::TryTimedOut));
            for _ in 0..100 {
                let pause = tries.pause(&mut random).as_millis();
                assert!((least..=most).contains(&pause), "{pause}");
            }
        }
    }
}
