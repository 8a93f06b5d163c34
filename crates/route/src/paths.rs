//! Paths, in the one spelling in which they are compared and sent on.
//!
//! Servers disagree about what a path means: `/a/../admin`, `/%61dmin`, `//admin` and `/a%2Fb` have all
//! been used to get past a gateway that read them in one way to a backend that read them in another.
//! Daemun reads a path once, by these rules, and the backend gets exactly the path that was matched:
//!
//! - Dot segments (`.` and `..`, also written `%2e`) are resolved, as RFC 3986, section 5.2.4, does it.
//!   A path that goes above the root is refused.
//! - A percent-encoded unreserved character (letters, digits, `-`, `.`, `_`, `~`) is decoded; all other
//!   percent-encodings stay, with upper-case digits. Nothing is decoded twice.
//! - `%2F` stays encoded. It is part of an element and never separates two.
//! - `//` stays. Between the two slashes is an empty element, which counts as one.
//! - `%00`, a `%` without two hexadecimal digits, raw control characters and spaces, `\`, raw characters
//!   outside of ASCII, `#` and `?` are refused, as is a path that does not start with `/`.
//! - Paths are case-sensitive, and all else stays as it is.
//!
//! Paths that are written in Routes are read by the same rules, so that `/caf%c3%a9` in a Route takes
//! what a client sends as `/caf%C3%A9`.
//!
//! What is not here: the query, which is compared but never changed (`query`), and the `*` of
//! `OPTIONS *`, which is no path.

use std::borrow::Cow;
use std::fmt;

/// Gives the path in the spelling in which it is matched and sent on; borrowed if it is in that spelling
/// already, which is found out in one pass.
///
/// ```
/// use daemun_route::paths::{PathError, normalize};
///
/// assert_eq!(normalize("/a/%2e%2E/caf%c3%a9").as_deref(), Ok("/caf%C3%A9"));
/// assert_eq!(normalize("/a%2Fb"), Ok("/a%2Fb".into()));
/// assert_eq!(normalize("/../a"), Err(PathError::AboveRoot));
/// ```
///
/// # Errors
/// The path is one that two servers could read in two ways, or no path at all. The client is to be told
/// (400), with the error's text if wanted: it says nothing about the gateway.
pub fn normalize(path: &str) -> Result<Cow<'_, str>, PathError> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err(PathError::Relative);
    }
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match CLASS[usize::from(byte)] {
            Class::Plain => at += 1,
            Class::Dot if is_dot_segment(bytes, at) => return rewrite(path).map(Cow::Owned),
            Class::Dot => at += 1,
            Class::Percent if is_settled(percent(bytes, at)?, &bytes[at..]) => at += 3,
            Class::Percent => return rewrite(path).map(Cow::Owned),
            Class::Refused => return Err(refusal(byte)),
        }
    }
    Ok(Cow::Borrowed(path))
}

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It does not start with `/`.
    Relative,
    /// It leads above the root.
    AboveRoot,
    /// A `%` is not followed by two hexadecimal digits.
    Percent,
    /// It has `%00`.
    Nul,
    /// It has a raw control character or a space.
    Control,
    /// It has a backslash, which some servers take for a slash.
    Backslash,
    /// It has a raw character outside of ASCII.
    NonAscii,
    /// It has a `#` or `?`, which end a path.
    Delimiter,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relative => "the path does not start with \"/\"",
            Self::AboveRoot => "the path leads above the root with \"..\"",
            Self::Percent => "the path has a \"%\" that is not followed by two hexadecimal digits",
            Self::Nul => "the path has a NUL character (%00)",
            Self::Control => {
                "the path has a control character or a space that is not percent-encoded"
            }
            Self::Backslash => "the path has a backslash that is not percent-encoded (%5C)",
            Self::NonAscii => {
                "the path has a character outside of ASCII that is not percent-encoded"
            }
            Self::Delimiter => "the path has a \"#\" or \"?\" that is not percent-encoded",
        })
    }
}

impl std::error::Error for PathError {}

/// Writes the path anew: decodes what is to be decoded, and drops dot segments as they end.
fn rewrite(path: &str) -> Result<String, PathError> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match CLASS[usize::from(byte)] {
            Class::Plain | Class::Dot => {
                if byte == b'/' {
                    end_segment(&mut out, false)?;
                }
                out.push(byte);
            }
            Class::Percent => {
                let decoded = percent(bytes, at - 1)?;
                if is_unreserved(decoded) {
                    out.push(decoded);
                } else {
                    out.push(b'%');
                    out.extend(bytes[at..at + 2].iter().map(u8::to_ascii_uppercase));
                }
                at += 2;
            }
            Class::Refused => return Err(refusal(byte)),
        }
    }
    end_segment(&mut out, true)?;
    Ok(String::from_utf8(out).expect("only ASCII is written"))
}

/// Resolves the segment at the end of `out` if it is `.` or `..`. In the middle of a path the slash
/// before it goes too, since the one after it is about to be written.
fn end_segment(out: &mut Vec<u8>, last: bool) -> Result<(), PathError> {
    let Some(slash) = memchr::memrchr(b'/', out) else {
        return Ok(());
    };
    match &out[slash + 1..] {
        b"." => out.truncate(slash),
        b".." => {
            let parent = memchr::memrchr(b'/', &out[..slash]).ok_or(PathError::AboveRoot)?;
            out.truncate(parent);
        }
        _ => return Ok(()),
    }
    if last {
        out.push(b'/');
    }
    Ok(())
}

/// The byte that the `%` at `at` stands for.
fn percent(bytes: &[u8], at: usize) -> Result<u8, PathError> {
    let digit = |at: usize| {
        let byte = bytes.get(at).copied().unwrap_or_default();
        char::from(byte).to_digit(16).ok_or(PathError::Percent)
    };
    match digit(at + 1)? * 16 + digit(at + 2)? {
        0 => Err(PathError::Nul),
        value => Ok(u8::try_from(value).unwrap_or_default()),
    }
}

/// Whether an encoded character stays as it is written.
fn is_settled(decoded: u8, written: &[u8]) -> bool {
    !is_unreserved(decoded) && !written[1..3].iter().any(u8::is_ascii_lowercase)
}

/// RFC 3986, section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Whether the dot at `at` begins a segment that is `.` or `..`. A spelling with `%2e` is found by its `%`.
fn is_dot_segment(bytes: &[u8], at: usize) -> bool {
    let ends = |at: usize| matches!(bytes.get(at), None | Some(b'/'));
    bytes[at - 1] == b'/' && (ends(at + 1) || (bytes.get(at + 1) == Some(&b'.') && ends(at + 2)))
}

fn refusal(byte: u8) -> PathError {
    match byte {
        b'\\' => PathError::Backslash,
        b'#' | b'?' => PathError::Delimiter,
        0x80.. => PathError::NonAscii,
        _ => PathError::Control,
    }
}

#[derive(Clone, Copy)]
enum Class {
    Plain,
    Dot,
    Percent,
    Refused,
}

static CLASS: [Class; 256] = {
    let mut table = [Class::Refused; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        table[byte] = match byte as u8 {
            b'.' => Class::Dot,
            b'%' => Class::Percent,
            b'\\' | b'#' | b'?' => Class::Refused,
            _ => Class::Plain,
        };
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests;
