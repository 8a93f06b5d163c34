//! A client's connection: what its requests share, and the clock that ends it when it stands still.
//!
//! There are no timers per request: reads and writes note the coarse tick at which they happened, and
//! the worker's sweep, once a second, compares.

mod pulse;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;
use std::time::Duration;

use daemun_model::policy::limits::ClientLimits;
use daemun_model::tls::ClientValidation;
use tokio::task::AbortHandle;

pub(crate) use pulse::{ClientIo, Pulse, Socket};

use crate::accepted::{Accepted, Open};
use crate::http::forward::Standing;
use crate::live::PortId;
use crate::worker::Worker;

/// What TLS said about a connection.
pub(crate) struct Secured {
    /// The name that the client asked for, lower case.
    pub(crate) sni: Option<String>,
    /// What was asked of its certificate then.
    pub(crate) client: Option<ClientValidation>,
}

/// How long nothing moves on a connection, within a request, before it looks for its end.
const QUIET: Duration = Duration::from_secs(1);

/// A connection.
pub(crate) struct Connection {
    pub(crate) number: u64,
    pub(crate) worker: Rc<Worker>,
    pub(crate) port: PortId,
    /// The peer of the socket, or who PROXY protocol says it is.
    pub(crate) peer: SocketAddr,
    /// What backends are told of it, written once for all of its requests.
    pub(crate) standing: Standing,
    pub(crate) tls: Option<Secured>,
    pub(crate) http2: bool,
    pub(crate) pulse: Arc<Pulse>,
    limits: ClientLimits,
    in_flight: Cell<u32>,
    wish: Cell<Wish>,
    waker: RefCell<Option<Waker>>,
    open: Open,
}

/// How a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wish {
    /// Not at all.
    Stay,
    /// With the next answer (HTTP/1), or after the requests that are under way (HTTP/2).
    WindDown,
    /// Now, if no request is under way.
    Close,
}

/// What a connection is made of.
pub(crate) struct Made {
    pub(crate) port: PortId,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: Option<Secured>,
    pub(crate) http2: bool,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) limits: ClientLimits,
    pub(crate) open: Open,
}

impl Connection {
    pub(crate) fn new(number: u64, worker: &Rc<Worker>, made: Made) -> Rc<Self> {
        let Made {
            port,
            peer,
            tls,
            http2,
            pulse,
            limits,
            open,
        } = made;
        let wish = if worker.draining.get() {
            Wish::WindDown
        } else {
            Wish::Stay
        };
        let live = worker.live();
        let listens_on = live.port(port).map_or(0, |port| port.written);
        Rc::new(Self {
            standing: Standing::new(peer.ip(), listens_on),
            number,
            worker: Rc::clone(worker),
            port,
            peer,
            tls,
            http2,
            pulse,
            limits,
            in_flight: Cell::new(0),
            wish: Cell::new(wish),
            waker: RefCell::default(),
            open,
        })
    }

    /// What its client may use.
    pub(crate) fn limits(&self) -> &ClientLimits {
        &self.limits
    }

    /// The task that runs the connection, so that it can be cut.
    pub(crate) fn runs_in(&self, task: AbortHandle) {
        self.open.accepted.runs_in(task);
    }

    /// A request begins; ends when the guard is dropped.
    pub(crate) fn begin(self: &Rc<Self>) -> Busy {
        self.in_flight.set(self.in_flight.get() + 1);
        self.pulse.in_request.store(true, Ordering::Relaxed);
        Busy {
            connection: Rc::clone(self),
            waits: Cell::new(false),
        }
    }

