//! What is counted of a listener, a rule and a backend.
//!
//! A series is found when the configuration is compiled, and a changed object keeps its own. Each worker
//! has counters of its own in it, which come into being when it first uses them: a route without
//! requests costs its name. There are never more series than listeners, rules and backends in the
//! configuration; nothing that a client sends becomes a label.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use daemun_model::names::{BackendKey, ListenerKey, ObjectName, RouteKey, Transport};

use super::counters::Counter;
use super::ends::ENDS;

/// Classes of statuses, by the hundreds; 0 is for requests that ended before they had an answer.
pub(super) const CLASSES: [&str; 6] = ["aborted", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// The upper ends of a histogram's buckets, in microseconds.
pub(super) const BUCKETS: [u64; 15] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000,
];

/// The counters of all workers for one object.
pub(crate) struct Series<T> {
    /// As they stand between the braces of a line.
    pub(super) labels: Arc<str>,
    workers: Box<[OnceLock<Box<T>>]>,
}

impl<T: Default> Series<T> {
    fn new(labels: Arc<str>, workers: usize) -> Self {
        Self {
            labels,
            workers: (0..workers).map(|_| OnceLock::new()).collect(),
        }
    }

    /// A worker's own counters. None for a worker that there is not.
    #[inline]
    pub(crate) fn of(&self, worker: usize) -> Option<&T> {
        self.workers
            .get(worker)
            .map(|slot| &**slot.get_or_init(Box::default))
    }

    /// The counters of those workers that have used the series.
    pub(super) fn used(&self) -> impl Iterator<Item = &T> {
        self.workers
            .iter()
            .filter_map(|slot| slot.get().map(|counters| &**counters))
    }

    /// The sum of one counter over workers.
    pub(super) fn sum(&self, counter: impl Fn(&T) -> &Counter) -> u64 {
        self.used().map(|counters| counter(counters).get()).sum()
    }
}

/// What is counted of every kind of object.
#[derive(Default)]
pub(crate) struct Traffic {
    pub(super) classes: [Counter; CLASSES.len()],
    pub(super) nanoseconds: Counter,
    pub(super) received: Counter,
    pub(super) sent: Counter,
}

/// A request that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// The status; 0 if there was no answer.
    pub(super) status: u16,
    pub(super) lasted: Duration,
    /// Bytes of the request's body.
    pub(super) received: u64,
    /// Bytes of the response's body.
    pub(super) sent: u64,
}

impl Traffic {
    pub(super) fn count(&self, ended: &Ended) {
        let class = usize::from(ended.status / 100);
        self.classes[if class < CLASSES.len() { class } else { 0 }].add(1);
        self.nanoseconds
            .add(u64::try_from(ended.lasted.as_nanos()).unwrap_or(u64::MAX));
        if ended.received > 0 {
            self.received.add(ended.received);
        }
        if ended.sent > 0 {
            self.sent.add(ended.sent);
        }
    }
}

/// What is counted of a listener.
#[derive(Default)]
pub(crate) struct ListenerCounters {
    pub(super) traffic: Traffic,
    /// One more than there are ends.
    pub(super) buckets: [Counter; BUCKETS.len() + 1],
}

