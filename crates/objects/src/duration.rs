//! Durations as the Gateway API writes them (GEP-2257): `1h`, `10s`, `1m30s`, `250ms`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A duration as it was written; [`parse`](Self::parse) says what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("pattern" = "^([0-9]{1,5}(h|m|s|ms)){1,4}$"))]
pub struct Duration(pub String);

impl Duration {
    /// Reads one to four numbers of at most five digits, each with a unit of `h`, `m`, `s` or `ms`
    /// (GEP-2257). `0s` is a duration, and means "none" where the API says so.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn parse(&self) -> Result<std::time::Duration, String> {
        milliseconds(&self.0)
            .map(std::time::Duration::from_millis)
            .map_err(|why| {
                format!(
                    "\"{}\" is not a duration: {why}; write for example 1h, 10s, 1m30s or 250ms (GEP-2257)",
                    self.0
                )
            })
    }
}

fn milliseconds(text: &str) -> Result<u64, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    let (mut rest, mut parts, mut total) = (text, 0, 0_u64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        if !(1..=5).contains(&digits) {
            return Err("each part starts with one to five digits");
        }
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, next) = after.split_at(letters);
        let factor = match unit {
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1_000,
            "ms" => 1,
            "" => return Err("a number lacks its unit"),
            _ => return Err("the units are h, m, s and ms"),
        };
        let number: u64 = number.parse().map_err(|_| "a number is too large")?;
        total += number * factor;
        parts += 1;
        if parts > 4 {
            return Err("it has more than four parts");
        }
        rest = next;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::Duration;

    #[test]
    fn durations_are_read_as_gep_2257_has_them() {
        for (text, expected) in [
            ("1h", Some(3_600_000)),
            ("0s", Some(0)),
            ("10s", Some(10_000)),
            ("1h2m3s4ms", Some(3_723_004)),
            ("1s1h", Some(3_601_000)),
            ("99999h", Some(359_996_400_000)),
            ("500ms", Some(500)),
            ("", None),
            ("0", None),
            ("10", None),
            ("1.5s", None),
            ("-1s", None),
            ("1d", None),
            ("1us", None),
            ("s", None),
            (" 1s", None),
            ("1 s", None),
            ("100000s", None),
            ("1h1m1s1ms1ms", None),
            ("1é", None),
        ] {
            let read = Duration(text.to_owned()).parse();
            let expected = expected.map(std::time::Duration::from_millis);
            assert_eq!(read.clone().ok(), expected, "{text}: {read:?}");
        }
    }
}
