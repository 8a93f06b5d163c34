//! The thread that writes lines out, and the buffers that it empties.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Destination, Rules, Told};

/// What a worker's buffer holds at most; further lines are dropped until it was taken away.
const MOST: usize = 1 << 20;
/// How long lines are gathered, so that many are written at once.
const GATHER: Duration = Duration::from_millis(20);

/// Where one worker's lines go.
pub(in crate::observe) struct Sink {
    rules: Arc<Rules>,
    buffer: Mutex<String>,
    dropped: AtomicU64,
    alarm: Arc<Alarm>,
}

impl Sink {
    /// Whether a request is among those that chance takes.
    pub(in crate::observe) fn sample(&self, random: u64) -> bool {
        self.rules.sample(random)
    }

    /// Writes a line, if one is wanted of this request.
    pub(in crate::observe) fn write(&self, told: &Told<'_>) {
        if !self.rules.wants(told.status, told.subject.sampled()) {
            return;
        }
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.len() >= MOST {
            drop(buffer);
            // One thread writes it: the worker's own.
            self.dropped
                .store(self.dropped.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            return;
        }
        let first = buffer.is_empty();
        self.rules.format.line(told, &mut buffer);
        drop(buffer);
        if first {
            self.alarm.raise(|wanted| wanted.lines = true);
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn take(&self, empty: String) -> String {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *buffer, empty)
    }
}

/// What the thread is wanted for.
#[derive(Clone, Copy, Default)]
struct Wanted {
    lines: bool,
    reopen: bool,
    end: bool,
    /// How often someone has asked for all to be written, and how often that was done.
    flushes: u64,
    flushed: u64,
}

/// Wakes the thread.
#[derive(Default)]
struct Alarm {
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

impl Alarm {
    fn raise(&self, want: impl FnOnce(&mut Wanted)) {
        want(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits until something is wanted, and takes the wish.
    fn wait(&self) -> Wanted {
        let idle = |wanted: &mut Wanted| {
            !(wanted.lines || wanted.reopen || wanted.end || wanted.flushes > wanted.flushed)
        };
        let guard = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_while(guard, idle);
        let mut wanted = waited.unwrap_or_else(PoisonError::into_inner);
        let taken = *wanted;
        (wanted.lines, wanted.reopen) = (false, false);
        taken
    }
}

/// The thread, as its owner sees it. What is there is written before it ends.
pub(super) struct Writer {
    alarm: Arc<Alarm>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the log and starts the thread, with a sink for each worker.
    pub(super) fn start(
        destination: Destination,
        workers: usize,
        rules: &Arc<Rules>,
    ) -> Result<(Self, Vec<Arc<Sink>>), String> {
        let output = Output::open(destination)?;
        let alarm = Arc::<Alarm>::default();
        let sinks: Vec<Arc<Sink>> = (0..workers)
            .map(|_| {
                Arc::new(Sink {
                    rules: Arc::clone(rules),
                    buffer: Mutex::default(),
                    dropped: AtomicU64::new(0),
                    alarm: Arc::clone(&alarm),
                })
            })
            .collect();
        let (of_thread, sinks_of_thread) = (Arc::clone(&alarm), sinks.clone());
        let thread = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || run(&of_thread, &sinks_of_thread, output))
            .map_err(|error| format!("the access log has no thread to write it: {error}"))?;
        Ok((
            Self {
                alarm,
                thread: Some(thread),
            },
            sinks,
        ))
    }

    pub(super) fn reopen(&self) {
        self.alarm.raise(|wanted| wanted.reopen = true);
    }

    pub(super) fn flush(&self) {
        let mut number = 0;
        self.alarm.raise(|wanted| {
            wanted.flushes += 1;
            number = wanted.flushes;
        });
        let wanted = self
            .alarm
            .wanted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let done = self
            .alarm
            .changed
            .wait_while(wanted, |wanted| wanted.flushed < number && !wanted.end);
        drop(done);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.alarm.raise(|wanted| wanted.end = true);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has said so by itself.
            let _ = thread.join();
        }
    }
}

fn run(alarm: &Alarm, sinks: &[Arc<Sink>], mut output: Output) {
    let mut spare = String::new();
    loop {
        let wanted = alarm.wait();
        let urgent = wanted.end || wanted.flushes > wanted.flushed;
        if !urgent {
            std::thread::sleep(GATHER);
        }
        if wanted.reopen {
            output.reopen();
        }
        for sink in sinks {
            let mut taken = sink.take(std::mem::take(&mut spare));
            output.write(taken.as_bytes());
            taken.clear();
            spare = taken;
        }
        if wanted.end {
            return;
        }
        if urgent {
            alarm.raise(|now| now.flushed = wanted.flushes);
        }
    }
}

/// The file or standard output.
struct Output {
    destination: Destination,
    /// None for standard output, and while the file cannot be opened.
    file: Option<File>,
    failing: bool,
}

impl Output {
    fn open(destination: Destination) -> Result<Self, String> {
        let file = open(&destination)?;
        Ok(Self {
            destination,
            file,
            failing: false,
        })
    }

    fn reopen(&mut self) {
        match open(&self.destination) {
            Ok(file) => self.file = file,
            Err(error) => tracing::error!("{error}. Lines go on to where they went."),
        }
    }

    /// A failure is told once, until writing succeeds again.
    fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let written = match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
        };
        match written {
            Ok(()) => self.failing = false,
            Err(_) if self.failing => {}
            Err(error) => {
                self.failing = true;
                tracing::error!(
                    "Lines of the access log are lost, because it cannot be written: {error}."
                );
            }
        }
    }
}

fn open(destination: &Destination) -> Result<Option<File>, String> {
    match destination {
        Destination::Stdout => Ok(None),
        Destination::File(path) => OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map(Some)
            .map_err(|error| {
                format!(
                    "The access log {} cannot be opened: {error}.",
                    path.display()
                )
            }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::super::{Entry, Rules, StatusFilter, Subject, Told};
    use super::{Alarm, MOST, Sink};

    #[test]
    fn a_full_buffer_loses_lines_and_counts_them() {
        let rules = Rules {
            format: "{status}".parse().unwrap(),
            statuses: StatusFilter::default(),
            one_in: 1,
        };
        let sink = Sink {
            rules: Arc::new(rules),
            buffer: Mutex::new("x".repeat(MOST - 1)),
            dropped: AtomicU64::new(0),
            alarm: Arc::<Alarm>::default(),
        };
        let entry = Entry::of(
            &http::Request::new(()),
            "10.0.0.7:1".parse().unwrap(),
            false,
            true,
        );
        let told = Told {
            subject: Subject::Request(&entry),
            status: 200,
            lasted: Duration::ZERO,
            received: 0,
            sent: 0,
            tries: 0,
            by: "gateway",
            reason: None,
            listener: None,
            route: None,
            rule: None,
            backend: None,
        };
        for dropped in 0..3 {
            sink.write(&told);
            assert_eq!(sink.dropped(), dropped);
        }
        assert!(sink.take(String::new()).len() > MOST - 1);
        sink.write(&told);
        assert_eq!(
            (sink.dropped(), sink.take(String::new())),
            (2, "200\n".to_owned())
        );
    }
}
