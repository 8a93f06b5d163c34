//! Dates of certificates for messages: days since 1970 as year, month and day (proleptic Gregorian).

const DAY: i64 = 86_400;

/// `2027-02-01` for seconds since 1970.
pub(crate) fn date(seconds: i64) -> String {
    // Days are counted from 0000-03-01, so that the leap day is the last day of a year.
    let days = seconds.div_euclid(DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Whole days from one moment to a later one.
pub(crate) fn days_between(from: i64, to: i64) -> i64 {
    (to - from).div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400, "2000-02-29"),
            (1_801_440_000, "2027-02-01"),
            (4_102_444_799, "2099-12-31"),
        ] {
            assert_eq!(super::date(seconds), text);
        }
    }
}
