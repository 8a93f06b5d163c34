//! The metrics of a proxy: the workers' counters, the series of what is configured, and what the host
//! process tells about configurations. Lives on the runtime beside the workers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use daemun_model::Configuration;

use super::access_log::AccessLog;
use super::counters::WorkerMetrics;
use super::exposition;
use super::series::{Registry, backend_labels, labels};
use crate::live::Live;
use crate::settings::Settings;

/// The metrics of all workers, and the access log that their requests are written to.
pub struct Metrics {
    pub(super) workers: Vec<Arc<WorkerMetrics>>,
    pub(super) registry: Registry,
    pub(super) configured: Mutex<Configured>,
    pub(super) accepted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) log: Option<AccessLog>,
}

/// What a configuration says that is shown as a number.
#[derive(Default)]
pub(super) struct Configured {
    /// When it became live, in seconds since 1970.
    pub(super) since: i64,
    /// Labels of certificates, and when they expire, in seconds since 1970.
    pub(super) certificates: Vec<(String, i64)>,
    /// Labels of backends, and how many of their endpoints may get requests.
    pub(super) endpoints: Vec<(String, usize)>,
}

impl Metrics {
    /// Makes counters for each worker, and opens the access log.
    ///
    /// # Errors
    /// A sentence, if the access log cannot be written.
    pub(crate) fn start(settings: &Settings) -> Result<Self, String> {
        let log = settings.access_log.clone();
        let log = log
            .map(|log| AccessLog::start(log, settings.workers))
            .transpose()?;
        let sink = |worker| log.as_ref().and_then(|log| log.sink(worker));
        Ok(Self {
            workers: (0..settings.workers)
                .map(|worker| Arc::new(WorkerMetrics::new(worker, sink(worker))))
                .collect(),
            registry: Registry::new(settings.workers),
            configured: Mutex::default(),
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
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

    /// A configuration was compiled and is about to become live.
    pub(crate) fn compiled(&self, live: &Live, configuration: &Configuration) {
        let snapshots = || configuration.gateways.values();
        let certificates = snapshots()
            .flat_map(|snapshot| snapshot.certificates.values())
            .map(|certificate| {
                (
                    labels(&[("certificate", &certificate.name)]),
                    certificate.not_after,
                )
            });
        let endpoints = snapshots().flat_map(|snapshot| {
            snapshot
                .backends
                .keys()
                .map(|key| backend_labels(&snapshot.gateway.name, key))
        });
        let counts = live
            .backends
            .iter()
            .flatten()
            .map(|backend| (backend.series.labels.to_string(), backend.endpoints.len()));
        let mut counts: std::collections::BTreeMap<_, _> = counts.collect();
        let mut configured = Configured {
            since: daemun_base::clock::unix_seconds(),
            certificates: certificates.collect(),
            endpoints: endpoints
                .map(|labels| {
                    let count = counts.remove(&labels).unwrap_or_default();
                    (labels, count)
                })
                .collect(),
        };
        configured.certificates.sort_unstable();
        // Two Gateways may use one certificate.
        configured.certificates.dedup();
        *self
            .configured
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = configured;
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.registry.prune();
    }

    /// Counts a change of the configuration that was refused, wholly or in part: what it concerns goes on
    /// as it was. To be called by who reads configurations.
    pub fn configuration_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
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
