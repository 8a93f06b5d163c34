//! Which rule a request belongs to.
//!
//! A [`Table`] is made of the rules that are attached to one listener, when a configuration is compiled,
//! and is asked once per request. What it costs to ask does not grow with the number of rules: hosts
//! (`hosts`) and exact paths are looked up in hash maps, prefixes in a tree of path elements
//! (`prefixes`), all regular expressions of a host in one automaton (`patterns`), and headers and query
//! parameters of rules that share a path in hash maps again (`group`). Nothing is allocated and nothing is
//! locked on the way.
//!
//! Rules of HTTPRoutes and of GRPCRoutes are not merged, even if they are for one hostname (gateway-api
//! `GRPCRouteRule.matches`): a gRPC call is taken by a rule of a GRPCRoute, and if there is none, by one of an
//! HTTPRoute; any other request the other way round.
//!
//! Of several rules that would take a request the Gateway API says which one does; that order is in
//! `precedence`, and `oracle` is the same answer in the plainest code, for tests and fuzzing. `explain`
//! tells a person why a rule won and what the others lacked.
//!
//! Not here: which listener a request belongs to (though [`hosts::Hosts`] is what the proxy finds it
//! with), and what becomes of the request. The crate knows neither sockets nor clocks.

mod compile;
mod conditions;
mod entry;
pub mod explain;
mod group;
mod headers;
pub mod hosts;
#[cfg(any(test, feature = "oracle"))]
pub mod oracle;
pub mod paths;
mod patterns;
mod precedence;
mod prefixes;
mod query;

use std::sync::Arc;

use daemun_model::hostname::HostPattern;
use daemun_model::names::RouteKind;
use daemun_model::route::{HttpRoute, Rule};
use foldhash::HashMap;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};

use crate::compile::HostRules;
use crate::entry::Source;
use crate::hosts::Hosts;

pub use crate::explain::{Candidate, Reason};
pub use crate::precedence::Criterion;

/// What is asked about a request.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The host, in lower case, without port and trailing dot.
    pub host: &'a str,
    /// The method.
    pub method: &'a Method,
    /// The path as [`paths::normalize`] gives it.
    pub path: &'a str,
    /// What follows the `?`, as it came.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// A rule on a listener, for one of the hostnames that its Route and the listener have in common.
#[derive(Clone, Debug)]
pub struct Input<'a, T> {
    /// The hostname.
    pub hostname: &'a HostPattern,
    /// The Route.
    pub route: &'a Arc<HttpRoute>,
    /// One of the Route's rules.
    pub rule: &'a Rule,
    /// What is to be found. Cloned targets are never kept from one table to the next.
    pub target: T,
}

/// The rules of one listener.
#[derive(Clone, Debug)]
pub struct Table<T> {
    hosts: Hosts<Host<T>>,
}

/// The rules for one hostname.
#[derive(Clone, Debug)]
struct Host<T> {
    pattern: HostPattern,
    /// Those of HTTPRoutes.
    http: Option<Part<T>>,
    /// Those of GRPCRoutes.
    grpc: Option<Part<T>>,
}

/// The rules of one kind of Route for one hostname. What is compiled is shared with the tables before and after
/// this one as long as the Routes are the same; the targets are this table's own.
#[derive(Clone, Debug)]
struct Part<T> {
    rules: Arc<HostRules>,
    /// One for each of the sources of `rules`.
    targets: Box<[T]>,
}

/// A rule that takes a request.
#[derive(Debug)]
pub struct Found<'a, T> {
    /// What was given as the rule's target.
    pub target: &'a T,
    /// Which of the rule's matches it was.
    pub matched: Matched<'a>,
}

/// The match of a rule that took a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched<'a> {
    /// Its place in `Rule::matches`.
    pub index: usize,
    /// The path prefix that was matched, normalized: `/`, or one without a trailing slash. None if the
    /// match was not about a prefix.
    pub prefix: Option<&'a str>,
}

