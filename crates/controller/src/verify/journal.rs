//! What was seen, and when.

use std::time::{Duration, Instant};

use daemun_base::clock;
use serde::{Serialize, Serializer};

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
}

impl Journal {
    /// Nothing was seen yet.
    pub(super) fn new() -> Self {
        Self {
            start: clock::now(),
            moments: Vec::new(),
        }
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

    /// What was seen.
    pub(super) fn into_moments(self) -> Vec<Moment> {
        self.moments
    }
}
