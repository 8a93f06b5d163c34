//! The proxy as its host process sees it: start workers, apply configurations, drain.
//!
//! It lives on the runtime beside the workers. Applying compiles, binds what is new, hands the next
//! [`Live`] to every worker, and only then closes what is gone: a port is never without a socket while
//! a listener wants it, and a configuration is live on a worker before connections for it are accepted.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use daemun_model::Configuration;
use daemun_model::names::{ListenerKey, Transport};
use socket2::Socket;
use tokio::sync::{mpsc, oneshot};

use crate::closed;
use crate::compile::{self, Keep, Report};
use crate::dns::Names;
use crate::listen::reach;
use crate::listen::socket::{self, Inherited};
use crate::live::{Live, PortId, PortKey};
use crate::observe::Metrics;
use crate::settings::Settings;
use crate::thread::{self, Drain, Message};

/// How long applying waits for names that are new, so that their backends do not begin without
/// addresses.
const NAMES_SETTLE: Duration = Duration::from_secs(1);

/// How long it is waited before a port that could not be bound is tried again: somebody may have had it only for a
/// while, as a connection of this process to a backend has the port that it begins at.
const BIND_AGAIN: Duration = Duration::from_secs(5);

/// A running proxy. To be held on the runtime beside the workers; dropping it ends the workers at once.
pub struct Proxy {
    settings: Settings,
    workers: Vec<Handle>,
    keep: Keep,
    names: Names,
    bound: BTreeMap<PortKey, Bound>,
    /// Whether there are ports that could not be bound.
    lacks_ports: bool,
    inherited: Inherited,
    configuration: Arc<Configuration>,
    live: Arc<Live>,
    metrics: Arc<Metrics>,
}

struct Handle {
    messages: mpsc::UnboundedSender<Message>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Bound {
    id: PortId,
    addresses: Vec<SocketAddr>,
}

/// What came of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// What the proxy itself refused of it.
    pub report: Report,
    /// What is bound now.
    pub listening: Vec<Listening>,
    /// What could not be bound: a sentence that names address and port, and who has it if that is known.
    pub not_bound: Vec<NotBound>,
}

/// An address that is bound, and the listeners that share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The address; unspecified for all of a family.
    pub address: SocketAddr,
    /// Whether connections or datagrams come in there.
    pub transport: Transport,
    /// The addresses behind it that the public internet routes.
    pub public: Vec<IpAddr>,
    /// The listeners.
    pub listeners: Vec<ListenerKey>,
}

/// A port that could not be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotBound {
    /// The listeners that have no socket.
    pub listeners: Vec<ListenerKey>,
    /// Why, as a sentence.
    pub reason: String,
}

impl Proxy {
    /// Starts the workers. They serve nothing yet.
    ///
    /// # Errors
    /// A sentence, if a thread cannot be made or sockets that were handed over cannot be used.
    pub fn start(settings: Settings) -> Result<Self, String> {
        let inherited = match &settings.inherited {
            None => Inherited::default(),
            Some(told) => {
                Inherited::take(Some(&told.pid), Some(&told.count), told.names.as_deref())?
            }
        };
        let metrics = Arc::new(Metrics::start(
            settings.workers,
            settings.access_log.clone(),
        )?);
        let mut workers = Vec::with_capacity(settings.workers);
        for id in 0..settings.workers {
            let (messages, thread) = thread::start(id, metrics.worker(id))
                .map_err(|error| format!("worker {id} could not be started: {error}"))?;
            workers.push(Handle {
                messages,
                thread: Some(thread),
            });
        }
        Ok(Self {
            names: Names::new(settings.dns_min_ttl),
            settings,
            workers,
            keep: Keep::new(metrics.registry()),
            bound: BTreeMap::new(),
            lacks_ports: false,
            inherited,
            configuration: Arc::default(),
            live: Arc::default(),
            metrics,
        })
    }

    /// The metrics of all workers.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The configuration that was applied last.
    pub fn configuration(&self) -> &Arc<Configuration> {
        &self.configuration
    }

    /// Makes a configuration live. Requests that have begun end as they began, unless their Gateway is closed:
    /// then they end at once, and nothing is waited for.
    pub async fn apply(&mut self, configuration: Arc<Configuration>) -> Applied {
        let before = std::mem::replace(&mut self.configuration, configuration);
        let changes = closed::changes(&before, &self.configuration);
        changes.iter().for_each(closed::Change::tell);
        let new = self.names.want(&self.configuration);
        if changes.iter().any(closed::Change::closes) {
            self.apply_current();
        }
        self.names.settle(new, NAMES_SETTLE).await;
        self.apply_current()
    }

