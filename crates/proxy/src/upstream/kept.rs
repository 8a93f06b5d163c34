//! The connections to one endpoint that wait for a request, and how many there are.
//!
//! This is state only; how connections are made and chosen is in `pool` and `connect`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hyper::client::conn::http2;
use tokio::sync::Notify;

use crate::http::replay::RequestBody;
use crate::upstream::http1;

/// The connections to one endpoint.
#[derive(Default)]
pub(crate) struct Pool {
    pub(super) idle: RefCell<Vec<Idle>>,
    /// The HTTP/2 connections that requests share.
    pub(super) shared: RefCell<Vec<Rc<Shared>>>,
    /// A connection that could become the shared one is being made.
    pub(super) connecting: Cell<bool>,
    pub(super) open: Cell<u32>,
    pub(super) most_idle: Cell<u32>,
    pub(super) idle_seconds: Cell<u32>,
    retired: Cell<bool>,
    pub(super) freed: Notify,
}

/// An HTTP/2 connection that requests share.
pub(super) struct Shared {
    pub(super) sender: http2::SendRequest<RequestBody>,
    /// Requests that are under way on it.
    streams: Cell<u32>,
    /// The tick at which one began last.
    since: Cell<u32>,
}

/// Requests at a time on one HTTP/2 connection before another one is made: what most servers take. Beyond it
/// requests would wait until others end, and those may be of clients who see to it that they do not.
const MOST_STREAMS: u32 = 100;

/// A request's place on an HTTP/2 connection.
pub(crate) struct Stream(Rc<Shared>);

impl Stream {
    /// The first on a new connection.
    pub(super) fn first(sender: http2::SendRequest<RequestBody>, now: u32) -> Self {
        let shared = Shared {
            sender,
            streams: Cell::new(0),
            since: Cell::new(now),
        };
        Self::on(&Rc::new(shared), now)
    }

    fn on(shared: &Rc<Shared>, now: u32) -> Self {
        shared.since.set(now);
        shared.streams.set(shared.streams.get() + 1);
        Self(Rc::clone(shared))
    }

    /// The connection.
    pub(super) fn connection(&self) -> &Rc<Shared> {
        &self.0
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.streams.set(self.0.streams.get() - 1);
    }
}

pub(super) struct Idle {
    pub(super) connection: Box<http1::Connection>,
    pub(super) since: u32,
}

/// A connection to an endpoint.
pub(crate) enum Made {
    /// HTTP/1.1, for one exchange at a time.
    Http1(Box<http1::Connection>),
    /// HTTP/1.1, for a request that will change the protocol.
    Upgradable(hyper::client::conn::http1::SendRequest<RequestBody>),
    /// HTTP/2, shared by requests, and this one's place.
    Http2(Stream),
}

/// Where an HTTP/1.1 connection goes when it can carry another request.
pub(crate) struct Home {
    pool: Rc<Pool>,
    ticks: Arc<AtomicU32>,
}

impl Home {
    /// A connection's place in a pool.
    pub(crate) fn new(pool: &Rc<Pool>, ticks: &Arc<AtomicU32>) -> Self {
        Self {
            pool: Rc::clone(pool),
            ticks: Arc::clone(ticks),
        }
    }

    /// Keeps a connection for the next request.
    pub(crate) fn keep(&self, connection: Box<http1::Connection>) {
        self.pool
            .keep(connection, self.ticks.load(Ordering::Relaxed));
    }
}

impl Pool {
    /// Lets go of what is kept, and keeps nothing more.
    pub(super) fn retire(&self) {
        self.retired.set(true);
        self.idle.borrow_mut().clear();
        self.shared.borrow_mut().clear();
    }

    /// The shared connection with the most room, and a place on it; none if all are full and there may be
    /// one more.
    pub(super) fn share(&self, most: u32, now: u32) -> Option<Stream> {
        let mut shared = self.shared.borrow_mut();
        shared.retain(|one| !one.sender.is_closed());
        let roomiest = shared.iter().min_by_key(|one| one.streams.get())?;
        let full = roomiest.streams.get() >= MOST_STREAMS && self.open.get() < most;
        (!full).then(|| Stream::on(roomiest, now))
    }

    /// Lets go of shared connections that nobody has used for a while; the last one stays.
    pub(super) fn sweep_shared(&self, now: u32) {
        let mut shared = self.shared.borrow_mut();
        let mut left = shared.len();
        shared.retain(|one| {
            let unused = one.streams.get() == 0
                && now.saturating_sub(one.since.get()) > self.idle_seconds.get();
            let goes = one.sender.is_closed() || (unused && left > 1);
            left -= usize::from(goes);
            !goes
        });
    }
}

/// An open connection, counted until its task ends.
pub(crate) struct Open(Rc<Pool>);

impl Open {
    /// Counts a connection that is about to be opened.
    pub(crate) fn count(pool: &Rc<Pool>) -> Self {
        pool.open.set(pool.open.get() + 1);
        Self(Rc::clone(pool))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
        self.0.freed.notify_one();
    }
}

impl Pool {
    /// A pool that keeps connections.
    #[cfg(test)]
    pub(crate) fn keeping(most: u32) -> Rc<Self> {
        let pool = Self::default();
        pool.most_idle.set(most);
        Rc::new(pool)
    }

    fn keep(&self, connection: Box<http1::Connection>, since: u32) {
        let mut idle = self.idle.borrow_mut();
        if !self.retired.get() && idle.len() < self.most_idle.get() as usize {
            idle.push(Idle { connection, since });
        }
        drop(idle);
        self.freed.notify_one();
    }
}
