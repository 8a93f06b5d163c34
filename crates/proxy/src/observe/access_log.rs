//! The access log: one line for each request, when its response has ended, and for each connection below HTTP.
//!
//! A worker writes its lines into a buffer of its own; a thread takes full buffers away and writes them
//! out. Where that thread cannot keep up (a full disk, a pipe that nobody reads) lines are dropped and
//! counted, and no request waits. Each buffer is behind a lock that the thread holds while it swaps two
//! pointers. What operators must know about the process itself is in its own log, not here.

mod entry;
mod format;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use entry::Entry;
pub(super) use entry::{PassageEntry, Subject, Told};
pub use format::{Format, StatusFilter};
pub(super) use writer::Sink;
use writer::Writer;

/// What is logged, how, and where to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How a line looks.
    pub format: Format,
    /// Where lines go.
    pub destination: Destination,
    /// Only requests with these statuses are logged.
    pub statuses: StatusFilter,
    /// One of so many requests is logged, by chance; those that failed (5xx, or no answer) always are.
    /// 0 and 1 mean every request.
    pub one_in: u32,
}

/// Where lines go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    #[default]
    Stdout,
    /// The end of a file, which is made if it is not there.
    File(PathBuf),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            format: Format::default(),
            destination: Destination::Stdout,
            statuses: StatusFilter::default(),
            one_in: 1,
        }
    }
}

/// An access log that is being written.
pub(crate) struct AccessLog {
    sinks: Vec<Arc<Sink>>,
    writer: Mutex<Writer>,
}

impl AccessLog {
    /// Opens the log and starts its thread.
    ///
    /// # Errors
    /// A sentence, if the file cannot be opened or there can be no thread.
    pub(super) fn start(settings: Settings, workers: usize) -> Result<Self, String> {
        let Settings {
            format,
            destination,
            statuses,
            one_in,
        } = settings;
        let rules = Arc::new(Rules {
            format,
            statuses,
            one_in,
        });
        let (writer, sinks) = Writer::start(destination, workers, &rules)?;
        Ok(Self {
            sinks,
            writer: Mutex::new(writer),
        })
    }

    /// Where a worker's lines go.
    pub(super) fn sink(&self, worker: usize) -> Option<Arc<Sink>> {
        self.sinks.get(worker).cloned()
    }

    /// Opens the file again before the next lines are written.
    pub(super) fn reopen(&self) {
        self.writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .reopen();
    }

    /// Waits until what is there now is written.
    pub(super) fn flush(&self) {
        self.writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .flush();
    }

    /// How many lines were lost.
    pub(super) fn dropped(&self) -> u64 {
        self.sinks.iter().map(|sink| sink.dropped()).sum()
    }
}

/// Which requests become lines, and how those look.
pub(super) struct Rules {
    format: Format,
    statuses: StatusFilter,
    one_in: u32,
}

impl Rules {
    /// Whether a request is among those that chance takes.
    pub(super) fn sample(&self, random: u64) -> bool {
        self.one_in <= 1 || random.is_multiple_of(u64::from(self.one_in))
    }

    fn wants(&self, status: u16, sampled: bool) -> bool {
        let failed = status == 0 || status >= 500;
        (sampled || failed) && self.statuses.contains(status)
    }
}

#[cfg(test)]
mod tests;
