//! How requests are tried, balanced and bounded: settings of rules, and policies that are attached to
//! listeners and backends. One file per policy.

pub(crate) mod arrivals;
pub(crate) mod balance;
pub(crate) mod budget;
pub(crate) mod forwarding;
pub(crate) mod limits;
pub(crate) mod retry;
pub(crate) mod session;
pub(crate) mod targets;
pub(crate) mod timeouts;
