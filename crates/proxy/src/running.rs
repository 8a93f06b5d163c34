//! The connections below HTTP that a worker runs: what the clock and the end of the process do to them, and the
//! buffer that all of them are read into. How bytes pass is `stream`'s.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use crate::accepted::Accepted;
use crate::observe::ends::End;
use crate::observe::passage::Passage;

/// Bytes that are read at once, at most; any datagram fits in, too. Less costs large transfers time; more gains
/// nothing.
const BUFFER: usize = 64 * 1024;

/// A worker's buffer, which is made when the first connection needs it.
#[derive(Default)]
pub(crate) struct Buffer(RefCell<Vec<u8>>);

impl Buffer {
    /// The bytes, for as long as nothing is waited for.
    pub(crate) fn borrow(&self) -> RefMut<'_, Vec<u8>> {
        let mut buffer = self.0.borrow_mut();
        buffer.resize(BUFFER, 0);
        buffer
    }
}

/// All of a worker's.
#[derive(Clone, Default)]
pub(crate) struct Streams(Rc<All>);

#[derive(Default)]
struct All {
    running: RefCell<HashMap<u64, Rc<Running>>>,
    next: Cell<u64>,
    /// Those that are being opened, too.
    count: Cell<usize>,
}

/// One of them.
pub(crate) struct Running {
    pub(crate) passage: Passage,
    accepted: Rc<Accepted>,
    idle: Duration,
    /// The tick at which bytes last moved.
    moved: Cell<u32>,
}

impl Streams {
    /// Counts a connection until what this gives is dropped.
    pub(crate) fn enter(&self) -> Counted {
        self.0.count.set(self.0.count.get() + 1);
        Counted(self.clone())
    }

    /// Bytes begin to pass on a connection: from now on it is swept, and can be ended.
    pub(crate) fn run(
        &self,
        (passage, accepted): (Passage, &Rc<Accepted>),
        idle: Duration,
        tick: u32,
    ) -> Registered {
        let number = self.0.next.get();
        self.0.next.set(number + 1);
        let running = Rc::new(Running {
            passage,
            accepted: Rc::clone(accepted),
            idle,
            moved: Cell::new(tick),
        });
        self.0
            .running
            .borrow_mut()
            .insert(number, Rc::clone(&running));
        Registered {
            all: self.clone(),
            number,
            running,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.count.get()
    }

    /// Ends what was idle for too long. To be called once a second, with the tick.
    pub(crate) fn sweep(&self, now: u32) {
        self.each(|running| {
            running.passage.count_bytes();
            let still = now.saturating_sub(running.moved.get());
            if Duration::from_secs(still.into()) > running.idle {
                running.accepted.end(End::Idle);
            }
        });
    }

    /// Ends all of them.
    pub(crate) fn cut(&self) {
        self.each(|running| running.accepted.end(End::Drained));
    }

    fn each(&self, visit: impl FnMut(&Rc<Running>)) {
        let all: Vec<_> = self.0.running.borrow().values().cloned().collect();
        all.iter().for_each(visit);
    }
}

impl Running {
    /// Bytes came from the client and went to the backend.
    pub(crate) fn received(&self, bytes: usize, tick: u32) {
        self.passage.received(bytes);
        self.moved.set(tick);
    }

    /// Bytes went the other way.
    pub(crate) fn sent(&self, bytes: usize, tick: u32) {
        self.passage.sent(bytes);
        self.moved.set(tick);
    }

    /// Why it is to end, if it is; asked each time it is polled.
    pub(crate) fn wish(&self, waker: &Waker) -> Option<End> {
        self.accepted.wish(waker)
    }
}

/// A connection that is on its worker's list until this is dropped.
pub(crate) struct Registered {
    all: Streams,
    number: u64,
    running: Rc<Running>,
}

impl Deref for Registered {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.all.0.running.borrow_mut().remove(&self.number);
    }
}

/// Counts a connection.
pub(crate) struct Counted(Streams);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.count.set(self.0.0.count.get() - 1);
    }
}
