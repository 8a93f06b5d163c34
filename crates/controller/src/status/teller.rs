//! Writes statuses for as long as the process runs: a few at a time, those that people notice first.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemun_base::allowance::Allowance;
use daemun_base::causes::because;
use daemun_base::clock;
use daemun_model::Verdicts;
use daemun_model::shown;
use daemun_objects::KindInfo;
use daemun_wire::answer::Proxies;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use super::desk::{Desk, Job, Key};
use super::release::Release;
use crate::events::{About, Events, Notice};
use crate::metrics::{Metrics, Outcome};
use crate::provision::Provisioned;
use crate::refused::LACKS_RIGHT;
use crate::source::kubernetes::{Observed, Raw, Served, full_name, has_status};

/// As many writes as are under way at a time.
const AT_A_TIME: usize = 8;
/// How long proxies may take to connect to a controller that has just started.
const EARLY: Duration = Duration::from_secs(10);
/// Objects of which it is remembered how often they were written into.
const REMEMBERED: usize = 1024;
/// How long until a write that failed is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// Writes into one object at once, and how often after that: whoever makes a proxy say now this and now that makes no
/// storm of it.
const AT_ONCE: u32 = 5;
const EVERY: Duration = Duration::from_secs(1);
/// How long until a write that is not permitted is tried again.
const FORBIDDEN: Duration = Duration::from_secs(60);

/// What the teller is told.
pub(crate) enum Tell {
    /// What was written into objects.
    Observed(Vec<Observed>),
    /// What should be said.
    Verdicts(Verdicts),
    /// Which Gateway API the cluster has.
    Release(Release),
    /// Which classes have Gateways.
    Classes(Arc<BTreeSet<String>>),
}

/// Writes statuses.
pub(crate) struct Teller {
    client: Client,
    desk: Desk,
    /// What is being written, or was written too often just now.
    busy: BTreeSet<Key>,
    paces: HashMap<Key, Allowance>,
    /// Until when nothing is written into an object.
    resting: BTreeMap<Instant, Vec<Key>>,
    later: BTreeMap<Instant, Vec<Key>>,
    early_until: Option<Instant>,
    leads: watch::Receiver<bool>,
    events: Events,
    metrics: Arc<Metrics>,
    forbidden: BTreeSet<String>,
}

/// Where news comes from.
pub(crate) struct News {
    /// Objects and verdicts.
    pub(crate) told: mpsc::UnboundedReceiver<Tell>,
    /// What proxies say.
    pub(crate) proxies: watch::Receiver<Arc<Proxies>>,
    /// What there is around Gateways.
    pub(crate) places: watch::Receiver<Arc<Provisioned>>,
}

/// How a write ended.
enum Written {
    Done(Box<Observed>, Vec<Notice>),
    Conflict(Option<Box<Observed>>),
    Gone,
    Forbidden(&'static KindInfo, bool),
    Failed(String),
}

impl Teller {
    /// A teller of the controller of this name and namespace, which writes while it leads.
    pub(crate) fn new(
        client: Client,
        (controller, home): (&str, &str),
        leads: watch::Receiver<bool>,
        events: Events,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            client,
            desk: Desk::new(controller, home, clock::unix_seconds()),
            events,
            metrics,
            busy: BTreeSet::new(),
            paces: HashMap::new(),
            resting: BTreeMap::new(),
            later: BTreeMap::new(),
            early_until: None,
            leads,
            forbidden: BTreeSet::new(),
        }
    }

