//! From what watches tell to what proxies do and owners are told: the controller's one loop.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemun_base::readiness::Readiness;
use daemun_base::{clock, tasks};
use daemun_model::verdict::Status;
use daemun_translate::exposure::REACH_VERIFIED;
use daemun_translate::{Cluster, Outcome, Translator};
use daemun_wire::server::Publisher;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use kube::Client;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::own::Own;
use super::pace::Pace;
use super::said::Said;
use super::surround::Surroundings;
use crate::exposure::resolve::Resolved;
use crate::metrics::{Metrics, Reach};
use crate::source::kubernetes::{CLAIM, Event, Held, Read, Watches, read};
use crate::status::{Release, Tell};
use crate::step::{Changes, step};

/// How often everything is judged again because time goes on: certificates expire.
const JUDGE_AGAIN: Duration = Duration::from_secs(600);
/// How often what could not be read is tried again.
const READ_AGAIN: Duration = Duration::from_secs(15);
/// How long a configuration waits for a Secret that it refers to and that is being read.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the first configuration waits for what has to be read, and for the addresses of names.
const FIRST_ANSWERS: Duration = Duration::from_secs(5);
/// As many events as are taken at a time.
const AT_A_TIME: usize = 512;
/// The part of readiness that says whether the cluster is known.
const PART: &str = "cluster";

/// What the loop works with.
pub(super) struct Run {
    pub(super) client: Client,
    pub(super) held: Held,
    pub(super) watches: Watches,
    pub(super) publisher: Publisher,
    pub(super) told: mpsc::UnboundedSender<Tell>,
    pub(super) readiness: Readiness,
    pub(super) metrics: Arc<Metrics>,
    /// What Gateways need around them.
    pub(super) surroundings: watch::Sender<Option<Surroundings>>,
    /// Other installations that say that our classes are their own.
    pub(super) claims: watch::Sender<Option<Arc<[String]>>>,
    /// The controller's own namespace.
    pub(super) home: String,
    /// The names that are to be looked up.
    pub(super) names: watch::Sender<Arc<BTreeSet<String>>>,
    /// What was found about them.
    pub(super) resolved: watch::Receiver<Resolved>,
}

/// What is moved to a blocking thread for a step, and back.
#[derive(Default)]
struct Work {
    translator: Translator,
    /// What was published last.
    published: Outcome,
}

struct Looping {
    run: Run,
    /// None only while a step is made.
    work: Option<Box<Work>>,
    stepping: Option<JoinHandle<Stepped>>,
    began: Instant,
    pace: Pace,
    reads: FuturesUnordered<BoxFuture<'static, Read>>,
    pending: Option<Pending>,
    /// Whether anything was published since the start.
    is_published: bool,
    classes: Arc<BTreeSet<String>>,
    judge_again: Instant,
    read_again: Instant,
    said: Said,
    own: Own,
}

/// What a step came to and is not published yet.
struct Pending {
    changes: Changes,
    /// Whether it refers to something that was being read.
    lacks: bool,
    /// The names that load balancers show.
    names: Arc<BTreeSet<String>>,
    /// How long it may wait for that, or for the names' first addresses.
    until: Instant,
}

struct Stepped {
    work: Box<Work>,
    /// None if the translation panicked.
    changes: Option<Changes>,
}

impl Run {
    /// Runs for as long as there are watches.
    pub(super) async fn run(self) {
        self.readiness
            .not_ready(PART, "not everything that is watched was listed yet");
        let now = clock::now();
        let looping = Looping {
            run: self,
            work: Some(Box::default()),
            stepping: None,
            began: now,
            pace: Pace::default(),
            reads: FuturesUnordered::new(),
            pending: None,
            is_published: false,
            classes: Arc::default(),
            judge_again: now + JUDGE_AGAIN,
            read_again: now + READ_AGAIN,
            said: Said::new(now),
            own: Own::default(),
        };
        looping.run().await;
    }
}

impl Looping {
    async fn run(mut self) {
        let mut events = Vec::with_capacity(AT_A_TIME);
        loop {
            self.act_if_due();
            self.publish_if_settled();
            let wake = self.wake();
            tokio::select! {
                count = self.run.watches.inbox.recv_many(&mut events, AT_A_TIME) => {
                    if count == 0 {
                        return;
                    }
                    self.note(events.drain(..));
                }
                Some(read) = self.reads.next(), if !self.reads.is_empty() => self.take(read),
                Ok(()) = self.run.resolved.changed() => self.resolved(),
                stepped = stepped(&mut self.stepping) => self.stepped(stepped),
                () = sleep_until(wake.into()) => self.woke(),
            }
        }
    }

