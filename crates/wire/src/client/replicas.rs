//! All replicas of the controller: which there are, which of them gives resources, and what came of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::tasks::{Tasks, blocking};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep_until};

use super::addresses::Addresses;
use super::connection::{Connection, Outgoing};
use super::held::Held;
use super::{Resolve, Settings, Update, kept};
use crate::commit::{Commit, Piece, Pieces, cut};
use crate::frame::{Answer, FromProxy, OLDEST_PROTOCOL};

/// Events that wait to be looked at.
const WAITING: usize = 16;
/// How long after a change it is written to disk, with those that follow it.
const KEEP_AFTER: Duration = Duration::from_secs(1);
/// While changes go on, at most one part in so many of the time is spent on writing.
const SPARINGLY: u32 = 20;

/// What happens on a connection.
pub(super) enum Event {
    /// The replica has something to give, and can be told something here.
    Ready(Outgoing),
    /// It wants to know what the proxy has.
    Tell,
    /// It gives a piece of a commit.
    Commit(Piece),
    /// The connection ended.
    Gone,
}

/// What happens, and on the connection to which replica.
pub(super) type Told = (SocketAddr, Event);

/// The replicas, and what the proxy has from them.
pub(super) struct Replicas {
    settings: Arc<Settings>,
    updates: watch::Sender<Option<Update>>,
    answers: watch::Receiver<Answer>,
    held: Held,
    replicas: BTreeMap<SocketAddr, Replica>,
    /// The one that gives resources.
    giver: Option<SocketAddr>,
    pieces: Pieces,
    keeping: Keeping,
    tasks: Tasks,
    /// What connections tell.
    events: mpsc::Receiver<Told>,
    /// Where they tell it.
    tell: mpsc::Sender<Told>,
}

/// When what was accepted is written for a restart. Commits are not kept waiting by it.
#[derive(Default)]
struct Keeping {
    /// When it is to be, if it is.
    at: Option<Instant>,
    /// Not before.
    rest: Option<Instant>,
    /// What is being written; it ends with how long it took.
    writing: Option<JoinHandle<Duration>>,
}

struct Replica {
    task: AbortHandle,
    /// Where it is told something, once it is ready.
    ready: Option<Outgoing>,
    /// Whether its address is still among those of the name.
    listed: bool,
}

impl Replicas {
    /// None yet.
    pub(super) fn new(
        settings: Settings,
        updates: watch::Sender<Option<Update>>,
        answers: watch::Receiver<Answer>,
    ) -> Self {
        let (tell, events) = mpsc::channel(WAITING);
        Self {
            settings: Arc::new(settings),
            updates,
            answers,
            held: Held::default(),
            replicas: BTreeMap::new(),
            giver: None,
            pieces: Pieces::default(),
            keeping: Keeping::default(),
            tasks: Tasks::default(),
            events,
            tell,
        }
    }

    /// Follows them.
    pub(super) async fn run(mut self, resolve: Arc<dyn Resolve>) {
        // On a task of its own: it goes on however much happens here.
        let (found, mut addresses) = mpsc::channel(1);
        let looking = Addresses::new(&self.settings, resolve);
        self.tasks.spawn(looking.tell(found));
        let patience = sleep_until(Instant::now() + self.settings.patience);
        tokio::pin!(patience);
        let mut alone = self.settings.state.is_some();
        loop {
            tokio::select! {
                Some(found) = addresses.recv() => self.listed(&found),
                Some((address, event)) = self.events.recv() => {
                    alone &= !matches!(event, Event::Ready(_));
                    self.happened(address, event);
                }
                () = until(self.keeping.at), if self.keeping.is_due() => self.keep(),
                took = written(&mut self.keeping.writing), if self.keeping.writing.is_some() => {
                    self.keeping.rest = Some(Instant::now() + took * SPARINGLY);
                }
                () = &mut patience, if alone => {
                    alone = false;
                    self.use_kept().await;
                }
            }
        }
    }

    /// Begins with new addresses, and lets go of those that are not listed any more and not connected.
    fn listed(&mut self, found: &[SocketAddr]) {
        for (address, replica) in &mut self.replicas {
            replica.listed = found.contains(address);
        }
        self.replicas.retain(|_, replica| {
            let keep = replica.listed || replica.ready.is_some();
            if !keep {
                replica.task.abort();
            }
            keep
        });
        for address in found.iter().copied() {
            self.replicas.entry(address).or_insert_with(|| {
                let connection = Connection {
                    address,
                    settings: Arc::clone(&self.settings),
                    events: self.tell.clone(),
                    answers: self.answers.clone(),
                    greeted: false,
                    protocol: OLDEST_PROTOCOL,
                };
                Replica {
                    task: self.tasks.spawn(connection.run()),
                    ready: None,
                    listed: true,
                }
            });
        }
    }

