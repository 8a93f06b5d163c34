//! Finding a rule allocates nothing, whatever kind of match is looked at: counted by the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use daemun_model::hostname::HostPattern;
use daemun_model::matching::{HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch};
use daemun_model::names::{Created, ObjectName, RouteKey, RouteKind};
use daemun_model::policy::timeouts::Timeouts;
use daemun_model::route::{HttpRoute, Rule};
use daemun_route::{Asked, Input, Table, paths};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

#[test]
fn find_allocates_nothing() {
    let route = Arc::new(route());
    let patterns =
        ["a.example.com", "*.example.com", ""].map(|name| HostPattern::parse(name).unwrap());
    let inputs = patterns.iter().flat_map(|hostname| {
        let rules = route.rules.iter();
        rules.map(|rule| Input {
            hostname,
            route: &route,
            rule,
            target: rule.index,
        })
    });
    let table = Table::build(inputs, None);
    let get = Method::GET;
    for (host, path, query, lines, rule) in [
        ("a.example.com", "/exact", None, &[][..], Some(0)),
        ("b.a.example.com", "/prefix/b/c", None, &[], Some(1)),
        ("other", "/expression-42/x", None, &[], Some(2)),
        (
            "a.example.com",
            "/conditions",
            Some("z=1&q=1"),
            &[("x-a", "1"), ("x-b", "v2")],
            Some(3),
        ),
        (
            "a.example.com",
            "/conditions",
            Some("%71=%31"),
            &[("x-a", "1"), ("x-b", "v2")],
            Some(3),
        ),
        (
            "a.example.com",
            "/conditions",
            Some("q=2"),
            &[("x-a", "1"), ("x-b", "v2")],
            None,
        ),
        (
            "a.example.com",
            "/lines",
            None,
            &[("x-a", "1"), ("x-a", "2")],
            Some(4),
        ),
        ("a.example.com", "/x7y-and-z7", None, &[], Some(12)),
        (
            "a.example.com",
            "/nothing",
            Some("q=1"),
            &[("x-a", "1")],
            None,
        ),
    ] {
        let name = |name| HeaderName::from_static(name);
        let mut headers = HeaderMap::new();
        for (header, value) in lines {
            headers.append(name(*header), HeaderValue::from_static(value));
        }
        let asked = Asked {
            host,
            method: &get,
            path,
            query,
            headers: &headers,
        };
        // The second time: a thread gets its part of an automaton once, and computes a state of it once.
        let first = table.find(&asked).map(|found| *found.target);
        let before = ALLOCATIONS.get();
        let second = table.find(&asked).map(|found| *found.target);
        let allocations = ALLOCATIONS.get() - before;
        assert_eq!(
            (first, second, allocations),
            (rule, rule, 0),
            "{host}{path}"
        );
    }
    let before = ALLOCATIONS.get();
    assert!(paths::normalize("/a%20b/.well-known/c%2Fd/~e").is_ok_and(|path| path.len() == 27));
    assert_eq!(ALLOCATIONS.get(), before, "a path that is in order");
}

fn route() -> HttpRoute {
    let value = |text: &str| match text.strip_prefix('~') {
        Some(expression) => ValueMatch::Regex(expression.to_owned()),
        None => ValueMatch::Exact(text.to_owned()),
    };
    let header = |name, text| HeaderMatch {
        name: HeaderName::from_static(name),
        value: value(text),
    };
    let everything = RequestMatch::everything;
    let prefix = |path: &str| RequestMatch {
        path: PathMatch::Prefix(path.to_owned()),
        ..everything()
    };
    let expression = |text: &str| RequestMatch {
        path: PathMatch::Regex(text.to_owned()),
        ..everything()
    };
    let mut matches = vec![
        RequestMatch {
            path: PathMatch::Exact("/exact".to_owned()),
            ..everything()
        },
        prefix("/prefix"),
        expression("/expression-[0-9]+/.*"),
        RequestMatch {
            headers: vec![header("x-a", "1"), header("x-b", "~v[0-9]")],
            query: vec![QueryMatch {
                name: "q".to_owned(),
                value: value("1"),
            }],
            ..prefix("/conditions")
        },
        RequestMatch {
            headers: vec![header("x-a", "1,2")],
            ..prefix("/lines")
        },
    ];
    // Enough of what multiplies that the automaton is not computed ahead.
    matches.extend((0..40).map(|at| expression(&format!("/.*x{at}y.*z{at}.*"))));
    let rule = |(index, wanted)| Rule {
        index,
        name: None,
        matches: vec![wanted],
        filters: Vec::new(),
        backends: Vec::new(),
        timeouts: Timeouts::default(),
        retry: None,
        session: None,
    };
    HttpRoute {
        key: RouteKey {
            kind: RouteKind::Http,
            name: ObjectName::new("default", "all"),
        },
        created: Created(0),
        attachments: Vec::new(),
        rules: matches.into_iter().enumerate().map(rule).collect(),
    }
}

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[expect(unsafe_code, reason = "a global allocator is unsafe by its trait")]
// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
