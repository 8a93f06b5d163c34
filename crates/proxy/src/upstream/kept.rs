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
    /// The HTTP/2 connection that requests share.
    pub(super) shared: RefCell<Option<http2::SendRequest<RequestBody>>>,
    /// A connection that could become the shared one is being made.
    pub(super) connecting: Cell<bool>,
    pub(super) open: Cell<u32>,
    pub(super) most_idle: Cell<u32>,
    pub(super) idle_seconds: Cell<u32>,
    retired: Cell<bool>,
    pub(super) freed: Notify,
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
    /// HTTP/2, shared by requests.
    Http2(http2::SendRequest<RequestBody>),
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
        *self.shared.borrow_mut() = None;
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
    /// How many connections are kept.
    #[cfg(test)]
    pub(crate) fn idle_count(&self) -> usize {
        self.idle.borrow().len()
    }

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
