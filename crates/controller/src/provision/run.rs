//! Provisioning at work: news comes in (of what is wanted, of what is there, of time that has passed), and for the
//! Gateways that it is about a plan is made and carried out. Nothing waits for a plan but its own Gateway; and a plan ends
//! in the middle when another one leads now, who makes plans of its own.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemun_base::clock;
use daemun_model::names::ObjectName;
use daemun_translate::infrastructure::Infrastructure;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use kube::Client;
use tokio::sync::{mpsc, watch};

use super::apply::{Done, Failure, Owner, carry_out};
use super::kinds::Kind;
use super::known::{Failed, Known, Wait, is_rolled, rolled_by};
use super::looker::{Looked, Looker, Waits};
use super::made::made;
use super::place;
use super::plan::{self, Plan};
use super::rolling;
use super::store::{Around, Event, Store, Taken};
use super::waiter::{Waiter, Waiting};
use super::{Accounts, Pods, Provisioned, Settings, Wanted};

/// How many Gateways are worked on at a time.
const AT_ONCE: usize = 8;
/// How long the API server is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is said of a Gateway that waits.
const POSTPONED: &str = "Its pods are to be replaced by new ones, and wait until those of other Gateways have been (--rolling says how many Gateways at a time).";
/// The longest pause before something that failed is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Where results go.
pub(super) struct Outlets {
    pub(super) provisioned: watch::Sender<Arc<Provisioned>>,
    pub(super) accounts: watch::Sender<Arc<Accounts>>,
    pub(super) pods: watch::Sender<Option<Arc<Pods>>>,
}

/// A plan that was carried out.
struct Work {
    gateway: ObjectName,
    /// What was wanted.
    wanted: Option<Arc<Infrastructure>>,
    done: Done,
}

/// Provisioning at work.
pub(super) struct Run {
    client: Client,
    settings: Settings,
    store: Store,
    outlets: Outlets,
    wanted: Option<Wanted>,
    gateways: BTreeMap<ObjectName, Known>,
    /// Those that replace their pods: since when, and by which revision of their workload.
    rolling: BTreeMap<ObjectName, (Instant, String)>,
    /// Gateways about which there is news that was not acted on yet.
    news: BTreeSet<ObjectName>,
    /// Those of which something else may be to be said.
    fresh: BTreeSet<ObjectName>,
    /// Plans that are being carried out.
    works: FuturesUnordered<BoxFuture<'static, Work>>,
    /// Whose they are. News of these wait for the end.
    busy: BTreeSet<ObjectName>,
    provisioned: Provisioned,
    looker: Looker,
    /// Whether ServiceAccounts, or pods, may be others than those that were told.
    stale: Stale,
}

struct Stale {
    accounts: bool,
    pods: bool,
}

impl Run {
    pub(super) fn new(
        client: Client,
        settings: Settings,
        (store, outlets): (Store, Outlets),
        looker: Looker,
    ) -> Self {
        Self {
            looker,
            client,
            settings,
            store,
            outlets,
            wanted: None,
            gateways: BTreeMap::new(),
            rolling: BTreeMap::new(),
            news: BTreeSet::new(),
            fresh: BTreeSet::new(),
            works: FuturesUnordered::new(),
            busy: BTreeSet::new(),
            provisioned: Provisioned::new(),
            stale: Stale {
                accounts: true,
                pods: true,
            },
        }
    }

