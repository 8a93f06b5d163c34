//! How values of other crates are shown in goldens and in `/config`: as a person would write them.

use std::fmt::Display;
use std::time::Duration;

use serde::Serializer;

/// Serializes through `Display`.
///
/// # Errors
/// The serializer's.
pub fn display<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Serializes a list through `Display` of its elements.
///
/// # Errors
/// The serializer's.
pub fn displays<T: Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}

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

/// Serializes a duration as GEP-2257 writes it.
///
/// # Errors
/// The serializer's.
pub fn duration<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&duration_text(*duration))
}

/// Serializes an optional duration as GEP-2257 writes it.
///
/// # Errors
/// The serializer's.
pub fn duration_option<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_some(&duration_text(*duration)),
        None => serializer.serialize_none(),
    }
}

/// Serializes header names and values as `name: value` lines.
///
/// # Errors
/// The serializer's.
pub fn header_lines<S: Serializer>(
    headers: &[(http::HeaderName, http::HeaderValue)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))),
    )
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
}
