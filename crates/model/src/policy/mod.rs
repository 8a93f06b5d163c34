//! How requests are tried, balanced and bounded. One file per policy.

pub mod balance;
pub mod budget;
pub mod forwarding;
pub mod limits;
pub mod retry;
pub mod session;
pub mod sources;
pub mod timeouts;
