//! Heads of questions over HTTP, and what is taken of answers.

use daemun_model::filter::external_auth::HttpAuth;
use http::request::Parts;
use http::{HeaderName, Request};

use super::{Change, How, Passage, change, head, take_headers};
use crate::heads::{headers, lines};

fn asked(target: &str, lines: &[(&'static str, &'static str)]) -> Parts {
    let (mut parts, ()) = Request::get(target).body(()).unwrap().into_parts();
    parts.headers = headers(lines);
    parts
}

fn names(names: &[&str]) -> Vec<HeaderName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn a_service_is_told_method_path_host_authorization_and_what_is_allowed() {
    let client = asked(
        "/a/b?c=d",
        &[
            ("host", "example.org"),
            ("authorization", "Bearer x"),
            ("cookie", "a=1"),
            ("x-other", "no"),
            ("connection", "upgrade"),
        ],
    );
    let settings = HttpAuth {
        path: "/check".to_owned(),
        headers: names(&["cookie", "connection", "authorization"]),
        answer_headers: Vec::new(),
    };
    let head = head(&settings, &client).unwrap();
    assert_eq!(head.uri, "/check/a/b?c=d");
    assert_eq!(
        lines(&head.headers),
        [
            "authorization: Bearer x",
            "cookie: a=1",
            "host: example.org"
        ]
    );
    assert_eq!(
        super::head(&HttpAuth::default(), &client).unwrap().uri,
        "/a/b?c=d"
    );
}

#[test]
fn what_an_answer_says_replaces_what_the_client_said() {
    let answer = headers(&[
        ("x-user", "ann"),
        ("x-role", "a"),
        ("x-role", "b"),
        ("host", "evil"),
        ("content-type", "text/plain"),
        ("content-length", "3"),
        ("content-security-policy", "all"),
        ("date", "today"),
    ]);
    let client = [
        ("x-user", "root"),
        ("x_user", "root"),
        ("x-team", "t"),
        ("host", "example.org"),
    ];
    let mut all = headers(&client);
    take_headers(&HttpAuth::default(), &answer, &mut all);
    assert_eq!(
        lines(&all),
        [
            "content-security-policy: all",
            "host: example.org",
            "x-role: a",
            "x-role: b",
            "x-team: t",
            "x-user: ann"
        ]
    );
    // What is listed and not said is nobody's: the client cannot say it either.
    let listed = HttpAuth {
        answer_headers: names(&["x-user", "x-team", "host", "content-length"]),
        ..HttpAuth::default()
    };
    let mut some = headers(&client);
    take_headers(&listed, &answer, &mut some);
    assert_eq!(lines(&some), ["host: example.org", "x-user: ann"]);
}

#[test]
fn headers_change_in_four_ways() {
    let of = |name: &str, value: &str, how| Change {
        name: name.parse().unwrap(),
        value: value.parse().unwrap(),
        how,
    };
    let mut there = headers(&[("x-a", "1"), ("x-b", "1"), ("x-c", "1"), ("host", "one")]);
    change(
        vec![
            of("x-a", "2", How::Append),
            of("x-b", "2", How::Set),
            of("x-c", "2", How::SetIfAbsent),
            of("x-d", "2", How::SetIfAbsent),
            of("x-e", "2", How::SetIfPresent),
            of("host", "two", How::Append),
        ],
        &mut there,
    );
    assert_eq!(
        lines(&there),
        [
            "host: two",
            "x-a: 1",
            "x-a: 2",
            "x-b: 2",
            "x-c: 1",
            "x-d: 2"
        ]
    );
}

#[test]
fn query_parameters_are_set_and_removed_and_the_others_stay_as_written() {
    for (target, set, remove, expected) in [
        ("/a", vec![("x", "1 &")], vec![], "/a?x=1%20%26"),
        (
            "/a?x=1&y=%41&x=2&z",
            vec![("x", "3")],
            vec!["z"],
            "/a?y=%41&x=3",
        ),
        ("/a?x=1", vec![], vec!["x"], "/a"),
        ("/a?%78=1&b", vec![], vec!["x"], "/a?b"),
    ] {
        let mut parts = asked(target, &[]);
        let passage = Passage {
            set_query: set
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect(),
            remove_query: remove.iter().map(|name| (*name).to_owned()).collect(),
            ..Passage::default()
        };
        passage.apply(&mut parts);
        assert_eq!(parts.uri, expected, "{target}");
    }
}
