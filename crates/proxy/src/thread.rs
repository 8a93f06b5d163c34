//! A worker's thread: what it is told from outside, and its life from start to drain.
//!
//! It gets the next `Live`, sockets to accept on, and the order to drain as messages, so that nothing of
//! a worker is locked. What its tasks share is `worker`.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use daemun_model::names::Transport;
use socket2::Socket;
use tokio::runtime::LocalRuntime;
use tokio::sync::{mpsc, oneshot};

use crate::http::connection::Connection;
use crate::listen::accept::Acceptor;
use crate::live::{Live, PortId};
use crate::observe::WorkerMetrics;
use crate::udp::Doors;
use crate::worker::Worker;

/// What a worker is told.
pub(crate) enum Message {
    /// Serve this from now on.
    Live(Arc<Live>),
    /// Accept on these sockets, or take datagrams there.
    Listen(PortId, Transport, Vec<Socket>),
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

/// How long connections without a request stay open while draining: a client that is about to send its
/// next request gets an answer that closes the connection, instead of a connection that was closed.
const IDLE_LINGER: Duration = Duration::from_secs(1);

/// Starts a worker's thread.
///
/// # Errors
/// The system's, if there can be no thread.
pub(crate) fn start(
    number: usize,
    metrics: Arc<WorkerMetrics>,
) -> std::io::Result<(mpsc::UnboundedSender<Message>, std::thread::JoinHandle<()>)> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        match LocalRuntime::new() {
            Ok(runtime) => runtime.block_on(Thread::new(metrics).run(receiver)),
            Err(error) => tracing::error!(worker = number, %error, "A worker has no runtime and serves nothing."),
        }
    })?;
    Ok((sender, thread))
}

/// A worker with the sockets that it accepts on.
struct Thread {
    worker: Rc<Worker>,
    accepting: HashMap<PortId, Vec<Acceptor>>,
    doors: Doors,
}

impl Thread {
    fn new(metrics: Arc<WorkerMetrics>) -> Self {
        Self {
            worker: Worker::new(metrics),
            accepting: HashMap::new(),
            doors: Doors::default(),
        }
    }

    async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        let mut sweep = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                message = messages.recv() => match message {
                    None => return,
                    Some(Message::Live(live)) => self.worker.take_over(live),
                    Some(Message::Listen(port, transport, sockets)) => {
                        self.listen(port, transport, sockets);
                    }
                    Some(Message::Close(port)) => self.close(port),
                    Some(Message::Drain(how, done)) => {
                        self.drain(how).await;
                        let _ = done.send(());
                        return;
                    }
                },
                _ = sweep.tick() => self.sweep(),
            }
        }
    }

    fn listen(&mut self, port: PortId, transport: Transport, sockets: Vec<Socket>) {
        for socket in sockets {
            let begun = match transport {
                Transport::Tcp => Acceptor::start(&self.worker, port, socket.into())
                    .map(|acceptor| self.accepting.entry(port).or_default().push(acceptor)),
                Transport::Udp => self.doors.open(&self.worker, port, socket.into()),
            };
            if let Err(error) = begun {
                tracing::error!(%error, "A worker cannot use a socket that was bound.");
            }
        }
    }

    fn close(&mut self, port: PortId) {
        let acceptors = self.accepting.remove(&port).unwrap_or_default();
        acceptors.into_iter().for_each(Acceptor::close);
        self.doors.close(port);
    }

    /// In this order, so that no request is lost: answers begin to close their connections while new
    /// ones are still accepted; then the accept queues are emptied and closed, and no UDP flow begins; then
    /// requests in flight end; then connections without a request are closed; what is left when the grace period ends is
    /// cut.
    async fn drain(&mut self, how: Drain) {
        let worker = Rc::clone(&self.worker);
        worker.draining.set(true);
        worker.each_connection(Connection::announce_end);
        self.ticking(how.delay, || false).await;
        let acceptors = std::mem::take(&mut self.accepting).into_values().flatten();
        acceptors.for_each(Acceptor::close);
        self.doors.let_nobody_in();
        let linger = daemun_base::clock::now() + IDLE_LINGER.min(how.grace);
        self.ticking(how.grace, || {
            let (open, busy) = worker.is_open_or_busy();
            let talking = self.doors.is_busy(worker.tick());
            !(open || talking) || !(busy || talking) && daemun_base::clock::now() >= linger
        })
        .await;
        worker.each_connection(Connection::close_idle);
        worker.streams.cut();
        self.doors.close_all();
        self.ticking(Duration::from_millis(500), || !worker.is_open_or_busy().0)
            .await;
        worker.each_connection(Connection::cut);
    }

    /// Waits, sweeping, until a time is over or something holds.
    async fn ticking(&self, longest: Duration, done: impl Fn() -> bool) {
        let end = daemun_base::clock::now() + longest;
        let mut last_sweep = daemun_base::clock::now();
        while !done() && daemun_base::clock::now() < end {
            tokio::time::sleep(Duration::from_millis(10).min(longest)).await;
            if last_sweep.elapsed() >= Duration::from_secs(1) {
                last_sweep = daemun_base::clock::now();
                self.sweep();
            }
        }
    }

    fn sweep(&self) {
        self.worker.sweep();
        self.doors.sweep(self.worker.tick());
    }
}
