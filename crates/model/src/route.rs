//! A Route: which requests it takes on which listeners, and what becomes of them.
//!
//! A Route points up to the listeners it is attached to, so that one changed Route is one changed
//! resource.

use serde::{Deserialize, Serialize};

use crate::backend::BackendTarget;
use crate::filter::Filter;
use crate::hostname::HostPattern;
use crate::matching::RequestMatch;
use crate::names::{Created, ListenerKey, RouteKey};
use crate::policy::retry::Retry;
use crate::policy::session::SessionPersistence;
use crate::policy::timeouts::Timeouts;

/// An HTTPRoute that is attached to at least one listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRoute {
    /// The object.
    pub key: RouteKey,
    /// When it was made: of two equal matches the older one wins.
    pub created: Created,
    /// Where it is attached.
    pub attachments: Vec<Attachment>,
    /// Its rules, in the order in which they were written.
    pub rules: Vec<Rule>,
}

/// A Route on a listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// The listener.
    pub listener: ListenerKey,
    /// The hostnames that listener and Route have in common; never empty.
    pub hostnames: Vec<HostPattern>,
}

/// A rule of a Route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its place in `spec.rules`, from 0; rules that were dropped leave a gap.
    pub index: usize,
    /// Its `name`, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Any of these takes a request; never empty.
    pub matches: Vec<RequestMatch>,
    /// What happens to a request, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// Where requests go. Empty means 500, unless a filter answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<WeightedBackend>,
    /// Time limits.
    #[serde(default, skip_serializing_if = "crate::carried::is_default")]
    pub timeouts: Timeouts,
    /// Trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Box<Retry>>,
    /// Session persistence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Box<SessionPersistence>>,
}

/// A share of a rule's requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightedBackend {
    /// Where they go.
    pub target: BackendTarget,
    /// The share: this weight of the sum of all. 0 means none.
    pub weight: u32,
    /// What happens to these requests only, after the rule's filters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
}
