//! What one connection below HTTP, or one flow of datagrams, has gone through: a request's `trip`, for what has no
//! requests.
//!
//! Bytes are counted on the way and moved into the series once a second, because a connection may last for days.
//! When the passage is dropped its end is counted, and becomes a line of the access log.

use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::access_log::{PassageEntry, Subject, Told};
use super::counters::WorkerMetrics;
use super::ends::End;
use super::series::StreamCounters;
use crate::live::{BackendLive, EndpointLive, ListenerLive, StreamLive};

/// Tells operators of what was refused, if it is theirs to prevent; of a flood only now and then.
pub(crate) fn tell(
    worker: &WorkerMetrics,
    (end, what): (End, &dyn fmt::Display),
    why: &str,
    tick: u32,
) {
    if !end.is_refusal() {
        return;
    }
    let Some(untold) = worker.end_to_be_told(end as usize, tick) else {
        return;
    };
    let more = match untold {
        0 => String::new(),
        untold => format!(" There were {untold} more of this kind since the last line about it."),
    };
    tracing::warn!("{what}: {why}.{more}");
}

/// From where, and how, a connection comes.
pub(crate) struct Origin {
    /// The client, as the socket or PROXY protocol tells it.
    pub(crate) peer: SocketAddr,
    /// What is spoken: `TCP`, `TLS` or `UDP`.
    pub(crate) protocol: &'static str,
    /// The name that it asks for, lower case.
    pub(crate) name: Option<String>,
}

/// A connection or flow on its way.
pub(crate) struct Passage {
    worker: Arc<WorkerMetrics>,
    started: Instant,
    pub(crate) origin: Origin,
    listener: Arc<ListenerLive>,
    stream: Option<Arc<StreamLive>>,
    backend: Option<Arc<BackendLive>>,
    endpoint: Cell<Option<SocketAddr>>,
    tries: Cell<u32>,
    received: Cell<u64>,
    sent: Cell<u64>,
    /// How much of both is in the series already.
    counted: Cell<(u64, u64)>,
    end: Cell<End>,
    details: Option<String>,
    /// Whether chance takes it for the access log.
    sampled: bool,
}

impl Passage {
    /// A connection or flow begins on a listener. `random` gives any 64 random bits.
    pub(crate) fn begin(
        worker: &Arc<WorkerMetrics>,
        listener: &Arc<ListenerLive>,
        origin: Origin,
        random: impl FnOnce() -> u64,
    ) -> Self {
        if let Some(counters) = listener.stream_series.of(worker.worker) {
            counters.begun.add(1);
        }
        Self {
            worker: Arc::clone(worker),
            started: daemun_base::clock::now(),
            origin,
            listener: Arc::clone(listener),
            stream: None,
            backend: None,
            endpoint: Cell::new(None),
            tries: Cell::new(0),
            received: Cell::new(0),
            sent: Cell::new(0),
            counted: Cell::new((0, 0)),
            end: Cell::new(End::Drained),
            details: None,
            sampled: worker.log.as_ref().is_some_and(|log| log.sample(random())),
        }
    }

    /// The Route is known.
    pub(crate) fn through(&mut self, stream: &Arc<StreamLive>) {
        self.stream = Some(Arc::clone(stream));
    }

    /// The backend is chosen.
    pub(crate) fn goes_to(&mut self, backend: &Arc<BackendLive>) {
        self.backend = Some(Arc::clone(backend));
    }

    /// An endpoint is about to be tried.
    pub(crate) fn tries(&self, endpoint: &EndpointLive) {
        self.tries.set(self.tries.get() + 1);
        self.endpoint.set(Some(endpoint.address));
        let backend = self.backend.as_ref();
        if self.tries.get() > 1
            && let Some(counters) = backend.and_then(|it| it.series.of(self.worker.worker))
        {
            self.worker.retries.add(1);
            counters.retries.add(1);
        }
    }

    /// Bytes came from the client.
    pub(crate) fn received(&self, bytes: usize) {
        self.received.set(self.received.get() + bytes as u64);
    }

    /// Bytes went to the client.
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.set(self.sent.get() + bytes as u64);
    }

    /// Whether nothing went to the client yet.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.sent.get() == 0
    }

    /// It ends, for this reason. Without a call it was cut at the process's end.
    pub(crate) fn ends(&self, end: End) {
        self.end.set(end);
    }

    /// It comes to nothing: tells operators, but of a flood only now and then.
    pub(crate) fn fails(&mut self, end: End, why: String, tick: u32) {
        self.end.set(end);
        let what = format_args!(
            "A {} connection was refused {}",
            self.origin.protocol,
            self.place()
        );
        tell(&self.worker, (end, &what), &why, tick);
        self.details = Some(why);
    }

    /// Moves what was passed on since the last call into the series.
    pub(crate) fn count_bytes(&self) {
        let (received, sent) = (self.received.get(), self.sent.get());
        let before = self.counted.replace((received, sent));
        let (received, sent) = (received - before.0, sent - before.1);
        if received > 0 || sent > 0 {
            self.each_series(|counters| {
                counters.received.add(received);
                counters.sent.add(sent);
            });
        }
    }

    /// How far it came: the Route, perhaps with the backend, or the listener.
    fn place(&self) -> String {
        match (&self.stream, &self.backend) {
            (None, _) => format!("on listener {}", self.listener.key),
            (Some(stream), None) => format!("by {}", stream.route.key),
            (Some(stream), Some(backend)) => {
                format!("by {}, for {}", stream.route.key, backend.key)
            }
        }
    }

    fn each_series(&self, count: impl Fn(&StreamCounters)) {
        let series = [
            Some(&self.listener.stream_series),
            self.stream.as_ref().map(|stream| &stream.series),
            self.backend.as_ref().map(|backend| &backend.stream_series),
        ];
        let counters = series
            .into_iter()
            .flatten()
            .filter_map(|series| series.of(self.worker.worker));
        counters.for_each(count);
    }

    fn log(&self, lasted: Duration) {
        let Some(log) = &self.worker.log else { return };
        let end = self.end.get();
        let stream = self.stream.as_ref();
        let route = stream.map(|stream| &stream.route);
        let rule = route.map(|route| route.rule.as_deref().unwrap_or("1"));
        let entry = PassageEntry {
            peer: self.origin.peer,
            protocol: self.origin.protocol,
            name: self.origin.name.as_deref(),
            endpoint: self.endpoint.get(),
            details: self.details.as_deref(),
            sampled: self.sampled,
        };
        log.write(&Told {
            subject: Subject::Passage(&entry),
            // For filters by status: as if it were one request.
            status: match end {
                End::ClientReset | End::ClientHandshake => 0,
                End::BackendReset => 502,
                end if end.is_refusal() => 503,
                _ => 200,
            },
            lasted,
            received: self.received.get(),
            sent: self.sent.get(),
            tries: self.tries.get(),
            by: match (&self.backend, end.is_refusal()) {
                (_, true) => "gateway",
                (Some(_), false) => "backend",
                (None, false) => "nobody",
            },
            reason: Some(end.word()),
            listener: Some(&self.listener.key),
            route: route.map(|route| &route.key as _),
            rule: rule.as_ref().map(|rule| rule as _),
            backend: self.backend.as_ref().map(|backend| &backend.key as _),
        });
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.count_bytes();
        let lasted = daemun_base::clock::now().saturating_duration_since(self.started);
        let nanoseconds = u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX);
        let end = self.end.get() as usize;
        self.each_series(|counters| {
            counters.ends[end].add(1);
            counters.nanoseconds.add(nanoseconds);
        });
        self.log(lasted);
    }
}
