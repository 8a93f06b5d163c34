//! The way in: who may reach a Gateway, by which address, and what that asks of the load balancer's maker.
//!
//! What is known about each maker of load balancers is data (`provider`); everything else here reads it.

pub mod lint;
pub mod provider;
