//! What a request must look like for a rule to take it (gateway-api `HTTPRouteMatch`).
//!
//! Regular expressions are held as written; `translate` has judged them, `route` compiles them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One entry of `matches`: all of its parts must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestMatch {
    /// The path.
    pub path: PathMatch,
    /// The method, if only one is taken.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::carried::method"
    )]
    pub method: Option<http::Method>,
    /// Headers that must be there; names are unique (the first of duplicates counts).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderMatch>,
    /// Query parameters that must be there; names are unique and case-sensitive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<QueryMatch>,
}

impl RequestMatch {
    /// What an empty `matches` means: every path (`PathPrefix: /`).
    pub fn everything() -> Self {
        Self {
            path: PathMatch::Prefix("/".to_owned()),
            method: None,
            headers: Vec::new(),
            query: Vec::new(),
        }
    }
}

/// A condition on the path, which is compared as `route::paths` normalizes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum PathMatch {
    /// The whole path, character by character.
    Exact(String),
    /// Whole elements from the start: `/v2` takes `/v2` and `/v2/x`, not `/v2x`. Held without a
    /// trailing slash, except `/` itself.
    Prefix(String),
    /// A regular expression for the whole path.
    Regex(String),
    /// A call of a gRPC method: the path is `/service/method` (gateway-api `GRPCMethodMatch`).
    Call(CallMatch),
}

/// Which gRPC methods are taken; at least one of the two is given. Displayed as `service shop.Orders, method Place`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallMatch {
    /// The service, with its package: `helloworld.Greeter`. None takes all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ValueMatch>,
    /// The method: `SayHello`. None takes all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<ValueMatch>,
}

impl fmt::Display for CallMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, method } = self;
        let mut between = "";
        for (what, value) in [("service", service), ("method", method)] {
            match value {
                None => continue,
                Some(ValueMatch::Exact(text)) => write!(f, "{between}{what} {text}")?,
                Some(ValueMatch::Regex(text)) => write!(f, "{between}{what} matching {text}")?,
            }
            between = ", ";
        }
        Ok(())
    }
}

/// A condition on a header.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderMatch {
    /// The header's name.
    #[serde(with = "crate::carried::text")]
    pub name: http::HeaderName,
    /// What its value must be. Several header lines of one name count as one value, joined by `,`.
    pub value: ValueMatch,
}

/// A condition on a query parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryMatch {
    /// The parameter's name, decoded; case-sensitive.
    pub name: String,
    /// What its value must be, decoded. The first of repeated parameters counts.
    pub value: ValueMatch,
}

/// A condition on a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ValueMatch {
    /// Equal, byte by byte.
    Exact(String),
    /// A regular expression for the whole value.
    Regex(String),
}

impl ValueMatch {
    /// What is written: the value, or the expression.
    pub fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Regex(text) => text,
        }
    }
}
