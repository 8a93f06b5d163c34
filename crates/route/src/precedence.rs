//! Which of several rules that would take a request does (gateway-api `HTTPRouteRule.matches`).
//!
//! Exact paths come before regular expressions, and those before prefixes; of expressions and prefixes the
//! longer one comes first; then those that name a method, then more headers, then more query
//! parameters, then the older Route, then the Route whose `namespace/name` comes first in the alphabet, then the
//! order in which rules and matches are written. The hostname, which comes before all of this, is not
//! looked at here: `hosts` has dealt with it.
//!
//! Of gRPC methods (gateway-api `GRPCRouteRule.matches`) those with more characters in the service come first, then
//! those with more in the method. So a method of a service comes before the service, and a service before a
//! method of any service, which comes before every call; and, as with paths, what is exact before an expression.

use std::cmp::{Ordering, Reverse};

use daemun_model::matching::{CallMatch, PathMatch, RequestMatch, ValueMatch};
use daemun_model::route::{HttpRoute, Rule};

use crate::entry::Path;

/// A match in its place; the one that is less wins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The Route.
    pub route: &'a HttpRoute,
    /// The rule.
    pub rule: &'a Rule,
    /// The match.
    pub wanted: &'a RequestMatch,
    /// The place of the match in the rule.
    pub index: usize,
    /// What counts of its path.
    rank: Rank,
}

/// What counts of a path; the one that is less wins.
#[derive(Clone, Copy, Debug)]
struct Rank {
    /// Exact, regular expression, prefix.
    kind: u8,
    /// The length of the path or expression, as it is compared; of a call, that of the service. The prefix `/`
    /// has none, and a method of any service is just before it.
    length: usize,
    /// The method of a call, exact before expression, and its length.
    method: (bool, usize),
}

impl<'a> Place<'a> {
    /// The place of a match of a rule; the path is the one that is compared.
    pub(crate) fn new(
        route: &'a HttpRoute,
        rule: &'a Rule,
        (index, wanted): (usize, &'a RequestMatch),
        path: &Path,
    ) -> Self {
        Self {
            route,
            rule,
            wanted,
            index,
            rank: Rank::new(&wanted.path, path),
        }
    }
}

impl Rank {
    fn new(wanted: &PathMatch, path: &Path) -> Self {
        let (kind, length) = match path {
            Path::Exact(path) => (0, path.len()),
            Path::Expression(expression) => (1, expression.chars().count()),
            Path::Prefix(path) if **path == *"/" => (2, 0),
            Path::Prefix(path) => (2, path.len()),
            Path::Method(_) => (2, 1),
            Path::Never(_) => (3, 0),
        };
        let PathMatch::Call(CallMatch { service, method }) = wanted else {
            let method = (false, 0);
            return Self {
                kind,
                length,
                method,
            };
        };
        let characters = |value: &Option<ValueMatch>| {
            value.as_ref().map(|value| match value {
                ValueMatch::Exact(text) => (true, text.chars().count()),
                ValueMatch::Regex(text) => (false, text.chars().count()),
            })
        };
        Self {
            kind,
            length: match (path, characters(service)) {
                (Path::Expression(_), Some((_, length))) => length,
                _ => length,
            },
            method: characters(method).unwrap_or_default(),
        }
    }
}

/// The criterion by which one match comes before another, in the order in which they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// Exact, regular expression, prefix.
    PathKind,
    /// The longer path or expression.
    PathLength,
    /// More of a gRPC service or method.
    Call,
    /// A method is named.
    Method,
    /// More headers.
    Headers,
    /// More query parameters.
    Query,
    /// The older Route.
    Age,
    /// `namespace/name` of the Route.
    Name,
    /// The order of rules in the Route.
    Rule,
    /// The order of matches in the rule.
    Match,
}

/// Which of two matches comes first, and by which criterion.
pub(crate) fn compare(one: &Place<'_>, two: &Place<'_>) -> (Ordering, Criterion) {
    let steps: [(Criterion, &dyn Fn() -> Ordering); 10] = [
        (Criterion::PathKind, &|| one.rank.kind.cmp(&two.rank.kind)),
        (Criterion::PathLength, &|| {
            Reverse(one.rank.length).cmp(&Reverse(two.rank.length))
        }),
        (Criterion::Call, &|| {
            Reverse(one.rank.method).cmp(&Reverse(two.rank.method))
        }),
        (Criterion::Method, &|| {
            two.wanted
                .method
                .is_some()
                .cmp(&one.wanted.method.is_some())
        }),
        (Criterion::Headers, &|| {
            two.wanted.headers.len().cmp(&one.wanted.headers.len())
        }),
        (Criterion::Query, &|| {
            two.wanted.query.len().cmp(&one.wanted.query.len())
        }),
        (Criterion::Age, &|| {
            one.route.created.cmp(&two.route.created)
        }),
        (Criterion::Name, &|| {
            let (one, two) = (&one.route.key.name, &two.route.key.name);
            one.alphabetical().cmp(&two.alphabetical())
        }),
        (Criterion::Rule, &|| one.rule.index.cmp(&two.rule.index)),
        (Criterion::Match, &|| one.index.cmp(&two.index)),
    ];
    steps
        .iter()
        .map(|(criterion, step)| (step(), *criterion))
        .find(|(order, _)| order.is_ne())
        .unwrap_or((Ordering::Equal, Criterion::Match))
}