    /// Waits until a DNS name of the configuration has other addresses, or a port that could not be bound may have
    /// become free, and makes that live. Cancel-safe.
    pub async fn follow(&mut self) -> Applied {
        let again = async {
            match self.lacks_ports {
                true => tokio::time::sleep(BIND_AGAIN).await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.names.changed() => {}
            () = again => {}
        }
        self.apply_current()
    }

    fn apply_current(&mut self) -> Applied {
        let (live, report) =
            compile::apply(&self.configuration, self.names.resolved(), &mut self.keep);
        let live = Arc::new(live);
        self.live = Arc::clone(&live);
        let backends = live.backends.iter().flatten();
        let endpoints = backends.map(|backend| (&backend.series, backend.endpoints.len()));
        self.metrics.compiled(&self.configuration, endpoints);
        let mut applied = Applied {
            report,
            ..Applied::default()
        };
        self.tell(|| Message::Live(Arc::clone(&live)));
        self.close_unwanted();
        self.bind_wanted(&mut applied);
        self.lacks_ports = !applied.not_bound.is_empty();
        applied
    }

    fn tell(&self, message: impl Fn() -> Message) {
        for worker in &self.workers {
            // A worker that is gone has said so in the log.
            let _ = worker.messages.send(message());
        }
    }

    fn close_unwanted(&mut self) {
        let live = &self.live;
        let gone: Vec<PortId> = self
            .bound
            .values()
            .map(|bound| bound.id)
            .filter(|id| live.port(*id).is_none())
            .collect();
        self.bound.retain(|_, bound| !gone.contains(&bound.id));
        for id in gone {
            self.tell(|| Message::Close(id));
        }
    }

    fn bind_wanted(&mut self, applied: &mut Applied) {
        let live = Arc::clone(&self.live);
        for port in live.ports.iter().flatten() {
            let listeners: Vec<ListenerKey> =
                port.listeners.iter().map(|one| one.key.clone()).collect();
            if !self.bound.contains_key(&port.key) {
                let made = socket::bind(&port.key, self.workers.len(), &self.inherited);
                match made {
                    Ok(sockets) => self.listen(&port.key, port.id, sockets),
                    Err(error) => {
                        applied.not_bound.push(NotBound {
                            listeners,
                            reason: error.to_string(),
                        });
                        continue;
                    }
                }
            }
            let addresses = self
                .bound
                .get(&port.key)
                .map(|bound| &bound.addresses[..])
                .unwrap_or_default();
            applied
                .listening
                .extend(addresses.iter().map(|address| Listening {
                    address: *address,
                    transport: port.key.transport,
                    public: reach::public_addresses(address.ip()),
                    listeners: listeners.clone(),
                }));
        }
    }

    fn listen(&mut self, key: &PortKey, id: PortId, sockets: Vec<socket::Listening>) {
        let addresses = sockets.iter().map(|listening| listening.address).collect();
        let mut by_worker: Vec<Vec<Socket>> = self.workers.iter().map(|_| Vec::new()).collect();
        for listening in sockets {
            by_worker
                .iter_mut()
                .zip(listening.sockets)
                .for_each(|(of_worker, socket)| of_worker.push(socket));
        }
        for (worker, sockets) in self.workers.iter().zip(by_worker) {
            let message = Message::Listen(id, key.transport, sockets);
            let _ = worker.messages.send(message);
        }
        self.bound.insert(key.clone(), Bound { id, addresses });
    }

    /// Drains and ends: see `worker::drain` for the order. Returns when every worker has ended.
    pub async fn drain(mut self) {
        let how = Drain {
            delay: self.settings.drain_delay,
            grace: self.settings.drain_grace,
        };
        let done: Vec<oneshot::Receiver<()>> = self
            .workers
            .iter()
            .map(|worker| {
                let (sender, receiver) = oneshot::channel();
                let _ = worker.messages.send(Message::Drain(how, sender));
                receiver
            })
            .collect();
        for one in done {
            // A worker that is gone has nothing left to drain.
            let _ = one.await;
        }
        let threads: Vec<_> = self
            .workers
            .iter_mut()
            .filter_map(|worker| worker.thread.take())
            .collect();
        self.workers.clear();
        let joined = daemun_base::tasks::blocking(move || {
            threads.into_iter().all(|thread| thread.join().is_ok())
        });
        if joined.await.ok() != Some(true) {
            tracing::error!("A worker ended with a panic.");
        }
        let metrics = Arc::clone(&self.metrics);
        // The last requests are in the log before the process ends.
        let _ = daemun_base::tasks::blocking(move || metrics.flush_logs()).await;
    }
}
