//! One proxy's stream, from its hello to its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use daemun_base::clock;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tonic::{Status, Streaming};

use super::feed::{Feed, Moment};
use super::roll::Number;
use super::{Asked, Publisher, Times};
use crate::commit::{Commit, Piece, Pieces, cut};
use crate::frame::{self, FromProxy, OLDEST_PROTOCOL, PROTOCOL, ToProxy};
use crate::identity::Proxy;
use crate::resource::Version;
use crate::versions::Versions;

/// How long a proxy may take to say who speaks.
const HELLO: Duration = Duration::from_secs(10);

type Sender = mpsc::Sender<Result<Bytes, Status>>;

/// Speaks with a proxy until it goes, or has been there long enough.
pub(super) async fn run(
    publisher: Publisher,
    proxy: Proxy,
    times: Times,
    mut frames: Streaming<Bytes>,
    sender: Sender,
) {
    let version = match hello(&mut frames).await {
        Ok(version) => version,
        Err(status) => return drop(sender.send(Err(status)).await),
    };
    tracing::info!(
        "{} of Gateway {} is connected (version {version}).",
        proxy.pod,
        proxy.gateway
    );
    let (asks, asked) = mpsc::channel(1);
    let number = {
        let mut state = publisher.state();
        let number = state.roll.enter(proxy.clone(), version, asks);
        publisher.tell(&mut state);
        number
    };
    let _left = Left {
        publisher: publisher.clone(),
        number,
    };
    let stream = Stream {
        published: publisher.0.published.subscribe(),
        publisher,
        proxy,
        number,
        sender: sender.clone(),
        greeted: false,
        wants: Wants::Nothing,
        have: Pieces::default(),
        heard: clock::now(),
        silent: false,
        replies: BTreeMap::new(),
        last_ask: 0,
    };
    if let Err(status) = stream.speak(frames, asked, times).await {
        drop(sender.send(Err(status)).await);
    }
}

/// Takes a stream off the roll, however it ends.
struct Left {
    publisher: Publisher,
    number: Number,
}

impl Drop for Left {
    fn drop(&mut self) {
        let mut state = self.publisher.state();
        state.roll.leave(self.number);
        self.publisher.tell(&mut state);
    }
}

async fn hello(frames: &mut Streaming<Bytes>) -> Result<String, Status> {
    let late = |_| Status::deadline_exceeded("no hello came");
    let first = timeout(HELLO, frames.message()).await.map_err(late)??;
    let first = first.ok_or_else(|| Status::cancelled("the stream ended"))?;
    match frame::read(&first).map_err(Status::invalid_argument)? {
        FromProxy::Hello { version, protocol } if protocol >= OLDEST_PROTOCOL => Ok(version),
        FromProxy::Hello { version, protocol } => Err(Status::failed_precondition(format!(
            "version {version} speaks protocol {protocol}, and this controller ({}) {OLDEST_PROTOCOL} to {PROTOCOL}; bring proxy and controller to within one minor version of each other",
            env!("CARGO_PKG_VERSION")
        ))),
        _ => Err(Status::invalid_argument("the first frame was no hello")),
    }
}

/// What a proxy gets.
enum Wants {
    /// Nothing: it takes resources from another controller.
    Nothing,
    /// What it lacks: it has this.
    All(Option<Version>),
    /// It was asked to say what it has.
    Told,
    /// What comes after this revision.
    After(u64),
}

struct Stream {
    publisher: Publisher,
    published: watch::Receiver<u64>,
    proxy: Proxy,
    number: Number,
    sender: Sender,
    greeted: bool,
    wants: Wants,
    have: Pieces,
    heard: Instant,
    silent: bool,
    replies: BTreeMap<u64, (Pieces, oneshot::Sender<Result<String, String>>)>,
    last_ask: u64,
}

impl Stream {
    async fn speak(
        mut self,
        mut frames: Streaming<Bytes>,
        mut asked: mpsc::Receiver<Asked>,
        times: Times,
    ) -> Result<(), Status> {
        let mut pings = interval(times.ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = tokio::time::sleep(around(times.longest, self.number));
        tokio::pin!(end);
        self.published.mark_changed();
        loop {
            tokio::select! {
                frame = frames.message() => match frame {
                    Ok(Some(frame)) => self.heard(&frame).await?,
                    // It went, or the connection did.
                    Ok(None) | Err(_) => return Ok(()),
                },
                changed = self.published.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    self.greet().await?;
                    self.give().await?;
                }
                ask = asked.recv() => if let Some(ask) = ask {
                    self.ask(ask).await?;
                },
                _ = pings.tick() => {
                    self.mark(self.heard.elapsed() > times.silent);
                    if self.heard.elapsed() > times.silent * 4 {
                        return Err(Status::deadline_exceeded("nothing was heard of the proxy"));
                    }
                    self.send(&ToProxy::Ping).await?;
                }
                () = &mut end => {
                    return Err(Status::unavailable("it wants to be shown anew who this is"));
                }
            }
        }
    }

