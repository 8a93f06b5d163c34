//! One proxy's stream, from its hello to its end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use daemun_base::allowance::Allowance;
use daemun_base::clock;
use daemun_model::names::ObjectName;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep_until, timeout};
use tonic::{Status, Streaming};

use super::feed::{Feed, Moment};
use super::having::Having;
use super::roll::{Coming, Number, Roll};
use super::{Publisher, Times};
use crate::commit::{Commit, Piece, cut};
use crate::frame::{self, Answer, FromProxy, OLDEST_PROTOCOL, PROTOCOL, ToProxy};
use crate::identity::Proxy;
use crate::resource::Version;
use crate::versions::Versions;

/// How long a proxy may take to say who speaks.
const HELLO: Duration = Duration::from_secs(10);
/// Bytes of a version, at most.
const VERSION: usize = 64;
/// How long a proxy of a version too far off counts as there after it has come: it comes again and again.
const FOREIGN: Duration = Duration::from_secs(60);
/// How long a proxy may take to take a frame.
const TAKE: Duration = Duration::from_secs(30);
/// How long why a stream ends waits for somebody to hear it.
const LAST: Duration = Duration::from_secs(5);

type Sender = mpsc::Sender<Result<Bytes, Status>>;

/// Speaks with a proxy until it goes, or has been there long enough.
pub(super) async fn run(
    publisher: Publisher,
    proxy: Proxy,
    times: Times,
    mut frames: Streaming<Bytes>,
    sender: Sender,
) {
    let (version, foreign) = match hello(&mut frames).await {
        Ok(said) => said,
        Err(status) => return last(&sender, status).await,
    };
    let why = foreign.clone();
    if why.is_none() {
        tracing::info!(
            "{} of Gateway {} is connected (version {version}).",
            proxy.pod,
            proxy.gateway
        );
    }
    let (end, ended) = oneshot::channel();
    let entered = Entered::new(
        publisher,
        Coming {
            proxy,
            version,
            foreign,
            end,
        },
    );
    if let Some(why) = why {
        last(&sender, Status::failed_precondition(why)).await;
        drop((sender, frames));
        // It is said of it for as long as it goes on coming.
        let _ = timeout(FOREIGN, ended).await;
        return;
    }
    let now = clock::now();
    let stream = Stream {
        published: entered.publisher.0.published.subscribe(),
        entered,
        sender: sender.clone(),
        greeted: false,
        wants: Wants::Nothing,
        subscribes: Allowance::new(2, Duration::from_secs(1), now),
        having: Having::default(),
        answers: Allowance::new(10, Duration::from_millis(100), now),
        answer: None,
        heard: now,
        silent: false,
    };
    if let Err(status) = stream.speak(frames, ended, times).await {
        last(&sender, status).await;
    }
}

/// Says why the stream ends, to whoever listens.
async fn last(sender: &Sender, status: Status) {
    let _ = timeout(LAST, sender.send(Err(status))).await;
}

/// A stream on the roll, until it ends, however that is.
struct Entered {
    publisher: Publisher,
    proxy: Proxy,
    number: Number,
}

impl Entered {
    fn new(publisher: Publisher, coming: Coming) -> Self {
        let proxy = coming.proxy.clone();
        let mut state = publisher.state();
        if let Some(why) = &coming.foreign
            && !state.roll.knows_foreign(&proxy, &coming.version)
        {
            let Proxy { gateway, pod, .. } = &proxy;
            tracing::error!("{pod} of Gateway {gateway} is not spoken with: {why}.");
        }
        let number = state.roll.enter(coming);
        publisher.tell(&mut state, &proxy.gateway);
        drop(state);
        Self {
            publisher,
            proxy,
            number,
        }
    }

    /// Changes what is said of it.
    fn say(&self, change: impl FnOnce(&mut Roll, &ObjectName, Number)) {
        let mut state = self.publisher.state();
        change(&mut state.roll, &self.proxy.gateway, self.number);
        self.publisher.tell(&mut state, &self.proxy.gateway);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.say(Roll::left);
    }
}

/// The version of who says hello, and why it cannot be spoken with, if so.
async fn hello(frames: &mut Streaming<Bytes>) -> Result<(String, Option<String>), Status> {
    let late = |_| Status::deadline_exceeded("no hello came");
    let first = timeout(HELLO, frames.message()).await.map_err(late)??;
    let first = first.ok_or_else(|| Status::cancelled("the stream ended"))?;
    let FromProxy::Hello { version, protocol } =
        frame::read(&first).map_err(Status::invalid_argument)?
    else {
        return Err(Status::invalid_argument("the first frame was no hello"));
    };
    let mut version: String = version.chars().filter(|it| !it.is_control()).collect();
    frame::shorten(&mut version, VERSION);
    let foreign = (protocol < OLDEST_PROTOCOL).then(|| {
        format!(
            "version {version} speaks protocol {protocol}, and this controller ({}) {OLDEST_PROTOCOL} to {PROTOCOL}; bring proxy and controller to within one minor version of each other",
            env!("CARGO_PKG_VERSION")
        )
    });
    Ok((version, foreign))
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
    entered: Entered,
    published: watch::Receiver<u64>,
    sender: Sender,
    greeted: bool,
    wants: Wants,
    subscribes: Allowance,
    having: Having,
    answers: Allowance,
    /// What it answered and nobody was told yet.
    answer: Option<Answer>,
    heard: Instant,
    silent: bool,
}

