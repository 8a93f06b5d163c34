//! Counters of one worker: written by its own thread only, read by whoever scrapes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::access_log::Sink;
use super::answers::ANSWERS;
use super::ends::ENDS;
use super::series::BackendSeries;

/// A number that one thread writes. Adding is a load and a store, without a lock on the memory bus.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds. To be called on the counter's own thread.
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.set(self.get().wrapping_add(more));
    }

    #[inline]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What TLS handshakes fail with: `listen::sni`'s words.
pub(super) const HANDSHAKES: [&str; 9] = [
    "closed",
    "timeout",
    "not_tls",
    "unrecognized_name",
    "client_certificate",
    "refused_by_client",
    "client",
    "gateway",
    "other",
];

/// What ends clients' connections with an error, before a request is handed over or in the midst of it.
pub(super) const CONNECTION_ERRORS: [&str; 6] = [
    "malformed",
    "head_too_large",
    "broken_off",
    "http2",
    "timeout",
    "other",
];

/// Why datagrams are not passed on, each at its number.
pub(super) const DROPS: [&str; 7] = [
    "unserved",
    "no_flow",
    "no_socket",
    "backend_busy",
    "client_busy",
    "unreachable",
    "source_not_allowed",
];

/// Why a datagram is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// No Route, no backend or no endpoint takes it.
    Unserved,
    /// It would begin a flow, and there can be no more, or the process is about to end.
    NoFlow,
    /// The system gave no socket.
    NoSocket,
    /// The backend's side takes no more at this moment.
    BackendBusy,
    /// The client's side takes no more at this moment.
    ClientBusy,
    /// The network refused it.
    Unreachable,
    /// Clients may not come from there.
    SourceNotAllowed,
}

/// How often the log tells of answers of one kind, in ticks (seconds).
const TOLD_EVERY: u64 = 10;

/// What a worker counts that belongs to no object of the configuration.
pub(crate) struct WorkerMetrics {
    /// The worker's place among its like: whose slot of a series it writes.
    pub(super) worker: usize,
    /// Where lines of the access log go, if it is written.
    pub(super) log: Option<Arc<Sink>>,
    pub(super) requests_begun: Counter,
    pub(super) requests_ended: Counter,
    pub(super) connections_begun: Counter,
    pub(super) connections_ended: Counter,
    pub(super) connections_refused: Counter,
    pub(super) connections_not_allowed: Counter,
    pub(super) connections_unused: Counter,
    pub(super) accept_errors: Counter,
    pub(super) proxy_protocol_refused: Counter,
    pub(super) handshakes_failed: [Counter; HANDSHAKES.len()],
    pub(super) connection_errors: [Counter; CONNECTION_ERRORS.len()],
    pub(super) header_timeouts: Counter,
    pub(super) stalls: Counter,
    pub(super) own_answers: [Counter; ANSWERS.len()],
    /// When the log last told of an answer, and how many there were since: in pairs.
    told: [(Counter, Counter); ANSWERS.len()],
    /// The same for connections below HTTP.
    told_ends: [(Counter, Counter); ENDS.len()],
    pub(super) datagrams_dropped: [Counter; DROPS.len()],
    pub(super) broken_responses: Counter,
    pub(super) responses_timed_out: Counter,
    pub(super) upstream_connects: Counter,
    pub(super) upstream_connects_failed: Counter,
    pub(super) pool_waits: Counter,
    pub(super) pool_idle: Counter,
    pub(super) pool_open: Counter,
    pub(super) retries: Counter,
    pub(super) mirrors_dropped: Counter,
    pub(super) tunnels_opened: Counter,
    pub(super) tunnels_closed: Counter,
}

/// A client's connection, counted as open until it is dropped.
pub(crate) struct OpenConnection(Arc<WorkerMetrics>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections_ended.add(1);
    }
}

impl WorkerMetrics {
    pub(super) fn new(worker: usize, log: Option<Arc<Sink>>) -> Self {
        Self {
            worker,
            log,
            requests_begun: Counter::default(),
            requests_ended: Counter::default(),
            connections_begun: Counter::default(),
            connections_ended: Counter::default(),
            connections_refused: Counter::default(),
            connections_not_allowed: Counter::default(),
            connections_unused: Counter::default(),
            accept_errors: Counter::default(),
            proxy_protocol_refused: Counter::default(),
            handshakes_failed: Default::default(),
            connection_errors: Default::default(),
            header_timeouts: Counter::default(),
            stalls: Counter::default(),
            own_answers: std::array::from_fn(|_| Counter::default()),
            told: std::array::from_fn(|_| Default::default()),
            told_ends: std::array::from_fn(|_| Default::default()),
            datagrams_dropped: Default::default(),
            broken_responses: Counter::default(),
            responses_timed_out: Counter::default(),
            upstream_connects: Counter::default(),
            upstream_connects_failed: Counter::default(),
            pool_waits: Counter::default(),
            pool_idle: Counter::default(),
            pool_open: Counter::default(),
            retries: Counter::default(),
            mirrors_dropped: Counter::default(),
            tunnels_opened: Counter::default(),
            tunnels_closed: Counter::default(),
        }
    }

