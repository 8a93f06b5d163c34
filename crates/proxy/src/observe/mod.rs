//! What can be seen of the proxy: counters, and what one request has gone through.

pub(crate) mod trip;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use daemun_model::Configuration;

use crate::live::Live;

/// The metrics of all workers.
pub struct Metrics {
    workers: Vec<Arc<WorkerMetrics>>,
}

impl Metrics {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers: (0..workers).map(|_| Arc::default()).collect(),
        }
    }

    pub(crate) fn worker(&self, id: usize) -> Arc<WorkerMetrics> {
        self.workers.get(id).cloned().unwrap_or_default()
    }

    /// Writes the metrics as OpenMetrics text.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, into: &mut dyn std::fmt::Write) -> std::fmt::Result {
        let requests: u64 = self.workers.iter().map(|one| one.requests.load(Ordering::Relaxed)).sum();
        write!(into, "daemun_requests_total {requests}\n# EOF\n")
    }

    /// Opens log files again, after they were moved away.
    pub fn reopen_logs(&self) {}

    pub(crate) fn compiled(&self, _live: &Live, _configuration: &Configuration) {}
}

/// A worker's counters: written by its own thread only, read by whoever scrapes.
#[derive(Default)]
pub(crate) struct WorkerMetrics {
    pub(crate) requests: AtomicU64,
}

impl WorkerMetrics {
    pub(crate) fn client_stalled(&self) {}
    pub(crate) fn header_timeout(&self) {}
    pub(crate) fn pool_waited(&self) {}
    pub(crate) fn upstream_connecting(&self) {}
    pub(crate) fn upstream_connect_failed(&self) {}
    pub(crate) fn accept_failed(&self) {}
    pub(crate) fn connection_refused(&self) {}
    pub(crate) fn connection_accepted(&self) {}
    pub(crate) fn connection_ended(&self) {}
    pub(crate) fn proxy_protocol_refused(&self) {}
    pub(crate) fn handshake_failed(&self, _label: &'static str) {}
    pub(crate) fn connection_error(&self, _error: &hyper::Error) {}
    pub(crate) fn mirror_dropped(&self) {}
    pub(crate) fn tunnel_opened(&self) {}
    pub(crate) fn tunnel_closed(&self) {}
    pub(crate) fn request(&self) {
        self.requests
            .store(self.requests.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}
