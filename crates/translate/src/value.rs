//! Single values as people write them: names, ports, headers, and how a value that is none is refused.

use std::net::IpAddr;

use daemun_model::verdict::FieldPath;
use daemun_objects::{Known, Open};
use http::HeaderName;
use ipnet::IpNet;

use crate::nearest::{did_you_mean, list_all};
use crate::verdict::Refusal;

/// Whether a name is one that sections may have: a DNS subdomain (RFC 1123) of lower case letters, digits,
/// hyphens and dots.
pub(crate) fn is_section_name(name: &str) -> bool {
    let label = |label: &str| {
        let bytes = label.as_bytes();
        let ends = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        ends(bytes.first())
            && ends(bytes.last())
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// A port number, if it is one.
pub(crate) fn port(number: i32) -> Option<u16> {
    u16::try_from(number).ok().filter(|port| *port != 0)
}

/// Reads a header's name.
pub(crate) fn header_name(written: &str, path: &FieldPath) -> Result<HeaderName, Refusal> {
    if written.len() > 256 {
        return Err(Refusal::unsupported(
            path.clone(),
            "A header's name has at most 256 characters.",
        ));
    }
    HeaderName::from_bytes(written.as_bytes()).map_err(|_| {
        Refusal::unsupported(
            path.clone(),
            format!("\"{written}\" is not a header's name: letters, digits and !#$%&'*+-.^_`|~ only (RFC 9110)."),
        )
    })
}

/// The first character that a path does not have in the clear (RFC 3986, `pchar` and `/`), a percent sign
/// without two hexadecimal digits included.
pub(crate) fn character_outside_paths(value: &str) -> Option<char> {
    for (at, character) in value.char_indices() {
        let fine = character.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/".contains(character);
        if fine {
            continue;
        }
        let encoded = character == '%'
            && value
                .get(at + 1..at + 3)
                .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        if !encoded {
            return Some(character);
        }
    }
    None
}

/// Ranges of addresses, each once; an address is a range of one.
pub(crate) fn ranges(written: &[String], path: &FieldPath) -> Result<Vec<IpNet>, Refusal> {
    let mut ranges: Vec<IpNet> = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        let range = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| {
                Refusal::unsupported(
                    path.index(index),
                    format!("\"{text}\" is neither an address nor a range of addresses, such as 10.0.0.0/8 or 2001:db8::/32."),
                )
            })?
            .trunc();
        if !ranges.contains(&range) {
            ranges.push(range);
        }
    }
    Ok(ranges)
}

/// A value that is known, or its refusal.
pub(crate) fn known<T: Known>(
    written: Option<&Open<T>>,
    path: &FieldPath,
    what: &str,
) -> Result<Option<T>, Refusal> {
    match written {
        None => Ok(None),
        Some(Open::Known(value)) => Ok(Some(*value)),
        Some(Open::Other(text)) => {
            let values: Vec<&str> = T::VALUES.iter().map(|(text, _)| *text).collect();
            Err(unknown(path, what, text, &values))
        }
    }
}

/// The refusal of a value that is not in a list.
pub(crate) fn unknown(path: &FieldPath, what: &str, written: &str, known: &[&str]) -> Refusal {
    let names: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
    let are = if names.len() == 1 {
        "known is"
    } else {
        "known are"
    };
    Refusal::unsupported(
        path.clone(),
        format!(
            "The {what} \"{written}\" is not known here; {are} {}.{}",
            list_all(&names),
            did_you_mean(written, known.iter().copied())
        ),
    )
}

/// The first letter in upper case, for sentences that begin with what another part of the program said.
pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
