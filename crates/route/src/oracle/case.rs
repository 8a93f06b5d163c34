//! Routes and requests made of a few words, so that they meet often; from bytes that a fuzzer or proptest
//! makes up. A zero is always the plainest choice, so that smaller bytes are simpler cases.

use std::sync::Arc;

use daemun_model::hostname::HostPattern;
use daemun_model::matching::{
    CallMatch, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};
use daemun_model::names::{Created, ObjectName, RouteKey, RouteKind};
use daemun_model::policy::timeouts::Timeouts;
use daemun_model::route::{HttpRoute, Rule};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::{Asked, Input, Table, paths};

const HOSTNAMES: &[&str] = &["", "a", "*.a", "b.a", "*.b.a", "c.b.a", "*.c.b.a"];
const HOSTS: &[&str] = &["a", "b.a", "c.b.a", "d.c.b.a", "x", "x.a", "", ".a", "a."];
const ELEMENTS: &[&str] = &["a", "b", "", "ab", "A", "%2f", "%61", ".", "..", "a.b"];
const EXPRESSIONS: &[&str] = &[
    "/.*",
    "/a",
    "/[ab]+",
    "/a/.*",
    "(/\\w+)+",
    "/a|/b",
    "(",
    "/a/(b|)",
    ".*/b",
    "(?i)/AB?",
    "/(a|b|ab)*",
    "",
    "/[^/]*/[^/]*",
    "^/a\\b.*$",
];
const SERVICES: &[&str] = &["a", "b", "ab", "a.b"];
const CALLS: &[&str] = &["a", "b", "ab"];
const CALL_EXPRESSIONS: &[&str] = &["a", "[ab]+", ".*", "(", "a|b", "a.b"];
const METHODS: &[&str] = &["GET", "POST", "PURGE"];
const HEADERS: &[&str] = &["x-a", "x-b", "cookie", "x-c"];
const PARAMETERS: &[&str] = &["q", "r", "Q", "q r"];
const VALUES: &[&str] = &["1", "2", "", "1,2", "1; 2", "a b"];
const VALUE_EXPRESSIONS: &[&str] = &["[0-9]", ".*", "1.*", "(", "[12](, ?[12])*", "a b|"];
const QUERIES: &[&str] = &[
    "q=1",
    "q=2",
    "q",
    "r=1",
    "%71=%31",
    "q+r=a%20b",
    "q%20r=a+b",
    "Q=1",
    "",
    "r=%",
    "r=1%2c2",
];
const NAMES: &[(&str, &str)] = &[("n", "a"), ("n", "b"), ("n-n", "a"), ("m", "c")];

/// Routes with the hostnames they are attached under, and requests.
#[derive(Debug)]
pub struct Case {
    /// The Routes.
    pub routes: Vec<(HostPattern, Arc<HttpRoute>)>,
    /// The requests.
    pub requests: Vec<Request>,
}

/// What is asked, owned.
#[derive(Debug)]
pub struct Request {
    host: String,
    method: Method,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
}

impl Case {
    /// Makes a case of bytes. Every sequence is one.
    pub fn read(bytes: &[u8]) -> Self {
        let mut dice = Dice(bytes.iter());
        let routes = (0..1 + dice.below(6)).map(|at| dice.route(at)).collect();
        let requests = (0..1 + dice.below(6))
            .filter_map(|_| dice.request())
            .collect();
        Self { routes, requests }
    }

    /// Asks the table and the oracle the same questions: of a table built anew, of one that reuses what it
    /// can of itself, and of one that was built for only a part of the Routes before.
    ///
    /// # Errors
    /// The first answer that differs.
    pub fn check(&self) -> Result<(), String> {
        let inputs = inputs(&self.routes);
        let part = inputs
            .iter()
            .filter(|input| input.target.0 % 2 == 0)
            .cloned();
        let anew = Table::build(inputs.iter().cloned(), None);
        let again = Table::build(inputs.iter().cloned(), Some(&anew));
        let grown = Table::build(inputs.iter().cloned(), Some(&Table::build(part, None)));
        for request in &self.requests {
            let asked = request.asked();
            let expected =
                super::find(&inputs, &asked).map(|(at, index)| (inputs[at].target, index));
            for (table, built) in [(&anew, "anew"), (&again, "again"), (&grown, "on a part")] {
                let found = table
                    .find(&asked)
                    .map(|found| (*found.target, found.matched.index));
                if found != expected {
                    return Err(format!(
                        "built {built}, the table finds {found:?} and the oracle {expected:?} for {request:?}"
                    ));
                }
            }
            let told = anew.explain(&asked);
            let told = told
                .first()
                .filter(|first| first.reasons.is_empty())
                .map(|first| (*first.target, first.index));
            if told != expected {
                return Err(format!(
                    "explain tells {told:?} and the oracle {expected:?} for {request:?}"
                ));
            }
        }
        Ok(())
    }
}

impl Request {
    /// The question.
    pub fn asked(&self) -> Asked<'_> {
        let Self {
            host,
            method,
            path,
            query,
            headers,
        } = self;
        Asked {
            host,
            method,
            path,
            query: query.as_deref(),
            headers,
        }
    }
}

