//! What the wire counts, as OpenMetrics text.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Publisher, Sent};

/// Counters of one server.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) commits: AtomicU64,
    pub(super) resources: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) disbelieved: AtomicU64,
    pub(super) turned_away: AtomicU64,
}

impl Counts {
    /// Counts something.
    pub(super) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Publisher {
    /// What was sent.
    pub fn sent(&self) -> Sent {
        let Counts {
            commits,
            resources,
            bytes,
            ..
        } = &self.0.counts;
        Sent {
            commits: commits.load(Ordering::Relaxed),
            resources: resources.load(Ordering::Relaxed),
            bytes: bytes.load(Ordering::Relaxed),
        }
    }

    /// Writes what was counted, without the end of the exposition.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_metrics(&self, out: &mut dyn Write) -> fmt::Result {
        let Counts {
            commits,
            resources,
            bytes,
            disbelieved,
            turned_away,
        } = &self.0.counts;
        for (name, help, counter) in [
            (
                "commits",
                "Changes that were sent, to one proxy each.",
                commits,
            ),
            ("resources", "Resources in these changes.", resources),
            ("sent_bytes", "Bytes of these changes.", bytes),
            (
                "disbelieved",
                "Streams of those who could not prove which Gateway's proxy they are.",
                disbelieved,
            ),
            (
                "turned_away",
                "Connections that were one too many, in all or of one address.",
                turned_away,
            ),
        ] {
            let count = counter.load(Ordering::Relaxed);
            let name = format!("daemun_wire_{name}");
            writeln!(
                out,
                "# HELP {name} {help}\n# TYPE {name} counter\n{name}_total {count}"
            )?;
        }
        Ok(())
    }
}
