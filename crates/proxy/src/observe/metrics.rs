//! The metrics of a proxy: the workers' counters, the series of what is configured, and what the host
//! process tells about configurations. Lives on the runtime beside the workers.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use daemun_model::Configuration;

use super::access_log::{self, AccessLog};
use super::counters::WorkerMetrics;
use super::exposition;
use super::series::{BackendSeries, Registry, labels};

/// The metrics of all workers, and the access log that their requests are written to.
pub struct Metrics {
    pub(super) workers: Vec<Arc<WorkerMetrics>>,
    pub(super) registry: Registry,
    pub(super) configured: Mutex<Configured>,
    pub(super) source: Mutex<Source>,
    pub(super) log: Option<AccessLog>,
}

/// What a configuration says that is shown as a number.
#[derive(Default)]
pub(super) struct Configured {
    /// When it became live, in seconds since 1970.
    pub(super) since: i64,
    /// Labels of Gateways, and whether they are closed.
    pub(super) closed: Vec<(String, bool)>,
    /// Labels of certificates, and when they expire, in seconds since 1970.
    pub(super) certificates: Vec<(String, i64)>,
    /// Labels of backends, and how many of their endpoints may get requests.
    pub(super) endpoints: Vec<(String, usize)>,
}

/// What is known of where configurations come from: files, on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Changes that were read without a new error.
    pub accepted: u64,
    /// Changes that brought a new error: what they concern goes on as it was.
    pub refused: u64,
    /// What is wrong at this moment: how many problems there are for each reason.
    pub problems: Vec<(String, usize)>,
}

impl Metrics {
    /// Makes counters for each worker, and opens the access log.
    ///
    /// # Errors
    /// A sentence, if the access log cannot be written.
    pub(crate) fn start(
        workers: usize,
        access_log: Option<access_log::Settings>,
    ) -> Result<Self, String> {
        let log = access_log
            .map(|log| AccessLog::start(log, workers))
            .transpose()?;
        let sink = |worker| log.as_ref().and_then(|log| log.sink(worker));
        Ok(Self {
            workers: (0..workers)
                .map(|worker| Arc::new(WorkerMetrics::new(worker, sink(worker))))
                .collect(),
            registry: Registry::new(workers),
            configured: Mutex::default(),
            source: Mutex::default(),
            log,
        })
    }

    /// A worker's counters.
    pub(crate) fn worker(&self, id: usize) -> Arc<WorkerMetrics> {
        self.workers
            .get(id)
            .cloned()
            .unwrap_or_else(|| Arc::new(WorkerMetrics::new(id, None)))
    }

    /// Where compiling finds the series of listeners, rules and backends.
    pub(crate) fn registry(&self) -> Registry {
        self.registry.clone()
    }

    /// A configuration was compiled and is about to become live, with these backends and as many
    /// endpoints that may get requests.
    pub(crate) fn compiled<'a>(
        &self,
        configuration: &Configuration,
        backends: impl Iterator<Item = (&'a BackendSeries, usize)>,
    ) {
        let certificates = configuration
            .gateways
            .values()
            .flat_map(|snapshot| snapshot.certificates.values())
            .map(|one| (labels(&[("certificate", &one.name)]), one.not_after));
        let closed = configuration.gateways.iter().map(|(name, snapshot)| {
            let is_closed = snapshot.gateway.closed.is_some();
            (labels(&[("gateway", name)]), is_closed)
        });
        let mut configured = Configured {
            since: daemun_base::clock::unix_seconds(),
            closed: closed.collect(),
            certificates: certificates.collect(),
            endpoints: backends
                .map(|(series, endpoints)| (series.labels.to_string(), endpoints))
                .collect(),
        };
        configured.certificates.sort_unstable();
        // Two Gateways may use one certificate.
        configured.certificates.dedup();
        configured.endpoints.sort_unstable();
        *self
            .configured
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = configured;
        self.registry.prune();
    }

    /// Whether any connection has come to a listener since the process began, whatever became of it. It adds up what
    /// is counted anyway.
    pub fn is_reached(&self) -> bool {
        self.workers.iter().any(|worker| {
            [
                &worker.connections_begun,
                &worker.connections_refused,
                &worker.connections_not_allowed,
            ]
            .iter()
            .any(|counter| counter.get() > 0)
        })
    }

    /// Takes over what is known of the source of configurations. To be called by who reads it, when it
    /// has changed.
    pub fn source(&self, source: Source) {
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = source;
    }

    /// Writes all metrics as OpenMetrics text, piece by piece.
    ///
    /// # Errors
    /// Those of `into`.
    pub fn write(&self, into: &mut dyn fmt::Write) -> fmt::Result {
        exposition::write(self, into)
    }

    /// Opens the access log's file again: after it was moved away, lines go to a new one.
    pub fn reopen_logs(&self) {
        if let Some(log) = &self.log {
            log.reopen();
        }
    }

    /// Writes what the access log still holds. Blocks until that is done; lines that come later are
    /// written as before.
    pub fn flush_logs(&self) {
        if let Some(log) = &self.log {
            log.flush();
        }
    }
}
