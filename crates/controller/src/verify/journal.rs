//! What was seen, and when.

use std::time::{Duration, Instant};

use daemun_base::clock;
use serde::{Serialize, Serializer};

use super::look::Look;

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// How long after the claim began to be tried; in JSON in milliseconds.
    #[serde(rename = "afterMilliseconds", serialize_with = "milliseconds")]
    pub after: Duration,
    /// What.
    pub what: String,
}

fn milliseconds<S: Serializer>(after: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
}

/// The moments of one claim.
#[derive(Debug)]
pub(super) struct Journal {
    start: Instant,
    moments: Vec<Moment>,
    last: Look,
}

impl Journal {
    /// Begins where an earlier one ended: what was known by then is no news.
    pub(super) fn after(last: Look) -> Self {
        Self {
            start: clock::now(),
            moments: Vec::new(),
            last,
        }
    }

    /// Writes down what a look has that the one before had not.
    pub(super) fn look(&mut self, look: &Look) {
        if let Some(news) = look.news(&self.last) {
            self.note(news);
        }
        self.last = look.clone();
    }

    /// Since it began.
    pub(super) fn elapsed(&self) -> Duration {
        clock::now().duration_since(self.start)
    }

    /// Writes down what was seen just now.
    pub(super) fn note(&mut self, what: impl Into<String>) {
        self.moments.push(Moment {
            after: self.elapsed(),
            what: what.into(),
        });
    }

    /// What was seen, and the last look.
    pub(super) fn end(self) -> (Vec<Moment>, Look) {
        (self.moments, self.last)
    }
}
