//! The way in, as far as somebody has to be asked for it.

pub(crate) mod resolve;

pub use resolve::{Looking, Lookup};
