//! The addresses of names that load balancers show instead of addresses: looked up at once when a name is new, and again
//! and again, because a name that was private may be public the next time.
//!
//! Who looks up is given from outside; what it means is the translation's. A name about which nobody answers keeps the
//! addresses that it had: that is no news. A name of which it is answered that it has none, has none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::watch;
use tokio::time::{interval, timeout};

/// How often names are looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses {
    /// All of them.
    pub(crate) again: Duration,
    /// All of them, if there is one about which nothing is known.
    pub(crate) soon: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            again: Duration::from_secs(30),
            soon: Duration::from_secs(5),
        }
    }
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Names that are looked up at a time.
const AT_ONCE: usize = 16;
/// Of them, names about which nobody answered last time.
const FAILING_AT_ONCE: usize = 4;

/// A name that is being looked up: its addresses, none if it has none; the error says why nobody knows.
pub type Looking = BoxFuture<'static, Result<Vec<IpAddr>, String>>;

/// Looks names up.
#[derive(Clone)]
pub struct Lookup(Arc<dyn Fn(String) -> Looking + Send + Sync>);

impl Lookup {
    /// One that asks so.
    pub fn new<F>(ask: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<IpAddr>, String>> + Send + 'static,
    {
        Self(Arc::new(move |name| ask(name).boxed()))
    }

    async fn ask(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let answer = timeout(PATIENCE, (self.0)(name.to_owned())).await;
        let late = || format!("there was no answer within {} s", PATIENCE.as_secs());
        let mut addresses = answer.unwrap_or_else(|_| Err(late()))?;
        addresses.sort_unstable();
        addresses.dedup();
        Ok(addresses)
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

/// Names and their addresses.
pub(crate) type Resolved = BTreeMap<String, Vec<IpAddr>>;

/// The names that are to be looked up, and those that are. A name about which nobody answered last time takes only some
/// of the places, so that a zone which is away keeps no other waiting.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<String>,
    asked: BTreeSet<String>,
    /// About these nobody answered last time.
    failing: BTreeSet<String>,
}

impl Queue {
    fn put(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            if !self.asked.contains(&name) && !self.waiting.contains(&name) {
                self.waiting.push_back(name);
            }
        }
    }

    fn keep(&mut self, names: &BTreeSet<String>) {
        self.waiting.retain(|name| names.contains(name));
        self.failing.retain(|name| names.contains(name));
    }

    /// The next name that is looked up, if there is a place for one.
    fn next(&mut self) -> Option<String> {
        if self.asked.len() >= AT_ONCE {
            return None;
        }
        let failing = self.asked.intersection(&self.failing).count();
        let may = |name: &String| failing < FAILING_AT_ONCE || !self.failing.contains(name);
        let position = self.waiting.iter().position(may)?;
        let name = self.waiting.remove(position)?;
        self.asked.insert(name.clone());
        Some(name)
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.asked.is_empty()
    }
}

/// Keeps what is found up to date with what is wanted, for as long as somebody wants.
pub(crate) async fn run(
    lookup: Lookup,
    pauses: Pauses,
    mut wanted: watch::Receiver<Arc<BTreeSet<String>>>,
    found: watch::Sender<Resolved>,
) {
    let mut queue = Queue::default();
    let mut asking = FuturesUnordered::new();
    let mut again = interval(pauses.again);
    let is_known = |name: &String| found.borrow().contains_key(name);
    loop {
        tokio::select! {
            _ = again.tick() => queue.put(wanted.borrow().iter().cloned()),
            changed = wanted.changed() => {
                if changed.is_err() {
                    return;
                }
                let names = wanted.borrow_and_update().clone();
                queue.keep(&names);
                found.send_if_modified(|known| {
                    let before = known.len();
                    known.retain(|name, _| names.contains(name));
                    known.len() != before
                });
                queue.put(names.iter().filter(|name| !is_known(name)).cloned());
            }
            Some((name, answer)) = asking.next() => {
                let name: String = name;
                queue.asked.remove(&name);
                if wanted.borrow().contains(&name) {
                    take(&mut queue, &found, &name, answer);
                }
            }
        }
        while let Some(name) = queue.next() {
            let lookup = lookup.clone();
            asking.push(async move {
                let answer = lookup.ask(&name).await;
                (name, answer)
            });
        }
        if queue.is_idle() && !wanted.borrow().iter().all(is_known) {
            again.reset_after(pauses.soon);
        }
    }
}

/// Takes an answer about a name.
fn take(
    queue: &mut Queue,
    found: &watch::Sender<Resolved>,
    name: &str,
    answer: Result<Vec<IpAddr>, String>,
) {
    let why = match answer {
        Ok(addresses) => {
            queue.failing.remove(name);
            return note(found, name, addresses);
        }
        Err(why) => why,
    };
    let keeps = match found.borrow().contains_key(name) {
        true => "its last addresses count until then",
        false => "until then it is not known who can reach it",
    };
    if queue.failing.insert(name.to_owned()) {
        tracing::warn!(
            "The name {name} of a load balancer cannot be looked up: {why}. It is asked for again and again; {keeps}."
        );
    }
}

fn note(found: &watch::Sender<Resolved>, name: &str, addresses: Vec<IpAddr>) {
    found.send_if_modified(|known| {
        if known.get(name) == Some(&addresses) {
            return false;
        }
        known.insert(name.to_owned(), addresses);
        true
    });
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::net::IpAddr;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use daemun_base::tasks::Tasks;
    use tokio::sync::watch;
    use tokio::time::{sleep, timeout};

    use super::{FAILING_AT_ONCE, Lookup, Pauses, Queue, Resolved, run};

    /// A second is ten milliseconds.
    const PAUSES: Pauses = Pauses {
        again: Duration::from_millis(300),
        soon: Duration::from_millis(50),
    };

    type Zone = Arc<Mutex<BTreeMap<String, Result<Vec<IpAddr>, String>>>>;

    struct World {
        zone: Zone,
        want: watch::Sender<Arc<std::collections::BTreeSet<String>>>,
        found: watch::Receiver<Resolved>,
        _tasks: Tasks,
    }

    impl World {
        fn new() -> Self {
            let zone: Zone = Zone::default();
            let (want, wanted) = watch::channel(Arc::default());
            let (sender, found) = watch::channel(Resolved::new());
            let asked = Arc::clone(&zone);
            let lookup = Lookup::new(move |name| {
                let answer = asked.lock().unwrap().get(&name).cloned();
                async move { answer.unwrap_or_else(|| Err("nobody answers".to_owned())) }
            });
            let tasks = Tasks::default();
            tasks.spawn(run(lookup, PAUSES, wanted, sender));
            Self {
                zone,
                want,
                found,
                _tasks: tasks,
            }
        }

        fn say(&self, name: &str, answer: Result<&[&str], &str>) {
            let parsed = |texts: &[&str]| texts.iter().map(|it| it.parse().unwrap()).collect();
            let answer = answer.map(parsed).map_err(str::to_owned);
            self.zone.lock().unwrap().insert(name.to_owned(), answer);
        }

        fn want(&self, names: &[&str]) {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            self.want.send_replace(Arc::new(names));
        }

        /// Waits until it is known; longer than it ever takes.
        async fn until(&mut self, expected: &str) {
            let is_known = |found: &Resolved| format!("{found:?}") == expected;
            let known = timeout(Duration::from_secs(20), self.found.wait_for(is_known)).await;
            assert!(known.is_ok(), "{expected}");
        }
    }

    #[tokio::test]
    async fn names_are_looked_up_at_once_and_again_and_again() {
        let mut world = World::new();
        world.say("a", Ok(&["10.0.0.2", "10.0.0.1", "10.0.0.2"]));
        world.say("b", Ok(&[]));
        world.want(&["a", "b"]);
        world.until(r#"{"a": [10.0.0.1, 10.0.0.2], "b": []}"#).await;
        world.say("a", Ok(&["114.110.160.100"]));
        world.until(r#"{"a": [114.110.160.100], "b": []}"#).await;
        world.want(&["b"]);
        world.until(r#"{"b": []}"#).await;
    }

    #[tokio::test]
    async fn without_an_answer_all_stays_and_what_is_not_known_is_asked_for_soon() {
        let mut world = World::new();
        world.say("a", Ok(&["10.0.0.1"]));
        world.want(&["a", "new"]);
        world.until(r#"{"a": [10.0.0.1]}"#).await;
        world.say("a", Err("away"));
        world.say("new", Ok(&["10.0.0.3"]));
        let both = r#"{"a": [10.0.0.1], "new": [10.0.0.3]}"#;
        world.until(both).await;
        sleep(PAUSES.again * 2).await;
        world.until(both).await;
    }

    #[test]
    fn a_zone_that_is_away_keeps_no_other_waiting() {
        let mut queue = Queue::default();
        let of = |zone: &'static str| (0..100).map(move |number| format!("{number}.{zone}"));
        queue.put(of("away.test"));
        queue.failing.extend(of("away.test"));
        let asked: Vec<String> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(asked.len(), FAILING_AT_ONCE);
        queue.put(["new.test".to_owned()]);
        assert_eq!(queue.next().as_deref(), Some("new.test"));
        assert_eq!(queue.next(), None);
        queue.keep(&BTreeSet::new());
        assert!(queue.waiting.is_empty() && !queue.is_idle());
    }
}
