//! Holds everything between two steps, and makes a step whenever the files change.
//!
//! [`Controller`] makes one step when it is told to: that is all that `check` needs. [`follow`] makes them
//! for as long as the process runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::{clock, tasks};
use daemun_model::verdict::Severity;
use daemun_translate::cluster::Withheld;
use daemun_translate::cluster::name_of_any;
use daemun_translate::{Cluster, Outcome, Settings, Translator};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::publish::{News, Problems, State};
use crate::settle::{Act, Settle};
use crate::source::files::watch::{Event, Watch};
use crate::source::files::{Files, Fingerprint, Look, Reading, Reason};
use crate::step::{Changes, step};

/// How often the files are looked at when nothing tells of a change.
const SLOW_LOOK: Duration = Duration::from_secs(3);
/// A change that a slow look found must stand still for so long.
const STILL: Duration = Duration::from_millis(200);
/// How often everything is judged again because time goes on: certificates expire.
const JUDGE_AGAIN: i64 = 3600;

/// Files, and what follows from them.
pub struct Controller {
    files: Files,
    cluster: Cluster,
    translator: Translator,
    outcome: Outcome,
    state: Arc<State>,
}

impl Controller {
    /// A controller that has not looked yet.
    pub fn new(files: Files, settings: Settings) -> Self {
        Self {
            files,
            cluster: Cluster {
                settings,
                ..Cluster::default()
            },
            translator: Translator::default(),
            outcome: Outcome::default(),
            state: Arc::default(),
        }
    }

    /// What is in force.
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The objects in force.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// What follows from them.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The text of every document that was read, in no order that matters.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.files.documents()
    }

    /// Looks at the files and makes a step. None if nothing changed.
    pub fn look(&mut self, look: &Look) -> Option<News> {
        let reading = self.files.look(look);
        let problems = Problems::new(reading.problems.clone());
        let first = self.state.revision == 0;
        let time_went_on = look.now >= self.cluster.now.saturating_add(JUDGE_AGAIN);
        let moved = problems != self.state.problems;
        if !(first || time_went_on || moved || reading.has_changed()) {
            return None;
        }
        let withheld = withheld(&reading);
        let changed = reading.has_changed() || withheld != self.cluster.withheld;
        let changes = if first || time_went_on || changed {
            self.cluster.withheld = withheld;
            self.step(&reading, look.now)
        } else {
            Changes::default()
        };
        Some(self.publish(reading, problems, changes, look.now))
    }

    /// Translates. If that panics, what was in force stays, and the process goes on.
    fn step(&mut self, reading: &Reading, now: i64) -> Changes {
        for object in &reading.removed {
            self.cluster.remove(&object.info(), &name_of_any(object));
        }
        for object in &reading.put {
            self.cluster.insert(object.clone());
        }
        self.cluster.now = now;
        let (translator, cluster) = (&mut self.translator, &self.cluster);
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            step(translator, cluster, &self.outcome)
        }));
        match stepped {
            Ok(changes) => {
                self.outcome.clone_from(&changes.next);
                changes
            }
            Err(_) => {
                tracing::error!(
                    "A change of the objects could not be translated because of a fault in Daemun; \
                     everything goes on as it was. Please report it with the objects."
                );
                self.translator = Translator::default();
                Changes::default()
            }
        }
    }

    fn publish(
        &mut self,
        reading: Reading,
        problems: Problems,
        changes: Changes,
        now: i64,
    ) -> News {
        let before = Arc::clone(&self.state);
        let mut counts = before.counts;
        let known = |problem: &&_| !before.problems.iter().any(|known| known.is_same(problem));
        if problems.errors().filter(known).count() > 0 {
            counts.refused += 1;
        } else if reading.has_changed() {
            counts.accepted += 1;
        }
        let configuration = if changes.publish {
            Arc::new(self.outcome.configuration.clone())
        } else {
            Arc::clone(&before.configuration)
        };
        let Reading {
            positions,
            files,
            objects: _,
            put: _,
            removed: _,
            problems: _,
        } = reading;
        self.state = Arc::new(State {
            revision: before.revision + 1,
            configuration,
            verdicts: self.outcome.verdicts.clone(),
            problems,
            positions,
            files,
            since: now,
            counts,
        });
        News::new(
            Arc::clone(&self.state),
            &before,
            changes.publish,
            changes.tell,
        )
    }
}

/// Objects that stand in the files with a mistake, and are not held on to as they were: what refers to them is told so.
fn withheld(reading: &Reading) -> Withheld {
    let mistakes = reading.problems.iter().filter(|problem| {
        problem.severity == Severity::Error
            && problem.reason != Reason::Duplicate
            && problem.kept.is_none()
    });
    let with_place = mistakes.filter_map(|problem| {
        let object = problem.object.clone()?;
        let place = match &problem.spot {
            Some(spot) => spot.to_string(),
            None => problem.file.to_string(),
        };
        Some((object, format!("{place} has a mistake.")))
    });
    // The first mistake of several is the one to mend first.
    with_place.collect::<Vec<_>>().into_iter().rev().collect()
}

/// Asks for everything to be read again (SIGHUP).
#[derive(Clone, Debug, Default)]
pub struct Reload(Arc<Notify>);