    async fn send(&self, frame: &ToProxy) -> Result<(), Status> {
        let bytes = frame::write(frame).map_err(Status::internal)?;
        let gone = |_| Status::cancelled("the proxy is gone");
        self.sender.send(Ok(bytes)).await.map_err(gone)
    }

    /// Says hello, once there is something to give.
    async fn greet(&mut self) -> Result<(), Status> {
        if self.greeted || self.publisher.state().feeds.is_none() {
            return Ok(());
        }
        self.greeted = true;
        self.send(&ToProxy::Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL,
        })
        .await
    }

    fn mark(&mut self, silent: bool) {
        if std::mem::replace(&mut self.silent, silent) != silent {
            let mut state = self.publisher.state();
            state.roll.silent(self.number, silent);
            self.publisher.tell(&mut state);
        }
    }

    async fn heard(&mut self, frame: &Bytes) -> Result<(), Status> {
        self.heard = clock::now();
        self.mark(false);
        match frame::read(frame).map_err(Status::invalid_argument)? {
            FromProxy::Hello { .. } => Err(Status::invalid_argument("a second hello was said")),
            FromProxy::Subscribe { root } => {
                self.wants = Wants::All(root);
                self.give().await
            }
            FromProxy::Have(piece) => {
                let have = self.have.take(&piece).map_err(Status::invalid_argument)?;
                match have {
                    Some(have) => self.give_beyond(&have).await,
                    None => Ok(()),
                }
            }
            FromProxy::Answer(answer) => {
                let mut state = self.publisher.state();
                state.roll.answered(self.number, answer);
                self.publisher.tell(&mut state);
                Ok(())
            }
            FromProxy::Pong => Ok(()),
            FromProxy::Reply { number, piece } => self.replied(number, &piece),
        }
    }

    /// Gives what is new, as far as it is known what the proxy has.
    async fn give(&mut self) -> Result<(), Status> {
        let next = {
            let mut state = self.publisher.state();
            let feed = state.feeds.as_mut();
            match feed.and_then(|feeds| feeds.get_mut(&self.proxy.gateway)) {
                Some(feed) => self.wants.next(feed),
                // The Gateway is not published, or not any more: what the proxy has stays.
                None => return Ok(()),
            }
        };
        match next {
            Next::Nothing => Ok(()),
            Next::Ask => self.send(&ToProxy::Tell).await,
            Next::Whole(moment) => self.commit(&moment.beyond(&Versions::default())).await,
            Next::Commit(commit) => self.commit(&commit).await,
        }
    }

    async fn give_beyond(&mut self, have: &Versions) -> Result<(), Status> {
        let moment = {
            let mut state = self.publisher.state();
            let feeds = state.feeds.as_mut();
            feeds.and_then(|feeds| Some(feeds.get_mut(&self.proxy.gateway)?.moment()))
        };
        let Some(moment) = moment else {
            self.wants = Wants::All(None);
            return Ok(());
        };
        self.wants = Wants::After(moment.revision);
        self.commit(&moment.beyond(have)).await?;
        self.give().await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), Status> {
        let pieces = cut(commit).map_err(Status::internal)?;
        self.publisher.count(commit, &pieces);
        for piece in pieces {
            self.send(&ToProxy::Commit(piece)).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, (ask, reply): Asked) -> Result<(), Status> {
        self.last_ask += 1;
        let number = self.last_ask;
        self.replies.retain(|_, (_, waiting)| !waiting.is_closed());
        self.replies.insert(number, (Pieces::default(), reply));
        self.send(&ToProxy::Ask { number, ask }).await
    }

    fn replied(&mut self, number: u64, piece: &Piece) -> Result<(), Status> {
        let Some((pieces, _)) = self.replies.get_mut(&number) else {
            return Ok(());
        };
        let Some(reply) = pieces.take(piece).map_err(Status::invalid_argument)? else {
            return Ok(());
        };
        if let Some((_, waiting)) = self.replies.remove(&number) {
            // Who asked may have gone.
            let _ = waiting.send(reply);
        }
        Ok(())
    }
}

enum Next {
    Nothing,
    Ask,
    Whole(Moment),
    Commit(Commit),
}

impl Wants {
    fn next(&mut self, feed: &mut Feed) -> Next {
        let revision = feed.revision();
        match *self {
            Self::Nothing | Self::Told => Next::Nothing,
            Self::All(None) => {
                *self = Self::After(revision);
                Next::Whole(feed.moment())
            }
            Self::All(Some(root)) if root == feed.root() => {
                *self = Self::After(revision);
                Next::Nothing
            }
            Self::All(Some(_)) => {
                *self = Self::Told;
                Next::Ask
            }
            Self::After(had) if had == revision => Next::Nothing,
            Self::After(had) => match feed.since(had) {
                Some(commit) => {
                    *self = Self::After(revision);
                    Next::Commit(commit)
                }
                None => {
                    *self = Self::Told;
                    Next::Ask
                }
            },
        }
    }
}

/// A tenth more or less, so that streams that began together do not end together.
fn around(time: Duration, number: Number) -> Duration {
    let share = u32::try_from(number.wrapping_mul(7) % 21).unwrap_or_default();
    time * (90 + share) / 100
}
