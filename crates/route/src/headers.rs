//! A header's value as conditions see it: one value, also if it came in several lines.

use http::header::COOKIE;
use http::{HeaderMap, HeaderName};
use smallvec::SmallVec;

/// Hands the value to `see`, or gives None if there is no such header. Several lines are one value, joined by
/// `,` (RFC 9110, section 5.3); lines of `Cookie`, into which HTTP/2 splits it, by `; ` (RFC 9113,
/// section 8.2.3). A single line is seen where it is; several are copied, to the stack if they are not long.
#[inline]
pub(crate) fn with_value<R>(
    headers: &HeaderMap,
    name: &HeaderName,
    see: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next()?.as_bytes();
    if lines.next().is_none() {
        return Some(see(first));
    }
    Some(see(&joined(headers, name)))
}

/// The lines of a header, as one.
#[cold]
pub(crate) fn joined(headers: &HeaderMap, name: &HeaderName) -> SmallVec<[u8; 512]> {
    let separator: &[u8] = if name == COOKIE { b"; " } else { b"," };
    let mut value = SmallVec::new();
    for (at, line) in headers.get_all(name).iter().enumerate() {
        if at > 0 {
            value.extend_from_slice(separator);
        }
        value.extend_from_slice(line.as_bytes());
    }
    value
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    #[test]
    fn lines_are_joined() {
        for (name, lines, value) in [
            ("x-a", &[][..], None),
            ("x-a", &["1"], Some("1")),
            ("x-a", &[""], Some("")),
            ("x-a", &["1", "2"], Some("1,2")),
            ("x-a", &["1", "", "2, 3"], Some("1,,2, 3")),
            ("cookie", &["a=1", "b=2"], Some("a=1; b=2")),
        ] {
            let name = HeaderName::from_static(name);
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(&name, HeaderValue::from_static(line));
            }
            let seen = super::with_value(&headers, &name, |value| {
                String::from_utf8_lossy(value).into_owned()
            });
            assert_eq!(seen.as_deref(), value, "{name} {lines:?}");
        }
    }
}
