//! Why a rule takes a request, and why the nearest others do not: for people.

mod words;

use std::sync::Arc;

use daemun_model::hostname::HostPattern;
use daemun_model::matching::RequestMatch;
use daemun_model::route::{HttpRoute, Rule};

use crate::compile::HostRules;
use crate::conditions::{Condition, Subject};
use crate::entry::{Entry, Path, written};
use crate::hosts::Hosts;
use crate::paths::PathError;
use crate::precedence::{self, Criterion, Place};
use crate::{Asked, Host};

pub use self::words::describe;

/// How many near misses are told.
pub const NEAR: usize = 8;

/// A match of a rule that takes the request, or nearly does.
#[derive(Debug)]
pub struct Candidate<'a, T> {
    /// What was given as the rule's target.
    pub target: &'a T,
    /// The hostname under which the rule was found.
    pub hostname: &'a HostPattern,
    /// The Route.
    pub route: &'a Arc<HttpRoute>,
    /// The rule.
    pub rule: &'a Rule,
    /// The match.
    pub wanted: &'a RequestMatch,
    /// The place of the match in `Rule::matches`.
    pub index: usize,
    /// Why it does not take the request; empty for the one that does.
    pub reasons: Vec<Reason>,
}

/// Why a match does not take a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The hostname does not hold the request's host.
    Host(HostPattern),
    /// The path is another one.
    Path,
    /// What is written as the path is none, and no request has it.
    NoPath(PathError),
    /// The regular expression of the path does not compile.
    BadExpression,
    /// Another method is wanted.
    Method,
    /// A header is missing, or has another value.
    Header {
        /// Its name.
        name: String,
        /// What is wanted: `= 2`, or `matching [0-9]+`.
        wanted: String,
        /// What the request has.
        has: Option<String>,
    },
    /// A query parameter is missing, or has another value.
    Query {
        /// Its name.
        name: String,
        /// What is wanted: `= 2`, or `matching [0-9]+`.
        wanted: String,
        /// What the request has.
        has: Option<String>,
    },
    /// It would take the request, but a rule of a more specific hostname does.
    LessSpecificHost(HostPattern),
    /// It would take the request, but the winner comes before it.
    Precedence {
        /// By what.
        by: Criterion,
        /// The winner's path or expression.
        winner: String,
    },
}

/// The winner, if any, and then the near misses.
pub(crate) fn explain<'a, T>(
    hosts: &'a Hosts<Host<T>>,
    asked: &Asked<'_>,
) -> Vec<Candidate<'a, T>> {
    let mut winner: Option<(&Host<T>, &Entry)> = None;
    let mut near: Vec<(Distance, Candidate<'a, T>)> = Vec::new();
    let matching: Vec<&Host<T>> = hosts.matching(asked.host).collect();
    let mut others: Vec<&Host<T>> = hosts
        .values()
        .filter(|host| !host.pattern.contains(asked.host))
        .collect();
    others.sort_by(|one, two| one.pattern.cmp(&two.pattern));
    for (order, host) in matching.into_iter().chain(others).enumerate() {
        if winner.is_none() && host.pattern.contains(asked.host) {
            winner = host.rules.find(asked).map(|entry| (host, entry));
        }
        for (number, entry) in host.rules.entries().iter().enumerate() {
            let reasons = reasons(host, entry, asked, winner);
            let distance = Distance::new(&reasons, entry, asked, (order, number));
            if near.len() < 2 * NEAR || near.iter().any(|(other, _)| distance < *other) {
                near.extend(candidate(host, entry, reasons).map(|candidate| (distance, candidate)));
            }
            if near.len() > 4 * NEAR {
                near.sort_by_key(|(distance, _)| *distance);
                near.truncate(2 * NEAR);
            }
        }
    }
    near.sort_by_key(|(distance, _)| *distance);
    near.truncate(NEAR + usize::from(winner.is_some()));
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// How far a match is from taking the request: less is nearer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Distance {
    /// What it lacks, a host weighing more than a path, and a path more than all else.
    lacks: usize,
    /// How much of the path is not even the beginning of what is wanted.
    apart: usize,
    /// The order of hosts and the precedence in them.
    place: (usize, usize),
}

