//! What goes, what stays, and what is written.

use http::HeaderValue;

use super::{
    Hop, Standing, clean_request, clean_response, is_well_formed, new_id, request_id, tell,
};
use crate::balance::Random;
use crate::heads::{headers, lines};

#[test]
fn what_belongs_to_one_connection_goes() {
    let mut request = headers(&[
        ("host", "a.example"),
        ("connection", "keep-alive, X-Mine, upgrade"),
        (
            "connection",
            "x-also , Host, content-length, x-forwarded-for",
        ),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "Basic eDp5"),
        ("te", "gzip;q=0.5, trailers"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("expect", "100-continue"),
        ("content-length", "3"),
        ("x-mine", "1"),
        ("x-also", "1"),
        ("x-other", "1"),
        ("authorization", "Bearer x"),
        ("trailer", "x-sum"),
        ("traceparent", "00-1-2-01"),
        ("x-forwarded-for", "1.1.1.1"),
    ]);
    clean_request(&mut request, true);
    assert_eq!(
        lines(&request),
        [
            "authorization: Bearer x",
            "content-length: 3",
            "host: a.example",
            "te: trailers",
            "traceparent: 00-1-2-01",
            "trailer: x-sum",
            "x-forwarded-for: 1.1.1.1",
            "x-other: 1",
        ]
    );

    let mut response = headers(&[
        ("connection", "close, x-mine"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("proxy-authenticate", "Basic"),
        ("x-mine", "1"),
        ("set-cookie", "a=b"),
        ("x-forwarded-for", "kept"),
    ]);
    clean_response(&mut response);
    assert_eq!(
        lines(&response),
        ["set-cookie: a=b", "x-forwarded-for: kept"]
    );
}

#[test]
fn te_without_trailers_goes() {
    let mut request = headers(&[("te", "gzip")]);
    clean_request(&mut request, false);
    assert!(request.is_empty());
}

#[test]
fn cookies_become_one_line() {
    let mut request = headers(&[("cookie", "a=1"), ("cookie", "b=2; c=3")]);
    clean_request(&mut request, false);
    assert_eq!(lines(&request), ["cookie: a=1; b=2; c=3"]);
}

#[test]
fn claims_of_strangers_go() {
    let claims = [
        ("forwarded", "for=1.1.1.1"),
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-for", "2.2.2.2"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/admin"),
        ("x-real-ip", "1.1.1.1"),
        ("x-other", "1"),
    ];
    let mut request = headers(&claims);
    clean_request(&mut request, false);
    assert_eq!(lines(&request), ["x-other: 1"]);
    let mut request = headers(&claims);
    clean_request(&mut request, true);
    assert_eq!(request.len(), claims.len());
}

fn told(before: &[(&'static str, &'static str)], hop: &Hop<'_>) -> Vec<String> {
    let mut headers = headers(before);
    tell(&mut headers, hop);
    lines(&headers)
}

#[test]
fn backends_are_told_where_a_request_comes_from() {
    let host = HeaderValue::from_static("a.example:8443");
    let peer = "9.9.9.9".parse().unwrap();
    let hop = Hop {
        peer,
        standing: &Standing::new(peer, 8443),
        https: true,
        client_https: true,
        host: &host,
        trusted: false,
        forwarded: false,
    };
    assert_eq!(
        told(&[], &hop),
        [
            "x-forwarded-for: 9.9.9.9",
            "x-forwarded-host: a.example:8443",
            "x-forwarded-port: 8443",
            "x-forwarded-proto: https",
        ]
    );
    let hop = Hop {
        trusted: true,
        forwarded: true,
        https: false,
        client_https: false,
        standing: &Standing::new(peer, 8081),
        ..hop
    };
    assert_eq!(
        told(
            &[
                ("x-forwarded-for", "1.1.1.1"),
                ("x-forwarded-for", "2.2.2.2, 3.3.3.3"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "b.example"),
                ("forwarded", "for=1.1.1.1"),
            ],
            &hop
        ),
        [
            "forwarded: for=1.1.1.1, for=9.9.9.9;host=\"a.example:8443\";proto=http",
            "x-forwarded-for: 1.1.1.1, 2.2.2.2, 3.3.3.3, 9.9.9.9",
            "x-forwarded-host: b.example",
            "x-forwarded-port: 8081",
            "x-forwarded-proto: https",
        ]
    );
    let peer = "2001:db8::1".parse().unwrap();
    let hop = Hop {
        peer,
        standing: &Standing::new(peer, 80),
        trusted: false,
        ..hop
    };
    let told = told(&[], &hop);
    assert_eq!(
        told[0],
        "forwarded: for=\"[2001:db8::1]\";host=\"a.example:8443\";proto=http"
    );
    assert_eq!(told[1], "x-forwarded-for: 2001:db8::1");
}

