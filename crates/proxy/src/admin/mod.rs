//! The two ports beside the traffic: health, which may be seen by whoever watches the process, and
//! admin, which tells and changes more and is for those on this host only.
//!
//! Both speak plain HTTP/1.1 on the runtime beside the workers, with few connections at a time. What they
//! show comes from outside: this module knows neither where a configuration comes from nor how
//! metrics are counted.

mod control;
mod guard;
mod health;
mod listen;
mod page;

pub use control::{Admin, Explain, Form, Question};
pub use health::{Health, WriteMetrics};
pub use listen::{Address, StartError};

#[cfg(test)]
mod tests;
