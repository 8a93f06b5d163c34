//! Why a rule takes a request, and why the nearest others do not: for people.

pub(crate) mod words;

use std::sync::Arc;

use daemun_model::hostname::HostPattern;
use daemun_model::matching::{PathMatch, RequestMatch};
use daemun_model::route::{HttpRoute, Rule};

use crate::compile::HostRules;
use crate::conditions::{Condition, Subject};
use crate::entry::{Entry, Path, written};
use crate::hosts::Hosts;
use crate::paths::PathError;
use crate::precedence::{self, Criterion, Place};
use crate::{Asked, Host, Part};

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
    /// It would take the request, but rules of the other kind of Route are asked first: those of GRPCRoutes about
    /// gRPC calls, those of HTTPRoutes about all else.
    OtherKind,
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
    let mut winner: Option<At<'_, T>> = None;
    let mut near: Vec<(Distance, Candidate<'a, T>)> = Vec::new();
    let matching: Vec<&Host<T>> = hosts.matching(asked.host).collect();
    let mut others: Vec<&Host<T>> = hosts
        .values()
        .filter(|host| !host.pattern.contains(asked.host))
        .collect();
    others.sort_by(|one, two| one.pattern.cmp(&two.pattern));
    let hosts = matching.into_iter().chain(others);
    let parts = hosts.flat_map(|host| {
        let parts = host.parts(asked).into_iter().flatten();
        parts.map(move |part| (host, part))
    });
    for (order, (host, part)) in parts.enumerate() {
        if winner.is_none() && host.pattern.contains(asked.host) {
            let entry = part.rules.find(asked);
            winner = entry.map(|entry| At { host, part, entry });
        }
        for (number, entry) in part.rules.entries().iter().enumerate() {
            let at = At { host, part, entry };
            let reasons = reasons(at, asked, winner);
            let distance = Distance::new(&reasons, entry, asked, (order, number));
            if near.len() < 2 * NEAR || near.iter().any(|(other, _)| distance < *other) {
                near.extend(candidate(at, reasons).map(|candidate| (distance, candidate)));
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

/// A match where it stands.
struct At<'a, T> {
    host: &'a Host<T>,
    part: &'a Part<T>,
    entry: &'a Entry,
}

impl<T> Clone for At<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for At<'_, T> {}

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
            Reason::LessSpecificHost(_) | Reason::OtherKind | Reason::Precedence { .. } => 1,
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
            Path::Exact(_)
            | Path::Prefix(_)
            | Path::Expression(_)
            | Path::Method(_)
            | Path::Never(_) => asked.path.len(),
        };
        Self {
            lacks,
            apart,
            place,
        }
    }
}

fn candidate<'a, T>(at: At<'a, T>, reasons: Vec<Reason>) -> Option<Candidate<'a, T>> {
    let At { host, part, entry } = at;
    let source = part.rules.sources().get(entry.source())?;
    Some(Candidate {
        target: part.targets.get(entry.source())?,
        hostname: &host.pattern,
        route: &source.route,
        rule: source.rule(),
        wanted: source.rule().matches.get(entry.index())?,
        index: entry.index(),
        reasons,
    })
}

fn reasons<T>(at: At<'_, T>, asked: &Asked<'_>, winner: Option<At<'_, T>>) -> Vec<Reason> {
    let At { host, part, entry } = at;
    let mut reasons = Vec::new();
    if !host.pattern.contains(asked.host) {
        reasons.push(Reason::Host(host.pattern.clone()));
    }
    reasons.extend(path_reason(&part.rules, entry, asked));
    if !entry.takes_method(asked) {
        reasons.push(Reason::Method);
    }
    let unmet = entry
        .conditions
        .iter()
        .filter(|condition| !condition.holds(asked));
    reasons.extend(unmet.map(|condition| condition_reason(condition, asked)));
    match winner {
        Some(first) if std::ptr::eq(first.entry, entry) => {}
        Some(first) if reasons.is_empty() => reasons.push(beaten(at, first)),
        _ => {}
    }
    reasons
}

/// Why a match that would take the request does not, since another one does.
fn beaten<T>(at: At<'_, T>, winner: At<'_, T>) -> Reason {
    if winner.host.pattern != at.host.pattern {
        return Reason::LessSpecificHost(winner.host.pattern.clone());
    }
    if !std::ptr::eq(winner.part, at.part) {
        return Reason::OtherKind;
    }
    let first = place(&winner.part.rules, winner.entry);
    let (_, by) = precedence::compare(&first, &place(&at.part.rules, at.entry));
    let is_call = matches!(first.wanted.path, PathMatch::Call(_));
    Reason::Precedence {
        by: match by {
            Criterion::PathKind | Criterion::PathLength if is_call => Criterion::Call,
            by => by,
        },
        winner: written(&first.wanted.path).into_owned(),
    }
}

fn path_reason(rules: &HostRules, entry: &Entry, asked: &Asked<'_>) -> Option<Reason> {
    let takes = match &entry.path {
        Path::Exact(wanted) => **wanted == *asked.path,
        Path::Prefix(wanted) if **wanted == *"/" => asked.path.starts_with('/'),
        Path::Prefix(wanted) => asked
            .path
            .strip_prefix(&**wanted)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        Path::Expression(expression) | Path::Method(expression) => {
            match rules.satisfies(expression, asked.path) {
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
    let wanted = (entry.index(), &rule.matches[entry.index()]);
    Place::new(&source.route, rule, wanted, &entry.path)
}

#[cfg(test)]
mod tests;