impl Reload {
    /// Asks. What is being read already is read once more.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

/// A controller at work.
pub struct Following {
    /// What is in force, always the newest. It changes for problems as well as for configurations.
    pub state: watch::Receiver<Arc<State>>,
    /// Reads everything again.
    pub reload: Reload,
}

/// Looks once, before it returns, and then whenever the files change. `report` is called with the news of
/// every step, on a thread where it may block; the first call is made before this function returns.
///
/// # Panics
/// Outside a runtime.
pub fn follow(
    mut controller: Controller,
    tasks: &tasks::Tasks,
    mut report: impl FnMut(&News) + Send + 'static,
) -> Following {
    let mut watching = Watch::new();
    // On a thread of its own, as all later looks: what memory an ended thread leaves, the next can use.
    std::thread::scope(|scope| {
        scope.spawn(|| look_first(&mut controller, &mut watching, &mut report));
    });
    let (sender, state) = watch::channel(Arc::clone(controller.state()));
    let reload = Reload::default();
    let follower = Follower {
        controller: Some(Box::new(Work { controller, report })),
        watching,
        settle: Settle::default(),
        sender,
        reload: reload.clone(),
        everything: false,
        slow: Slow {
            at: Instant::from_std(clock::now() + SLOW_LOOK),
            seen: None,
        },
    };
    tasks.spawn(follower.run());
    Following { state, reload }
}

fn look_first(controller: &mut Controller, watching: &mut Watch, report: &mut impl FnMut(&News)) {
    watching.set(controller.files.interest());
    // What is read can name more to watch; what changed there before is found by a second look.
    let mut looks_left = 2;
    while looks_left > 0 {
        let look = Look {
            now: clock::unix_seconds(),
            ..Look::default()
        };
        if let Some(news) = controller.look(&look) {
            report(&news);
        }
        let more = watching.set(controller.files.interest());
        looks_left = if more { looks_left - 1 } else { 0 };
    }
}

/// What is moved to a blocking thread for a step, and back.
struct Work<R> {
    controller: Controller,
    report: R,
}

struct Follower<R> {
    /// None only while a step is made.
    controller: Option<Box<Work<R>>>,
    watching: Watch,
    settle: Settle,
    sender: watch::Sender<Arc<State>>,
    reload: Reload,
    everything: bool,
    slow: Slow,
}

struct Slow {
    at: Instant,
    /// What the last slow look saw, if that was new.
    seen: Option<Fingerprint>,
}

impl<R: FnMut(&News) + Send + 'static> Follower<R> {
    async fn run(mut self) {
        let mut new_directories = false;
        loop {
            if new_directories {
                self.settle.soon(clock::now());
            }
            let due = self.settle.due().map(Instant::from_std);
            let act = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            new_directories = false;
            tokio::select! {
                events = self.watching.next() => self.note(events),
                () = self.reload.0.notified() => {
                    self.everything = true;
                    new_directories = self.act().await;
                }
                () = act => new_directories = self.act().await,
                () = sleep_until(self.slow.at) => self.look_slowly().await,
            }
        }
    }

    fn note(&mut self, events: Vec<Event>) {
        let now = clock::now();
        for event in events {
            match event {
                Event::File(path, touch) => self.settle.touch(now, path, touch),
                Event::Everything => {
                    self.everything = true;
                    self.settle.soon(now);
                }
            }
        }
    }

    /// Makes a step. Says whether there are directories now that were not watched before.
    async fn act(&mut self) -> bool {
        // What is known by now belongs to this step.
        let waiting = self.watching.waiting();
        self.note(waiting);
        let Act { touched, unsettled } = self.settle.act(clock::now());
        let look = Look {
            now: clock::unix_seconds(),
            everything: std::mem::take(&mut self.everything),
            touched,
            unsettled,
        };
        let news = self
            .with_controller(move |work| {
                let news = work.controller.look(&look);
                if let Some(news) = &news {
                    (work.report)(news);
                }
                news
            })
            .await;
        if let Some(news) = news.flatten() {
            self.sender.send_replace(news.state);
        }
        self.watch_again()
    }

    fn watch_again(&mut self) -> bool {
        match &self.controller {
            Some(work) => self.watching.set(work.controller.files.interest()),
            None => false,
        }
    }

    /// Finds what no event told. A file that is still being written looks different each time.
    async fn look_slowly(&mut self) {
        let seen = self
            .with_controller(|work| {
                let files = &work.controller.files;
                let seen = files.fingerprint();
                (!files.is_current(&seen)).then_some(seen)
            })
            .await
            .flatten();
        let due = clock::unix_seconds() >= self.sender.borrow().since.saturating_add(JUDGE_AGAIN);
        let still = seen.is_some() && seen == self.slow.seen;
        if still || due {
            self.settle.soon(clock::now());
        }
        let pause = if seen.is_some() && !still {
            STILL
        } else {
            SLOW_LOOK
        };
        self.slow = Slow {
            at: Instant::from_std(clock::now() + pause),
            seen: seen.filter(|_| !still),
        };
    }

    /// Runs something about the controller on a thread where it may block.
    async fn with_controller<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Work<R>) -> T + Send + 'static,
    ) -> Option<T> {
        let mut controller = self.controller.take()?;
        let done = tasks::blocking(move || {
            // A fault here must not end the following of files.
            let done = catch_unwind(AssertUnwindSafe(|| work(&mut controller)));
            (controller, done.ok())
        });
        match done.await {
            Ok((controller, done)) => {
                self.controller = Some(controller);
                done
            }
            Err(_) => None,
        }
    }
}

/// A controller over files that has looked once: for commands that look and end.
pub fn look_once(paths: impl IntoIterator<Item = PathBuf>, settings: Settings) -> Controller {
    let mut controller = Controller::new(Files::new(paths), settings);
    controller.look(&Look {
        now: clock::unix_seconds(),
        ..Look::default()
    });
    controller
}
