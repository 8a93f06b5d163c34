//! Matches, and reasons why they lost, in words.

use std::fmt;

use daemun_model::matching::{PathMatch, RequestMatch, ValueMatch};

use super::Reason;
use crate::precedence::Criterion;

/// A match in words: `PathPrefix /api, method GET, header x-beta = 2`.
pub fn describe(wanted: &RequestMatch) -> String {
    let path = match &wanted.path {
        PathMatch::Exact(path) => format!("Exact {path}"),
        PathMatch::Prefix(path) => format!("PathPrefix {path}"),
        PathMatch::Regex(expression) => format!("RegularExpression {expression}"),
        PathMatch::Call(wanted) => wanted.to_string(),
    };
    let value = |value: &ValueMatch| match value {
        ValueMatch::Exact(text) => format!("= {text}"),
        ValueMatch::Regex(expression) => format!("matching {expression}"),
    };
    let method = wanted
        .method
        .iter()
        .map(|method| format!("method {method}"));
    let headers = wanted
        .headers
        .iter()
        .map(|header| format!("header {} {}", header.name, value(&header.value)));
    let query = wanted
        .query
        .iter()
        .map(|query| format!("query parameter {} {}", query.name, value(&query.value)));
    std::iter::once(path)
        .chain(method)
        .chain(headers)
        .chain(query)
        .collect::<Vec<_>>()
        .join(", ")
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lacks = |f: &mut fmt::Formatter<'_>,
                     what: &str,
                     name: &str,
                     wanted: &str,
                     has: &Option<String>| match has {
            Some(has) => write!(
                f,
                "{what} {name} {wanted} is wanted, and the request has {has}"
            ),
            None => write!(
                f,
                "{what} {name} {wanted} is wanted, and the request has none"
            ),
        };
        match self {
            Self::Host(pattern) => write!(f, "it is for the hostname {pattern}"),
            Self::Path => f.write_str("the path is another one"),
            Self::NoPath(error) => write!(f, "no request has this path: {error}"),
            Self::BadExpression => f.write_str("the regular expression does not compile"),
            Self::Method => f.write_str("another method is wanted"),
            Self::Header { name, wanted, has } => lacks(f, "header", name, wanted, has),
            Self::Query { name, wanted, has } => lacks(f, "query parameter", name, wanted, has),
            Self::OtherKind => f.write_str(
                "rules of GRPCRoutes are asked first about gRPC calls, and those of HTTPRoutes about all else",
            ),
            Self::LessSpecificHost(winner) => {
                write!(
                    f,
                    "its hostname is less specific than {winner}, where a rule takes the request"
                )
            }
            Self::Precedence { by, winner } => match by {
                Criterion::PathKind => {
                    write!(
                        f,
                        "exact paths come before regular expressions, and these before prefixes: {winner} comes first"
                    )
                }
                Criterion::PathLength => write!(f, "shorter than {winner}"),
                Criterion::Call => write!(
                    f,
                    "what says more of service and method comes first: {winner}"
                ),
                Criterion::Method => f.write_str("the winner names a method"),
                Criterion::Headers => f.write_str("the winner asks for more headers"),
                Criterion::Query => f.write_str("the winner asks for more query parameters"),
                Criterion::Age => f.write_str("the winner's Route is older"),
                Criterion::Name => {
                    f.write_str("of Routes of the same age the first in the alphabet wins")
                }
                Criterion::Rule => f.write_str("the winner is an earlier rule of the same Route"),
                Criterion::Match => f.write_str("the winner is an earlier match of the same rule"),
            },
        }
    }
}