    fn happened(&mut self, address: SocketAddr, event: Event) {
        let gives = self.giver == Some(address);
        match event {
            Event::Ready(sender) => {
                if let Some(replica) = self.replicas.get_mut(&address) {
                    replica.ready = Some(sender);
                }
                self.choose();
            }
            Event::Gone => {
                if let Some(replica) = self.replicas.get_mut(&address) {
                    replica.ready = None;
                    if !replica.listed {
                        replica.task.abort();
                        self.replicas.remove(&address);
                    }
                }
                if gives {
                    self.giver = None;
                    self.choose();
                }
            }
            Event::Tell if gives => self.tell(),
            Event::Commit(piece) if gives => self.commit(&piece),
            // It is not the one any more that was asked.
            Event::Tell | Event::Commit(_) => {}
        }
    }

    /// Takes resources from one that is ready, if there is none that gives them.
    fn choose(&mut self) {
        if self.giver.is_some() {
            return;
        }
        let mut ready = self.replicas.iter();
        let Some((address, _)) = ready.find(|(_, replica)| replica.ready.is_some()) else {
            return;
        };
        self.giver = Some(*address);
        self.subscribe();
    }

    fn subscribe(&mut self) {
        // Half a commit is none.
        self.pieces = Pieces::default();
        let root = self.held.root();
        self.say(&FromProxy::Subscribe { root });
    }

    /// Says something to the one that gives.
    fn say(&self, frame: &FromProxy) {
        let replica = self.giver.and_then(|giver| self.replicas.get(&giver));
        if let Some(ready) = replica.and_then(|replica| replica.ready.as_ref()) {
            ready.send(frame);
        }
    }

    fn tell(&mut self) {
        match cut(self.held.versions()) {
            Ok(pieces) => {
                for piece in pieces {
                    self.say(&FromProxy::Have(piece));
                }
            }
            Err(why) => tracing::error!("What this proxy has cannot be told: {why}."),
        }
    }

    fn commit(&mut self, piece: &Piece) {
        let applied = match self.pieces.take::<Commit>(piece) {
            Ok(None) => return,
            Ok(Some(commit)) => self.held.apply(commit),
            Err(why) => Err(why),
        };
        match applied {
            Ok(()) => self.changed(),
            Err(why) => {
                tracing::error!(
                    "A change of the configuration cannot be applied, and all of it is asked for anew: {why}."
                );
                self.held = Held::default();
                self.leave();
            }
        }
    }

    /// Ends the connection to the one that gives, and begins anew with whoever is ready.
    fn leave(&mut self) {
        if let Some(replica) = self.giver.take().and_then(|it| self.replicas.remove(&it)) {
            replica.task.abort();
        }
        self.choose();
    }

    fn changed(&mut self) {
        if let Some(update) = self.held.update() {
            self.updates.send_replace(Some(update));
            let Keeping { at, rest, .. } = &mut self.keeping;
            let soon = Instant::now() + KEEP_AFTER;
            at.get_or_insert(rest.map_or(soon, |rest| rest.max(soon)));
        }
    }

    /// Writes what is to be kept; on a thread of its own, since it may be much.
    fn keep(&mut self) {
        self.keeping.at = None;
        let (Some(directory), Some(accepted)) = (self.settings.state.clone(), self.held.accepted())
        else {
            return;
        };
        self.keeping.writing = Some(blocking(move || {
            let begun = Instant::now();
            if let Err(why) = kept::write(&directory, &accepted) {
                tracing::warn!("The configuration is not kept for a restart: {why}.");
            }
            begun.elapsed()
        }));
    }

    /// No controller answered: what was kept is better than nothing.
    async fn use_kept(&mut self) {
        let Some(directory) = self.settings.state.clone() else {
            return;
        };
        let read = blocking(move || kept::read(&directory)?.map(Held::of_kept).transpose()).await;
        match read {
            Ok(Ok(Some(held))) => {
                tracing::warn!(
                    "No controller has answered within {:?}: the last accepted configuration is used.",
                    self.settings.patience
                );
                self.held = held;
                self.changed();
            }
            Ok(Ok(None)) => tracing::warn!(
                "No controller has answered within {:?}, and no configuration was kept: nothing is served until one answers.",
                self.settings.patience
            ),
            Ok(Err(why)) => tracing::error!("The configuration that was kept is not used: {why}."),
            Err(_) => {}
        }
    }
}

impl Keeping {
    /// Whether there is something to be written, and nothing is being written.
    fn is_due(&self) -> bool {
        self.at.is_some() && self.writing.is_none()
    }
}

/// Waits until something is written, and says how long it took.
async fn written(writing: &mut Option<JoinHandle<Duration>>) -> Duration {
    let Some(handle) = writing.as_mut() else {
        return std::future::pending().await;
    };
    let took = handle.await.unwrap_or_default();
    *writing = None;
    took
}

async fn until(when: Option<Instant>) {
    if let Some(when) = when {
        sleep_until(when).await;
    }
}
