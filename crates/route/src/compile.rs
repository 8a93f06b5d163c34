//! The rules for one hostname, compiled: every match in its place, found by path.

use std::sync::Arc;

use foldhash::HashMap;

use crate::Asked;
use crate::conditions::Regexes;
use crate::entry::{Entry, Path, Source};
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
    expressions: Option<Expressions>,
    prefixes: Prefixes,
    /// gRPC methods of any service.
    methods: Option<Expressions>,
}

/// Regular expressions, and the group of each.
#[derive(Debug)]
struct Expressions {
    patterns: Arc<Patterns>,
    groups: Box<[Group]>,
}

/// Entries by their expression, in the order in which expressions were met first.
#[derive(Default)]
struct ByExpression<'a> {
    known: HashMap<&'a str, usize>,
    all: Vec<(&'a str, Vec<u32>)>,
}

impl HostRules {
    /// Compiles the rules. Expressions that were compiled `before` are taken from there.
    pub(crate) fn compile(sources: Vec<Source>, before: Option<&Self>) -> Self {
        let (paths, mut entries): (Vec<Path>, Vec<Entry>) = entries(&sources).into_iter().unzip();
        let mut exact: HashMap<Box<str>, Vec<u32>> = HashMap::default();
        let mut prefix: HashMap<Box<str>, Vec<u32>> = HashMap::default();
        let (mut expressions, mut methods) = (ByExpression::default(), ByExpression::default());
        for (path, at) in paths.iter().zip(0..) {
            match path {
                Path::Exact(path) => exact.entry(path.clone()).or_default().push(at),
                Path::Prefix(path) => prefix.entry(path.clone()).or_default().push(at),
                Path::Expression(expression) => expressions.add(expression, at),
                Path::Method(expression) => methods.add(expression, at),
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
        let known = |of: fn(&Self) -> Option<&Expressions>| before.and_then(of);
        let expressions = expressions.compile(&mut group, known(|it| it.expressions.as_ref()));
        let methods = methods.compile(&mut group, known(|it| it.methods.as_ref()));
        Self {
            entries: entries.into(),
            exact,
            expressions,
            prefixes,
            methods,
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
        both.is_some_and(|(one, two)| Arc::ptr_eq(&one.patterns, &two.patterns))
    }

    /// The match that takes the request.
    #[inline]
    pub(crate) fn find(&self, asked: &Asked<'_>) -> Option<&Entry> {
        let number = self
            .find_exact(asked)
            .or_else(|| find_expression(self.expressions.as_ref(), asked, &self.entries, None))
            .or_else(|| {
                let prefix = self.find_prefix(asked);
                find_expression(self.methods.as_ref(), asked, &self.entries, prefix).or(prefix)
            })?;
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

    /// Whether a path satisfies an expression; none if the expression did not compile.
    pub(crate) fn satisfies(&self, written: &str, path: &str) -> Option<bool> {
        let all = self.expressions.iter().chain(&self.methods);
        let (patterns, number) = all
            .map(|expressions| &expressions.patterns)
            .find_map(|patterns| Some((patterns, patterns.number(written)?)))?;
        let mut found = false;
        patterns.each_match(path.as_bytes(), |matched| found |= matched == number);
        Some(found)
    }
}

/// The first entry whose expression the path satisfies, if it comes before `limit`.
fn find_expression(
    expressions: Option<&Expressions>,
    asked: &Asked<'_>,
    entries: &[Entry],
    limit: Option<u32>,
) -> Option<u32> {
    let Expressions { patterns, groups } = expressions?;
    let mut best = None;
    patterns.each_match(asked.path.as_bytes(), |number| {
        let limit = best.or(limit).unwrap_or(u32::MAX);
        best = groups[number].find(asked, entries, limit).or(best);
    });
    best
}

impl<'a> ByExpression<'a> {
    fn add(&mut self, expression: &'a str, at: u32) {
        let place = *self.known.entry(expression).or_insert(self.all.len());
        if place == self.all.len() {
            self.all.push((expression, Vec::new()));
        }
        self.all[place].1.push(at);
    }

    /// Compiles them; if they are those that were compiled before, they are taken from there.
    fn compile(
        self,
        group: &mut impl FnMut(&[u32]) -> Group,
        before: Option<&Expressions>,
    ) -> Option<Expressions> {
        if self.all.is_empty() {
            return None;
        }
        let written: Vec<&str> = self.all.iter().map(|(written, _)| *written).collect();
        let patterns = match before.map(|before| &before.patterns) {
            Some(patterns) if patterns.is_of(&written) => Arc::clone(patterns),
            _ => Arc::new(Patterns::compile(&written)),
        };
        let groups = self.all.iter().map(|(_, members)| group(members));
        Some(Expressions {
            patterns,
            groups: groups.collect(),
        })
    }
}

/// All matches of all rules, in order of precedence, each with its path.
fn entries(sources: &[Source]) -> Vec<(Path, Entry)> {
    let mut regexes = Regexes::default();
    let mut places: Vec<(Place<'_>, usize, Path)> = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let rule = source.rule();
        for wanted in rule.matches.iter().enumerate() {
            let path = Path::new(&wanted.1.path);
            let place = Place::new(&source.route, rule, wanted, &path);
            places.push((place, at, path));
        }
    }
    places.sort_by(|(one, ..), (two, ..)| precedence::compare(one, two).0);
    places
        .into_iter()
        .map(|(place, at, path)| {
            let entry = Entry::new(at, place.index, place.wanted, path.clone(), &mut regexes);
            (path, entry)
        })
        .collect()
}
