//! Which of the workers' counters are shown, under which names, and what they mean.

use super::super::counters::{CONNECTION_ERRORS, Counter, DROPS, HANDSHAKES, WorkerMetrics};
use super::super::series::BackendCounters;
use crate::observe::answers::ANSWERS;

/// Name without its ending, what it is, and where it is found.
type One<F> = (&'static str, &'static str, F);
type CounterOf<T> = fn(&T) -> &Counter;
type NumberOf = fn(&WorkerMetrics) -> u64;
/// A counter for each reason.
type ByReason = (
    &'static str,
    &'static str,
    &'static [&'static str],
    fn(&WorkerMetrics) -> &[Counter],
);

/// Counts of all workers without labels: name without its ending, what it is, the counter.
pub(super) const COUNTERS: [One<CounterOf<WorkerMetrics>>; 15] = [
    (
        "daemun_client_connections",
        "Connections of clients that were accepted.",
        |w| &w.connections_begun,
    ),
    (
        "daemun_client_connections_over_limit",
        "Connections of clients that were closed because there were as many as the listener allows.",
        |w| &w.connections_refused,
    ),
    (
        "daemun_client_connections_not_allowed",
        "Connections of clients that were refused because they may not come from there.",
        |w| &w.connections_not_allowed,
    ),
    (
        "daemun_client_connections_unused",
        "Connections that ended before their first byte, or were a load balancer's own: health checks, most of the time.",
        |w| &w.connections_unused,
    ),
    (
        "daemun_accept_errors",
        "Connections that the system did not hand over.",
        |w| &w.accept_errors,
    ),
    (
        "daemun_proxy_protocol_refused",
        "Connections that were closed because of their PROXY protocol header.",
        |w| &w.proxy_protocol_refused,
    ),
    (
        "daemun_client_header_timeouts",
        "Connections that were cut because a request's head did not come to its end in time.",
        |w| &w.header_timeouts,
    ),
    (
        "daemun_client_stalls",
        "Connections that were cut because a client sent or took nothing in the midst of a request.",
        |w| &w.stalls,
    ),
    (
        "daemun_responses_broken",
        "Responses that a backend broke off after their head.",
        |w| &w.broken_responses,
    ),
    (
        "daemun_responses_timed_out",
        "Responses that were broken off because the request's time was over.",
        |w| &w.responses_timed_out,
    ),
    (
        "daemun_upstream_connects",
        "Connections to endpoints that were begun.",
        |w| &w.upstream_connects,
    ),
    (
        "daemun_upstream_connect_failures",
        "Connections to endpoints that did not come about.",
        |w| &w.upstream_connects_failed,
    ),
    (
        "daemun_upstream_waits",
        "Requests that waited because an endpoint had as many connections as it may have.",
        |w| &w.pool_waits,
    ),
    ("daemun_retries", "Tries after the first one.", |w| {
        &w.retries
    }),
    (
        "daemun_mirrors_dropped",
        "Copies of requests that were not sent or not answered.",
        |w| &w.mirrors_dropped,
    ),
];

/// Numbers that go up and down.
pub(super) const GAUGES: [One<NumberOf>; 5] = [
    (
        "daemun_client_connections_open",
        "Connections of clients that are open.",
        |w| {
            w.connections_begun
                .get()
                .saturating_sub(w.connections_ended.get())
        },
    ),
    (
        "daemun_requests_in_flight",
        "Requests whose response has not ended.",
        |w| {
            w.requests_begun
                .get()
                .saturating_sub(w.requests_ended.get())
        },
    ),
    (
        "daemun_upstream_connections_open",
        "Connections to endpoints that are open.",
        |w| w.pool_open.get(),
    ),
    (
        "daemun_upstream_connections_idle",
        "Connections to endpoints that wait for a request.",
        |w| w.pool_idle.get(),
    ),
    (
        "daemun_tunnels_open",
        "WebSockets and other upgraded connections that are open.",
        |w| {
            w.tunnels_opened
                .get()
                .saturating_sub(w.tunnels_closed.get())
        },
    ),
];

/// Counts of all workers by reason.
pub(super) const REASONS: [ByReason; 4] = [
    (
        "daemun_own_answers",
        "Answers of the gateway's own, by reason.",
        &ANSWERS,
        |w| &w.own_answers,
    ),
    (
        "daemun_tls_handshakes_failed",
        "TLS handshakes with clients that failed, by reason.",
        &HANDSHAKES,
        |w| &w.handshakes_failed,
    ),
    (
        "daemun_client_connection_errors",
        "Connections of clients that ended with an error, by reason; malformed requests among them.",
        &CONNECTION_ERRORS,
        |w| &w.connection_errors,
    ),
    (
        "daemun_datagrams_dropped",
        "Datagrams of UDP listeners that were not passed on, by reason.",
        &DROPS,
        |w| &w.datagrams_dropped,
    ),
];

/// Counts of a backend that other objects do not have.
pub(super) const BACKENDS: [One<CounterOf<BackendCounters>>; 3] = [
    (
        "daemun_backend_retries",
        "Tries for a backend after the first one.",
        |b| &b.retries,
    ),
    (
        "daemun_backend_connects",
        "Connections to a backend's endpoints that were begun.",
        |b| &b.connects,
    ),
    (
        "daemun_backend_connect_failures",
        "Connections to a backend's endpoints that did not come about.",
        |b| &b.connects_failed,
    ),
];
