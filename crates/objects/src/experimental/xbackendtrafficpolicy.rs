//! XBackendTrafficPolicy: how much of the traffic to a backend may be made up of tries that are made again
//! (GEP-3388), and sessions (GEP-1619).

use schemars::JsonSchema;
use serde::Deserialize;

use super::{GROUP, VERSION};
use crate::duration::Duration;
use crate::gateway_api::httproute::SessionPersistence;
use crate::gateway_api::shared::LocalObjectReference;
use crate::meta::{Kind, Object};

/// A policy about traffic to backends.
pub type XBackendTrafficPolicy = Object<XBackendTrafficPolicySpec>;

/// `BackendTrafficPolicySpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct XBackendTrafficPolicySpec {
    /// The backends, in the policy's namespace.
    pub target_refs: Vec<LocalObjectReference>,
    /// How many requests may be sent again.
    pub retry_constraint: Option<RetryConstraint>,
    /// Keeping sessions together.
    pub session_persistence: Option<SessionPersistence>,
}

impl Kind for XBackendTrafficPolicySpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = VERSION;
    const KIND: &'static str = "XBackendTrafficPolicy";
}

/// How many requests may be sent again (`RetryConstraint`): what either of the two allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryConstraint {
    /// A share of the requests; default 20 % within 10 s.
    pub budget: Option<BudgetDetails>,
    /// So many at least; default 10 within a second.
    pub min_retry_rate: Option<RequestRate>,
}

/// A share of the requests (`BudgetDetails`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetDetails {
    /// How many of 100; default 20.
    pub percent: Option<i64>,
    /// The time within which requests are counted, 1 s to 1 h; default 10 s.
    pub interval: Option<Duration>,
}

/// Requests in a time (`RequestRate`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestRate {
    /// How many.
    pub count: Option<i64>,
    /// Within which time, at most 1 h.
    pub interval: Option<Duration>,
}
