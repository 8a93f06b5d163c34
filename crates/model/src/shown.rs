//! How things are shown: durations and dates as a person would write them, and others' texts with all that is in them
//! to be seen.

use std::borrow::Cow;
use std::time::Duration;

/// A duration as GEP-2257 writes it: `1h2m3s4ms`, `0s`.
pub fn duration_text(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".to_owned();
    }
    let millis = duration.as_millis();
    let parts = [
        (millis / 3_600_000, "h"),
        (millis / 60_000 % 60, "m"),
        (millis / 1_000 % 60, "s"),
        (millis % 1_000, "ms"),
    ];
    parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect()
}

/// Whether a character cannot be seen, or puts what is around it elsewhere: control characters, marks of direction,
/// spaces without a width, ends of lines that only some know.
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text of somebody else's as it may be shown: on one line, and a sign for each character that could not be seen.
pub fn plain(text: &str) -> String {
    let shown = |character: char| match is_unseen(character) {
        true => char::REPLACEMENT_CHARACTER,
        false => character,
    };
    text.chars().map(shown).collect()
}

/// The same of a text that may have several lines.
pub fn plain_lines(text: &str) -> Cow<'_, str> {
    let unseen = |character: char| is_unseen(character) && character != '\n';
    match text.contains(unseen) {
        true => text.replace(unseen, "\u{fffd}").into(),
        false => text.into(),
    }
}

/// `2027-02-01T12:00:00Z`.
pub fn moment(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(86_400);
    format!(
        "{}T{:02}:{:02}:{:02}Z",
        date(seconds),
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// `2027-02-01` for seconds since 1970, in UTC.
pub fn date(seconds: i64) -> String {
    let (year, month, day) = year_month_day(seconds);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day in UTC for seconds since 1970 (proleptic Gregorian).
pub fn year_month_day(seconds: i64) -> (i64, i64, i64) {
    // Days are counted from 0000-03-01, so that the leap day is the last day of a year.
    let days = seconds.div_euclid(86_400) + 719_468;
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
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn durations_are_written_as_gep_2257_does() {
        for (millis, text) in [
            (0, "0s"),
            (1, "1ms"),
            (1_500, "1s500ms"),
            (3_600_000, "1h"),
            (3_723_004, "1h2m3s4ms"),
        ] {
            assert_eq!(super::duration_text(Duration::from_millis(millis)), text);
        }
    }

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

    #[test]
    fn nothing_in_a_text_of_others_is_unseen() {
        for text in [
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{1b}b",
            "a\u{feff}b",
            "a\u{2028}b",
            "a\tb",
        ] {
            assert_eq!(super::plain(text), "a\u{fffd}b", "{text:?}");
            assert_eq!(super::plain_lines(text), "a\u{fffd}b", "{text:?}");
        }
        assert_eq!(super::plain("게이트웨이 é 🙂"), "게이트웨이 é 🙂");
        assert_eq!(super::plain_lines("a\nb"), "a\nb");
        assert_eq!(super::plain("a\nb"), "a\u{fffd}b");
    }
}