    /// A client was cut off because it took nothing, or sent nothing of a body.
    pub(crate) fn client_stalled(&self) {
        self.stalls.add(1);
    }

    /// A client was cut off because its request's head did not come to its end.
    pub(crate) fn header_timeout(&self) {
        self.header_timeouts.add(1);
    }

    /// A request waited because an endpoint had as many connections as it may have.
    pub(crate) fn pool_waited(&self) {
        self.pool_waits.add(1);
    }

    /// How many connections to endpoints are idle and open now.
    pub(crate) fn pools(&self, (idle, open): (usize, u32)) {
        self.pool_idle.set(idle as u64);
        self.pool_open.set(open.into());
    }

    /// A connection to an endpoint is begun.
    pub(crate) fn upstream_connecting(&self, backend: &BackendSeries) {
        self.upstream_connects.add(1);
        if let Some(counters) = backend.of(self.worker) {
            counters.connects.add(1);
        }
    }

    /// It did not come about.
    pub(crate) fn upstream_connect_failed(&self, backend: &BackendSeries) {
        self.upstream_connects_failed.add(1);
        if let Some(counters) = backend.of(self.worker) {
            counters.connects_failed.add(1);
        }
    }

    /// The system gave no connection.
    pub(crate) fn accept_failed(&self) {
        self.accept_errors.add(1);
    }

    /// There were as many connections as there may be.
    pub(crate) fn connection_refused(&self) {
        self.connections_refused.add(1);
    }

    /// A client may not come from there.
    pub(crate) fn source_not_allowed(&self) {
        self.connections_not_allowed.add(1);
    }

    /// A connection has ended before its first byte, or was a load balancer's own: most likely, somebody has looked
    /// whether anybody is there.
    pub(crate) fn connection_unused(&self) {
        self.connections_unused.add(1);
    }

    /// A connection was accepted; it is open until what this gives is dropped.
    pub(crate) fn connection_accepted(self: &Arc<Self>) -> OpenConnection {
        self.connections_begun.add(1);
        OpenConnection(Arc::clone(self))
    }

    pub(crate) fn proxy_protocol_refused(&self) {
        self.proxy_protocol_refused.add(1);
    }

    pub(crate) fn handshake_failed(&self, label: &'static str) {
        let place = HANDSHAKES.iter().position(|known| *known == label);
        self.handshakes_failed[place.unwrap_or(HANDSHAKES.len() - 1)].add(1);
    }

    /// A client's connection ended with an error. The engine has answered it by itself, if at all.
    pub(crate) fn connection_error(&self, error: &hyper::Error) {
        let http2 = std::error::Error::source(error).is_some_and(|source| source.is::<h2::Error>());
        let kind = if error.is_parse_too_large() {
            1
        } else if error.is_parse() {
            0
        } else if http2 {
            3
        } else if error.is_timeout() {
            4
        } else if error.is_incomplete_message()
            || error.is_closed()
            || error.is_body_write_aborted()
        {
            2
        } else {
            5
        };
        self.connection_errors[kind].add(1);
    }

    pub(crate) fn mirror_dropped(&self) {
        self.mirrors_dropped.add(1);
    }

    pub(crate) fn tunnel_opened(&self) {
        self.tunnels_opened.add(1);
    }

    pub(crate) fn tunnel_closed(&self) {
        self.tunnels_closed.add(1);
    }

    /// Datagrams were not passed on.
    pub(crate) fn datagrams_dropped(&self, why: Dropped, count: u64) {
        self.datagrams_dropped[why as usize].add(count);
    }

    /// Whether the log is to tell of an answer of this kind, and how many it did not tell of before: one
    /// cause can make thousands of them in a second. `now` is the worker's tick.
    pub(super) fn to_be_told(&self, answer: usize, now: u32) -> Option<u64> {
        to_be_told(&self.told[answer], now)
    }

    /// The same for the end of a connection below HTTP.
    pub(super) fn end_to_be_told(&self, end: usize, now: u32) -> Option<u64> {
        to_be_told(&self.told_ends[end], now)
    }
}

fn to_be_told((last, since): &(Counter, Counter), now: u32) -> Option<u64> {
    let now = u64::from(now) + 1;
    if last.get() != 0 && now < last.get() + TOLD_EVERY {
        since.add(1);
        return None;
    }
    last.set(now);
    let untold = since.get();
    since.set(0);
    Some(untold)
}
