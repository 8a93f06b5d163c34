//! Messages as the protocol lays them out, written by hand here.

use http::StatusCode;

use super::super::protobuf::{Value, Writer, fields};
use super::super::{Change, Decision, How};
use super::{Question, decode};
use crate::heads::headers;

/// The fields under a path of field numbers, in order, as text.
fn texts(message: &[u8], path: &[u32]) -> Vec<String> {
    let (first, rest) = path.split_first().unwrap();
    let mut found = Vec::new();
    for field in fields(message) {
        match field.unwrap() {
            (number, Value::Bytes(bytes)) if number == *first => {
                if rest.is_empty() {
                    found.push(String::from_utf8_lossy(bytes).into_owned());
                } else {
                    found.extend(texts(bytes, rest));
                }
            }
            (number, Value::Number(value)) if number == *first && rest.is_empty() => {
                found.push(value.to_string());
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_question_says_who_asks_for_what() {
    let sent = headers(&[
        ("host", "example.org"),
        ("x-a", "1"),
        ("x-a", "2"),
        ("cookie", "c=1"),
    ]);
    let mut question = Question {
        id: "id-1",
        method: "POST",
        path: "/p?q",
        host: "example.org",
        scheme: "https",
        protocol: "HTTP/2",
        headers: &sent,
        allowed: &[],
        body: Some(b"body"),
        size: None,
        source: "192.0.2.7:4711".parse().unwrap(),
        time: 1_800_000_000,
        sni: Some("example.org"),
    };
    let message = question.encode();
    let http = |field| texts(&message, &[1, 4, 2, field]).join(" ");
    assert_eq!(
        [
            http(1),
            http(2),
            http(4),
            http(5),
            http(6),
            http(10),
            http(11),
            http(12)
        ],
        [
            "id-1",
            "POST",
            "/p?q",
            "example.org",
            "https",
            "HTTP/2",
            "body",
            ""
        ]
    );
    assert_eq!(http(9), u64::MAX.to_string());
    assert_eq!(texts(&message, &[1, 1, 1, 1, 2]), ["192.0.2.7"]);
    assert_eq!(texts(&message, &[1, 1, 1, 1, 3]), ["4711"]);
    assert_eq!(texts(&message, &[1, 4, 1, 1]), ["1800000000"]);
    assert_eq!(texts(&message, &[1, 12, 1]), ["example.org"]);
    let keys = texts(&message, &[1, 4, 2, 3, 1]);
    assert_eq!(
        keys,
        [
            ":authority",
            ":method",
            ":path",
            ":scheme",
            "host",
            "x-a",
            "cookie"
        ]
    );
    assert!(texts(&message, &[1, 4, 2, 3, 2]).contains(&"1,2".to_owned()));
    let allowed = ["x-a".parse().unwrap()];
    question.allowed = &allowed;
    question.body = Some(b"\xff");
    let message = question.encode();
    assert_eq!(texts(&message, &[1, 4, 2, 3, 1]), ["x-a"]);
    assert_eq!(texts(&message, &[1, 4, 2, 11]), Vec::<String>::new());
    assert_eq!(texts(&message, &[1, 4, 2, 12]).len(), 1);
}

fn option(writer: &mut Writer, (name, value): (&str, &str), more: impl FnOnce(&mut Writer)) {
    writer.message(2, |option| {
        option.message(1, |header| {
            header.bytes(1, name);
            header.bytes(2, value);
        });
        more(option);
    });
}

#[test]
fn a_yes_changes_headers_and_query() {
    let mut answer = Writer::default();
    answer.message(1, |_| {});
    answer.message(3, |ok| {
        option(ok, ("x-set", "1"), |_| {});
        option(ok, ("x-append", "1"), |option| {
            option.message(2, |append| append.number(1, 1));
        });
        option(ok, ("x-absent", "1"), |option| option.number(3, 1));
        option(ok, ("x-present", "1"), |option| option.number(3, 3));
        option(ok, ("x-empty", ""), |_| {});
        ok.bytes(5, "authorization");
        ok.bytes(5, "host");
        ok.bytes(5, ":path");
        ok.message(6, |option| {
            option.message(1, |header| {
                header.bytes(1, "x-answer");
                header.bytes(3, "raw");
            });
        });
        ok.message(7, |parameter| {
            parameter.bytes(1, "q");
            parameter.bytes(2, "v");
        });
        ok.bytes(8, "gone");
    });
    let Ok(Decision::Passes(passage)) = decode(&answer.into_bytes()) else {
        panic!("it passes")
    };
    let shown = |changes: &[Change]| {
        changes
            .iter()
            .map(|it| format!("{} {:?}", it.name, it.how))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        shown(&passage.request),
        [
            "x-set Set",
            "x-append Append",
            "x-absent SetIfAbsent",
            "x-present SetIfPresent"
        ]
    );
    assert_eq!(passage.response[0].value, "raw");
    assert_eq!(passage.response[0].how, How::Set);
    assert_eq!(passage.remove, ["authorization"]);
    assert_eq!(passage.set_query, [("q".to_owned(), "v".to_owned())]);
    assert_eq!(passage.remove_query, ["gone"]);
    assert_eq!(decode(&[]), Ok(Decision::Passes(Default::default())));
}

#[test]
fn a_no_has_a_status_headers_and_a_body() {
    for (code, expected) in [
        (0, 403),
        (401, 401),
        (302, 302),
        (99, 403),
        (100, 403),
        (70_000, 403),
    ] {
        let mut answer = Writer::default();
        answer.message(1, |status| status.number(1, 7));
        answer.message(2, |denied| {
            denied.message(1, |status| status.number(1, code));
            option(denied, ("www-authenticate", "Basic"), |_| {});
            denied.bytes(3, "go away");
        });
        let Ok(Decision::Denied(denial)) = decode(&answer.into_bytes()) else {
            panic!("it is denied")
        };
        assert_eq!(denial.status.as_u16(), expected);
        assert_eq!(
            (denial.headers.len(), &denial.body[..]),
            (1, &b"go away"[..])
        );
    }
    // A status that is not OK denies, whatever else is said.
    let mut answer = Writer::default();
    answer.message(1, |status| status.number(1, 16));
    answer.message(3, |_| {});
    let Ok(Decision::Denied(denial)) = decode(&answer.into_bytes()) else {
        panic!("it is denied")
    };
    assert_eq!(denial.status, StatusCode::FORBIDDEN);
}

#[test]
fn what_cannot_be_read_decides_nothing() {
    assert!(decode(b"no message").is_err());
    for name in ["content-length", "a b", "", "transfer-encoding"] {
        let mut answer = Writer::default();
        answer.message(3, |ok| option(ok, (name, "1"), |_| {}));
        let unread = decode(&answer.into_bytes()).unwrap_err();
        assert!(unread.contains(name), "{unread}");
    }
}

#[test]
fn any_bytes_are_read_without_panic() {
    let mut random = crate::balance::Random::fixed(7);
    for length in 0..64 {
        for _ in 0..200 {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    let byte = random.next_u64().to_le_bytes()[0];
                    // Mostly small numbers, so that many of them are fields.
                    if byte < 200 { byte % 27 } else { byte }
                })
                .collect();
            let _ = decode(&bytes);
        }
    }
}