    /// Writes until nobody tells it anything any more.
    pub(crate) async fn run(mut self, mut news: News) {
        let mut writes = FuturesUnordered::new();
        self.lead();
        loop {
            for (about, notice) in self.desk.take_notices() {
                self.notice(about, notice);
            }
            while *self.leads.borrow() && writes.len() < AT_A_TIME {
                let Some(job) = self.desk.next(&self.busy, &now()) else {
                    break;
                };
                self.busy.insert(job.key.clone());
                writes.push(write(self.client.clone(), job));
            }
            let wake = self.wake();
            let sleep = async {
                match wake {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                told = news.told.recv() => match told {
                    Some(told) => self.take(told),
                    None => return,
                },
                Some((key, written)) = writes.next(), if !writes.is_empty() => {
                    self.rest(&key);
                    self.wrote(key, written);
                }
                Ok(()) = news.proxies.changed() => {
                    let proxies = Arc::clone(&news.proxies.borrow_and_update());
                    self.metrics.proxies(proxies.by_gateway.values().map(|all| all.len()).sum());
                    self.desk.proxies(&proxies);
                }
                Ok(()) = news.places.changed() => {
                    let places = Arc::clone(&news.places.borrow_and_update());
                    self.desk.places(&places);
                }
                Ok(()) = self.leads.changed() => self.lead(),
                () = sleep => self.woke(),
            }
        }
    }

    /// Whoever begins to lead looks at everything, and gives proxies time to connect.
    fn lead(&mut self) {
        let leads = *self.leads.borrow_and_update();
        self.metrics.leads(leads);
        if leads {
            self.early_until = Some(clock::now() + EARLY);
            self.desk.early(true);
            self.desk.everything();
        }
    }

    /// Only the leader tells: the others see the same.
    fn notice(&self, about: About, notice: Notice) {
        if *self.leads.borrow() {
            self.events.tell(about, notice);
        }
    }

    fn take(&mut self, told: Tell) {
        match told {
            Tell::Observed(all) => all.into_iter().for_each(|one| self.desk.observed(one)),
            Tell::Verdicts(verdicts) => self.desk.judged(&verdicts),
            Tell::Release(release) => self.desk.release(release),
            Tell::Classes(classes) => self.desk.classes(classes),
        }
    }

    fn wake(&self) -> Option<Instant> {
        let first = |times: &BTreeMap<Instant, Vec<Key>>| times.keys().next().copied();
        let desk = self.desk.wake().map(|at| {
            let left = at.saturating_sub(clock::unix_seconds());
            clock::now() + Duration::from_secs(u64::try_from(left).unwrap_or_default())
        });
        let (later, resting) = (first(&self.later), first(&self.resting));
        [later, resting, self.early_until, desk]
            .into_iter()
            .flatten()
            .min()
    }

    fn woke(&mut self) {
        let now = clock::now();
        if self.early_until.is_some_and(|until| until <= now) {
            self.early_until = None;
            self.desk.early(false);
        }
        self.desk.woke(clock::unix_seconds());
        for key in due(&mut self.later, now) {
            self.desk.again(key);
        }
        for key in due(&mut self.resting, now) {
            self.busy.remove(&key);
        }
        if self.paces.len() > REMEMBERED {
            self.paces.retain(|_, pace| !pace.is_full(now));
        }
    }

    /// An object was written into: it may be again now, or after a rest.
    fn rest(&mut self, key: &Key) {
        let now = clock::now();
        let pace = self.paces.entry(key.clone());
        let pace = pace.or_insert_with(|| Allowance::new(AT_ONCE, EVERY, now));
        pace.take(now);
        if pace.is_spent() {
            self.resting
                .entry(pace.next())
                .or_default()
                .push(key.clone());
        } else {
            self.busy.remove(key);
        }
    }

    fn again_in(&mut self, pause: Duration, key: Key) {
        self.later
            .entry(clock::now() + pause)
            .or_default()
            .push(key);
    }

    fn wrote(&mut self, key: Key, written: Written) {
        self.metrics.wrote(match &written {
            Written::Done(_, _) => Outcome::Done,
            Written::Conflict(_) | Written::Gone => Outcome::Conflict,
            Written::Forbidden(_, _) | Written::Failed(_) => Outcome::Failed,
        });
        match written {
            // There may be more to write.
            Written::Done(observed, notices) => {
                self.desk.observed(*observed);
                for notice in notices {
                    if let Some(about) = self.desk.about(&key) {
                        self.notice(about, notice);
                    }
                }
            }
            Written::Conflict(Some(observed)) => self.desk.observed(*observed),
            Written::Conflict(None) => self.desk.again(key),
            Written::Gone => {}
            Written::Forbidden(kind, status) => {
                let resource = full_name(kind);
                let what = if status {
                    format!("the status of {resource} (patch {resource}/status)")
                } else {
                    format!("{resource} (patch {resource})")
                };
                if self.forbidden.insert(what.clone()) {
                    tracing::error!("The controller may not write {what}; {LACKS_RIGHT}");
                }
                self.again_in(FORBIDDEN, key);
            }
            Written::Failed(why) => {
                tracing::warn!(
                    "The status of {} {} could not be written, and will be again: {why}.",
                    key.kind,
                    key.name
                );
                self.again_in(TRY_AGAIN, key);
            }
        }
    }
}

/// Takes out what is due.
fn due(times: &mut BTreeMap<Instant, Vec<Key>>, now: Instant) -> Vec<Key> {
    let still = times.split_off(&(now + Duration::from_nanos(1)));
    let due = std::mem::replace(times, still);
    due.into_values().flatten().collect()
}

fn now() -> String {
    shown::moment(clock::unix_seconds())
}

async fn write(client: Client, job: Job) -> (Key, Written) {
    let Job {
        key,
        kind,
        patch,
        status,
        notices,
    } = job;
    let served = Served::new(kind);
    let api: Api<Raw> = if kind.namespaced {
        Api::namespaced_with(client, &key.name.namespace, &served)
    } else {
        Api::all_with(client, &served)
    };
    let (name, parameters) = (&key.name.name, PatchParams::default());
    let patch = Patch::Merge(&patch);
    let patched = if status {
        api.patch_status(name, &parameters, &patch).await
    } else {
        api.patch(name, &parameters, &patch).await
    };
    let written = match patched {
        Ok(raw) => match observed(raw, &served) {
            Some(observed) => Written::Done(observed, notices),
            None => Written::Gone,
        },
        Err(kube::Error::Api(error)) if error.is_conflict() => {
            // Somebody else was faster; what stands there now is merged with.
            let newer = api.get_opt(name).await.ok().flatten();
            Written::Conflict(newer.and_then(|raw| observed(raw, &served)))
        }
        Err(kube::Error::Api(error)) if error.is_not_found() => Written::Gone,
        Err(kube::Error::Api(error)) if error.is_forbidden() => Written::Forbidden(kind, status),
        Err(error) => Written::Failed(because(&error)),
    };
    (key, written)
}

fn observed(raw: Raw, served: &Served) -> Option<Box<Observed>> {
    let seen = raw.read(served).ok()?;
    debug_assert!(has_status(served.kind), "only such kinds are written");
    Some(Box::new(Observed::of(served.kind, &seen)))
}