    /// When something is to be done though nothing happens.
    fn wake(&self) -> Instant {
        let acting = self.pace.due(clock::now()).filter(|_| self.may_act());
        let pending = self.pending.as_ref().map(|pending| pending.until);
        [acting, pending, self.said.due()]
            .into_iter()
            .flatten()
            .fold(self.judge_again.min(self.read_again), Instant::min)
    }

    fn woke(&mut self) {
        let now = clock::now();
        if now >= self.judge_again {
            self.judge_again = now + JUDGE_AGAIN;
            self.pace.changed();
        }
        if now >= self.read_again {
            self.read_again = now + READ_AGAIN;
            if self.run.held.referred.try_again() {
                self.begin_to_read();
            }
        }
        self.said.say(&self.run.held, now);
    }

    fn note(&mut self, events: impl Iterator<Item = Event>) {
        let held = &mut self.run.held;
        let mut definitions = false;
        for event in events {
            definitions |= held.note(event);
        }
        if definitions {
            let release = Release::of(held.definitions());
            self.own.say(held.definitions());
            self.tell(Tell::Release(release));
            self.run.watches.definitions_changed.notify_waiters();
        }
        let observed = self.run.held.take_observed();
        if !observed.is_empty() {
            self.tell(Tell::Observed(observed));
        }
        self.noticed();
        self.say_whether_ready();
        self.run.metrics.troubles(self.run.held.troubles().len());
        self.said.say(&self.run.held, clock::now());
    }

    fn say_whether_ready(&self) {
        let Run {
            held, readiness, ..
        } = &self.run;
        if held.is_complete() {
            readiness.ready(PART, "everything that is watched is known");
        } else {
            readiness.not_ready(PART, held.waits_for());
        }
    }

    /// Something may have changed in what is known.
    fn noticed(&mut self) {
        if self.run.held.take_changed() {
            self.pace.changed();
        }
        self.begin_to_read();
    }

    fn begin_to_read(&mut self) {
        for wish in self.run.held.referred.begin() {
            self.reads.push(read(self.run.client.clone(), wish).boxed());
        }
    }

    fn take(&mut self, read: Read) {
        let Held {
            cluster, referred, ..
        } = &mut self.run.held;
        if referred.take(read, cluster) {
            self.pace.changed();
        }
    }

    fn resolved(&mut self) {
        let Run { held, resolved, .. } = &mut self.run;
        held.cluster.resolved = resolved.borrow_and_update().clone();
        self.pace.changed();
    }

    fn may_act(&self) -> bool {
        self.stepping.is_none() && self.run.held.is_complete()
    }

    fn act_if_due(&mut self) {
        let now = clock::now();
        let due = self.pace.due(now).is_some_and(|due| due <= now);
        if !due || !self.may_act() {
            return;
        }
        let Some(mut work) = self.work.take() else {
            return;
        };
        self.pace.acts();
        self.began = now;
        self.run.held.cluster.now = clock::unix_seconds();
        let cluster = self.run.held.cluster.clone();
        self.stepping = Some(tasks::blocking(move || {
            let changes = catch_unwind(AssertUnwindSafe(|| work.step(&cluster))).ok();
            Stepped { work, changes }
        }));
    }

    fn stepped(&mut self, stepped: Option<Stepped>) {
        let now = clock::now();
        let took = now.saturating_duration_since(self.began);
        self.stepping = None;
        self.pace.acted(now, took);
        let fault = stepped.as_ref().is_none_or(|it| it.changes.is_none());
        self.run.metrics.stepped(took, fault);
        let Some(Stepped { mut work, changes }) = stepped else {
            self.work = Some(Box::default());
            return;
        };
        let Some(changes) = changes else {
            tracing::error!(
                "A change of the objects could not be translated because of a fault in Daemun; everything goes on as it was. Please report it with the objects."
            );
            work.translator = Translator::default();
            self.work = Some(work);
            return;
        };
        self.work = Some(work);
        let Held {
            cluster, referred, ..
        } = &mut self.run.held;
        if referred.want(&changes.next.wanted, cluster) {
            self.pace.changed();
        }
        self.begin_to_read();
        self.run.names.send_if_modified(|names| {
            let changed = !Arc::ptr_eq(names, &changes.next.names);
            *names = Arc::clone(&changes.next.names);
            changed
        });
        let patience = match self.is_published {
            true => PATIENCE,
            false => FIRST_ANSWERS,
        };
        self.pending = Some(Pending {
            names: changes.next.names.clone(),
            changes,
            lacks: self.run.held.referred.lacks(),
            until: self.pending.take().map_or(now + patience, |it| it.until),
        });
    }

