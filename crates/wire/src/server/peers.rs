//! What one address may take of the controller before anybody there has proved who it is: few handshakes, few
//! questions who it is, and a pause after each that was answered with no. So one pod keeps no place from others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use daemun_base::clock;

/// Connections at a time, of all.
const CONNECTIONS: usize = 4096;
/// Connections at a time of one address. Behind some networks all pods of a node have one.
const OF_ADDRESS: usize = 128;
/// Connections at a time of one address on which nobody has proved who it is.
const UNPROVEN: usize = 16;
/// Questions at a time from one address who it is.
const ASKING: usize = 4;
/// How long an address waits after it was not believed.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is said of one address that it was not believed.
const SAY: Duration = Duration::from_secs(60);
/// Addresses that are remembered without a connection.
const REMEMBERED: usize = 1024;

/// Everybody who is connected, by address.
#[derive(Default)]
pub(super) struct Peers(Mutex<Known>);

#[derive(Default)]
struct Known {
    connections: usize,
    peers: HashMap<IpAddr, Peer>,
}

#[derive(Default)]
struct Peer {
    connections: usize,
    unproven: usize,
    asking: usize,
    refused: Option<Instant>,
    said: Option<Instant>,
}

impl Peer {
    /// Whether something of it is still of use.
    fn counts(&self, now: Instant) -> bool {
        let lately = |at: Option<Instant>, time| at.is_some_and(|at| at + time > now);
        self.connections > 0 || lately(self.refused, PAUSE) || lately(self.said, SAY)
    }
}

impl Peers {
    /// Somebody has connected from an address; none if that is too much.
    pub(super) fn arrive(self: &Arc<Self>, address: IpAddr) -> Option<Arc<Guest>> {
        let now = clock::now();
        let address = address.to_canonical();
        let mut known = self.known();
        if known.peers.len() > REMEMBERED {
            known.peers.retain(|_, peer| peer.counts(now));
        }
        if known.connections >= CONNECTIONS {
            return None;
        }
        let peer = known.peers.entry(address).or_default();
        if peer.connections >= OF_ADDRESS || peer.unproven >= UNPROVEN {
            return None;
        }
        peer.connections += 1;
        peer.unproven += 1;
        known.connections += 1;
        drop(known);
        Some(Arc::new(Guest {
            peers: Arc::clone(self),
            address,
            proven: AtomicBool::new(false),
            streams: AtomicUsize::new(0),
        }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection.
pub(super) struct Guest {
    peers: Arc<Peers>,
    address: IpAddr,
    proven: AtomicBool,
    streams: AtomicUsize,
}

impl Guest {
    /// It wants to prove who it is; a sentence says why it may not now.
    pub(super) fn ask(&self) -> Result<Asking<'_>, String> {
        let mut known = self.peers.known();
        let peer = known.peers.entry(self.address).or_default();
        if peer.refused.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(
                "somebody at this address was just not believed; try again later".to_owned(),
            );
        }
        if peer.asking >= ASKING {
            return Err("too many at this address are asking at once; try again later".to_owned());
        }
        peer.asking += 1;
        Ok(Asking(self))
    }

    /// It was not believed. Says whether that is to be said.
    pub(super) fn refused(&self) -> bool {
        let now = clock::now();
        let mut known = self.peers.known();
        let peer = known.peers.entry(self.address).or_default();
        peer.refused = Some(now);
        let say = peer.said.is_none_or(|at| at + SAY <= now);
        if say {
            peer.said = Some(now);
        }
        say
    }

    /// It was believed, and has a stream until what comes back is dropped.
    pub(super) fn streams(self: &Arc<Self>) -> Streaming {
        if !self.proven.swap(true, Ordering::Relaxed) {
            let mut known = self.peers.known();
            if let Some(peer) = known.peers.get_mut(&self.address) {
                peer.unproven = peer.unproven.saturating_sub(1);
            }
        }
        self.streams.fetch_add(1, Ordering::Relaxed);
        Streaming(Arc::clone(self))
    }

    /// Whether there is a stream on it.
    pub(super) fn has_stream(&self) -> bool {
        self.streams.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut known = self.peers.known();
        known.connections = known.connections.saturating_sub(1);
        let Some(peer) = known.peers.get_mut(&self.address) else {
            return;
        };
        peer.connections = peer.connections.saturating_sub(1);
        if !*self.proven.get_mut() {
            peer.unproven = peer.unproven.saturating_sub(1);
        }
        if !peer.counts(clock::now()) {
            known.peers.remove(&self.address);
        }
    }
}

/// Somebody proves who it is.
pub(super) struct Asking<'a>(&'a Guest);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut known = self.0.peers.known();
        if let Some(peer) = known.peers.get_mut(&self.0.address) {
            peer.asking = peer.asking.saturating_sub(1);
        }
    }
}

/// A believed stream of a connection.
pub(super) struct Streaming(Arc<Guest>);

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    use super::{ASKING, Guest, OF_ADDRESS, Peers, UNPROVEN};

    const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn one_address_keeps_no_place_from_another() {
        let peers = Arc::<Peers>::default();
        let many: Vec<Arc<Guest>> = std::iter::from_fn(|| peers.arrive(ONE)).collect();
        assert_eq!(many.len(), UNPROVEN);
        let other = peers.arrive(OTHER).unwrap();
        // Who is believed has as many as it needs.
        let streaming: Vec<_> = many.iter().map(Guest::streams).collect();
        let more: Vec<_> = std::iter::from_fn(|| peers.arrive(ONE)).collect();
        assert_eq!(more.len(), UNPROVEN);
        assert!(many.len() + more.len() < OF_ADDRESS);
        assert!(many[0].has_stream() && !other.has_stream());
        drop(streaming);
        assert!(!many[0].has_stream());
        drop((many, more));
        assert_eq!(peers.known().connections, 1);
        assert!(!peers.known().peers.contains_key(&ONE));
    }

    #[test]
    fn who_is_not_believed_waits_before_it_asks_again() {
        let peers = Arc::<Peers>::default();
        let (one, other) = (peers.arrive(ONE).unwrap(), peers.arrive(OTHER).unwrap());
        let asking: Vec<_> = std::iter::from_fn(|| one.ask().ok()).collect();
        assert_eq!(asking.len(), ASKING);
        drop(asking);
        drop(one.ask().unwrap());
        assert!(one.refused(), "it is said");
        assert!(!one.refused(), "and not again at once");
        assert!(one.ask().is_err());
        assert!(other.ask().is_ok());
        drop(one);
        assert!(
            peers.arrive(ONE).unwrap().ask().is_err(),
            "a new connection helps nothing"
        );
    }
}