impl Stream {
    async fn speak(
        mut self,
        mut frames: Streaming<Bytes>,
        mut ended: oneshot::Receiver<String>,
        times: Times,
    ) -> Result<(), Status> {
        let mut pings = interval(times.ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = tokio::time::sleep(around(times.longest, self.entered.number));
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
                why = &mut ended => {
                    let why = why.unwrap_or_else(|_| "the controller ends".to_owned());
                    return Err(Status::permission_denied(why));
                }
                () = at(self.answers.next()), if self.answer.is_some() => self.tell(),
                () = until(self.having.until()) => {
                    return Err(Status::deadline_exceeded("it did not say all that it has"));
                }
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
        let sent = timeout(TAKE, self.sender.send(Ok(bytes))).await;
        let late = |_| Status::deadline_exceeded("the proxy does not take what it is sent");
        sent.map_err(late)?.map_err(gone)
    }

    /// Says hello, once there is something to give.
    async fn greet(&mut self) -> Result<(), Status> {
        if self.greeted || self.entered.publisher.state().feeds.is_none() {
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
            self.entered
                .say(|roll, gateway, number| roll.silent(gateway, number, silent));
        }
    }

    async fn heard(&mut self, frame: &Bytes) -> Result<(), Status> {
        self.heard = clock::now();
        self.mark(false);
        match frame::read(frame).map_err(Status::invalid_argument)? {
            FromProxy::Hello { .. } => Err(Status::invalid_argument("a second hello was said")),
            FromProxy::Subscribe { root } => {
                if !self.subscribes.take(self.heard) {
                    return Err(Status::resource_exhausted("it asks too often"));
                }
                self.wants = Wants::All(root);
                self.give().await
            }
            FromProxy::Have(piece) => self.has(&piece).await,
            FromProxy::Answer(answer) => {
                self.answer = Some(answer.bounded());
                self.tell();
                Ok(())
            }
            FromProxy::Pong => Ok(()),
        }
    }

    /// Tells what it answered last, if that was not just done.
    fn tell(&mut self) {
        if self.answer.is_some()
            && self.answers.take(clock::now())
            && let Some(answer) = self.answer.take()
        {
            self.entered
                .say(|roll, gateway, number| roll.answered(gateway, number, answer));
        }
    }

    /// Takes what it has, if it was asked, and gives what is beyond that.
    async fn has(&mut self, piece: &Piece) -> Result<(), Status> {
        if !matches!(self.wants, Wants::Told) {
            return Err(Status::invalid_argument("nobody asked what it has"));
        }
        let published = self.with_feed(|feed| feed.len()).unwrap_or_default();
        let places = &self.entered.publisher.0.having;
        let Some(have) = self.having.take(piece, published, places).await? else {
            return Ok(());
        };
        let Some(moment) = self.with_feed(Feed::moment) else {
            self.wants = Wants::All(None);
            return Ok(());
        };
        self.wants = Wants::After(moment.revision);
        let beyond = moment.beyond(&have);
        drop((have, moment));
        self.commit(beyond).await?;
        self.give().await
    }

    /// Does something with what is published for the proxy's Gateway, if it is.
    fn with_feed<T>(&self, with: impl FnOnce(&mut Feed) -> T) -> Option<T> {
        let mut state = self.entered.publisher.state();
        let feeds = state.feeds.as_mut()?;
        feeds.get_mut(&self.entered.proxy.gateway).map(with)
    }

    /// Gives what is new, as far as it is known what the proxy has.
    async fn give(&mut self) -> Result<(), Status> {
        let next = {
            let mut state = self.entered.publisher.state();
            let feed = state.feeds.as_mut();
            match feed.and_then(|feeds| feeds.get_mut(&self.entered.proxy.gateway)) {
                Some(feed) => self.wants.next(feed),
                // The Gateway is not published, or not any more: what the proxy has stays.
                None => return Ok(()),
            }
        };
        match next {
            Next::Nothing => Ok(()),
            Next::Ask => self.send(&ToProxy::Tell).await,
            Next::Whole(moment) => self.commit(moment.beyond(&Versions::default())).await,
            Next::Commit(commit) => self.commit(commit).await,
        }
    }

    async fn commit(&self, commit: Commit) -> Result<(), Status> {
        let pieces = cut(&commit).map_err(Status::internal)?;
        self.entered.publisher.count(&commit, &pieces);
        // It may be large, and the proxy slow.
        drop(commit);
        for piece in pieces {
            self.send(&ToProxy::Commit(piece)).await?;
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

async fn at(when: Instant) {
    sleep_until(when.into()).await;
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => at(when).await,
        None => std::future::pending().await,
    }
}

/// A tenth more or less, so that streams that began together do not end together.
fn around(time: Duration, number: Number) -> Duration {
    let share = u32::try_from(number.wrapping_mul(7) % 21).unwrap_or_default();
    time * (90 + share) / 100
}
