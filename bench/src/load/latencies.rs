//! All latencies of a run, and the percentiles of them.
//!
//! Every one is kept (a run is a few hundred thousand): no buckets, no rounding.

use std::time::Duration;

use serde_json::{Value, json};

#[derive(Default)]
pub(crate) struct Latencies {
    nanoseconds: Vec<u64>,
}

impl Latencies {
    pub(crate) fn add(&mut self, latency: Duration) {
        self.nanoseconds
            .push(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The outcome of a run of `seconds` in which `refused` answers were not 200 and `unsent` requests
    /// never found a free connection.
    pub(crate) fn report(mut self, seconds: f64, refused: u64, unsent: usize) -> Value {
        self.nanoseconds.sort_unstable();
        json!({
            "answered": self.nanoseconds.len(),
            "seconds": seconds,
            "refused": refused,
            "unsent": unsent,
            "p50_us": self.at(500),
            "p90_us": self.at(900),
            "p99_us": self.at(990),
            "p999_us": self.at(999),
        })
    }

    /// The value that `thousandths` of all latencies do not exceed, in microseconds.
    fn at(&self, thousandths: usize) -> Option<f64> {
        let rank = (self.nanoseconds.len() * thousandths).div_ceil(1000);
        let nanoseconds = self.nanoseconds.get(rank.saturating_sub(1))?;
        Some((Duration::from_nanos(*nanoseconds).as_secs_f64() * 1e9).round() / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut latencies = Latencies::default();
        for microseconds in (1..=1000).rev() {
            latencies.add(Duration::from_micros(microseconds));
        }
        let report = latencies.report(1.0, 0, 0);
        assert_eq!(report["p50_us"], 500.0);
        assert_eq!(report["p99_us"], 990.0);
        assert_eq!(report["p999_us"], 999.0);
        assert_eq!(report["answered"], 1000);
    }

    #[test]
    fn nothing_answered_has_no_percentiles() {
        assert!(Latencies::default().report(1.0, 0, 9)["p99_us"].is_null());
    }
}
