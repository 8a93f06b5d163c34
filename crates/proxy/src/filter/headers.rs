//! `RequestHeaderModifier` and `ResponseHeaderModifier`.
//!
//! `Host` of a request is a header like others here: `set` (or `add`, which would otherwise give two of
//! them) replaces it, and what is sent to the backend as `Host` or `:authority` is taken from it. It
//! cannot be removed. Headers that belong to one connection or say where a message ends are not a
//! modifier's to change: see [`refused`].

use daemun_model::filter::headers::HeaderModifier;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};

/// Changes a request's headers. What is set or removed goes in every way that a backend may read it.
pub(crate) fn apply_to_request(modifier: &HeaderModifier, headers: &mut HeaderMap) {
    for name in modifier.set.iter().map(|(name, _)| name) {
        remove(headers, name);
    }
    for name in &modifier.remove {
        remove(headers, name);
    }
    apply(modifier, headers);
}

/// Removes a header, and those that servers which make variables of headers (CGI, WSGI) take for it: `_` is `-` there.
pub(super) fn remove(headers: &mut HeaderMap, name: &HeaderName) {
    headers.remove(name);
    let same = |one: u8, other: u8| {
        one == other || (one, other) == (b'_', b'-') || (one, other) == (b'-', b'_')
    };
    let is_twin = |other: &&HeaderName| {
        let (one, other) = (name.as_str(), other.as_str());
        one.len() == other.len()
            && one
                .bytes()
                .zip(other.bytes())
                .all(|(one, other)| same(one, other))
    };
    while let Some(twin) = headers.keys().find(is_twin).cloned() {
        headers.remove(twin);
    }
}

/// Sets, then adds, then removes.
pub(crate) fn apply(modifier: &HeaderModifier, headers: &mut HeaderMap) {
    let HeaderModifier { set, add, remove } = modifier;
    for (name, value) in set {
        headers.insert(name.clone(), value.clone());
    }
    for (name, value) in add {
        if *name == HOST {
            headers.insert(HOST, value.clone());
        } else {
            headers.append(name.clone(), value.clone());
        }
    }
    for name in remove {
        headers.remove(name);
    }
}

/// Why a modifier cannot be used, if so: it names a header that is about a connection or about framing,
/// and changing it would make two parsers read two messages.
pub(crate) fn refused(modifier: &HeaderModifier) -> Option<String> {
    let HeaderModifier { set, add, remove } = modifier;
    let changed = set.iter().chain(add).map(|(name, _)| name).chain(remove);
    if let Some(name) = changed.into_iter().find(|name| is_connections(name)) {
        return Some(format!(
            "the header {name} belongs to a connection or says where a message ends; the gateway makes it, and no filter can change it"
        ));
    }
    remove.contains(&HOST).then(|| {
        "the header host cannot be removed, since every request has one; set it, or use URLRewrite.hostname"
            .to_owned()
    })
}

/// Whether a header belongs to a connection or says where a message ends.
pub(super) fn is_connections(name: &HeaderName) -> bool {
    [
        CONNECTION,
        CONTENT_LENGTH,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ]
    .contains(name)
        || matches!(
            name.as_str(),
            "keep-alive" | "proxy-connection" | "http2-settings"
        )
}

#[cfg(test)]
mod tests {
    use daemun_model::filter::headers::HeaderModifier;
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn pairs(lines: &[(&'static str, &'static str)]) -> Vec<(HeaderName, HeaderValue)> {
        lines
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    fn names(names: &[&str]) -> Vec<HeaderName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn of_a_request_goes_what_a_backend_may_take_for_the_header() {
        let mut headers: HeaderMap = pairs(&[
            ("x_auth_user", "admin"),
            ("x-auth_user", "admin"),
            ("x-auth-users", "others"),
            ("x_gone", "here"),
        ])
        .into_iter()
        .collect();
        let modifier = HeaderModifier {
            set: pairs(&[("x-auth-user", "ann")]),
            add: Vec::new(),
            remove: names(&["x-gone"]),
        };
        super::apply_to_request(&modifier, &mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["x-auth-user", "x-auth-users"]);
        assert_eq!(headers["x-auth-user"], "ann");
    }

    #[test]
    fn sets_then_adds_then_removes() {
        let mut headers: HeaderMap = pairs(&[
            ("x-set", "old"),
            ("x-set", "older"),
            ("x-add", "one"),
            ("x-gone", "here"),
            ("host", "a.example"),
        ])
        .into_iter()
        .collect();
        super::apply(
            &HeaderModifier {
                set: pairs(&[("x-set", "new"), ("x-new", "set")]),
                add: pairs(&[
                    ("x-add", "two"),
                    ("x-other", "added"),
                    ("host", "b.example"),
                ]),
                remove: names(&["X-Gone", "x-never"]),
            },
            &mut headers,
        );
        let mut got: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        got.sort_unstable();
        assert_eq!(
            got,
            [
                "host: b.example",
                "x-add: one",
                "x-add: two",
                "x-new: set",
                "x-other: added",
                "x-set: new"
            ]
        );
    }

    #[test]
    fn framing_and_connection_headers_are_not_a_modifiers_to_change() {
        for name in [
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "Keep-Alive",
            "TE",
            "Trailer",
            "Upgrade",
            "Proxy-Connection",
        ] {
            let name: HeaderName = name.parse().unwrap();
            let value = HeaderValue::from_static("1");
            for modifier in [
                HeaderModifier {
                    set: vec![(name.clone(), value.clone())],
                    ..HeaderModifier::default()
                },
                HeaderModifier {
                    add: vec![(name.clone(), value.clone())],
                    ..HeaderModifier::default()
                },
                HeaderModifier {
                    remove: vec![name.clone()],
                    ..HeaderModifier::default()
                },
            ] {
                assert!(super::refused(&modifier).unwrap().contains(name.as_str()));
            }
        }
        let host = HeaderModifier {
            remove: names(&["host"]),
            ..HeaderModifier::default()
        };
        assert!(super::refused(&host).is_some());
        let usual = HeaderModifier {
            set: pairs(&[("host", "a.example")]),
            add: pairs(&[("x-one", "1")]),
            remove: names(&["cookie"]),
        };
        assert_eq!(super::refused(&usual), None);
    }
}
