//! Where clients come in: sockets, PROXY protocol, TLS, and the connections that come of it.

pub(crate) mod accept;
pub(crate) mod arrival;
pub(crate) mod handshake;
pub mod hello;
pub(crate) mod owner;
pub(crate) mod peek;
pub mod proxy_protocol;
pub(crate) mod reach;
pub(crate) mod sni;
pub(crate) mod socket;
