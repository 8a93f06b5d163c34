//! The rules for one hostname, compiled: every match in its place, found by path.

use std::sync::Arc;

use foldhash::HashMap;

use crate::Asked;
use crate::conditions::Regexes;
use crate::entry::{Entry, Path, Source, written};
use crate::group::Group;
use crate::patterns::Patterns;
use crate::precedence::{self, Place};
use crate::prefixes::Prefixes;

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
        self.sources.len() == sources.len()
            && self
                .sources
                .iter()
                .zip(sources)
                .all(|(one, two)| one.is(two))
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