    /// Works until nobody wants anything any more.
    pub(super) async fn go(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut wanted: watch::Receiver<Option<Wanted>>,
    ) {
        loop {
            let due = self.due();
            let tick = async {
                match due {
                    None => std::future::pending().await,
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                }
            };
            tokio::select! {
                changed = wanted.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let next = wanted.borrow_and_update().clone();
                    self.want(next);
                }
                event = events.recv() => match event {
                    None => return,
                    Some(event) => self.see(event),
                },
                Some(looked) = self.looker.looked.recv() => self.looked(looked),
                Some(work) = self.works.next() => self.worked(work),
                () = tick => {}
            }
            while let Ok(event) = events.try_recv() {
                self.see(event);
            }
            self.step();
        }
    }

    /// When something is to be done without news.
    fn due(&self) -> Option<Instant> {
        self.wanted.as_ref()?;
        let rolled = self.rolling.values();
        let rolled = rolled.map(|(since, _)| *since + rolling::LONGEST);
        let known = self.gateways.values();
        known
            .flat_map(|known| {
                let waits = known.waits.values().filter_map(Wait::due);
                let again = known.failed.as_ref().and_then(|failed| failed.again);
                waits.chain(again)
            })
            .chain(rolled)
            .min()
    }

    fn see(&mut self, event: Event) {
        let kind = event.kind();
        let Taken {
            touched,
            came_or_went,
        } = self.store.take(event, &self.settings);
        self.stale.accounts |= kind == Kind::ServiceAccount;
        self.stale.pods |= kind == Kind::Pod && came_or_went;
        self.hear_of(touched);
    }

    /// There is news about Gateways.
    fn hear_of(&mut self, gateways: impl IntoIterator<Item = ObjectName>) {
        for gateway in gateways {
            self.fresh.insert(gateway.clone());
            self.news.insert(gateway);
        }
    }

    fn want(&mut self, next: Option<Wanted>) {
        match (&self.wanted, &next) {
            (Some(old), Some(new)) => {
                let all = old.authorities != new.authorities;
                let differs =
                    |name: &&ObjectName| match (old.gateways.get(*name), new.gateways.get(*name)) {
                        (Some(old), Some(new)) => all || !Arc::ptr_eq(old, new),
                        (None, None) => false,
                        _ => true,
                    };
                let names = old.gateways.keys().chain(new.gateways.keys());
                let names: BTreeSet<ObjectName> = names.filter(differs).cloned().collect();
                self.hear_of(names);
            }
            (None, Some(new)) => {
                let names = new.gateways.keys().chain(self.store.gateways());
                let names: BTreeSet<ObjectName> = names.cloned().collect();
                self.hear_of(names);
            }
            (_, None) => {
                // Another one leads now, and does not do what this one remembers. What is under way ends here.
                self.works.clear();
                self.busy.clear();
                self.gateways.clear();
                self.rolling.clear();
                self.news.clear();
                self.fresh.clear();
            }
        }
        self.wanted = next;
    }

    /// Tells who proxies may be: whose ServiceAccounts there are, and which pods.
    fn tell(&mut self) {
        if std::mem::take(&mut self.stale.accounts) {
            let accounts = self.store.accounts();
            self.outlets.accounts.send_if_modified(|last| {
                let changed = **last != accounts;
                if changed {
                    *last = Arc::new(accounts);
                }
                changed
            });
        }
        if self.store.is_complete() && std::mem::take(&mut self.stale.pods) {
            let pods = self.store.pods();
            self.outlets.pods.send_if_modified(|last| {
                let changed = last.as_deref() != Some(&pods);
                if changed {
                    *last = Some(Arc::new(pods));
                }
                changed
            });
        }
    }

    fn step(&mut self) {
        self.tell();
        let Some(wanted) = self.wanted.clone() else {
            self.provisioned = Provisioned::new();
            self.publish();
            return;
        };
        self.look(&wanted, clock::now());
        if !self.store.is_complete() {
            // What was not seen yet is not missing.
            return;
        }
        let now = clock::now();
        self.wake(now);
        self.begin(&wanted);
        // Who waits for others knows it now.
        let fresh = std::mem::take(&mut self.fresh);
        self.judge(&wanted, &fresh, now);
        self.publish();
    }

    /// Asks why somebody waits, where it is time.
    fn look(&mut self, wanted: &Wanted, now: Instant) {
        for (gateway, known) in &mut self.gateways {
            if !wanted.gateways.contains_key(gateway) {
                continue;
            }
            for (waiter, wait) in &mut known.waits {
                if wait.due().is_some_and(|due| due <= now) {
                    wait.looks += 1;
                    // It is gone only when all ends.
                    let asked = self.looker.ask.send(Waits {
                        gateway: gateway.clone(),
                        waiter: waiter.clone(),
                        uid: match waiter {
                            Waiter::Service(name) => {
                                self.store.uid_of(Kind::Service, gateway, name)
                            }
                            Waiter::Pod(_) => String::new(),
                        },
                        waited: now - wait.since,
                    });
                    wait.looking = asked.is_ok();
                }
            }
        }
    }

    /// Takes what came of a look.
    fn looked(&mut self, looked: Looked) {
        let Looked {
            gateway,
            waiter,
            says,
        } = looked;
        let known = self.gateways.get_mut(&gateway);
        if let Some(wait) = known.and_then(|known| known.waits.get_mut(&waiter)) {
            wait.looking = false;
            wait.says = says.or(wait.says.take());
            self.hear_of([gateway]);
        }
    }

    /// Takes up what was put off: what failed some time ago, and what waited for others.
    fn wake(&mut self, now: Instant) {
        for (name, known) in &mut self.gateways {
            if let Some(failed) = &mut known.failed
                && failed.again.is_some_and(|again| again <= now)
            {
                failed.again = None;
                self.news.insert(name.clone());
            }
        }
        let store = &self.store;
        self.rolling.retain(|name, (since, revision)| {
            let around = store.around(name);
            let done = around.is_none_or(|around| is_rolled(around, revision));
            !done && now < *since + rolling::LONGEST
        });
        let postponed = self.gateways.iter();
        let postponed =
            postponed.filter(|(name, it)| it.postponed.is_some() && self.may_roll(name));
        let postponed: Vec<ObjectName> = postponed.map(|(name, _)| name.clone()).collect();
        self.news.extend(postponed);
    }

    /// Whether one more Gateway may replace its pods.
    fn may_roll(&self, name: &ObjectName) -> bool {
        let begun = self.rolling.keys().map(|name| name.namespace.as_str());
        rolling::may_begin(self.settings.rolling, begun, &name.namespace)
    }

    /// Says what became of Gateways.
    fn judge(&mut self, wanted: &Wanted, news: &BTreeSet<ObjectName>, now: Instant) {
        for name in news {
            let Some(infrastructure) = wanted.gateways.get(name) else {
                self.provisioned.remove(name);
                continue;
            };
            let known = self.gateways.entry(name.clone()).or_default();
            let around = &*self.store.around_this(name, &infrastructure.uid);
            let waiting = place::waiting(infrastructure, around);
            known.waits.retain(|waiter, _| waiting.contains(waiter));
            for waiter in waiting {
                known.waits.entry(waiter).or_insert(Wait {
                    since: now,
                    looks: 0,
                    looking: false,
                    says: None,
                });
            }
            let says: Waiting = known
                .waits
                .iter()
                .filter_map(|(waiter, wait)| Some((waiter.clone(), wait.says.clone()?)))
                .collect();
            let failed = known.failed.as_ref().map(|failed| &failed.failure);
            let mut place = place::place(infrastructure, around, &says, failed);
            if known.postponed.is_some() {
                place.pods.get_or_insert_with(|| POSTPONED.to_owned());
            }
            let before = self.provisioned.get(name);
            if before.is_none_or(|before| **before != place) {
                self.provisioned.insert(name.clone(), Arc::new(place));
            }
        }
    }

    fn publish(&self) {
        self.outlets.provisioned.send_if_modified(|last| {
            let changed = !last.is_same(&self.provisioned);
            if changed {
                *last = Arc::new(self.provisioned.clone());
            }
            changed
        });
    }

    /// Plans what is to be done for Gateways, and begins with it for as many as may be worked on.
    fn begin(&mut self, wanted: &Wanted) {
        let free = self.news.difference(&self.busy);
        // Who has waited for longest is first.
        let mut names: Vec<ObjectName> = free.cloned().collect();
        names.sort_by_key(|name| {
            let since = self.gateways.get(name).and_then(|known| known.postponed);
            (since.is_none(), since)
        });
        for gateway in names {
            if self.works.len() >= AT_ONCE {
                return;
            }
            self.news.remove(&gateway);
            let Some(plan) = self.plan(wanted, &gateway) else {
                continue;
            };
            let (client, wanted) = (self.client.clone(), wanted.gateways.get(&gateway).cloned());
            self.busy.insert(gateway.clone());
            self.works.push(Box::pin(async move {
                let owner = Owner {
                    namespace: &gateway.namespace,
                    gateway: &gateway.name,
                    uid: wanted.as_ref().map(|it| it.uid.as_str()),
                };
                let work = carry_out(&client, &owner, plan);
                let done = tokio::time::timeout(PATIENCE, work).await;
                let done = done.unwrap_or_else(|_| Done {
                    failed: Some(Failure::new(
                        "The API server does not answer. It is tried again.",
                    )),
                    ..Done::default()
                });
                Work {
                    gateway,
                    wanted,
                    done,
                }
            }));
        }
    }

    /// Takes what came of a plan.
    fn worked(&mut self, work: Work) {
        let Work {
            gateway,
            wanted: infrastructure,
            done,
        } = work;
        self.busy.remove(&gateway);
        self.note(infrastructure, &gateway, done);
        self.fresh.insert(gateway);
    }

    fn plan(&mut self, wanted: &Wanted, name: &ObjectName) -> Option<Plan> {
        let nothing = Around::new();
        let around = match wanted.gateways.get(name) {
            Some(infrastructure) => self.store.around_this(name, &infrastructure.uid),
            None => Cow::Borrowed(self.store.around(name).unwrap_or(&nothing)),
        };
        let around = &*around;
        let now = clock::now();
        let room = self.may_roll(name);
        let known = self.gateways.entry(name.clone()).or_default();
        let manifests = match wanted.gateways.get(name) {
            None => Vec::new(),
            Some(infrastructure) if infrastructure.on_hold => return None,
            Some(infrastructure) => {
                let still = known.failed.as_ref().is_some_and(|failed| {
                    Arc::ptr_eq(&failed.wanted, infrastructure) && failed.again.is_some()
                });
                if still {
                    return None;
                }
                let services = place::services(around);
                made(
                    infrastructure,
                    &self.settings,
                    &wanted.authorities,
                    &services,
                )
            }
        };
        let may_roll = room || self.rolling.contains_key(name);
        let none = BTreeMap::new();
        let fates = wanted.gateways.get(name).map_or(&none, |it| &it.fates);
        let plan = plan::plan(&manifests, (around, fates), &known.applied, may_roll);
        if known.postponed.is_some() != plan.postponed {
            self.fresh.insert(name.clone());
        }
        let waits = known.postponed.unwrap_or(now);
        known.postponed = plan.postponed.then_some(waits);
        if plan.rolls {
            // Who changes its mind meanwhile keeps its place for no longer.
            let since = self.rolling.remove(name).map_or(now, |(since, _)| since);
            let rolling = rolled_by(&plan).map(|revision| (name.clone(), (since, revision)));
            self.rolling.extend(rolling);
        }
        Some(plan)
    }

    fn note(&mut self, wanted: Option<Arc<Infrastructure>>, name: &ObjectName, done: Done) {
        let Done { applied, failed } = done;
        let Some(known) = self.gateways.get_mut(name) else {
            return;
        };
        known.applied.extend(applied);
        let before = known.failed.take();
        match (failed, wanted) {
            (Some(failure), Some(infrastructure)) => {
                let pause = before
                    .as_ref()
                    .map_or(Duration::from_secs(1), |failed| failed.pause * 2);
                let pause = pause.min(LONGEST_PAUSE);
                if before.is_none_or(|before| before.failure != failure) {
                    tracing::warn!("Gateway {name}: {}", failure.why);
                }
                known.failed = Some(Failed {
                    failure,
                    again: Some(clock::now() + pause),
                    pause,
                    wanted: infrastructure,
                });
            }
            (Some(failure), None) => tracing::warn!(
                "What was made for Gateway {name}, which is not served any more, cannot be taken away: {}",
                failure.why
            ),
            (None, Some(_)) => {}
            (None, None) => {
                self.gateways.remove(name);
                self.rolling.remove(name);
            }
        }
    }
}
