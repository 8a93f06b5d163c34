//! The way in: who may reach a Gateway, by which address, and what that asks of the load balancer's maker.
//!
//! What is known about each maker of load balancers is data (`provider`); everything else here reads it.

mod at_nodes;
pub(crate) mod change;
pub mod class;
mod differences;
pub(crate) mod fronts;
pub(crate) mod judge;
pub(crate) mod leaving;
pub mod lint;
pub(crate) mod made;
pub(crate) mod observed;
pub mod provider;
pub(crate) mod shown;
pub mod silence;
mod verdict;

pub use change::{ALLOW_RECREATION, Fate, Held};
pub use judge::{Asked, Exposure, OnViolation, ServiceKind};
pub use observed::REACH_VERIFIED;

/// The reason of `Programmed` where an address may not be used.
pub const ADDRESS_NOT_USABLE: &str = crate::verdict::reason::ADDRESS_NOT_USABLE;
