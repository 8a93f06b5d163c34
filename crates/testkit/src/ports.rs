//! Ports that nobody has, from below the range that the kernel takes for outgoing connections, so that
//! none of those takes one between being found and being bound.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

/// A port on all addresses that is free for TCP and UDP, never the same twice in a process.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = std::process::id().wrapping_mul(613) % u32::from(COUNT);
    let start = u16::try_from(start).unwrap_or_default();
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        let all = ("0.0.0.0", port);
        if TcpListener::bind(all).is_ok() && UdpSocket::bind(all).is_ok() {
            return port;
        }
    }
}
