//! The controller's end: what is published, who is connected, and what proxies answer.
//!
//! [`Publisher`] is what the rest of the controller sees. [`listen`] serves proxies: it finds out who connects,
//! and gives each its own Gateway's resources, first all that it lacks and then what changes.

mod accept;
mod feed;
mod having;
mod method;
mod metrics;
mod peers;
mod roll;
mod stream;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use daemun_base::families::only_v4;
use daemun_base::tasks::Tasks;
use daemun_model::names::ObjectName;
use daemun_model::{Configuration, Snapshot};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::answer::Proxies;
use crate::commit::{Commit, Piece, cut};
use crate::frame::{self, ToProxy};
use crate::identity::{Identify, Proxy};
use crate::versions::Versions;
use feed::Feed;
use metrics::Counts;
use roll::Roll;

/// What is published. Cheap to clone; all clones are the same.
#[derive(Clone, Default)]
pub struct Publisher(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Counts up with whatever is published.
    published: watch::Sender<u64>,
    proxies: watch::Sender<Arc<Proxies>>,
    counts: Counts,
    /// For proxies that say what they have.
    having: Arc<Semaphore>,
}

/// What was sent to proxies since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Commits, to one proxy each.
    pub commits: u64,
    /// Resources in them, those that were taken away included.
    pub resources: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            published: watch::channel(0).0,
            proxies: watch::channel(Arc::default()).0,
            counts: Counts::default(),
            having: Arc::new(Semaphore::new(having::AT_A_TIME)),
        }
    }
}

#[derive(Default)]
struct State {
    configuration: Arc<Configuration>,
    /// Counts up with every change of a feed, so that no number ever means two things.
    revision: u64,
    /// None before something was published: then no proxy is told anything.
    feeds: Option<BTreeMap<ObjectName, Feed>>,
    roll: Roll,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}

impl Publisher {
    /// Makes a configuration the one that proxies get. Parts that are the same `Arc` as before cost nothing.
    pub fn publish(&self, configuration: Arc<Configuration>) {
        let mut state = self.state();
        let State {
            configuration: newest,
            revision,
            feeds,
            roll: _,
        } = &mut *state;
        if feeds.is_some() && Arc::ptr_eq(newest, &configuration) {
            return;
        }
        let known = feeds.get_or_insert_default();
        let mut changed: Vec<ObjectName> = Vec::new();
        known.retain(|name, _| {
            let stays = configuration.gateways.contains_key(name);
            changed.extend((!stays).then(|| name.clone()));
            stays
        });
        for (name, snapshot) in &configuration.gateways {
            *revision += 1;
            match known.get_mut(name) {
                Some(feed) => {
                    feed.advance(snapshot, *revision);
                    if feed.revision() != *revision {
                        continue;
                    }
                }
                None => drop(known.insert(name.clone(), Feed::new(snapshot, *revision))),
            }
            changed.push(name.clone());
        }
        *newest = configuration;
        // What proxies have is the newest of their Gateway's, or is not any more.
        for gateway in &changed {
            self.tell(&mut state, gateway);
        }
        drop(state);
        self.0.published.send_modify(|count| *count += 1);
    }

    /// What proxies said, always the newest.
    pub fn proxies(&self) -> watch::Receiver<Arc<Proxies>> {
        self.0.proxies.subscribe()
    }

    fn count(&self, commit: &Commit, pieces: &[Piece]) {
        let counts = &self.0.counts;
        let bytes = pieces.iter().map(|piece| piece.bytes.len()).sum();
        Counts::add(&counts.commits, 1);
        Counts::add(&counts.resources, commit.put.len() + commit.removed.len());
        Counts::add(&counts.bytes, bytes);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all streams of a proxy; what it has stays with it.
    pub fn end(&self, proxy: &Proxy, why: &str) {
        let mut state = self.state();
        state.roll.end(proxy, why);
        self.tell(&mut state, &proxy.gateway);
    }

    /// Makes known what is said of a Gateway's proxies, if it is something new.
    fn tell(&self, state: &mut State, gateway: &ObjectName) {
        let State { feeds, roll, .. } = state;
        let feed = feeds.as_mut().and_then(|feeds| feeds.get_mut(gateway));
        let next = roll.proxies(gateway, feed.map(Feed::root));
        self.0.proxies.send_if_modified(|known| {
            let before = known.by_gateway.get(gateway);
            if before.map(|it| &**it) == next.as_ref() {
                return false;
            }
            let known = Arc::make_mut(known);
            match next {
                Some(next) => drop(known.by_gateway.insert(gateway.clone(), Arc::new(next))),
                None => drop(known.by_gateway.remove(gateway)),
            }
            true
        });
    }
}

/// How proxies are served.
pub struct Serving {
    /// What they get.
    pub publisher: Publisher,
    /// Who finds out who they are.
    pub identify: Arc<dyn Identify>,
    /// The certificate that is shown to new connections, always the newest. Without one they are closed.
    pub tls: watch::Receiver<Option<Arc<ServerConfig>>>,
    /// How long things may take.
    pub times: Times,
}

/// Times of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// How often a proxy is asked whether it is there.
    pub ping: Duration,
    /// After so long without an answer it counts as silent; after four times as long its stream ends.
    pub silent: Duration,
    /// How long a stream lasts, about: then the proxy must prove anew who it is. It loses nothing by that.
    pub longest: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(5),
            silent: Duration::from_secs(15),
            longest: Duration::from_secs(3600),
        }
    }
}

/// Listens for proxies, for as long as the tasks run; at all addresses of IPv4 if that is to be all of both families, and
/// there is no IPv6.
///
/// # Errors
/// A sentence, if the address cannot be bound.
pub async fn listen(
    address: SocketAddr,
    serving: Serving,
    tasks: &Tasks,
) -> Result<SocketAddr, String> {
    let failed = |error| format!("{address} cannot be opened for proxies: {error}");
    let listener = match TcpListener::bind(address).await {
        Err(error) => {
            let only_v4 = only_v4(address).ok_or_else(|| failed(error))?;
            TcpListener::bind(only_v4).await.map_err(failed)?
        }
        Ok(listener) => listener,
    };
    let bound = listener.local_addr().map_err(failed)?;
    accept::start(listener, serving, tasks);
    Ok(bound)
}

/// The frames of all that a Gateway's proxy is sent that has nothing.
///
/// # Errors
/// A sentence; nothing in the model is known that cannot be written.
pub fn whole(snapshot: &Arc<Snapshot>) -> Result<Vec<Bytes>, String> {
    let commit = Feed::new(snapshot, 1).moment().beyond(&Versions::default());
    let pieces = cut(&commit)?.into_iter();
    let frames = pieces.map(|piece| frame::write(&ToProxy::Commit(piece)));
    frames.collect()
}
