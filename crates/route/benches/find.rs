//! What one look into a table costs, and what a new table costs: nanoseconds per request for one route, for
//! 5,000 routes on 500 hosts and for 1,000 rules on one host; milliseconds and bytes for building.
//!
//! `cargo bench -p daemun-route`. A main of its own: figures of the scenarios that issue tables compare, in
//! one run, of the fastest of several rounds.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use daemun_model::hostname::HostPattern;
use daemun_model::matching::{HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch};
use daemun_model::names::{Created, ObjectName, RouteKey, RouteKind};
use daemun_model::policy::timeouts::Timeouts;
use daemun_model::route::{HttpRoute, Rule};
use daemun_route::{Asked, Input, Table, paths};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

type Routes = Vec<(HostPattern, Arc<HttpRoute>)>;

/// One request of a scenario.
struct Request {
    host: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
}

fn main() {
    println!(
        "{:44} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "scenario", "ns/find", "miss ns", "build ms", "again ms", "KiB"
    );
    for (name, routes, requests) in scenarios() {
        let before = ALLOCATED.load(Ordering::Relaxed);
        let table = build(&routes, None);
        let size = ALLOCATED.load(Ordering::Relaxed) - before;
        let build_ms = best(5, || drop(black_box(build(&routes, None)))) / 1e6;
        let again_ms = again(&routes, &table) / 1e6;
        let find = time(&table, &requests, true);
        let strangers: Vec<Request> = requests
            .iter()
            .map(
                |Request {
                     path,
                     query,
                     headers,
                     ..
                 }| Request {
                    host: "nobody.example.org".to_owned(),
                    path: path.clone(),
                    query: query.clone(),
                    headers: headers.clone(),
                },
            )
            .collect();
        let miss = time(&table, &strangers, false);
        println!(
            "{name:44} {find:9.1} {miss:9.1} {build_ms:9.2} {again_ms:9.2} {:9}",
            size / 1024
        );
    }
    for path in [
        "/",
        "/api/items/7",
        "/a%20b/c%2Fd/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
        "/a/./b/%41",
    ] {
        let ns = best(5, || {
            (0..10_000).for_each(|_| drop(black_box(paths::normalize(black_box(path)))))
        }) / 1e4;
        println!("normalize {path:50} {ns:8.1} ns");
    }
}

/// Routes and requests by name.
fn scenarios() -> Vec<(&'static str, Routes, Vec<Request>)> {
    vec![
        (
            "1 route",
            one_route(),
            requests(1, |_| {
                request("shop.example.com", "/api/items/7", None, &[])
            }),
        ),
        (
            "5,000 routes on 500 hosts",
            many_hosts(),
            requests(512, |at| {
                let (host, route) = (at * 7 % 500, at % 10);
                request(
                    &format!("host-{host}.example.com"),
                    &format!("/svc-{route}/items/{at}"),
                    None,
                    &[],
                )
            }),
        ),
        (
            "1,000 rules on one host, by prefix",
            many_rules(),
            requests(512, |at| {
                request(
                    "shop.example.com",
                    &format!("/svc-{}/items/{at}", at * 3 % 400),
                    None,
                    &[],
                )
            }),
        ),
        (
            "1,000 rules on one host, by header",
            many_rules(),
            requests(512, |at| {
                let tenant = format!("t{}", at * 3 % 300);
                request(
                    "shop.example.com",
                    "/tenants/x",
                    None,
                    &[("x-tenant", &tenant)],
                )
            }),
        ),
        (
            "1,000 rules on one host, by query",
            many_rules(),
            requests(512, |at| {
                let query = format!("page=2&shard={}", at * 3 % 200);
                request("shop.example.com", "/shards/x", Some(&query), &[])
            }),
        ),
        (
            "1,000 rules on one host, by expression",
            many_rules(),
            requests(512, |at| {
                request(
                    "shop.example.com",
                    &format!("/re-{}/v2/items/{at}", at % 100),
                    None,
                    &[],
                )
            }),
        ),
        (
            "40 expressions that multiply",
            (0..40).map(hard_expression).collect(),
            requests(512, |at| {
                request(
                    "shop.example.com",
                    &format!("/x{0}y/some/path/z{0}", at % 40),
                    None,
                    &[],
                )
            }),
        ),
        (
            "1,000 expressions",
            (0..1_000).map(soft_expression).collect(),
            requests(512, |at| {
                request(
                    "shop.example.com",
                    &format!("/svc-{at}/v7/some/path"),
                    None,
                    &[],
                )
            }),
        ),
    ]
}

fn hard_expression(at: usize) -> (HostPattern, Arc<HttpRoute>) {
    let path = PathMatch::Regex(format!("/.*x{at}y.*z{at}.*"));
    route(
        "shop.example.com",
        at,
        vec![RequestMatch {
            path,
            ..RequestMatch::everything()
        }],
    )
}

