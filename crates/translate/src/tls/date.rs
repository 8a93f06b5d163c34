//! Dates of certificates for messages.

pub(crate) use daemun_model::shown::date;

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// Whole days from one moment to a later one.
pub(crate) fn days_between(from: i64, to: i64) -> i64 {
    (to - from).div_euclid(DAY)
}
