//! `URLRewrite`: the path and the host that the backend gets.
//!
//! The host is set with [`host`] as the `Host` header, from which `upstream` makes `:authority` too. The
//! query always stays as it is.

use std::borrow::Cow;

use daemun_model::filter::rewrite::PathRewrite;
use http::header::{HOST, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;

/// The request's path after the rewrite, with its query.
///
/// `matched_prefix` is the prefix that the request's path was matched with. Without one, a prefix
/// rewrite changes nothing: rules that could come to this are refused before.
pub(crate) fn path(
    rewrite: &PathRewrite,
    path_and_query: &PathAndQuery,
    matched_prefix: Option<&str>,
) -> PathAndQuery {
    let mut text = new_path(rewrite, path_and_query.path(), matched_prefix);
    if let Some(query) = path_and_query.query() {
        text.reserve(query.len() + 1);
        text.push('?');
        text.push_str(query);
    }
    // What was written is encoded, and the rest was in a path before: it cannot fail. If it did, the
    // old path would be the one that matching has seen.
    PathAndQuery::from_maybe_shared(bytes::Bytes::from(text))
        .unwrap_or_else(|_| path_and_query.clone())
}

/// Sets the host that the backend gets.
pub(crate) fn host(hostname: &str, headers: &mut HeaderMap) {
    if let Ok(value) = HeaderValue::from_str(hostname) {
        headers.insert(HOST, value);
    }
}

/// The new path alone (gateway-api `HTTPPathModifier`): starts with `/`, and a replaced prefix never
/// leaves `//` where it ended.
pub(super) fn new_path(rewrite: &PathRewrite, path: &str, matched_prefix: Option<&str>) -> String {
    let (start, rest) = match (rewrite, matched_prefix) {
        (PathRewrite::Full(full), _) => (encoded(full), ""),
        (PathRewrite::Prefix(replacement), Some(prefix)) => {
            let prefix = prefix.trim_end_matches('/');
            let rest = path.get(prefix.len()..).unwrap_or_default();
            (encoded(replacement), rest)
        }
        (PathRewrite::Prefix(_), None) => return path.to_owned(),
    };
    if rest.is_empty() {
        return match &*start {
            "" => "/".to_owned(),
            start if start.starts_with('/') => start.to_owned(),
            start => format!("/{start}"),
        };
    }
    match start.trim_end_matches('/') {
        "" => format!("/{}", rest.trim_start_matches('/')),
        start => [start, rest].concat(),
    }
}

/// A path as it was written in an object, with what cannot stand in a path percent-encoded. What is
/// encoded already stays.
fn encoded(written: &str) -> Cow<'_, str> {
    const NOT_IN_PATHS: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'\\')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    percent_encoding::utf8_percent_encode(written, NOT_IN_PATHS).into()
}

#[cfg(test)]
mod tests {
    use daemun_model::filter::rewrite::PathRewrite;
    use http::HeaderMap;
    use http::uri::PathAndQuery;

    fn rewritten(rewrite: &PathRewrite, path: &str, prefix: Option<&str>) -> String {
        let path: PathAndQuery = path.parse().unwrap();
        super::path(rewrite, &path, prefix).as_str().to_owned()
    }

    #[test]
    fn prefixes_are_replaced_by_whole_elements() {
        for (path, prefix, replacement, expected) in [
            ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
            ("/foo/bar", "/foo", "/xyz/", "/xyz/bar"),
            ("/foo/bar", "/foo/", "/xyz", "/xyz/bar"),
            ("/foo/bar", "/foo/", "/xyz/", "/xyz/bar"),
            ("/foo", "/foo", "/xyz", "/xyz"),
            ("/foo", "/foo", "/xyz/", "/xyz/"),
            ("/foo/", "/foo", "/xyz", "/xyz/"),
            ("/foo/bar", "/foo", "", "/bar"),
            ("/foo/bar", "/foo", "/", "/bar"),
            ("/foo/", "/foo", "", "/"),
            ("/foo/", "/foo", "/", "/"),
            ("/foo", "/foo", "", "/"),
            ("/foo", "/foo", "/", "/"),
            ("/", "/", "/xyz", "/xyz/"),
            ("/bar", "/", "/xyz", "/xyz/bar"),
            ("/bar", "/", "/", "/bar"),
            // Never two slashes where the prefix ended; those that were there before stay.
            ("/foo//bar", "/foo", "/", "/bar"),
            ("/foo//bar", "/foo", "/xyz", "/xyz//bar"),
            ("/foo/bar?a=/foo&b", "/foo", "/xyz", "/xyz/bar?a=/foo&b"),
            ("/foo?", "/foo", "/xyz", "/xyz?"),
            ("/foo/bar", "/foo", "/a b?c", "/a%20b%3Fc/bar"),
            ("/foo/bar", "/foo", "/a%20b/é", "/a%20b/%C3%A9/bar"),
        ] {
            let rewrite = PathRewrite::Prefix(replacement.to_owned());
            let got = rewritten(&rewrite, path, Some(prefix));
            assert_eq!(got, expected, "{path}: {prefix} by {replacement}");
        }
    }

    #[test]
    fn a_full_path_keeps_the_query_only() {
        for (path, full, expected) in [
            ("/foo/bar?q=1", "/new", "/new?q=1"),
            ("/foo", "/new/", "/new/"),
            ("/foo", "", "/"),
            ("/foo?x", "new", "/new?x"),
        ] {
            let rewrite = PathRewrite::Full(full.to_owned());
            assert_eq!(rewritten(&rewrite, path, Some("/foo")), expected);
            assert_eq!(rewritten(&rewrite, path, None), expected);
        }
        let prefix = PathRewrite::Prefix("/x".to_owned());
        assert_eq!(rewritten(&prefix, "/foo?q", None), "/foo?q");
    }

    #[test]
    fn the_host_is_replaced() {
        let mut headers = HeaderMap::new();
        super::host("one.example", &mut headers);
        super::host("two.example", &mut headers);
        assert_eq!(
            headers.get_all("host").iter().collect::<Vec<_>>(),
            ["two.example"]
        );
    }
}