impl ListenerCounters {
    pub(super) fn count(&self, ended: &Ended) {
        self.traffic.count(ended);
        let lasted = u64::try_from(ended.lasted.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[BUCKETS.partition_point(|end| end * 1_000 < lasted)].add(1);
    }
}

/// What is counted of a backend.
#[derive(Default)]
pub(crate) struct BackendCounters {
    pub(super) traffic: Traffic,
    pub(super) retries: Counter,
    pub(super) connects: Counter,
    pub(super) connects_failed: Counter,
}

/// What is counted of connections below HTTP and of flows of datagrams.
#[derive(Default)]
pub(crate) struct StreamCounters {
    pub(super) begun: Counter,
    /// Those that have ended, by why.
    pub(super) ends: [Counter; ENDS.len()],
    pub(super) nanoseconds: Counter,
    pub(super) received: Counter,
    pub(super) sent: Counter,
}

/// A listener's series.
pub(crate) type ListenerSeries = Arc<Series<ListenerCounters>>;
/// A rule's series.
pub(crate) type RuleSeries = Arc<Series<Traffic>>;
/// A backend's series.
pub(crate) type BackendSeries = Arc<Series<BackendCounters>>;
/// The series of a listener, rule or backend for connections below HTTP.
pub(crate) type StreamSeries = Arc<Series<StreamCounters>>;

/// All series. Locked when a configuration is compiled and when a scrape begins, never by requests.
#[derive(Clone)]
pub(crate) struct Registry {
    workers: usize,
    all: Arc<Mutex<All>>,
}

#[derive(Default)]
pub(super) struct All {
    pub(super) listeners: Family<ListenerCounters>,
    pub(super) rules: Family<Traffic>,
    pub(super) backends: Family<BackendCounters>,
    pub(super) stream_listeners: Family<StreamCounters>,
    pub(super) stream_rules: Family<StreamCounters>,
    pub(super) stream_backends: Family<StreamCounters>,
}

/// Series by their labels, and so in the order in which they are written.
pub(super) type Family<T> = BTreeMap<Arc<str>, Arc<Series<T>>>;

impl Registry {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers,
            all: Arc::default(),
        }
    }

    /// A listener's series: the one that it had, or a new one.
    pub(crate) fn listener(&self, gateway: &ObjectName, key: &ListenerKey) -> ListenerSeries {
        let labels = of_listener(gateway, key);
        find(&mut self.all().listeners, labels, self.workers)
    }

    /// A listener's series for connections below HTTP.
    pub(crate) fn stream_listener(&self, gateway: &ObjectName, key: &ListenerKey) -> StreamSeries {
        let labels = of_listener(gateway, key);
        find(&mut self.all().stream_listeners, labels, self.workers)
    }

    /// A rule's series. A rule without a name is told by its place, from 1 as everywhere where people
    /// read it.
    pub(crate) fn rule(
        &self,
        gateway: &ObjectName,
        route: &RouteKey,
        index: usize,
        name: Option<&str>,
    ) -> RuleSeries {
        let labels = of_rule(gateway, route, index, name);
        find(&mut self.all().rules, labels, self.workers)
    }

    /// The series of a rule below HTTP: its Route has one.
    pub(crate) fn stream_rule(
        &self,
        gateway: &ObjectName,
        route: &RouteKey,
        name: Option<&str>,
    ) -> StreamSeries {
        let labels = of_rule(gateway, route, 0, name);
        find(&mut self.all().stream_rules, labels, self.workers)
    }

    /// A backend's series.
    pub(crate) fn backend(&self, gateway: &ObjectName, key: &BackendKey) -> BackendSeries {
        let labels = of_backend(gateway, key);
        find(&mut self.all().backends, labels, self.workers)
    }

    /// A backend's series for connections below HTTP.
    pub(crate) fn stream_backend(&self, gateway: &ObjectName, key: &BackendKey) -> StreamSeries {
        let labels = of_backend(gateway, key);
        find(&mut self.all().stream_backends, labels, self.workers)
    }

    /// Forgets the series of objects that are gone, once no request holds them.
    pub(super) fn prune(&self) {
        let All {
            listeners,
            rules,
            backends,
            stream_listeners,
            stream_rules,
            stream_backends,
        } = &mut *self.all();
        for family in [stream_listeners, stream_rules, stream_backends] {
            family.retain(|_, series| Arc::strong_count(series) > 1);
        }
        listeners.retain(|_, series| Arc::strong_count(series) > 1);
        rules.retain(|_, series| Arc::strong_count(series) > 1);
        backends.retain(|_, series| Arc::strong_count(series) > 1);
    }

    pub(super) fn all(&self) -> std::sync::MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new(1)
    }
}

fn of_listener(gateway: &ObjectName, key: &ListenerKey) -> String {
    labels(&[("gateway", gateway), ("listener", key)])
}

fn of_rule(gateway: &ObjectName, route: &RouteKey, index: usize, name: Option<&str>) -> String {
    let place = index + 1;
    let rule: &dyn std::fmt::Display = match &name {
        Some(name) => name,
        None => &place,
    };
    let kind = route.kind.as_str();
    labels(&[
        ("gateway", gateway),
        ("kind", &kind),
        ("route", &route.name),
        ("rule", rule),
    ])
}

fn of_backend(gateway: &ObjectName, key: &BackendKey) -> String {
    let kind = key.kind.as_str();
    // A Service may have the same number twice.
    let port = match key.transport {
        Transport::Tcp => key.port.to_string(),
        Transport::Udp => format!("{}/udp", key.port),
    };
    labels(&[
        ("gateway", gateway),
        ("kind", &kind),
        ("backend", &key.name),
        ("port", &port),
    ])
}

fn find<T: Default>(family: &mut Family<T>, labels: String, workers: usize) -> Arc<Series<T>> {
    if let Some(series) = family.get(labels.as_str()) {
        return Arc::clone(series);
    }
    let labels: Arc<str> = labels.into();
    let series = Arc::new(Series::new(Arc::clone(&labels), workers));
    family.insert(labels, Arc::clone(&series));
    series
}

/// `name="value",…`, with values escaped as OpenMetrics wants it.
pub(super) fn labels(pairs: &[(&str, &dyn std::fmt::Display)]) -> String {
    let mut text = String::with_capacity(96);
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
        text.push_str("=\"");
        for character in value.to_string().chars() {
            match character {
                '\n' => text.push_str("\\n"),
                '"' | '\\' => text.extend(['\\', character]),
                _ => text.push(character),
            }
        }
        text.push('"');
    }
    text
}
