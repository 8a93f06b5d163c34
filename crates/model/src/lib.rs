//! What a gateway should do, as plain data.
//!
//! This is the middle of the three lives of a setting: what was written (`daemun-objects`), what is
//! meant (here), what is running (`daemun-proxy`'s `live`). Values are comparable, sendable and correct
//! by construction; they know neither Kubernetes nor sockets. `translate` makes them, the proxy
//! compiles them, `explain` reads them.
//!
//! Serialization here is for people (goldens, `/config`): secrets are shown as digests, never as content.

pub mod backend;
pub mod filter;
pub mod gateway;
pub mod hostname;
pub mod listener;
pub mod matching;
pub mod names;
pub mod policy;
pub mod route;
pub mod shown;
pub mod snapshot;
pub mod stream;
pub mod tls;
pub mod verdict;

pub use snapshot::{Configuration, Snapshot};
