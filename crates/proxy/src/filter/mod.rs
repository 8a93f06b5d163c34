//! What filters do to a request or a response. One file per filter, of the same name as in the model.
//!
//! These are functions on `http` types: they know neither the engine nor sockets, and `http::serve`
//! calls them in the order in which the filters were written.

pub(crate) mod cors;
pub(crate) mod external_auth;
pub(crate) mod headers;
pub(crate) mod mirror;
pub(crate) mod redirect;
pub(crate) mod rewrite;
