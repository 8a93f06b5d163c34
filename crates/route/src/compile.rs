//! The rules for one hostname, compiled: every match in its place, found by path.

use std::sync::Arc;

use daemun_model::matching::{PathMatch, RequestMatch};
use daemun_model::route::{HttpRoute, Rule};
use foldhash::HashMap;
use http::Method;

use crate::conditions::{Condition, Regexes};
use crate::group::Group;
use crate::patterns::Patterns;
use crate::precedence::{self, Place};
use crate::prefixes::Prefixes;
use crate::{Asked, Matched, paths};

/// A rule, and the Route that holds it alive.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub route: Arc<HttpRoute>,
    /// The rule's place in `HttpRoute::rules`.
    at: usize,
}

/// One match of a rule.
#[derive(Debug)]
pub(crate) struct Entry {
    source: u32,
    index: u32,
    pub path: Path,
    pub method: Option<Method>,
    /// The first one is the one under which the entry is filed.
    pub conditions: Box<[Condition]>,
}

/// A path as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    Exact(Box<str>),
    /// `/`, or without a trailing slash.
    Prefix(Box<str>),
    /// As written; what is compiled of it is in `HostRules`.
    Regex,
    /// What is written is no path, so that no request has it.
    Never(paths::PathError),
}

/// All rules for one hostname.
#[derive(Debug)]
pub(crate) struct HostRules {
    sources: Box<[Source]>,
    /// In order of precedence.
    entries: Box<[Entry]>,
    exact: HashMap<Box<str>, Group>,
    /// The expressions, and the group of each.
    expressions: Option<(Arc<Patterns>, Box<[Group]>)>,
    prefixes: Prefixes,
}

impl Source {
    /// None if the rule is not one of the Route's.
    pub(crate) fn new(route: &Arc<HttpRoute>, rule: &Rule) -> Option<Self> {
        let is = |candidate: &Rule| std::ptr::eq(candidate, rule);
        // A rule is at its index unless rules before it were dropped.
        let at = match route.rules.get(rule.index) {
            Some(candidate) if is(candidate) => Some(rule.index),
            _ => route.rules.iter().position(is),
        };
        Some(Self {
            route: Arc::clone(route),
            at: at?,
        })
    }

    pub(crate) fn rule(&self) -> &Rule {
        &self.route.rules[self.at]
    }
}

impl Entry {
    fn new(
        source: usize,
        index: usize,
        wanted: &RequestMatch,
        path: Path,
        regexes: &mut Regexes,
    ) -> Self {
        Self {
            source: number(source),
            index: number(index),
            path,
            method: wanted.method.clone(),
            conditions: Condition::all(wanted, regexes).into(),
        }
    }

    /// The place of its rule among the sources.
    pub(crate) fn source(&self) -> usize {
        self.source as usize
    }

    /// The place of the match in its rule.
    pub(crate) fn index(&self) -> usize {
        self.index as usize
    }

    pub(crate) fn matched(&self) -> Matched<'_> {
        let prefix = match &self.path {
            Path::Prefix(prefix) => Some(&**prefix),
            Path::Exact(_) | Path::Regex | Path::Never(_) => None,
        };
        Matched {
            index: self.index(),
            prefix,
        }
    }

    #[inline]
    pub(crate) fn takes_method(&self, asked: &Asked<'_>) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| method == asked.method)
    }

    /// Whether the request meets all but the path and the condition under which the entry was found.
    pub(crate) fn takes_rest(&self, asked: &Asked<'_>) -> bool {
        self.takes_method(asked)
            && self
                .conditions
                .iter()
                .skip(1)
                .all(|condition| condition.holds(asked))
    }

    /// Whether it takes every request that the other, later one of the same path would take.
    pub(crate) fn hides(&self, other: &Self) -> bool {
        self.conditions.is_empty() && (self.method.is_none() || self.method == other.method)
    }
}

impl HostRules {
    /// Compiles the rules. Expressions that were compiled `before` are taken from there.
    pub(crate) fn compile(sources: Vec<Source>, before: Option<&Self>) -> Self {
        let mut entries = entries(&sources);
        let mut exact: HashMap<Box<str>, Vec<u32>> = HashMap::default();
        let mut prefix: HashMap<Box<str>, Vec<u32>> = HashMap::default();
        let mut expressions: Vec<(&str, Vec<u32>)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::default();
        for (entry, at) in entries.iter().zip(0..) {
            match &entry.path {
                Path::Exact(path) => exact.entry(path.clone()).or_default().push(at),
                Path::Prefix(path) => prefix.entry(path.clone()).or_default().push(at),
                Path::Regex => {
                    let written =
                        written(&sources[entry.source()].rule().matches[entry.index()].path);
                    let place = *known.entry(written).or_insert(expressions.len());
                    if place == expressions.len() {
                        expressions.push((written, Vec::new()));
                    }
                    expressions[place].1.push(at);
                }
                Path::Never(_) => {}
            }
        }
        let mut group = |members: &[u32]| Group::build(members, &mut entries);
        let exact = exact
            .into_iter()
            .map(|(path, members)| (path, group(&members)))
            .collect();
        let prefixes = Prefixes::build(
            prefix
                .into_iter()
                .map(|(path, members)| (path, group(&members)))
                .collect::<Vec<_>>(),
        );
        let groups: Box<[Group]> = expressions
            .iter()
            .map(|(_, members)| group(members))
            .collect();
        let expressions = (!expressions.is_empty()).then(|| {
            let all: Vec<&str> = expressions.iter().map(|(written, _)| *written).collect();
            let known = before
                .and_then(|before| before.expressions.as_ref())
                .map(|(patterns, _)| patterns);
            let patterns = match known {
                Some(patterns) if patterns.is_of(&all) => Arc::clone(patterns),
                _ => Arc::new(Patterns::compile(&all)),
            };
            (patterns, groups)
        });
        Self {
            entries: entries.into(),
            exact,
            expressions,
            prefixes,
            sources: sources.into(),
        }
    }

