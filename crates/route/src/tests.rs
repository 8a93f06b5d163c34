//! Precedence and matching, a line a case; the table against the oracle.

use std::sync::Arc;

use daemun_model::hostname::HostPattern;
use daemun_model::matching::{
    CallMatch, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};
use daemun_model::names::{Created, ObjectName, RouteKey, RouteKind};
use daemun_model::policy::timeouts::Timeouts;
use daemun_model::route::{HttpRoute, Rule};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;

use crate::oracle::case::Case;
use crate::{Asked, Input, Table};

/// A match as tests write it: `GET =/exact ?name=value @header=value`, with `^` before the path for a
/// prefix, `~` for an expression, and `~=` in place of `=` for an expression of a value. A gRPC method is
/// `$service/method`, with `*` for any and `~` before an expression.
pub(crate) fn wanted(written: &str) -> RequestMatch {
    let mut wanted = RequestMatch::everything();
    let value = |text: &str| match text.split_once("~=") {
        Some((name, value)) => (name.to_owned(), ValueMatch::Regex(value.to_owned())),
        None => {
            let (name, value) = text.split_once('=').unwrap();
            (name.to_owned(), ValueMatch::Exact(value.to_owned()))
        }
    };
    for part in written.split(' ').filter(|part| !part.is_empty()) {
        match part.split_at(1) {
            ("=", path) => wanted.path = PathMatch::Exact(path.to_owned()),
            ("^", path) => wanted.path = PathMatch::Prefix(path.to_owned()),
            ("~", path) => wanted.path = PathMatch::Regex(path.to_owned()),
            ("$", call) => wanted.path = call_of(call),
            ("@", header) => {
                let (name, value) = value(header);
                wanted.headers.push(HeaderMatch {
                    name: name.parse::<HeaderName>().unwrap(),
                    value,
                });
            }
            ("?", query) => {
                let (name, value) = value(query);
                wanted.query.push(QueryMatch { name, value });
            }
            _ => wanted.method = Some(part.parse().unwrap()),
        }
    }
    wanted
}

fn call_of(written: &str) -> PathMatch {
    let value = |text: &str| match text.strip_prefix('~') {
        Some(expression) => Some(ValueMatch::Regex(expression.to_owned())),
        None if text == "*" => None,
        None => Some(ValueMatch::Exact(text.to_owned())),
    };
    let (service, method) = written.split_once('/').unwrap();
    PathMatch::Call(CallMatch {
        service: value(service),
        method: value(method),
    })
}

/// An HTTPRoute of one rule per entry, matches of a rule separated by ` | `.
pub(crate) fn route(name: &str, created: i64, rules: &[&str]) -> Arc<HttpRoute> {
    of_kind(RouteKind::Http, name, created, rules)
}

/// The same, of a GRPCRoute.
pub(crate) fn grpc_route(name: &str, created: i64, rules: &[&str]) -> Arc<HttpRoute> {
    of_kind(RouteKind::Grpc, name, created, rules)
}

fn of_kind(kind: RouteKind, name: &str, created: i64, rules: &[&str]) -> Arc<HttpRoute> {
    let rule = |(index, matches): (usize, &&str)| Rule {
        index,
        name: None,
        matches: matches.split(" | ").map(wanted).collect(),
        filters: Vec::new(),
        backends: Vec::new(),
        timeouts: Timeouts::default(),
        retry: None,
        session: None,
    };
    let (namespace, name) = name.split_once('/').unwrap();
    Arc::new(HttpRoute {
        key: RouteKey {
            kind,
            name: ObjectName::new(namespace, name),
        },
        created: Created(created),
        attachments: Vec::new(),
        rules: rules.iter().enumerate().map(rule).collect(),
    })
}

/// A table whose targets are `namespace/name#rule`.
pub(crate) fn table(
    routes: &[(&str, Arc<HttpRoute>)],
    previous: Option<&Table<String>>,
) -> Table<String> {
    let routes: Vec<_> = routes
        .iter()
        .map(|(host, route)| (HostPattern::parse(host).unwrap(), route))
        .collect();
    let inputs = routes.iter().flat_map(|(hostname, route)| {
        route.rules.iter().map(move |rule| Input {
            hostname,
            route,
            rule,
            target: format!("{}#{}", route.key.name, rule.index),
        })
    });
    Table::build(inputs, previous)
}

