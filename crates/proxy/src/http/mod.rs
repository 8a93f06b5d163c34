//! A request's way: from a connection through listener, rule and filters to a backend and back.
//!
//! This folder and `upstream` are the only ones that know the HTTP engine; all others see `http` types.

pub(crate) mod body;
pub(crate) mod check;
pub(crate) mod choose;
pub(crate) mod connection;
pub(crate) mod engine;
pub(crate) mod filters;
pub(crate) mod forward;
pub(crate) mod replay;
pub(crate) mod reply;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod upgrade;
