//! Waiting for more of a connection's first bytes, without taking those that are there.
//!
//! A socket that has unread bytes is readable, so a wait for readability would return at once, again and
//! again. The waits here grow instead: a client that sends one byte and no more costs next to nothing
//! until its time is over.

use std::time::Duration;

use tokio::io::Interest;
use tokio::net::TcpStream;

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(250);

/// The waits of one connection.
pub(crate) struct Waits(Duration);

impl Waits {
    /// The first wait is short: most bytes are only in another packet.
    pub(crate) fn new() -> Self {
        Self(SHORTEST)
    }

    /// Waits until it is worth looking again. False: the other side has said that no more will come.
    pub(crate) async fn for_more(&mut self, stream: &TcpStream) -> bool {
        let ready = stream.ready(Interest::READABLE).await;
        if ready.is_ok_and(|ready| ready.is_read_closed()) {
            return false;
        }
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
        true
    }
}
