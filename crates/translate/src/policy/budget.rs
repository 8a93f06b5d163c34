//! `retryConstraint` of an XBackendTrafficPolicy (gateway-api `RetryConstraint`, GEP-3388).

use std::time::Duration;

use daemun_model::policy::budget::RetryBudget;
use daemun_model::verdict::FieldPath;
use daemun_objects::experimental::xbackendtrafficpolicy::{
    BudgetDetails, RequestRate, RetryConstraint,
};

use super::timeouts::duration;
use crate::verdict::Refusal;

/// The longest time that requests are counted for.
const LONGEST: Duration = Duration::from_secs(3600);

/// The most requests that a rate can name.
const MOST: i64 = 1_000_000;

/// Reads the constraint; what is not written is the default.
pub(crate) fn read(written: &RetryConstraint, path: &FieldPath) -> Result<RetryBudget, Refusal> {
    let RetryConstraint {
        budget,
        min_retry_rate,
    } = written;
    let default = RetryBudget::default();
    let (percent, interval) = match budget {
        None => (default.percent, default.interval),
        Some(BudgetDetails { percent, interval }) => {
            let path = path.field("budget");
            let percent = match percent {
                None => default.percent,
                Some(percent) => number(*percent, 0..=100, &path.field("percent"))?,
            };
            let interval = match interval {
                None => default.interval,
                Some(written) => duration(written, &path.field("interval"))?,
            };
            let least = Duration::from_secs(1);
            (percent, within(interval, least, &path.field("interval"))?)
        }
    };
    let (least, least_interval) = match min_retry_rate {
        None => (default.least, default.least_interval),
        Some(RequestRate { count, interval }) => {
            let path = path.field("minRetryRate");
            let count = match count {
                None => default.least,
                Some(count) => number(*count, 1..=MOST, &path.field("count"))?,
            };
            let interval = match interval {
                None => default.least_interval,
                Some(written) => duration(written, &path.field("interval"))?,
            };
            let least = Duration::from_millis(1);
            (count, within(interval, least, &path.field("interval"))?)
        }
    };
    Ok(RetryBudget {
        percent,
        interval,
        least,
        least_interval,
    })
}

fn number(
    written: i64,
    range: std::ops::RangeInclusive<i64>,
    path: &FieldPath,
) -> Result<u32, Refusal> {
    u32::try_from(written)
        .ok()
        .filter(|_| range.contains(&written))
        .ok_or_else(|| {
            Refusal::unsupported(
                path.clone(),
                format!(
                    "{written} is not from {} to {}.",
                    range.start(),
                    range.end()
                ),
            )
        })
}

fn within(interval: Duration, least: Duration, path: &FieldPath) -> Result<Duration, Refusal> {
    if (least..=LONGEST).contains(&interval) {
        return Ok(interval);
    }
    Err(Refusal::unsupported(
        path.clone(),
        format!(
            "Requests are counted for {} to 1h.",
            daemun_model::shown::duration_text(least)
        ),
    ))
}
