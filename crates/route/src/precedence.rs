//! Which of several rules that would take a request does (gateway-api `HTTPRouteRule.matches`).
//!
//! Exact paths come before regular expressions, and those before prefixes; of expressions and prefixes the
//! longer one comes first; then those that name a method, then more headers, then more query
//! parameters, then the older Route, then the Route whose `namespace/name` comes first in the alphabet, then the
//! order in which rules and matches are written. The hostname, which comes before all of this, is not
//! looked at here: `hosts` has dealt with it.

use std::cmp::{Ordering, Reverse};

use daemun_model::matching::{PathMatch, RequestMatch};
use daemun_model::names::ObjectName;
use daemun_model::route::{HttpRoute, Rule};

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
    /// The length of its path or expression, as it is compared.
    pub length: usize,
}

/// The criterion by which one match comes before another, in the order in which they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// Exact, regular expression, prefix.
    PathKind,
    /// The longer path or expression.
    PathLength,
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
    let steps: [(Criterion, &dyn Fn() -> Ordering); 9] = [
        (Criterion::PathKind, &|| {
            kind(&one.wanted.path).cmp(&kind(&two.wanted.path))
        }),
        (Criterion::PathLength, &|| {
            Reverse(one.length).cmp(&Reverse(two.length))
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
            by_name(&one.route.key.name, &two.route.key.name)
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

fn kind(path: &PathMatch) -> u8 {
    match path {
        PathMatch::Exact(_) => 0,
        PathMatch::Regex(_) => 1,
        PathMatch::Prefix(_) => 2,
    }
}

/// By the letters of `namespace/name`, in which `a-b/x` comes before `a/x`.
fn by_name(one: &ObjectName, two: &ObjectName) -> Ordering {
    fn letters(name: &ObjectName) -> impl Iterator<Item = u8> + '_ {
        name.namespace.bytes().chain(*b"/").chain(name.name.bytes())
    }
    letters(one).cmp(letters(two))
}