fn soft_expression(at: usize) -> (HostPattern, Arc<HttpRoute>) {
    let path = PathMatch::Regex(format!("/svc-{at}/v[0-9]+/.*"));
    route(
        "shop.example.com",
        at,
        vec![RequestMatch {
            path,
            ..RequestMatch::everything()
        }],
    )
}

/// Nanoseconds per find.
fn time(table: &Table<u32>, requests: &[Request], expected: bool) -> f64 {
    const ROUNDS: usize = 200;
    let asked: Vec<Asked<'_>> = requests
        .iter()
        .map(
            |Request {
                 host,
                 path,
                 query,
                 headers,
             }| Asked {
                host,
                method: &Method::GET,
                path,
                query: query.as_deref(),
                headers,
            },
        )
        .collect();
    assert!(
        asked
            .iter()
            .all(|asked| table.find(asked).is_some() == expected)
    );
    let per_round = best(7, || {
        for _ in 0..ROUNDS {
            for asked in &asked {
                black_box(table.find(black_box(asked)));
            }
        }
    });
    per_round / (ROUNDS * asked.len()) as f64
}

/// The fastest of several rounds, in nanoseconds.
fn best(rounds: usize, mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_nanos() as f64
    };
    (0..rounds).map(once).fold(f64::INFINITY, f64::min)
}

/// What it takes to put one changed Route into a table, in nanoseconds.
fn again(routes: &Routes, table: &Table<u32>) -> f64 {
    let mut changed = routes.clone();
    best(5, || {
        let (_, route) = &mut changed[0];
        *route = Arc::new(HttpRoute::clone(route));
        drop(black_box(build(&changed, Some(table))));
    })
}

fn build(routes: &Routes, previous: Option<&Table<u32>>) -> Table<u32> {
    let inputs = routes.iter().flat_map(|(hostname, route)| {
        route.rules.iter().map(move |rule| Input {
            hostname,
            route,
            rule,
            target: 7,
        })
    });
    Table::build(inputs, previous)
}

fn one_route() -> Routes {
    vec![route(
        "shop.example.com",
        0,
        vec![RequestMatch::everything()],
    )]
}

fn many_hosts() -> Routes {
    let of = |at: usize| {
        let wanted = prefix(&format!("/svc-{}", at % 10));
        route(&format!("host-{}.example.com", at / 10), at, vec![wanted])
    };
    (0..5_000).map(of).collect()
}

/// 400 prefixes, 300 headers and 200 parameters on a prefix each, 100 expressions: 10 rules to a Route.
fn many_rules() -> Routes {
    let wanted = |at: usize| match at {
        0..400 => prefix(&format!("/svc-{at}")),
        400..700 => {
            let value = ValueMatch::Exact(format!("t{}", at - 400));
            let header = HeaderMatch {
                name: HeaderName::from_static("x-tenant"),
                value,
            };
            RequestMatch {
                headers: vec![header],
                ..prefix("/tenants")
            }
        }
        700..900 => {
            let value = ValueMatch::Exact((at - 700).to_string());
            RequestMatch {
                query: vec![QueryMatch {
                    name: "shard".to_owned(),
                    value,
                }],
                ..prefix("/shards")
            }
        }
        _ => {
            let path = PathMatch::Regex(format!("/re-{}/v[0-9]+/items/.*", at - 900));
            RequestMatch {
                path,
                ..RequestMatch::everything()
            }
        }
    };
    let of = |at: usize| {
        route(
            "shop.example.com",
            at,
            (10 * at..10 * at + 10).map(wanted).collect(),
        )
    };
    (0..100).map(of).collect()
}

fn prefix(path: &str) -> RequestMatch {
    RequestMatch {
        path: PathMatch::Prefix(path.to_owned()),
        ..RequestMatch::everything()
    }
}

fn route(hostname: &str, at: usize, matches: Vec<RequestMatch>) -> (HostPattern, Arc<HttpRoute>) {
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
    let route = HttpRoute {
        key: RouteKey {
            kind: RouteKind::Http,
            name: ObjectName::new("default", format!("route-{at}")),
        },
        created: Created(0),
        attachments: Vec::new(),
        rules: matches.into_iter().enumerate().map(rule).collect(),
    };
    (HostPattern::Exact(hostname.to_owned()), Arc::new(route))
}

fn requests(count: usize, of: impl Fn(usize) -> Request) -> Vec<Request> {
    (0..count).map(of).collect()
}

/// A request with what clients send beside what is asked for.
fn request(host: &str, path: &str, query: Option<&str>, more: &[(&'static str, &str)]) -> Request {
    let usual = [
        ("host", host),
        ("user-agent", "bench/1.0"),
        ("accept", "*/*"),
        ("accept-encoding", "gzip"),
    ];
    let headers = usual.iter().chain(more).map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).expect("a header value"),
        )
    });
    Request {
        host: host.to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        headers: headers.collect(),
    }
}

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[expect(
    unsafe_code,
    reason = "a global allocator that counts bytes is unsafe by its trait"
)]
// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
