//! What can be seen of the proxy: metrics, the access log, and what one request has gone through.
//!
//! A request fills a [`trip`] on its way, by calls that do no more than remember. When its response has
//! ended the trip is counted in the [`series`] of its listener, rule and backend, on counters that
//! only this worker writes, and, if wanted, becomes a line of the [`access_log`]. Whoever scrapes sums
//! over workers ([`exposition`]). What has no requests, connections below HTTP and flows of datagrams, fills a
//! [`passage`] in the same way.

pub mod access_log;
pub(crate) mod answers;
pub(crate) mod counters;
#[cfg(test)]
mod documented;
pub(crate) mod ends;
mod exposition;
mod metrics;
pub(crate) mod passage;
pub(crate) mod series;
pub(crate) mod trip;

pub(crate) use counters::WorkerMetrics;
pub use metrics::{Metrics, Source};