/// The inputs of a table, whose targets are the place of the Route and that of the rule.
fn inputs(routes: &[(HostPattern, Arc<HttpRoute>)]) -> Vec<Input<'_, (usize, usize)>> {
    let rules = routes
        .iter()
        .enumerate()
        .flat_map(|(at, (hostname, route))| {
            route
                .rules
                .iter()
                .enumerate()
                .map(move |(place, rule)| Input {
                    hostname,
                    route,
                    rule,
                    target: (at, place),
                })
        });
    rules.collect()
}

/// Decisions made of bytes; 0 when there are none left.
struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or_default()) % limit
    }

    fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    fn route(&mut self, at: usize) -> (HostPattern, Arc<HttpRoute>) {
        let hostname = HostPattern::parse(self.word(HOSTNAMES)).unwrap_or(HostPattern::Any);
        let (namespace, name) = NAMES[self.below(NAMES.len())];
        let created = i64::from(self.below(2) == 1);
        let kind = match self.below(4) {
            0..=2 => RouteKind::Http,
            _ => RouteKind::Grpc,
        };
        let rules = (0..1 + self.below(4))
            .map(|index| self.rule(kind, 2 * index))
            .collect();
        // Two Routes never have the same name.
        let name = ObjectName::new(namespace, format!("{name}{at}"));
        let key = RouteKey { kind, name };
        (
            hostname,
            Arc::new(HttpRoute {
                key,
                created: Created(created),
                attachments: Vec::new(),
                rules,
            }),
        )
    }

    fn rule(&mut self, kind: RouteKind, index: usize) -> Rule {
        Rule {
            index,
            name: None,
            matches: (0..1 + self.below(3)).map(|_| self.wanted(kind)).collect(),
            filters: Vec::new(),
            backends: Vec::new(),
            timeouts: Timeouts::default(),
            retry: None,
            session: None,
        }
    }

    fn wanted(&mut self, kind: RouteKind) -> RequestMatch {
        let path = match self.below(3) {
            _ if kind == RouteKind::Grpc => self.call(),
            0 => PathMatch::Prefix(self.path()),
            1 => PathMatch::Exact(self.path()),
            _ => PathMatch::Regex(self.word(EXPRESSIONS).to_owned()),
        };
        let method = match self.below(3) {
            0 | 1 => None,
            _ => self.word(METHODS).parse().ok(),
        };
        let mut wanted = RequestMatch {
            path,
            method,
            headers: Vec::new(),
            query: Vec::new(),
        };
        for _ in 0..self.below(4) {
            let name = HeaderName::from_static(self.word(HEADERS));
            let value = self.value();
            if wanted.headers.iter().all(|other| other.name != name) {
                wanted.headers.push(HeaderMatch { name, value });
            }
        }
        for _ in 0..self.below(4) {
            let name = self.word(PARAMETERS).to_owned();
            let value = self.value();
            if wanted.query.iter().all(|other| other.name != name) {
                wanted.query.push(QueryMatch { name, value });
            }
        }
        wanted
    }

    fn call(&mut self) -> PathMatch {
        let mut value = |words| match self.below(4) {
            0 => None,
            1 | 2 => Some(ValueMatch::Exact(self.word(words).to_owned())),
            _ => Some(ValueMatch::Regex(self.word(CALL_EXPRESSIONS).to_owned())),
        };
        match (value(SERVICES), value(CALLS)) {
            (None, None) => PathMatch::Prefix("/".to_owned()),
            (service, method) => PathMatch::Call(CallMatch { service, method }),
        }
    }

    fn value(&mut self) -> ValueMatch {
        match self.below(3) {
            0 | 1 => ValueMatch::Exact(self.word(VALUES).to_owned()),
            _ => ValueMatch::Regex(self.word(VALUE_EXPRESSIONS).to_owned()),
        }
    }

    fn path(&mut self) -> String {
        let elements: String = (0..self.below(4))
            .map(|_| format!("/{}", self.word(ELEMENTS)))
            .collect();
        if elements.is_empty() || self.below(4) == 3 {
            elements + "/"
        } else {
            elements
        }
    }

    fn request(&mut self) -> Option<Request> {
        let host = self.word(HOSTS).to_owned();
        let method = self.word(METHODS).parse().ok()?;
        let path = paths::normalize(&self.path()).ok()?.into_owned();
        let pairs: Vec<&str> = (0..self.below(4)).map(|_| self.word(QUERIES)).collect();
        let query = (!pairs.is_empty()).then(|| pairs.join("&"));
        let mut headers = HeaderMap::new();
        for _ in 0..self.below(5) {
            let name = HeaderName::from_static(self.word(HEADERS));
            headers.append(name, HeaderValue::from_static(self.word(VALUES)));
        }
        if self.below(4) == 3 {
            let kind = HeaderValue::from_static("application/grpc+proto");
            headers.insert(http::header::CONTENT_TYPE, kind);
        }
        Some(Request {
            host,
            method,
            path,
            query,
            headers,
        })
    }
}