#[test]
fn what_is_said_in_one_header_is_said_in_the_other() {
    let host = HeaderValue::from_static("a.example");
    let peer = "10.0.0.9".parse().unwrap();
    let hop = Hop {
        peer,
        standing: &Standing::new(peer, 80),
        https: false,
        client_https: true,
        host: &host,
        trusted: true,
        forwarded: true,
    };
    let own = "for=10.0.0.9;host=\"a.example\";proto=http";
    for (name, value, list, forwarded) in [
        (
            "x-forwarded-for",
            "1.1.1.1, 2001:db8::1, nobody",
            "1.1.1.1, 2001:db8::1, nobody, 10.0.0.9",
            "for=1.1.1.1, for=\"[2001:db8::1]\", for=unknown, ",
        ),
        (
            "forwarded",
            "for=1.1.1.1;proto=https, for=\"[2001:db8::1]:80\", for=_hidden",
            "1.1.1.1, 2001:db8::1, unknown, 10.0.0.9",
            "for=1.1.1.1;proto=https, for=\"[2001:db8::1]:80\", for=_hidden, ",
        ),
        ("x-other", "1", "10.0.0.9", ""),
    ] {
        let told = told(&[(name, value)], &hop);
        let has = |line: &str| told.iter().any(|it| it == line);
        assert!(has(&format!("x-forwarded-for: {list}")), "{told:?}");
        assert!(has(&format!("forwarded: {forwarded}{own}")), "{told:?}");
        assert!(has("x-forwarded-proto: https"), "{told:?}");
    }
    let silent = Hop {
        forwarded: false,
        ..hop
    };
    let told = told(&[("x-forwarded-for", "1.1.1.1")], &silent);
    assert!(!told.iter().any(|line| line.starts_with("forwarded")));
}

#[test]
fn ids_are_made_unless_a_trusted_proxy_gave_a_good_one() {
    let mut random = Random::fixed(1);
    for (sent, trusted, kept) in [
        ("01234567-89ab-cdef", true, true),
        ("01234567-89ab-cdef", false, false),
        ("short", true, false),
        ("with space 1234", true, false),
        ("with\"quote1234", true, false),
        ("", true, false),
    ] {
        let mut request = headers(&[("x-request-id", sent)]);
        let id = request_id(&mut request, trusted, &mut random);
        assert_eq!(id == sent, kept, "{sent}");
        assert_eq!(
            request.get_all("x-request-id").iter().collect::<Vec<_>>(),
            [&id]
        );
    }
    let mut twice = headers(&[
        ("x-request-id", "first-of-two"),
        ("x-request-id", "second-of-two"),
    ]);
    assert_eq!(request_id(&mut twice, true, &mut random), "first-of-two");
    assert_eq!(twice.len(), 1);
}

#[test]
fn new_ids_are_well_formed_and_differ() {
    let mut random = Random::seeded();
    let (one, two) = (new_id(&mut random), new_id(&mut random));
    assert_ne!(one, two);
    assert!(is_well_formed(&one) && one.len() == 32);
    assert!(one.as_bytes().iter().all(u8::is_ascii_hexdigit));
}
