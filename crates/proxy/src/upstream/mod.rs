//! Where requests go: connections to endpoints, their pools, and trying again.

pub(crate) mod authorize;
pub(crate) mod connect;
pub(crate) mod failure;
pub(crate) mod head;
pub(crate) mod http1;
pub(crate) mod kept;
pub(crate) mod mirror;
pub(crate) mod pool;
pub(crate) mod received;
pub(crate) mod retry;
pub(crate) mod send;
pub(crate) mod tls;
