//! Watch objects (in files or in Kubernetes), call translate, publish what follows, and say what is wrong.
//!
//! [`follow()`] is the controller at work: a [`source`] of objects, [`settle`] to choose the moment, [`step`]
//! to see what follows, and [`publish`]ed states. [`look_once`] is the same without time, for `check`.

mod events;
pub mod exposure;
mod follow;
pub mod glimpse;
pub mod kubernetes;
mod leader;
mod metrics;
pub mod provision;
pub mod publish;
mod refused;
pub mod settle;
pub mod source;
mod status;
pub mod step;
pub mod verify;
pub mod wire;

pub use follow::{Controller, Following, Reload, follow, look_once};
pub use metrics::Metrics;
