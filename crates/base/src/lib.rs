//! What every process needs: the clock, allowances, tasks that end, readiness, signals, logs, errors in words.
//!
//! Nothing here knows what a gateway is.

pub mod allowance;
pub mod causes;
pub mod clock;
pub mod families;
pub mod logs;
pub mod process;
pub mod readiness;
pub mod signals;
pub mod tasks;
