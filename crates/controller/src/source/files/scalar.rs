//! What a plain scalar means: the core schema of YAML 1.2 (section 10.3.2).
//!
//! `yes`, `no`, `on` and `off` are strings here, as in YAML 1.2 and unlike in YAML 1.1.

/// What a scalar is taken for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Float(f64),
    String,
}

/// Resolves a scalar without quotes.
pub(super) fn resolve(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
        _ => number(text).unwrap_or(Resolved::String),
    }
}

fn number(text: &str) -> Option<Resolved> {
    let radix = |digits: &str, radix| {
        // from_str_radix takes a sign, which is not allowed after a prefix.
        let plain = digits.starts_with(|first: char| first.is_digit(radix));
        plain.then(|| i128::from_str_radix(digits, radix).ok())?
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16).map(Resolved::Integer);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8).map(Resolved::Integer);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
        return Some(Resolved::Float(sign * f64::INFINITY));
    }
    let starts_right = unsigned
        .trim_start_matches('.')
        .starts_with(|first: char| first.is_ascii_digit());
    let only_number = unsigned
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !starts_right || !only_number {
        return None;
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that no field could hold is still a number, so that the message can say so.
        let parsed = text.parse().map(Resolved::Integer);
        return parsed
            .ok()
            .or_else(|| text.parse().ok().map(Resolved::Float));
    }
    text.parse().ok().map(Resolved::Float)
}

#[cfg(test)]
mod tests {
    use super::{Resolved, resolve};

    #[test]
    fn plain_scalars_are_resolved_as_the_core_schema_says() {
        for (text, resolved) in [
            ("", Resolved::Null),
            ("~", Resolved::Null),
            ("null", Resolved::Null),
            ("nULL", Resolved::String),
            ("true", Resolved::Bool(true)),
            ("FALSE", Resolved::Bool(false)),
            ("yes", Resolved::String),
            ("80", Resolved::Integer(80)),
            ("-3", Resolved::Integer(-3)),
            ("+3", Resolved::Integer(3)),
            ("007", Resolved::Integer(7)),
            ("0x1F", Resolved::Integer(31)),
            ("0o17", Resolved::Integer(15)),
            ("0x-1", Resolved::String),
            ("0x", Resolved::String),
            ("1.5", Resolved::Float(1.5)),
            ("1.", Resolved::Float(1.0)),
            (".5", Resolved::Float(0.5)),
            ("1e3", Resolved::Float(1000.0)),
            ("-.inf", Resolved::Float(f64::NEG_INFINITY)),
            ("1.2.3", Resolved::String),
            ("10.0.0.1", Resolved::String),
            ("1s", Resolved::String),
            ("-", Resolved::String),
            (".", Resolved::String),
            ("1-2", Resolved::String),
            ("e3", Resolved::String),
            ("inf", Resolved::String),
            ("2024-01-01", Resolved::String),
        ] {
            assert_eq!(resolve(text), resolved, "{text:?}");
        }
        let long = "9".repeat(60);
        assert!(matches!(resolve(&long), Resolved::Float(_)));
    }
}
