//! The connections of clients that a worker has accepted, from before their first byte to their end, whatever
//! they have become: a handshake, HTTP, a tunnel, or bytes that are passed on.
//!
//! They are ended in one place when they may not go on: when their Gateway is closed, or when clients may not come
//! from there any more. Ordinary ends are not here;
//! those are `http::connection`'s and `running`'s. Flows of datagrams end with their door (`udp`).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use smallvec::SmallVec;
use tokio::task::AbortHandle;

use crate::live::{InFlight, PortId};
use crate::observe::counters::OpenConnection;
use crate::observe::ends::End;

/// What counts a connection as open until it is dropped: for its port's limit, for metrics, and for those who
/// may end it.
pub(crate) struct Open {
    pub(crate) _in_flight: InFlight,
    pub(crate) _counted: OpenConnection,
    pub(crate) accepted: Rc<Accepted>,
}

/// All of a worker's.
#[derive(Clone, Default)]
pub(crate) struct AllAccepted(Rc<All>);

#[derive(Default)]
struct All {
    by_number: RefCell<HashMap<u64, Weak<Accepted>>>,
    next: Cell<u64>,
}

/// One of them.
pub(crate) struct Accepted {
    all: AllAccepted,
    number: u64,
    pub(crate) port: PortId,
    /// The peer of the socket, or who PROXY protocol says it is; none as long as that is not known.
    pub(crate) client: Cell<Option<SocketAddr>>,
    /// What runs it. A connection that has become HTTP/2 may have tunnels beside it.
    tasks: RefCell<SmallVec<[AbortHandle; 1]>>,
    /// Whether what was not sent is not to be sent any more when it ends.
    pub(crate) resets: Arc<AtomicBool>,
    /// Whether it asks by itself how it is to end, and is not to be aborted.
    asks: Cell<bool>,
    wish: Cell<Option<End>>,
    waker: RefCell<Option<Waker>>,
}

impl AllAccepted {
    /// A connection was accepted on a port. It is on the list until what this gives is dropped.
    pub(crate) fn enter(&self, port: PortId) -> Rc<Accepted> {
        let number = self.0.next.get();
        self.0.next.set(number + 1);
        let accepted = Rc::new(Accepted {
            all: self.clone(),
            number,
            port,
            client: Cell::new(None),
            tasks: RefCell::default(),
            resets: Arc::default(),
            asks: Cell::new(false),
            wish: Cell::new(None),
            waker: RefCell::default(),
        });
        let entry = Rc::downgrade(&accepted);
        self.0.by_number.borrow_mut().insert(number, entry);
        accepted
    }

    /// Ends at once those that there is a reason for.
    pub(crate) fn end_where(&self, reason: impl Fn(&Accepted) -> Option<End>) {
        let all: Vec<_> = self
            .0
            .by_number
            .borrow()
            .values()
            .filter_map(Weak::upgrade)
            .collect();
        for accepted in all {
            if let Some(end) = reason(&accepted) {
                accepted.end_at_once(end);
            }
        }
    }
}

impl Accepted {
    /// A task that runs it, or runs beside those that do.
    pub(crate) fn runs_in(&self, task: AbortHandle) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    /// From now on it asks by itself how it is to end.
    pub(crate) fn asks(&self) {
        self.asks.set(true);
    }

    /// Aborts what runs it.
    pub(crate) fn abort(&self) {
        self.tasks.borrow().iter().for_each(AbortHandle::abort);
    }

    /// Ends it at once, whatever is under way. What was not sent is not sent any more.
    fn end_at_once(&self, why: End) {
        self.resets.store(true, Ordering::Relaxed);
        if self.asks.get() {
            self.end(why);
        } else {
            self.abort();
        }
    }

    /// It is to end, for a reason; for those that ask.
    pub(crate) fn end(&self, why: End) {
        self.wish.set(Some(why));
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    /// Why it is to end, if it is; to be asked each time it is polled.
    pub(crate) fn wish(&self, waker: &Waker) -> Option<End> {
        let mut kept = self.waker.borrow_mut();
        if kept.as_ref().is_none_or(|kept| !kept.will_wake(waker)) {
            *kept = Some(waker.clone());
        }
        self.wish.get()
    }

    /// Waits for something, unless the connection is to end before.
    ///
    /// # Errors
    /// Why it is to end.
    pub(crate) async fn unless_ended<T>(&self, waiting: impl Future<Output = T>) -> Result<T, End> {
        let ended = poll_fn(|cx| match self.wish(cx.waker()) {
            Some(end) => Poll::Ready(end),
            None => Poll::Pending,
        });
        tokio::select! {
            biased;
            end = ended => Err(end),
            done = waiting => Ok(done),
        }
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        self.all.0.by_number.borrow_mut().remove(&self.number);
    }
}
