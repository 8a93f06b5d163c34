//! Preflights, other requests, and which origins may ask.

use daemun_model::filter::cors::{AllowList, Cors, OriginPattern, PortPattern};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{decorate, may_ask, preflight};
use crate::heads::{headers, lines};

fn cors(origins: Vec<OriginPattern>, allow_credentials: bool) -> Cors {
    Cors {
        allow_origins: origins,
        allow_credentials,
        allow_methods: AllowList::These(vec!["GET".to_owned(), "PUT".to_owned()]),
        allow_headers: AllowList::These(vec!["x-one".to_owned(), "x-two".to_owned()]),
        expose_headers: vec![
            HeaderName::from_static("x-read"),
            HeaderName::from_static("x-too"),
        ],
        expose_all: false,
        max_age: 5,
    }
}

fn exact(origin: &str) -> Vec<OriginPattern> {
    vec![OriginPattern::Exact(origin.to_owned())]
}

const ASKS: [(&str, &str); 3] = [
    ("origin", "https://a.example"),
    ("access-control-request-method", "PUT"),
    ("access-control-request-headers", "x-one, x-other"),
];

#[test]
fn only_options_with_origin_and_method_is_a_preflight() {
    let cors = cors(exact("https://a.example"), false);
    assert!(preflight(&cors, &Method::OPTIONS, &headers(&ASKS)).is_some());
    assert!(preflight(&cors, &Method::OPTIONS, &headers(&ASKS[..2])).is_some());
    assert!(preflight(&cors, &Method::GET, &headers(&ASKS)).is_none());
    assert!(preflight(&cors, &Method::OPTIONS, &headers(&ASKS[..1])).is_none());
    assert!(preflight(&cors, &Method::OPTIONS, &headers(&ASKS[1..])).is_none());
    assert!(preflight(&cors, &Method::OPTIONS, &HeaderMap::new()).is_none());
}

#[test]
fn a_preflight_is_told_all_of_the_filter() {
    let answer = preflight(
        &cors(exact("https://a.example"), true),
        &Method::OPTIONS,
        &headers(&ASKS),
    )
    .unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(
        lines(answer.headers()),
        [
            "access-control-allow-credentials: true",
            "access-control-allow-headers: x-one, x-two",
            "access-control-allow-methods: GET, PUT",
            "access-control-allow-origin: https://a.example",
            "access-control-expose-headers: x-read, x-too",
            "access-control-max-age: 5",
            "vary: Origin",
        ]
    );
}

#[test]
fn another_origin_is_told_nothing() {
    let cors = cors(exact("https://b.example"), true);
    let answer = preflight(&cors, &Method::OPTIONS, &headers(&ASKS)).unwrap();
    assert_eq!(
        (answer.status().as_u16(), lines(answer.headers())),
        (204, vec!["vary: Origin".to_owned()])
    );
    let mut response = headers(&[("access-control-allow-origin", "*"), ("x-read", "1")]);
    decorate(
        &cors,
        Some(&HeaderValue::from_static("https://a.example")),
        &mut response,
    );
    assert_eq!(lines(&response), ["vary: Origin", "x-read: 1"]);
}

#[test]
fn stars_are_echoed_with_credentials_and_stay_stars_without() {
    for (credentials, origin, methods, names, vary) in [
        (false, "*", "*", "*", false),
        (true, "https://a.example", "PUT", "x-one, x-other", true),
    ] {
        let cors = Cors {
            allow_methods: AllowList::All,
            allow_headers: AllowList::All,
            expose_all: true,
            ..cors(vec![OriginPattern::Any], credentials)
        };
        let answer = preflight(&cors, &Method::OPTIONS, &headers(&ASKS)).unwrap();
        let answer = answer.headers();
        assert_eq!(answer["access-control-allow-origin"], origin);
        assert_eq!(answer["access-control-allow-methods"], methods);
        assert_eq!(answer["access-control-allow-headers"], names);
        assert_eq!(
            answer.contains_key("access-control-allow-credentials"),
            credentials
        );
        assert_eq!(answer.contains_key("vary"), vary);

        let mut response = headers(&[("x-read", "1"), ("set-cookie", "a=b")]);
        decorate(
            &cors,
            Some(&HeaderValue::from_static(ASKS[0].1)),
            &mut response,
        );
        let exposed = if credentials { "x-read, vary" } else { "*" };
        assert_eq!(response["access-control-expose-headers"], exposed);
    }
}

