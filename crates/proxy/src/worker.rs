//! A worker: one thread, one runtime, its own connections and pools.
//!
//! Nothing here is shared with other workers but what hangs on `Arc`s of a [`Live`]. What a worker is
//! told from outside, and its life from start to drain, is in `thread`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use daemun_base::tasks::LocalTasks;

use crate::accepted::AllAccepted;
use crate::balance::Random;
use crate::http::connection::Connection;
use crate::live::Live;
use crate::observe::WorkerMetrics;
use crate::running::{Buffer, Streams};
use crate::upstream::pool::Pools;

/// A configuration as a worker holds it: its requests count references of the worker's own, and not on
/// a line of memory that all workers write.
pub(crate) type LocalLive = Rc<Arc<Live>>;

/// A worker's state, shared by its tasks.
pub(crate) struct Worker {
    live: RefCell<LocalLive>,
    /// How many configurations there were.
    generation: Cell<u32>,
    pub(crate) pools: Pools,
    pub(crate) random: RefCell<Random>,
    pub(crate) tasks: LocalTasks,
    /// All connections of clients.
    pub(crate) accepted: AllAccepted,
    /// Connections that were accepted and have not begun yet; those below HTTP to their end.
    pub(crate) arrivals: LocalTasks,
    /// Tunnels, which live on after the connections that they were.
    pub(crate) tunnels: LocalTasks,
    /// Connections below HTTP.
    pub(crate) streams: Streams,
    /// What all of them are read into.
    pub(crate) buffer: Buffer,
    pub(crate) metrics: Arc<WorkerMetrics>,
    /// Seconds since the worker started, coarse; what connections measure idleness with.
    pub(crate) ticks: Arc<AtomicU32>,
    /// Connections of clients, by number.
    connections: RefCell<HashMap<u64, Rc<Connection>>>,
    next_connection: Cell<u64>,
    /// Whether answers close their connections.
    pub(crate) draining: Cell<bool>,
}

impl Worker {
    /// A worker that serves nothing yet.
    pub(crate) fn new(metrics: Arc<WorkerMetrics>) -> Rc<Self> {
        Rc::new(Self {
            live: RefCell::default(),
            pools: Pools::default(),
            random: RefCell::new(Random::seeded()),
            tasks: LocalTasks::default(),
            accepted: AllAccepted::default(),
            arrivals: LocalTasks::default(),
            tunnels: LocalTasks::default(),
            streams: Streams::default(),
            buffer: Buffer::default(),
            generation: Cell::new(0),
            metrics,
            ticks: Arc::default(),
            connections: RefCell::default(),
            next_connection: Cell::new(0),
            draining: Cell::new(false),
        })
    }

    /// The configuration that is live at this moment.
    pub(crate) fn live(&self) -> LocalLive {
        Rc::clone(&self.live.borrow())
    }

    /// Tells configurations apart without holding on to one.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.get()
    }

    /// The coarse clock.
    pub(crate) fn tick(&self) -> u32 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Adds a connection to those that are swept and drained; gives its number.
    pub(crate) fn register(&self, make: impl FnOnce(u64) -> Rc<Connection>) -> Rc<Connection> {
        let number = self.next_connection.get();
        self.next_connection.set(number + 1);
        let connection = make(number);
        self.connections
            .borrow_mut()
            .insert(number, Rc::clone(&connection));
        connection
    }

    /// Removes a connection that ended.
    pub(crate) fn forget(&self, number: u64) {
        self.connections.borrow_mut().remove(&number);
    }

    /// Visits the connections that are open now.
    pub(crate) fn each_connection(&self, mut visit: impl FnMut(&Connection)) {
        let connections: Vec<_> = self.connections.borrow().values().cloned().collect();
        connections.iter().for_each(|connection| visit(connection));
    }

    /// Whether connections or tunnels are open, and whether a request or tunnel is under way. What is below HTTP is
    /// as a tunnel: nobody can tell when it rests.
    pub(crate) fn is_open_or_busy(&self) -> (bool, bool) {
        let connections = self.connections.borrow();
        let tunnels = self.tunnels.count() > 0 || self.streams.count() > 0;
        let busy = tunnels || connections.values().any(|connection| connection.is_busy());
        let arriving = self.arrivals.count() > 0;
        (tunnels || arriving || !connections.is_empty(), busy)
    }

    /// Requests that begin from now on see the next configuration. Connections on ports and listeners
    /// that are gone are told to end; those of Gateways that are closed, and of clients that may not come from where
    /// they do any more, end at once.
    pub(crate) fn take_over(&self, live: Arc<Live>) {
        if live.may_end_some() {
            self.accepted
                .end_where(|it| live.ends(it.port, it.client.get().map(|client| client.ip())));
        }
        self.each_connection(|connection| {
            if live.port(connection.port).is_none() {
                connection.wind_down();
            }
        });
        self.pools.retain(&live);
        *self.live.borrow_mut() = Rc::new(live);
        self.generation.set(self.generation.get().wrapping_add(1));
    }

    /// Counts time and ends what has stood still for too long. To be called once a second.
    pub(crate) fn sweep(&self) {
        let now = self.ticks.fetch_add(1, Ordering::Relaxed) + 1;
        self.each_connection(|connection| connection.sweep(now));
        self.streams.sweep(now);
        self.pools.sweep(now);
        self.metrics.pools(self.pools.counts());
    }
}
