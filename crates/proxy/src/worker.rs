//! A worker: one thread, one runtime, its own connections and pools.
//!
//! Nothing here is shared with other workers but what hangs on `Arc`s of a [`Live`]. A worker gets the
//! next `Live`, sockets to accept on, and the order to drain as messages.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use daemun_base::tasks::LocalTasks;
use tokio::runtime::LocalRuntime;
use tokio::sync::{mpsc, oneshot};

use crate::balance::Random;
use crate::http::connection::Connection;
use crate::listen::accept;
use crate::live::{Live, PortId};
use crate::observe::WorkerMetrics;
use crate::upstream::pool::Pools;

/// What a worker is told.
pub(crate) enum Message {
    /// Serve this from now on.
    Live(Arc<Live>),
    /// Accept on these sockets.
    Listen(PortId, Vec<std::net::TcpListener>),
    /// Empty the accept queues of a port and close its sockets.
    Close(PortId),
    /// Drain, and say when it is done.
    Drain(Drain, oneshot::Sender<()>),
}

/// How to drain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drain {
    /// How long to go on accepting.
    pub(crate) delay: Duration,
    /// How long requests in flight get after that.
    pub(crate) grace: Duration,
}

/// A worker's state, shared by its tasks.
pub(crate) struct Worker {
    pub(crate) id: usize,
    live: RefCell<Rc<Arc<Live>>>,
    pub(crate) pools: Pools,
    pub(crate) random: RefCell<Random>,
    pub(crate) tasks: LocalTasks,
    pub(crate) metrics: Arc<WorkerMetrics>,
    /// Seconds since the worker started, coarse; what connections measure idleness with.
    pub(crate) ticks: Arc<AtomicU32>,
    /// Connections of clients, by number.
    connections: RefCell<HashMap<u64, Rc<Connection>>>,
    next_connection: Cell<u64>,
    /// Whether answers close their connections.
    pub(crate) draining: Cell<bool>,
    accepting: RefCell<HashMap<PortId, Vec<accept::Acceptor>>>,
}

impl Worker {
    /// Starts a worker's thread.
    ///
    /// # Errors
    /// The system's, if there can be no thread.
    pub(crate) fn start(
        id: usize,
        metrics: Arc<WorkerMetrics>,
    ) -> std::io::Result<(mpsc::UnboundedSender<Message>, std::thread::JoinHandle<()>)> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new().name(format!("worker-{id}")).spawn(move || {
            match LocalRuntime::new() {
                Ok(runtime) => runtime.block_on(run(id, metrics, receiver)),
                Err(error) => tracing::error!(worker = id, %error, "A worker has no runtime and serves nothing."),
            }
        })?;
        Ok((sender, thread))
    }

    /// The configuration that is live at this moment.
    pub(crate) fn live(&self) -> Rc<Arc<Live>> {
        Rc::clone(&self.live.borrow())
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

    fn each_connection(&self, mut visit: impl FnMut(&Connection)) {
        let connections: Vec<_> = self.connections.borrow().values().cloned().collect();
        connections.iter().for_each(|connection| visit(connection));
    }
}

async fn run(
    id: usize,
    metrics: Arc<WorkerMetrics>,
    mut messages: mpsc::UnboundedReceiver<Message>,
) {
    let worker = Rc::new(Worker {
        id,
        live: RefCell::default(),
        pools: Pools::default(),
        random: RefCell::new(Random::seeded()),
        tasks: LocalTasks::default(),
        metrics,
        ticks: Arc::default(),
        connections: RefCell::default(),
        next_connection: Cell::new(0),
        draining: Cell::new(false),
        accepting: RefCell::default(),
    });
    let mut sweep = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                None => return,
                Some(Message::Live(live)) => take_over(&worker, live),
                Some(Message::Listen(port, sockets)) => listen(&worker, port, sockets),
                Some(Message::Close(port)) => close(&worker, port),
                Some(Message::Drain(how, done)) => {
                    drain(&worker, how).await;
                    let _ = done.send(());
                    return;
                }
            },
            _ = sweep.tick() => sweep_once(&worker),
        }
    }
}

/// Requests that begin from now on see the next configuration. Connections on ports and listeners that
/// are gone are told to end.
fn take_over(worker: &Rc<Worker>, live: Arc<Live>) {
    let removed = |port: PortId| live.port(port).is_none();
    worker.each_connection(|connection| {
        if removed(connection.port) {
            connection.wind_down();
        }
    });
    worker.pools.retain(&live);
    *worker.live.borrow_mut() = Rc::new(live);
}

fn listen(worker: &Rc<Worker>, port: PortId, sockets: Vec<std::net::TcpListener>) {
    for socket in sockets {
        match accept::Acceptor::start(worker, port, socket) {
            Ok(acceptor) => worker
                .accepting
                .borrow_mut()
                .entry(port)
                .or_default()
                .push(acceptor),
            Err(error) => {
                tracing::error!(%error, "A worker cannot accept on a socket that was bound.")
            }
        }
    }
}

fn close(worker: &Rc<Worker>, port: PortId) {
    let acceptors = worker
        .accepting
        .borrow_mut()
        .remove(&port)
        .unwrap_or_default();
    acceptors.into_iter().for_each(accept::Acceptor::close);
}

/// Counts time and ends what has stood still for too long.
fn sweep_once(worker: &Rc<Worker>) {
    let now = worker.ticks.fetch_add(1, Ordering::Relaxed) + 1;
    worker.each_connection(|connection| connection.sweep(now));
    worker.pools.sweep(now);
    worker.metrics.pools(worker.pools.counts());
}

/// How long connections without a request stay open while draining: a client that is about to send its
/// next request gets an answer that closes the connection, instead of a connection that was closed.
const IDLE_LINGER: Duration = Duration::from_secs(1);

/// In this order, so that no request is lost: answers begin to close their connections while new ones
/// are still accepted; then the accept queues are emptied and closed; then requests in flight end; then
/// connections without a request are closed; what is left when the grace period ends is cut.
async fn drain(worker: &Rc<Worker>, how: Drain) {
    worker.draining.set(true);
    worker.each_connection(Connection::announce_end);
    ticking(worker, how.delay, || false).await;
    let ports: Vec<PortId> = worker.accepting.borrow().keys().copied().collect();
    ports.into_iter().for_each(|port| close(worker, port));
    let linger = daemun_base::clock::now() + IDLE_LINGER.min(how.grace);
    ticking(worker, how.grace, || {
        let connections = worker.connections.borrow();
        let busy = connections.values().any(|connection| connection.is_busy());
        connections.is_empty() || (!busy && daemun_base::clock::now() >= linger)
    })
    .await;
    worker.each_connection(Connection::close_idle);
    ticking(worker, Duration::from_millis(500), || {
        worker.connections.borrow().is_empty()
    })
    .await;
    worker.each_connection(Connection::cut);
}

/// Waits, sweeping, until a time is over or something holds.
async fn ticking(worker: &Rc<Worker>, longest: Duration, done: impl Fn() -> bool) {
    let end = daemun_base::clock::now() + longest;
    let mut last_sweep = daemun_base::clock::now();
    while !done() && daemun_base::clock::now() < end {
        tokio::time::sleep(Duration::from_millis(10).min(longest)).await;
        if last_sweep.elapsed() >= Duration::from_secs(1) {
            last_sweep = daemun_base::clock::now();
            sweep_once(worker);
        }
    }
}