/// A request as tests write it: `GET http://host/path?query @header=value`.
pub(crate) fn ask<R>(written: &str, see: impl FnOnce(&Asked<'_>) -> R) -> R {
    let mut parts = written.split(' ');
    let method: Method = parts.next().unwrap().parse().unwrap();
    let url = parts.next().unwrap().strip_prefix("http://").unwrap();
    let (host, rest) = url.split_at(url.find('/').unwrap());
    let (path, query) = rest
        .split_once('?')
        .map_or((rest, None), |(path, query)| (path, Some(query)));
    let mut headers = HeaderMap::new();
    for part in parts {
        let (name, value) = part.strip_prefix('@').unwrap().split_once('=').unwrap();
        headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    see(&Asked {
        host,
        method: &method,
        path,
        query,
        headers: &headers,
    })
}

/// The rule that takes a request, with the place of the match in it, and the matched prefix.
fn found(table: &Table<String>, request: &str) -> String {
    ask(request, |asked| match table.find(asked) {
        Some(found) => {
            let prefix = found
                .matched
                .prefix
                .map(|prefix| format!(" {prefix}"))
                .unwrap_or_default();
            format!("{}.{}{prefix}", found.target, found.matched.index)
        }
        None => "-".to_owned(),
    })
}

#[test]
fn a_match_takes_what_it_says() {
    for (wanted, request, takes) in [
        ("", "GET http://h/", true),
        ("", "GET http://h/a/b", true),
        ("=/a", "GET http://h/a", true),
        ("=/a", "GET http://h/a/", false),
        ("=/a", "GET http://h/A", false),
        ("=/a/", "GET http://h/a/", true),
        ("=/%61", "GET http://h/a", true),
        ("^/v2", "GET http://h/v2", true),
        ("^/v2", "GET http://h/v2/", true),
        ("^/v2", "GET http://h/v2/x", true),
        ("^/v2", "GET http://h/v2x", false),
        ("^/v2", "GET http://h/V2", false),
        ("^/v2/", "GET http://h/v2", true),
        ("^/v2/", "GET http://h/v2/x", true),
        ("^/v2/", "GET http://h/v2x", false),
        ("^/a", "GET http://h//a", false),
        ("^//a", "GET http://h//a/b", true),
        ("^//", "GET http://h/", false),
        ("^//", "GET http://h/a", false),
        ("^//", "GET http://h//", true),
        ("^/a/b", "GET http://h/a//b", false),
        ("^/a/./b", "GET http://h/a/b", true),
        ("^/caf%c3%a9", "GET http://h/caf%C3%A9/x", true),
        ("^/a%2fb", "GET http://h/a%2Fb", true),
        ("^/a", "GET http://h/a%2Fb", false),
        ("^/../a", "GET http://h/a", false),
        ("~/v[0-9]+", "GET http://h/v2", true),
        ("~/v[0-9]+", "GET http://h/v2/x", false),
        ("~/v[0-9]+", "GET http://h/a/v2", false),
        ("~(", "GET http://h/(", false),
        ("GET", "GET http://h/", true),
        ("GET", "HEAD http://h/", false),
        ("PURGE", "PURGE http://h/", true),
        ("@x-a=1", "GET http://h/ @X-A=1", true),
        ("@x-a=1", "GET http://h/ @x-a=2", false),
        ("@x-a=1", "GET http://h/", false),
        ("@x-a=1", "GET http://h/ @x-a=1 @x-a=2", false),
        ("@x-a=1,2", "GET http://h/ @x-a=1 @x-a=2", true),
        ("@x-a=1 @x-b=2", "GET http://h/ @x-a=1", false),
        ("@x-a=1 @x-b=2", "GET http://h/ @x-a=1 @x-b=2", true),
        ("@x-a~=v[0-9]", "GET http://h/ @x-a=v1", true),
        ("@x-a~=v[0-9]", "GET http://h/ @x-a=v12", false),
        ("@x-a~=(", "GET http://h/ @x-a=(", false),
        ("@x-b=2 @x-a~=v[0-9]", "GET http://h/ @x-a=v1 @x-b=2", true),
        ("@x-b=2 @x-a~=v[0-9]", "GET http://h/ @x-a=v @x-b=2", false),
        ("@x-b~=. @x-a~=.", "GET http://h/ @x-a=1 @x-b=12", false),
        ("?a=1", "GET http://h/?a=1", true),
        ("?a=1", "GET http://h/?A=1", false),
        ("?a=1", "GET http://h/", false),
        ("?a=1", "GET http://h/?a=2&a=1", false),
        ("?a=1", "GET http://h/?a=1&a=2", true),
        ("?a=1", "GET http://h/?b=2&%61=%31", true),
        ("?a=1 ?b=2", "GET http://h/?b=2&a=1", true),
        ("?a=1 ?b=2", "GET http://h/?b=2", false),
        ("?a~=[0-9]+", "GET http://h/?a=12", true),
        ("?a~=[0-9]+", "GET http://h/?a=12x", false),
        ("=/a | =/b", "GET http://h/b", true),
        ("GET =/a ?q=1 @x-a=1", "GET http://h/a?q=1 @x-a=1", true),
        ("GET =/a ?q=1 @x-a=1", "POST http://h/a?q=1 @x-a=1", false),
    ] {
        let table = table(&[("", route("n/r", 0, &[wanted]))], None);
        assert_eq!(found(&table, request) != "-", takes, "{wanted} {request}");
    }
}

#[test]
fn precedence_is_the_gateway_apis() {
    // The first of the two wins against the second, in either order of the rules.
    for (first, second, request) in [
        ("=/a", "~/.", "GET http://h/a"),
        ("=/a", "^/a", "GET http://h/a"),
        ("=/a", "GET ^/a @x-a=1 ?q=1", "GET http://h/a?q=1 @x-a=1"),
        ("~/.", "^/a", "GET http://h/a"),
        ("~/.", "GET ^/a @x-a=1", "GET http://h/a @x-a=1"),
        ("~/a.*", "~/.*", "GET http://h/a"),
        ("~/a.*", "~/.* @x-a=1", "GET http://h/a @x-a=1"),
        ("~/.b @x-a=1", "~/a.", "GET http://h/ab @x-a=1"),
        ("^/a/b", "^/a", "GET http://h/a/b/c"),
        ("^/a/b", "GET ^/a @x-a=1", "GET http://h/a/b/c @x-a=1"),
        ("^/a", "^/", "GET http://h/a"),
        ("GET", "", "GET http://h/"),
        ("GET", "@x-a=1 @x-b=1", "GET http://h/ @x-a=1 @x-b=1"),
        ("@x-a=1 @x-b=1", "@x-a=1", "GET http://h/ @x-a=1 @x-b=1"),
        ("@x-a=1", "?q=1 ?r=1", "GET http://h/?q=1&r=1 @x-a=1"),
        ("?q=1 ?r=1", "?q=1", "GET http://h/?q=1&r=1"),
        ("?q=1", "", "GET http://h/?q=1"),
    ] {
        let table = |rules: &[&str]| table(&[("", route("n/r", 0, rules))], None);
        assert!(
            found(&table(&[first, second]), request).starts_with("n/r#0."),
            "{first} before {second}"
        );
        assert!(
            found(&table(&[second, first]), request).starts_with("n/r#1."),
            "{first} before {second}"
        );
    }
}

#[test]
fn precedence_of_grpc_methods_is_the_gateway_apis() {
    // The first of the two wins against the second, in either order of the rules.
    for (first, second, request) in [
        ("$a.B/Get", "$a.B/*", "POST http://h/a.B/Get"),
        (
            "$a.B/Get",
            "$a.B/* @x-a=1 @x-b=1",
            "POST http://h/a.B/Get @x-a=1 @x-b=1",
        ),
        ("$a.B/Get", "$*/Get", "POST http://h/a.B/Get"),
        ("$a.B/Get", "", "POST http://h/a.B/Get"),
        ("$a.B/Get", "$~a.*/~.*", "POST http://h/a.B/Get"),
        ("$a.B/*", "$*/Get", "POST http://h/a.B/Get"),
        ("$a.B/*", "$*/~.*Get.*", "POST http://h/a.B/Get"),
        ("$a.B/*", "@x-a=1", "POST http://h/a.B/Get @x-a=1"),
        (
            "$*/Get",
            "@x-a=1 @x-b=1",
            "POST http://h/a.B/Get @x-a=1 @x-b=1",
        ),
        ("$*/Get", "$*/~.*[G]et.*", "POST http://h/a.B/Get"),
        ("$*/~[A-Z]et", "$*/~.*", "POST http://h/a.B/Get"),
        ("$~a[.]B/~G.*", "$~a.*/~Get", "POST http://h/a.B/Get"),
        ("$~a[.]B/~G.*", "$~a[.]B/*", "POST http://h/a.B/Get"),
        (
            "$a.B/Get @x-a=1",
            "$a.B/Get",
            "POST http://h/a.B/Get @x-a=1",
        ),
    ] {
        let table = |rules: &[&str]| table(&[("", grpc_route("n/r", 0, rules))], None);
        assert!(
            found(&table(&[first, second]), request).starts_with("n/r#0."),
            "{first} before {second}"
        );
        assert!(
            found(&table(&[second, first]), request).starts_with("n/r#1."),
            "{first} before {second}"
        );
    }
    let across = [
        ("", grpc_route("n/younger", 2, &["$a.B/Get", ""])),
        ("", grpc_route("n/older", 1, &["$a.B/*", "$a.B/Put"])),
    ];
    for (request, expected) in [
        ("POST http://h/a.B/Get", "n/younger#0.0"),
        ("POST http://h/a.B/Put", "n/older#1.0"),
        ("POST http://h/a.B/List", "n/older#0.0 /a.B"),
        ("POST http://h/a.Bc/Get", "n/younger#1.0 /"),
        ("POST http://h/a.B/Get/x", "n/older#0.0 /a.B"),
    ] {
        assert_eq!(found(&table(&across, None), request), expected, "{request}");
    }
}

#[test]
fn rules_of_both_kinds_for_one_hostname_are_not_merged() {
    let routes = [
        ("h", route("n/web", 1, &["^/", "=/a.B/Get", "^/only"])),
        ("h", grpc_route("n/grpc", 2, &["$a.B/*", "$c.D/Get"])),
        ("", grpc_route("n/any", 0, &[""])),
    ];
    let table = table(&routes, None);
    for (request, expected) in [
        // A call belongs to GRPCRoutes, however exact and old the HTTPRoute is.
        (
            "POST http://h/a.B/Get @content-type=application/grpc",
            "n/grpc#0.0 /a.B",
        ),
        (
            "POST http://h/a.B/Get @content-type=Application/gRPC-web+proto",
            "n/grpc#0.0 /a.B",
        ),
        (
            "POST http://h/a.B/Get @content-type=application/json",
            "n/web#1.0",
        ),
        ("POST http://h/a.B/Get", "n/web#1.0"),
        // What no rule of the own kind takes, the other kind may, before a less specific hostname.
        (
            "POST http://h/only/x @content-type=application/grpc",
            "n/web#2.0 /only",
        ),
        (
            "POST http://h/c.D/Put @content-type=application/grpc",
            "n/web#0.0 /",
        ),
        ("GET http://x/", "n/any#0.0 /"),
    ] {
        assert_eq!(found(&table, request), expected, "{request}");
    }
}

#[test]
fn ties_go_to_age_then_name_then_order() {
    let old = || route("z/z", 1, &["=/a"]);
    for (one, two, winner) in [
        (route("a/a", 2, &["=/a"]), old(), "z/z#0.0"),
        (route("a/b", 1, &["=/a"]), old(), "a/b#0.0"),
        (
            route("a/b", 1, &["=/a"]),
            route("a/a", 1, &["=/a"]),
            "a/a#0.0",
        ),
        // By the letters of "namespace/name": "-" comes before "/".
        (
            route("a/x", 1, &["=/a"]),
            route("a-b/x", 1, &["=/a"]),
            "a-b/x#0.0",
        ),
        (
            route("z/z", 1, &["^/", "=/b | =/a", "=/a"]),
            route("z/zz", 1, &["=/a"]),
            "z/z#1.1",
        ),
    ] {
        for routes in [
            [("", one.clone()), ("", two.clone())],
            [("", two.clone()), ("", one.clone())],
        ] {
            assert_eq!(found(&table(&routes, None), "GET http://h/a"), winner);
        }
    }
}

#[test]
fn the_most_specific_hostname_comes_first_and_others_are_asked_after_it() {
    let routes = [
        ("", route("n/any", 0, &["^/", "=/all/exact"])),
        ("*.com", route("n/com", 0, &["^/a"])),
        ("*.a.com", route("n/a", 0, &["^/a/b"])),
        ("x.a.com", route("n/x", 0, &["^/a/b/c"])),
    ];
    let table = table(&routes, None);
    for (request, expected) in [
        ("GET http://x.a.com/a/b/c/d", "n/x#0.0 /a/b/c"),
        ("GET http://x.a.com/a/b", "n/a#0.0 /a/b"),
        ("GET http://x.a.com/a", "n/com#0.0 /a"),
        ("GET http://x.a.com/", "n/any#0.0 /"),
        ("GET http://y.a.com/a/b/c", "n/a#0.0 /a/b"),
        ("GET http://a.com/a/b/c", "n/com#0.0 /a"),
        ("GET http://com/a", "n/any#0.0 /"),
        ("GET http://x.a.com/all/exact", "n/any#1.0"),
    ] {
        assert_eq!(found(&table, request), expected, "{request}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_table_agrees_with_the_oracle(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let case = Case::read(&bytes);
        case.check().map_err(|difference| TestCaseError::fail(format!("{difference}\n{case:#?}")))?;
    }
}

fn rules_of(table: &Table<String>, pattern: &HostPattern) -> Arc<crate::HostRules> {
    let http = table.hosts.get(pattern).unwrap().http.as_ref();
    Arc::clone(&http.unwrap().rules)
}

#[test]
fn hosts_whose_routes_are_the_same_are_reused_with_new_targets() {
    let (one, two) = (route("n/one", 0, &["=/a"]), route("n/two", 0, &["=/b"]));
    let first = table(
        &[("a", one.clone()), ("b", one.clone()), ("b", two.clone())],
        None,
    );
    let rules = |table: &Table<String>, host: &str| {
        let pattern = HostPattern::parse(host).unwrap();
        rules_of(table, &pattern)
    };
    let reused = |next: &Table<String>, host| Arc::ptr_eq(&rules(&first, host), &rules(next, host));

    let changed = table(
        &[
            ("a", one.clone()),
            ("b", one.clone()),
            ("b", Arc::new(HttpRoute::clone(&two))),
        ],
        Some(&first),
    );
    assert!(reused(&changed, "a") && !reused(&changed, "b"));
    let reordered = table(&[("b", two), ("b", one.clone())], Some(&first));
    assert!(!reused(&reordered, "b"));
    let fewer = table(&[("b", one.clone())], Some(&first));
    assert!(!reused(&fewer, "b"));
    assert_eq!(found(&fewer, "GET http://b/b"), "-");

    let (hostname, route) = (HostPattern::parse("a").unwrap(), &one);
    let input = Input {
        hostname: &hostname,
        route,
        rule: &one.rules[0],
        target: "new".to_owned(),
    };
    let retargeted = Table::build([input], Some(&first));
    assert!(reused(&retargeted, "a"));
    assert_eq!(found(&retargeted, "GET http://a/a"), "new.0");
}

#[test]
fn expressions_that_did_not_change_are_not_compiled_again() {
    let expressions = route("n/r", 0, &["~/a+", "~/b"]);
    let first = table(&[("", expressions.clone())], None);
    let rules = |table: &Table<String>| rules_of(table, &HostPattern::Any);
    let more = table(
        &[("", expressions.clone()), ("", route("n/s", 0, &["^/a"]))],
        Some(&first),
    );
    assert!(rules(&first).shares_expressions(&rules(&more)));
    let other = table(
        &[("", expressions), ("", route("n/s", 0, &["~/c"]))],
        Some(&first),
    );
    assert!(!rules(&first).shares_expressions(&rules(&other)));
    assert_eq!(found(&other, "GET http://h/c"), "n/s#0.0");
}

#[test]
fn what_follows_the_prefix_is_empty_or_starts_with_a_slash() {
    for (prefix, request, rest) in [
        ("^/", "GET http://h/", Some("/")),
        ("^/", "GET http://h/a", Some("/a")),
        ("^/a", "GET http://h/a", Some("")),
        ("^/a", "GET http://h/a/", Some("/")),
        ("^/a/", "GET http://h/a/b", Some("/b")),
        ("^/%61", "GET http://h/a/b", Some("/b")),
        ("=/a", "GET http://h/a", None),
        ("~/a", "GET http://h/a", None),
    ] {
        let table = table(&[("", route("n/r", 0, &[prefix]))], None);
        ask(request, |asked| {
            let found = table.find(asked).unwrap();
            assert_eq!(found.matched.rest(asked.path), rest, "{prefix} {request}");
        });
    }
}

#[test]
fn expressions_that_multiply_may_meet_in_one_request() {
    let hard = |at: usize| format!("~/.*x{at}y.*z{at}.* @x-a~=.*x{at}y.*z{at}.*");
    let written: Vec<String> = (0..40)
        .flat_map(|at| [hard(at), hard(at).replace(".*x", ".*.*x")])
        .collect();
    let same_path: Vec<String> = (0..40)
        .map(|at| format!("~/.*q @x-a~=.*x{at}y.*z{at}.*"))
        .collect();
    let rules: Vec<&str> = written
        .iter()
        .chain(&same_path)
        .map(String::as_str)
        .collect();
    let table = table(&[("", route("n/r", 0, &rules))], None);
    for _ in 0..2 {
        assert_eq!(found(&table, "GET http://h/x7yz7 @x-a=x7yz7"), "n/r#15.0");
        assert_eq!(found(&table, "GET http://h/x7yz7q @x-a=x9yz9"), "n/r#89.0");
        assert_eq!(found(&table, "GET http://h/x7yz7 @x-a=x9yz9"), "-");
    }
}