    /// Publishes what a step came to, unless it refers to something that is just being read, and that it would call
    /// missing: what was read is translated first.
    fn publish_if_settled(&mut self) {
        let resolved = &self.run.held.cluster.resolved;
        let waits = |pending: &Pending| {
            let more = self.run.held.referred.lacks() || self.pace.is_waiting();
            // A private Gateway whose name was not looked up yet would be closed, and was not before.
            let mut names = pending.names.iter();
            let unanswered = !self.is_published && names.any(|name| !resolved.contains_key(name));
            (pending.lacks && more || unanswered) && clock::now() < pending.until
        };
        if self.stepping.is_some() || self.pending.as_ref().is_none_or(waits) {
            return;
        }
        if let Some(pending) = self.pending.take() {
            self.publish(pending.changes);
        }
    }

    fn publish(&mut self, changes: Changes) {
        let Changes {
            publish,
            tell,
            next,
        } = changes;
        let Some(work) = &mut self.work else {
            return;
        };
        if publish {
            self.run.metrics.published();
            let configuration = Arc::new(next.configuration.clone());
            self.run.publisher.publish(configuration);
            self.is_published = true;
        }
        self.run.metrics.reach(reach(&next));
        let said_before = work.published.verdicts.len();
        if !tell.is_empty() || said_before != next.verdicts.len() {
            let _ = self.run.told.send(Tell::Verdicts(next.verdicts.clone()));
        }
        let surroundings = &self.run.surroundings;
        let before = surroundings.borrow().clone();
        if before.is_none_or(|before| *before != next.infrastructure) {
            surroundings.send_replace(Some(Arc::new(next.infrastructure.clone())));
        }
        work.published = next;
        let classes = classes_in_use(&self.run.held.cluster);
        if classes != *self.classes {
            self.classes = Arc::new(classes);
            self.tell(Tell::Classes(Arc::clone(&self.classes)));
        }
        self.look_at_claims();
    }

    /// Tells who else says that our classes are its own.
    fn look_at_claims(&self) {
        let cluster = &self.run.held.cluster;
        let ours = cluster
            .gateway_classes
            .iter()
            .filter(|(_, class)| class.spec.controller_name == cluster.settings.controller);
        let claims: BTreeSet<String> = ours
            .filter_map(|(_, class)| class.metadata.annotations.get(CLAIM).cloned())
            .filter(|claim| *claim != self.run.home)
            .collect();
        let claims: Arc<[String]> = claims.into_iter().collect();
        self.run.claims.send_if_modified(|known| {
            let claims = Some(claims);
            let changed = *known != claims;
            *known = claims;
            changed
        });
    }

    fn tell(&self, tell: Tell) {
        // It is gone only when all ends.
        let _ = self.run.told.send(tell);
    }
}

/// Who reaches Gateways, of those of which something is seen.
fn reach(outcome: &Outcome) -> Vec<Reach> {
    let verdicts = outcome.verdicts.others().iter();
    let of_gateways = verdicts.filter(|verdict| verdict.object.kind == "Gateway");
    let reach = of_gateways.filter_map(|verdict| {
        let mut conditions = verdict.parts.iter().flat_map(|part| &part.conditions);
        let condition = conditions.find(|condition| condition.kind == REACH_VERIFIED)?;
        let gateway = &verdict.object.name;
        let served = outcome.configuration.gateways.get(gateway);
        Some(Reach {
            gateway: gateway.clone(),
            verified: match condition.status {
                Status::True => "True",
                Status::False => "False",
                Status::Unknown => "Unknown",
            },
            class: condition.reason,
            closed: served.is_some_and(|served| served.gateway.closed.is_some()),
        })
    });
    reach.collect()
}

impl Work {
    fn step(&mut self, cluster: &Cluster) -> Changes {
        step(&mut self.translator, cluster, &self.published)
    }
}

/// Waits for a step, if one is made.
async fn stepped(stepping: &mut Option<JoinHandle<Stepped>>) -> Option<Stepped> {
    match stepping {
        Some(stepping) => stepping.await.ok(),
        None => std::future::pending().await,
    }
}

fn classes_in_use(cluster: &Cluster) -> BTreeSet<String> {
    let gateways = cluster.gateways.iter();
    gateways
        .map(|(_, gateway)| gateway.spec.gateway_class_name.clone())
        .collect()
}
