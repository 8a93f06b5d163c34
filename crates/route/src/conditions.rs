//! What a match asks of a request beside its path: a method, headers, query parameters.

use std::fmt;
use std::sync::{Arc, OnceLock};

use daemun_model::matching::{RequestMatch, ValueMatch};
use foldhash::HashMap;
use http::HeaderName;

use crate::patterns::Patterns;
use crate::{Asked, headers, query};

/// A condition on a header or a query parameter.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub subject: Subject,
    pub value: Value,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Header(HeaderName),
    /// The parameter's name, decoded.
    Query(Box<str>),
}

/// What its value must be.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Exact(Box<[u8]>),
    Regex(Arc<Expression>),
}

/// A regular expression. It is compiled when it is first needed: one under which an entry is filed is part
/// of an automaton there, and is needed by itself only by `explain`.
#[derive(Debug)]
pub(crate) struct Expression {
    pub written: Box<str>,
    compiled: OnceLock<Patterns>,
}

impl Condition {
    /// All conditions of a match on headers and query parameters.
    pub(crate) fn all(wanted: &RequestMatch, regexes: &mut Regexes) -> Vec<Self> {
        let headers = wanted
            .headers
            .iter()
            .map(|header| (Subject::Header(header.name.clone()), &header.value));
        let queries = wanted
            .query
            .iter()
            .map(|query| (Subject::Query(query.name.as_str().into()), &query.value));
        headers
            .chain(queries)
            .map(|(subject, value)| Self {
                subject,
                value: Value::new(value, regexes),
            })
            .collect()
    }

    /// Does what would otherwise have to be done for the first request.
    pub(crate) fn prepare(&self) {
        if let Value::Regex(expression) = &self.value {
            expression.compiled();
        }
    }

    /// Whether the request meets the condition.
    pub(crate) fn holds(&self, asked: &Asked<'_>) -> bool {
        self.subject
            .with_value(asked, |value| self.value.holds(value))
            .unwrap_or(false)
    }
}

impl Subject {
    /// Hands its value in the request to `see`; None if the request has none.
    pub(crate) fn with_value<R>(
        &self,
        asked: &Asked<'_>,
        see: impl FnOnce(&[u8]) -> R,
    ) -> Option<R> {
        match self {
            Self::Header(name) => headers::with_value(asked.headers, name, see),
            Self::Query(name) => query::with_value(asked.query, name.as_bytes(), see),
        }
    }
}

impl Value {
    fn new(value: &ValueMatch, regexes: &mut Regexes) -> Self {
        match value {
            ValueMatch::Exact(text) => Self::Exact(text.as_bytes().into()),
            ValueMatch::Regex(written) => Self::Regex(regexes.get(written)),
        }
    }

    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Exact(text) => **text == *value,
            Self::Regex(expression) => expression.compiled().is_match(value),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => write!(f, "= {}", String::from_utf8_lossy(text)),
            Self::Regex(expression) => write!(f, "matching {}", expression.written),
        }
    }
}

impl Expression {
    /// What decides. One that fails to compile matches nothing.
    pub(crate) fn compiled(&self) -> &Patterns {
        self.compiled
            .get_or_init(|| Patterns::compile(&[&self.written]))
    }
}

/// Regular expressions of a host, each there once.
#[derive(Debug, Default)]
pub(crate) struct Regexes(HashMap<Box<str>, Arc<Expression>>);

impl Regexes {
    fn get(&mut self, written: &str) -> Arc<Expression> {
        if let Some(known) = self.0.get(written) {
            return Arc::clone(known);
        }
        let expression = Arc::new(Expression {
            written: written.into(),
            compiled: OnceLock::new(),
        });
        self.0.insert(written.into(), Arc::clone(&expression));
        expression
    }
}