impl Distance {
    fn new(reasons: &[Reason], entry: &Entry, asked: &Asked<'_>, place: (usize, usize)) -> Self {
        let weight = |reason: &Reason| match reason {
            Reason::Host(_) => 10_000,
            Reason::NoPath(_) | Reason::BadExpression => 200,
            Reason::Path => 100,
            Reason::Method | Reason::Header { .. } | Reason::Query { .. } => 2,
            Reason::LessSpecificHost(_) | Reason::Precedence { .. } => 1,
        };
        let lacks = reasons.iter().map(weight).sum();
        let apart = match &entry.path {
            Path::Exact(wanted) | Path::Prefix(wanted) if reasons.contains(&Reason::Path) => {
                let common = wanted
                    .bytes()
                    .zip(asked.path.bytes())
                    .take_while(|(one, two)| one == two);
                wanted.len() + asked.path.len() - 2 * common.count()
            }
            Path::Exact(_) | Path::Prefix(_) | Path::Regex | Path::Never(_) => asked.path.len(),
        };
        Self {
            lacks,
            apart,
            place,
        }
    }
}

fn candidate<'a, T>(
    host: &'a Host<T>,
    entry: &Entry,
    reasons: Vec<Reason>,
) -> Option<Candidate<'a, T>> {
    let source = host.rules.sources().get(entry.source())?;
    Some(Candidate {
        target: host.targets.get(entry.source())?,
        hostname: &host.pattern,
        route: &source.route,
        rule: source.rule(),
        wanted: source.rule().matches.get(entry.index())?,
        index: entry.index(),
        reasons,
    })
}

fn reasons<T>(
    host: &Host<T>,
    entry: &Entry,
    asked: &Asked<'_>,
    winner: Option<(&Host<T>, &Entry)>,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !host.pattern.contains(asked.host) {
        reasons.push(Reason::Host(host.pattern.clone()));
    }
    reasons.extend(path_reason(&host.rules, entry, asked));
    if !entry.takes_method(asked) {
        reasons.push(Reason::Method);
    }
    let unmet = entry
        .conditions
        .iter()
        .filter(|condition| !condition.holds(asked));
    reasons.extend(unmet.map(|condition| condition_reason(condition, asked)));
    match winner {
        Some((_, first)) if std::ptr::eq(first, entry) => {}
        Some((winners, first)) if reasons.is_empty() => {
            reasons.push(if winners.pattern == host.pattern {
                let (first, this) = (place(&host.rules, first), place(&host.rules, entry));
                let (_, by) = precedence::compare(&first, &this);
                Reason::Precedence {
                    by,
                    winner: written(&first.wanted.path).to_owned(),
                }
            } else {
                Reason::LessSpecificHost(winners.pattern.clone())
            })
        }
        _ => {}
    }
    reasons
}

fn path_reason(rules: &HostRules, entry: &Entry, asked: &Asked<'_>) -> Option<Reason> {
    let takes = match &entry.path {
        Path::Exact(wanted) => **wanted == *asked.path,
        Path::Prefix(wanted) if **wanted == *"/" => asked.path.starts_with('/'),
        Path::Prefix(wanted) => asked
            .path
            .strip_prefix(&**wanted)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        Path::Regex => {
            match rules.expression(written(&place(rules, entry).wanted.path), asked.path) {
                Some(takes) => takes,
                None => return Some(Reason::BadExpression),
            }
        }
        Path::Never(error) => return Some(Reason::NoPath(*error)),
    };
    (!takes).then_some(Reason::Path)
}

fn condition_reason(condition: &Condition, asked: &Asked<'_>) -> Reason {
    let has = condition
        .subject
        .with_value(asked, |value| String::from_utf8_lossy(value).into_owned());
    let wanted = condition.value.to_string();
    match &condition.subject {
        Subject::Header(name) => Reason::Header {
            name: name.to_string(),
            wanted,
            has,
        },
        Subject::Query(name) => Reason::Query {
            name: name.to_string(),
            wanted,
            has,
        },
    }
}

fn place<'a>(rules: &'a HostRules, entry: &Entry) -> Place<'a> {
    let source = &rules.sources()[entry.source()];
    let rule = source.rule();
    let wanted = &rule.matches[entry.index()];
    let length = entry
        .path
        .len()
        .unwrap_or_else(|| written(&wanted.path).chars().count());
    Place {
        route: &source.route,
        rule,
        wanted,
        index: entry.index(),
        length,
    }
}

#[cfg(test)]
mod tests;
