//! Query parameters, read only when a rule asks for one.
//!
//! `name=value` pairs between `&`; both are percent-decoded and `+` is a space, as forms write them
//! (WHATWG URL, application/x-www-form-urlencoded). A `%` without two hexadecimal digits stands for itself. Of
//! repeated parameters the first counts. The query itself is never changed.

use smallvec::SmallVec;

/// The parameters of a query, in order, not decoded. A name without `=` has an empty value.
pub(crate) fn parameters(query: &str) -> impl Iterator<Item = (&[u8], &[u8])> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.as_bytes(), value.as_bytes())
        })
}

/// Hands the decoded value of the first parameter of this (decoded) name to `see`; None if there is none.
pub(crate) fn with_value<R>(
    query: Option<&str>,
    name: &[u8],
    see: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    let (_, value) = parameters(query?).find(|(raw, _)| is(raw, name))?;
    Some(with_decoded(value, see))
}

/// Hands the decoded text to `see`: as it is if nothing is encoded, else a copy, on the stack if it is not
/// long.
#[inline]
pub(crate) fn with_decoded<R>(raw: &[u8], see: impl FnOnce(&[u8]) -> R) -> R {
    if memchr::memchr2(b'%', b'+', raw).is_none() {
        return see(raw);
    }
    see(&decode(raw).collect::<SmallVec<[u8; 256]>>())
}

fn is(raw: &[u8], name: &[u8]) -> bool {
    raw == name
        || (memchr::memchr2(b'%', b'+', raw).is_some() && decode(raw).eq(name.iter().copied()))
}

fn decode(raw: &[u8]) -> impl Iterator<Item = u8> {
    let digit = |at: usize| char::from(*raw.get(at)?).to_digit(16);
    let mut at = 0;
    std::iter::from_fn(move || {
        let byte = *raw.get(at)?;
        at += 1;
        Some(match byte {
            b'+' => b' ',
            b'%' => match (digit(at), digit(at + 1)) {
                (Some(high), Some(low)) => {
                    at += 2;
                    u8::try_from(high * 16 + low).unwrap_or_default()
                }
                _ => b'%',
            },
            byte => byte,
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_of_a_name_counts_and_both_sides_are_decoded() {
        for (query, name, value) in [
            (None, "a", None),
            (Some(""), "a", None),
            (Some("a=1"), "a", Some("1")),
            (Some("a=1"), "A", None),
            (Some("a"), "a", Some("")),
            (Some("a="), "a", Some("")),
            (Some("a=1=2"), "a", Some("1=2")),
            (Some("b=2&&a=1&a=3"), "a", Some("1")),
            (Some("aa=2&a=1"), "a", Some("1")),
            (Some("%61=1"), "a", Some("1")),
            (Some("a+b=c+d"), "a b", Some("c d")),
            (Some("a=%C3%A9%26"), "a", Some("é&")),
            (Some("a=%zz%4"), "a", Some("%zz%4")),
            (Some("a=%2B"), "a", Some("+")),
            (Some("=1"), "", Some("1")),
            (Some("a;b=1"), "b", None),
        ] {
            let seen = super::with_value(query, name.as_bytes(), |value| {
                String::from_utf8_lossy(value).into_owned()
            });
            assert_eq!(seen.as_deref(), value, "{query:?} {name}");
        }
    }
}
