//! Development only: what tests need to see a gateway from outside, and what they put behind it.
//!
//! A gateway runs in the process, from the YAML that a user would write, through every stage
//! ([`Gateway`]). Behind it stand backends that tell what they saw and misbehave when asked to
//! ([`Backend`], [`Tap`]); in front of it clients that send exactly what they are given ([`Raw`],
//! [`Http2`], [`TlsClient`]). Everything listens on loopback, on ports that are found anew. For clusters
//! there is a cloud that hands out addresses ([`cloud`]).

pub mod backend;
pub mod body;
pub mod certificates;
pub mod cloud;
pub mod echo;
pub mod gateway;
pub mod golden;
pub mod http2;
mod panics;
pub mod ports;
pub mod raw;
pub mod strict;
pub mod tap;
pub mod tls;
pub mod wire;
pub mod yaml;

pub use backend::{Act, Backend, Seen};
pub use certificates::{Authority, Identity};
pub use echo::{Echo, UdpEcho};
pub use gateway::Gateway;
pub use http2::{Http2, Http2Answer};
pub use raw::{Answer, Raw};
pub use tap::{Step, Strict, Tap};
pub use tls::TlsClient;

use std::future::Future;
use std::time::Duration;

/// As long as a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for a future, but not for ever.
///
/// # Panics
/// After [`PATIENCE`].
pub async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => fail(&format!("{what} did not happen within {PATIENCE:?}")),
    }
}

/// Ends a test.
///
/// # Panics
/// Always.
#[expect(clippy::panic, reason = "this is how a test ends that cannot go on")]
#[track_caller]
pub fn fail(why: &str) -> ! {
    panic!("{why}")
}

#[cfg(test)]
mod tests;