    /// Whether a request is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight.get() > 0
    }

    /// Whether the next answer closes the connection.
    pub(crate) fn is_ending(&self) -> bool {
        self.wish.get() >= Wish::WindDown
    }

    /// How the connection is to end; asked each time it is polled.
    pub(crate) fn wish(&self, waker: &Waker) -> Wish {
        if self
            .waker
            .borrow()
            .as_ref()
            .is_none_or(|kept| !kept.will_wake(waker))
        {
            *self.waker.borrow_mut() = Some(waker.clone());
        }
        self.wish.get()
    }

    /// Ends with the next answer; idle connections stay until then.
    pub(crate) fn announce_end(&self) {
        self.want(Wish::WindDown);
    }

    /// Its port is gone: ends now if idle, else with its requests.
    pub(crate) fn wind_down(&self) {
        self.want(if self.is_busy() {
            Wish::WindDown
        } else {
            Wish::Close
        });
    }

    /// Ends now, if idle.
    pub(crate) fn close_idle(&self) {
        if !self.is_busy() {
            self.want(Wish::Close);
        }
    }

    fn want(&self, wish: Wish) {
        if self.wish.get() < wish {
            self.wish.set(wish);
            if let Some(waker) = self.waker.borrow().as_ref() {
                waker.wake_by_ref();
            }
        }
    }

    /// Ends at once, whatever is under way.
    pub(crate) fn cut(&self) {
        self.open.accepted.abort();
    }

    /// Since when nothing goes on until the client moves: it does not read, or every request that is under
    /// way waits for its body, or (HTTP/2) for leave to send its answer's, or it has ended its side. What else the client sends
    /// meanwhile, such as pings, does not count.
    fn waits_for_client(&self) -> Option<&AtomicU32> {
        let pulse = &self.pulse;
        if pulse.blocked.load(Ordering::Relaxed) {
            Some(&pulse.wrote)
        } else if pulse.waiting.load(Ordering::Relaxed) >= self.in_flight.get() {
            Some(&pulse.waiting_since)
        } else if pulse.ended.load(Ordering::Relaxed) {
            // Perhaps it went away: it is given the time of one that does not move.
            Some(&pulse.moved)
        } else {
            None
        }
    }

    /// Begins to look for the connection's end, since its request takes long. Tunnels see it by themselves, and
    /// so does HTTP/2.
    fn look(&self) {
        if self.pulse.tunnels.load(Ordering::Relaxed)
            || self.pulse.looks.swap(true, Ordering::Relaxed)
        {
            return;
        }
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    /// Ends the connection if its client has stood still for too long.
    pub(crate) fn sweep(&self, now: u32) {
        let still = |since: &AtomicU32| {
            Duration::from_secs(now.saturating_sub(since.load(Ordering::Relaxed)).into())
        };
        if self.is_busy() {
            if self
                .waits_for_client()
                .is_some_and(|since| still(since) > self.limits.stall)
            {
                self.worker.metrics.client_stalled();
                self.cut();
            } else if !self.http2 && still(&self.pulse.moved) > QUIET {
                self.look();
            }
            return;
        }
        // What an HTTP/2 client sends between requests (pings, windows) is no head of a request, and does
        // not make the connection one that is used.
        let rests = self.http2 && self.pulse.rested.load(Ordering::Relaxed) != pulse::NEVER;
        if self.pulse.in_head.load(Ordering::Relaxed) && !rests {
            if still(&self.pulse.head_since) > self.limits.header_read {
                self.worker.metrics.header_timeout();
                self.cut();
            }
            return;
        }
        let idle = still(if rests {
            &self.pulse.rested
        } else {
            &self.pulse.moved
        });
        if idle > self.limits.idle.saturating_add(self.limits.stall) {
            // It was told to end, and its client does not take the rest.
            self.cut();
        } else if idle > self.limits.idle {
            self.want(Wish::Close);
        }
    }
}

/// A request under way on a connection.
pub(crate) struct Busy {
    connection: Rc<Connection>,
    /// Whether its answer waits for the client.
    waits: Cell<bool>,
}

impl Busy {
    /// The connection as it was accepted.
    pub(crate) fn accepted(&self) -> &Rc<Accepted> {
        &self.connection.open.accepted
    }

    /// Whether the next piece of its answer can be sent only when the client has taken the one before.
    pub(crate) fn waits(&self, waits: bool) {
        if self.waits.replace(waits) != waits {
            self.connection.pulse.waits(waits);
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.waits(false);
        let left = self.connection.in_flight.get() - 1;
        self.connection.in_flight.set(left);
        if left == 0 {
            let pulse = &self.connection.pulse;
            pulse.in_request.store(false, Ordering::Relaxed);
            pulse.in_head.store(false, Ordering::Relaxed);
            let now = self.connection.worker.tick();
            pulse.moved.store(now, Ordering::Relaxed);
            pulse.rested.store(now, Ordering::Relaxed);
            pulse.looks_no_more();
        }
    }
}