impl<T: Clone> Table<T> {
    /// Compiles a listener's rules. What `previous` has compiled for a hostname is reused if the Routes there
    /// are the same `Arc`s in the same order.
    pub fn build<'a>(
        inputs: impl IntoIterator<Item = Input<'a, T>>,
        previous: Option<&Table<T>>,
    ) -> Table<T> {
        let mut gathered: HashMap<&HostPattern, Gathered<T>> = HashMap::default();
        for Input {
            hostname,
            route,
            rule,
            target,
        } in inputs
        {
            let Some(source) = Source::new(route, rule) else {
                debug_assert!(false, "the rule is not one of its Route's");
                continue;
            };
            let Gathered { http, grpc } = gathered.entry(hostname).or_default();
            let (sources, targets) = match route.key.kind {
                RouteKind::Grpc => grpc,
                RouteKind::Http | RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => http,
            };
            sources.push(source);
            targets.push(target);
        }
        let compile = |(pattern, Gathered { http, grpc }): (&HostPattern, Gathered<T>)| {
            let before = previous.and_then(|table| table.hosts.get(pattern));
            let host = Host {
                pattern: pattern.clone(),
                http: Part::new(http, before.and_then(|host| host.http.as_ref())),
                grpc: Part::new(grpc, before.and_then(|host| host.grpc.as_ref())),
            };
            (pattern.clone(), host)
        };
        Table {
            hosts: gathered.into_iter().map(compile).collect(),
        }
    }

    /// The rule that takes the request. If no rule of the most specific hostname does, those of the next
    /// less specific one are asked.
    #[inline]
    pub fn find(&self, asked: &Asked<'_>) -> Option<Found<'_, T>> {
        self.hosts
            .matching(asked.host)
            .find_map(|host| host.find(asked))
    }

    /// The rule that takes the request, if any, and then those that came close, each with what it lacked:
    /// at most [`explain::NEAR`] of them, the nearest first. For people, not for every request.
    pub fn explain(&self, asked: &Asked<'_>) -> Vec<Candidate<'_, T>> {
        explain::explain(&self.hosts, asked)
    }
}

/// Rules for one hostname, by the kind of their Route, with their targets.
struct Gathered<T> {
    http: (Vec<Source>, Vec<T>),
    grpc: (Vec<Source>, Vec<T>),
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self {
            http: (Vec::new(), Vec::new()),
            grpc: (Vec::new(), Vec::new()),
        }
    }
}

impl<T> Host<T> {
    /// The rules, in the order in which they are asked about a request.
    #[inline]
    fn parts(&self, asked: &Asked<'_>) -> [Option<&Part<T>>; 2] {
        match (self.http.as_ref(), self.grpc.as_ref()) {
            (http, Some(grpc)) if asked.is_call() => [Some(grpc), http],
            (http, grpc) => [http, grpc],
        }
    }

    #[inline]
    fn find(&self, asked: &Asked<'_>) -> Option<Found<'_, T>> {
        let mut parts = self.parts(asked).into_iter().flatten();
        parts.find_map(|part| part.find(asked))
    }
}

impl<T> Part<T> {
    fn new((sources, targets): (Vec<Source>, Vec<T>), before: Option<&Self>) -> Option<Self> {
        if sources.is_empty() {
            return None;
        }
        let before = before.map(|part| &part.rules);
        let rules = match before {
            Some(before) if before.is_of(&sources) => Arc::clone(before),
            _ => Arc::new(HostRules::compile(sources, before.map(Arc::as_ref))),
        };
        Some(Self {
            rules,
            targets: targets.into(),
        })
    }

    #[inline]
    fn find(&self, asked: &Asked<'_>) -> Option<Found<'_, T>> {
        let entry = self.rules.find(asked)?;
        Some(Found {
            target: self.targets.get(entry.source())?,
            matched: entry.matched(),
        })
    }
}

impl Asked<'_> {
    /// Whether it is a gRPC call, by its content type.
    fn is_call(&self) -> bool {
        const GRPC: &[u8] = b"application/grpc";
        let kind = self.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        kind.and_then(|kind| kind.get(..GRPC.len()))
            .is_some_and(|kind| kind.eq_ignore_ascii_case(GRPC))
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            hosts: Hosts::default(),
        }
    }
}

impl<'a> Matched<'a> {
    /// What follows the matched prefix in the path that was asked about: empty, or starting with `/`. None if
    /// the match was not about a prefix.
    pub fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self.prefix? {
            "/" => Some(path),
            prefix => path.strip_prefix(prefix),
        }
    }
}

#[cfg(test)]
mod tests;
