//! Hold a `Live`, accept, filter, balance, forward, observe.
//!
//! The proxy gets a `daemun_model::Configuration`, compiles it and hands it to its workers. It does not
//! know where the configuration comes from: files, or Kubernetes by way of the wire.

mod accepted;
pub mod admin;
mod balance;
mod budget;
mod closed;
mod compile;
mod dns;
mod endpoints;
mod filter;
#[cfg(test)]
mod heads;
mod http;
mod listen;
mod live;
mod observe;
mod pki;
mod running;
pub mod settings;
mod stream;
mod supervisor;
mod termination;
mod thread;
mod udp;
mod upstream;
mod worker;

pub use compile::{Refused, Report};
pub use dns::Resolver;
pub use listen::{hello, proxy_protocol};
pub use observe::{Metrics, Source, access_log};
pub use settings::Settings;
pub use supervisor::{Applied, Listening, NotBound, Proxy};