#[test]
fn nothing_is_named_where_nothing_is_allowed_beyond_the_safelist() {
    let cors = Cors {
        allow_methods: AllowList::These(Vec::new()),
        allow_headers: AllowList::These(Vec::new()),
        expose_headers: Vec::new(),
        ..cors(vec![OriginPattern::Any], false)
    };
    let answer = preflight(&cors, &Method::OPTIONS, &headers(&ASKS)).unwrap();
    assert_eq!(
        lines(answer.headers()),
        [
            "access-control-allow-origin: *",
            "access-control-max-age: 5"
        ]
    );
}

#[test]
fn the_backends_own_words_are_replaced() {
    let mut response = headers(&[
        ("access-control-allow-origin", "https://evil.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "x-secret"),
        ("access-control-max-age", "600"),
        ("access-control-allow-methods", "DELETE"),
        ("access-control-allow-headers", "x-evil"),
        ("vary", "Accept, origin"),
    ]);
    let origin = HeaderValue::from_static("https://a.example");
    decorate(
        &cors(exact("https://a.example"), false),
        Some(&origin),
        &mut response,
    );
    assert_eq!(
        lines(&response),
        [
            "access-control-allow-origin: https://a.example",
            "access-control-expose-headers: x-read, x-too",
            "vary: Accept, origin",
        ]
    );
}

#[test]
fn a_request_without_origin_tells_caches_only() {
    let mut response = headers(&[("vary", "Accept")]);
    decorate(&cors(exact("https://a.example"), true), None, &mut response);
    assert_eq!(lines(&response), ["vary: Accept", "vary: Origin"]);
}

#[test]
fn origins_are_compared_whole() {
    let wildcard = |scheme: &str, suffix: &str, port| OriginPattern::Wildcard {
        scheme: scheme.to_owned(),
        suffix: suffix.to_owned(),
        port,
    };
    let plain = exact("https://a.example");
    let below = vec![wildcard("https", ".a.example", PortPattern::None)];
    let port = vec![wildcard("https", ".a.example", PortPattern::Exact(8443))];
    let ports = vec![wildcard("http", ".a.example", PortPattern::Any)];
    let all = vec![wildcard("https", "", PortPattern::None)];
    let any = vec![OriginPattern::Any];
    for (patterns, origin, may) in [
        (&plain, "https://a.example", true),
        (&plain, "https://A.Example", true),
        (&plain, "http://a.example", false),
        (&plain, "https://a.example:8443", false),
        (&plain, "https://a.example.evil", false),
        (&below, "https://x.a.example", true),
        (&below, "https://y.x.a.example", true),
        (&below, "https://a.example", false),
        (&below, "https://.a.example", false),
        (&below, "https://evila.example", false),
        (&below, "https://x.a.example:443", false),
        (&below, "http://x.a.example", false),
        (&below, "https://evil/.a.example", false),
        (&below, "https://u@x.a.example", false),
        (&port, "https://x.a.example:8443", true),
        (&port, "https://x.a.example", false),
        (&port, "https://x.a.example:84430", false),
        (&ports, "http://x.a.example", true),
        (&ports, "http://x.a.example:9000", true),
        (&ports, "http://x.a.example:9000x", false),
        (&all, "https://anything.example", true),
        (&all, "https://[::1]", true),
        (&all, "http://anything.example", false),
        (&all, "https://", false),
        (&all, "null", false),
        (&any, "null", true),
        (&any, "http://anything:1", true),
    ] {
        let origin = HeaderValue::from_static(origin);
        assert_eq!(
            may_ask(patterns, &origin),
            may,
            "{origin:?} and {patterns:?}"
        );
    }
}
