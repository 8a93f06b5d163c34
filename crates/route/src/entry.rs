//! The parts that a table is made of: where a match comes from, and what it asks for.

use std::borrow::Cow;
use std::sync::Arc;

use daemun_model::matching::{CallMatch, PathMatch, RequestMatch, ValueMatch};
use daemun_model::route::{HttpRoute, Rule};
use http::Method;

use crate::conditions::{Condition, Regexes};
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
    /// A regular expression; what is compiled of it is in `HostRules`.
    Expression(Box<str>),
    /// A gRPC method of any service, as a regular expression: it comes after all prefixes but `/`.
    Method(Box<str>),
    /// What is written is no path, so that no request has it.
    Never(paths::PathError),
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

    /// Whether it is the same rule of the same Route, not an equal one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.route, &other.route) && self.at == other.at
    }

    pub(crate) fn rule(&self) -> &Rule {
        &self.route.rules[self.at]
    }
}

impl Entry {
    pub(crate) fn new(
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
            Path::Exact(_) | Path::Expression(_) | Path::Method(_) | Path::Never(_) => None,
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

impl Path {
    pub(crate) fn new(wanted: &PathMatch) -> Self {
        match wanted {
            PathMatch::Exact(path) => Self::exact(path),
            PathMatch::Prefix(path) => Self::prefix(path),
            PathMatch::Regex(expression) => Self::Expression(expression.as_str().into()),
            PathMatch::Call(CallMatch { service, method }) => {
                match (service.as_ref(), method.as_ref()) {
                    (None, None) => Self::prefix("/"),
                    (Some(ValueMatch::Exact(service)), None) => {
                        Self::prefix(&format!("/{service}"))
                    }
                    (Some(ValueMatch::Exact(service)), Some(ValueMatch::Exact(method))) => {
                        Self::exact(&format!("/{service}/{method}"))
                    }
                    (None, Some(method)) => {
                        Self::Method(format!("/[^/]+/{}", expression(Some(method))).into())
                    }
                    (service, method) => Self::Expression(
                        format!("/{}/{}", expression(service), expression(method)).into(),
                    ),
                }
            }
        }
    }

    fn exact(path: &str) -> Self {
        match paths::normalize(path) {
            Ok(path) => Self::Exact(path.into()),
            Err(error) => Self::Never(error),
        }
    }

    fn prefix(path: &str) -> Self {
        match paths::normalize(path) {
            // Of `//` nothing would be left; the Gateway API does not allow it anyway.
            Ok(path) if path.len() > 2 => {
                Self::Prefix(path.strip_suffix('/').unwrap_or(&path).into())
            }
            Ok(path) => Self::Prefix(path.into()),
            Err(error) => Self::Never(error),
        }
    }
}

/// An element of a path as a regular expression.
fn expression(value: Option<&ValueMatch>) -> String {
    match value {
        None => "[^/]+".to_owned(),
        Some(ValueMatch::Exact(text)) => regex_syntax::escape(text),
        Some(ValueMatch::Regex(text)) => format!("(?:{text})"),
    }
}

/// What is written as the path or expression, or which gRPC methods are taken.
pub(crate) fn written(path: &PathMatch) -> Cow<'_, str> {
    match path {
        PathMatch::Exact(text) | PathMatch::Prefix(text) | PathMatch::Regex(text) => text.into(),
        PathMatch::Call(call) => call.to_string().into(),
    }
}

/// There are never so many rules that a number would not fit.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