    /// Whether these are the rules of the same Routes in the same order.
    pub(crate) fn is_of(&self, sources: &[Source]) -> bool {
        let same = |(one, two): (&Source, &Source)| {
            Arc::ptr_eq(&one.route, &two.route) && one.at == two.at
        };
        self.sources.len() == sources.len() && self.sources.iter().zip(sources).all(same)
    }

    /// Whether the expressions of both are the same compiled ones.
    #[cfg(test)]
    pub(crate) fn shares_expressions(&self, other: &Self) -> bool {
        let both = self.expressions.as_ref().zip(other.expressions.as_ref());
        both.is_some_and(|((one, _), (two, _))| Arc::ptr_eq(one, two))
    }

    /// The match that takes the request.
    #[inline]
    pub(crate) fn find(&self, asked: &Asked<'_>) -> Option<&Entry> {
        let number = self
            .find_exact(asked)
            .or_else(|| self.find_expression(asked))
            .or_else(|| self.find_prefix(asked))?;
        self.entries.get(number as usize)
    }

    #[inline]
    fn find_exact(&self, asked: &Asked<'_>) -> Option<u32> {
        // A map that is empty is not worth a hash.
        if self.exact.is_empty() {
            return None;
        }
        self.exact
            .get(asked.path)?
            .find(asked, &self.entries, u32::MAX)
    }

    fn find_expression(&self, asked: &Asked<'_>) -> Option<u32> {
        let (patterns, groups) = self.expressions.as_ref()?;
        let mut best = None;
        patterns.each_match(asked.path.as_bytes(), |number| {
            best = groups[number]
                .find(asked, &self.entries, best.unwrap_or(u32::MAX))
                .or(best);
        });
        best
    }

    #[inline]
    fn find_prefix(&self, asked: &Asked<'_>) -> Option<u32> {
        self.prefixes
            .of(asked.path)
            .find_map(|group| group.find(asked, &self.entries, u32::MAX))
    }

    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The expressions of paths, by entry: whether each compiled, and whether the path satisfies it.
    pub(crate) fn expression(&self, written: &str, path: &str) -> Option<bool> {
        let (patterns, _) = self.expressions.as_ref()?;
        let number = patterns.number(written)?;
        let mut found = false;
        patterns.each_match(path.as_bytes(), |matched| found |= matched == number);
        Some(found)
    }
}

/// All matches of all rules, in order of precedence.
fn entries(sources: &[Source]) -> Vec<Entry> {
    let mut regexes = Regexes::default();
    let mut places: Vec<(Place<'_>, usize, Path)> = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let rule = source.rule();
        for (index, wanted) in rule.matches.iter().enumerate() {
            let path = Path::new(&wanted.path);
            let length = path
                .len()
                .unwrap_or_else(|| written(&wanted.path).chars().count());
            places.push((
                Place {
                    route: &source.route,
                    rule,
                    wanted,
                    index,
                    length,
                },
                at,
                path,
            ));
        }
    }
    places.sort_by(|(one, ..), (two, ..)| precedence::compare(one, two).0);
    places
        .into_iter()
        .map(|(place, at, path)| Entry::new(at, place.index, place.wanted, path, &mut regexes))
        .collect()
}

impl Path {
    fn new(wanted: &PathMatch) -> Self {
        match wanted {
            PathMatch::Exact(path) => match paths::normalize(path) {
                Ok(path) => Self::Exact(path.into()),
                Err(error) => Self::Never(error),
            },
            PathMatch::Prefix(path) => match paths::normalize(path) {
                // Of `//` nothing would be left; the Gateway API does not allow it anyway.
                Ok(path) if path.len() > 2 => {
                    Self::Prefix(path.strip_suffix('/').unwrap_or(&path).into())
                }
                Ok(path) => Self::Prefix(path.into()),
                Err(error) => Self::Never(error),
            },
            PathMatch::Regex(_) => Self::Regex,
        }
    }

    /// Its length if it is a path.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Exact(path) | Self::Prefix(path) => Some(path.len()),
            Self::Regex | Self::Never(_) => None,
        }
    }
}

/// What is written as the path or expression.
pub(crate) fn written(path: &PathMatch) -> &str {
    match path {
        PathMatch::Exact(text) | PathMatch::Prefix(text) | PathMatch::Regex(text) => text,
    }
}

/// There are never so many rules that a number would not fit.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
