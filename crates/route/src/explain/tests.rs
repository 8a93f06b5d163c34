//! What is told about requests, as a person would see it.

use crate::explain::{NEAR, describe};
use crate::tests::{ask, grpc_route, route, table};
use crate::{Asked, Table};

/// One candidate a line: the rule, its match, and what it lacks.
fn told(table: &Table<String>, request: &str) -> Vec<String> {
    let lines = |asked: &Asked<'_>| {
        let line = |candidate: crate::Candidate<'_, String>| {
            let reasons: Vec<_> = candidate.reasons.iter().map(ToString::to_string).collect();
            format!(
                "{} {}: {}",
                candidate.target,
                describe(candidate.wanted),
                reasons.join("; ")
            )
        };
        table.explain(asked).into_iter().map(line).collect()
    };
    ask(request, lines)
}

#[test]
fn the_winner_comes_first_and_the_others_say_what_they_lack() {
    let rules = &[
        "^/api/orders",
        "^/api",
        "^/api/orders @x-beta=2",
        "POST ^/api/orders ?q~=[0-9]+",
        "=/api/orders",
        "~(",
        "^/../x",
    ];
    let table = table(
        &[
            ("shop.com", route("n/r", 0, rules)),
            ("", route("n/any", 0, &["^/"])),
            ("x.org", route("n/x", 0, &[""])),
        ],
        None,
    );
    assert_eq!(
        told(&table, "GET http://shop.com/api/orders/7 @x-beta=1"),
        [
            "n/r#0 PathPrefix /api/orders: ",
            "n/r#1 PathPrefix /api: shorter than /api/orders",
            "n/any#0 PathPrefix /: its hostname is less specific than shop.com, where a rule takes the request",
            "n/r#2 PathPrefix /api/orders, header x-beta = 2: header x-beta = 2 is wanted, and the request has 1",
            "n/r#3 PathPrefix /api/orders, method POST, query parameter q matching [0-9]+: another method is \
             wanted; query parameter q matching [0-9]+ is wanted, and the request has none",
            "n/r#4 Exact /api/orders: the path is another one",
            "n/r#5 RegularExpression (: the regular expression does not compile",
            "n/r#6 PathPrefix /../x: no request has this path: the path leads above the root with \"..\"",
            "n/x#0 PathPrefix /: it is for the hostname x.org",
        ]
    );
}

#[test]
fn calls_are_told_in_the_words_of_grpc() {
    let rules = &["$a.B/Get", "$a.B/*", "$*/Get", "", "$~c.*/*", "$~(/*"];
    let table = table(
        &[
            ("h", grpc_route("n/g", 0, rules)),
            ("h", route("n/web", 0, &["^/"])),
        ],
        None,
    );
    assert_eq!(
        told(
            &table,
            "POST http://h/a.B/Get @content-type=application/grpc"
        ),
        [
            "n/g#0 service a.B, method Get: ",
            "n/g#1 service a.B: what says more of service and method comes first: service a.B, method Get",
            "n/g#2 method Get: what says more of service and method comes first: service a.B, method Get",
            "n/g#3 PathPrefix /: what says more of service and method comes first: service a.B, method Get",
            "n/web#0 PathPrefix /: rules of GRPCRoutes are asked first about gRPC calls, and those of HTTPRoutes \
             about all else",
            "n/g#4 service matching c.*: the path is another one",
            "n/g#5 service matching (: the regular expression does not compile",
        ]
    );
}

#[test]
fn a_request_that_no_rule_takes_still_has_near_misses() {
    let table = table(
        &[("*.shop.com", route("n/r", 0, &["=/aa", "=/ab/c", "~/z+"]))],
        None,
    );
    assert_eq!(
        told(&table, "GET http://a.shop.com/ab"),
        [
            "n/r#1 Exact /ab/c: the path is another one",
            "n/r#0 Exact /aa: the path is another one",
            "n/r#2 RegularExpression /z+: the path is another one",
        ]
    );
    assert_eq!(
        told(&table, "GET http://shop.com/aa"),
        [
            "n/r#0 Exact /aa: it is for the hostname *.shop.com",
            "n/r#2 RegularExpression /z+: it is for the hostname *.shop.com; the path is another one",
            "n/r#1 Exact /ab/c: it is for the hostname *.shop.com; the path is another one",
        ]
    );
    assert!(told(&Table::default(), "GET http://a/").is_empty());
}

#[test]
fn each_criterion_has_its_words() {
    for (winner, loser, words) in [
        (
            "=/a",
            "^/a",
            "exact paths come before regular expressions, and these before prefixes: /a comes first",
        ),
        ("^/a", "^/", "shorter than /a"),
        ("GET ^/a", "^/a @x=1", "the winner names a method"),
        ("^/a @x=1", "^/a ?q=1", "the winner asks for more headers"),
        (
            "^/a ?q=1",
            "^/a",
            "the winner asks for more query parameters",
        ),
        (
            "^/a",
            "^/a",
            "the winner is an earlier rule of the same Route",
        ),
        (
            "^/a | ^/a",
            "=/b",
            "the winner is an earlier match of the same rule",
        ),
    ] {
        let table = table(&[("", route("n/r", 0, &[winner, loser]))], None);
        let told = told(&table, "GET http://h/a?q=1 @x=1");
        assert!(told[1].ends_with(words), "{told:?}");
    }
    let other = |name, created| {
        table(
            &[
                ("", route("n/r", 1, &[""])),
                ("", route(name, created, &[""])),
            ],
            None,
        )
    };
    for (name, created, words) in [
        ("n/a", 2, "the winner's Route is older"),
        (
            "n/s",
            1,
            "of Routes of the same age the first in the alphabet wins",
        ),
    ] {
        assert!(told(&other(name, created), "GET http://h/")[1].ends_with(words));
    }
}

#[test]
fn of_many_only_the_nearest_are_told() {
    let written: Vec<String> = (0..200).map(|at| format!("^/svc-{at:03}")).collect();
    let rules: Vec<&str> = written.iter().map(String::as_str).collect();
    let table = table(&[("", route("n/r", 0, &rules))], None);
    let lines = told(&table, "GET http://h/svc-150/x");
    assert_eq!(lines.len(), NEAR + 1);
    assert!(lines[0].starts_with("n/r#150 "), "{lines:?}");
    assert!(
        lines[1..]
            .iter()
            .all(|line| line.contains("PathPrefix /svc-15")),
        "{lines:?}"
    );
    assert_eq!(told(&table, "GET http://h/svc-1").len(), NEAR);
}
