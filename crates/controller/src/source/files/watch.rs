//! Being told of changes by the kernel (inotify), where that works.
//!
//! Directories are watched, not files: editors and ConfigMap volumes put new files in the place of old
//! ones. Where inotify does not work (network file systems, exhausted limits) the controller's slow look
//! at the files finds changes all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use super::Interest;
use crate::settle::Touch;

/// Events that may wait; what comes beyond it is told as [`Event::Everything`].
const WAITING: usize = 4096;

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A file, under the name by which it was found.
    File(PathBuf, Touch),
    /// More than could be told.
    Everything,
}

/// The kernel's events about some directories.
pub(crate) struct Watch {
    /// None if the kernel does not give events.
    watcher: Option<RecommendedWatcher>,
    events: mpsc::Receiver<(PathBuf, Touch)>,
    missed: Arc<AtomicBool>,
    /// Directories that are watched, with the names by which they were found.
    directories: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    named: BTreeSet<PathBuf>,
    of_interest: Names,
    complained: bool,
}

/// Names of files that matter whatever their extension is.
type Names = Arc<Mutex<BTreeSet<OsString>>>;

impl Watch {
    /// Watches nothing yet.
    pub(crate) fn new() -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        let missed = Arc::new(AtomicBool::new(false));
        let of_interest: Names = Arc::default();
        let forward = forward(sender, Arc::clone(&missed), Arc::clone(&of_interest));
        let watcher = match notify::recommended_watcher(forward) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(
                    "The kernel gives no events about files ({error}); they are looked at every few seconds instead."
                );
                None
            }
        };
        Self {
            watcher,
            events,
            missed,
            directories: BTreeMap::new(),
            named: BTreeSet::new(),
            of_interest,
            complained: false,
        }
    }

    /// Watches these directories from now on. Says whether there are new ones among them: what changed in
    /// them before this moment was not seen.
    pub(crate) fn set(&mut self, interest: Interest) -> bool {
        let mut wanted: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        for found in interest.directories {
            let real = if found.as_os_str().is_empty() {
                Path::new(".").canonicalize()
            } else {
                found.canonicalize()
            };
            if let Ok(real) = real {
                wanted.entry(real).or_default().insert(found);
            }
        }
        let files = interest.named.iter().chain(&interest.given);
        let names = files.filter_map(|path| path.file_name());
        *lock(&self.of_interest) = names.map(OsStr::to_owned).collect();
        self.named = interest.named;
        let new = wanted
            .keys()
            .any(|path| !self.directories.contains_key(path));
        let Some(watcher) = &mut self.watcher else {
            self.directories = wanted;
            return new;
        };
        for gone in self
            .directories
            .keys()
            .filter(|path| !wanted.contains_key(*path))
        {
            // A directory that was removed took its watch with it.
            let _ = watcher.unwatch(gone);
        }
        let mut refused = None;
        for directory in wanted.keys() {
            // Also those that are watched already: one of the same name may have taken their place.
            if let Err(error) = watcher.watch(directory, RecursiveMode::NonRecursive) {
                refused = Some((directory.display().to_string(), error.to_string()));
            }
        }
        if let (Some((directory, error)), false) = (refused, self.complained) {
            self.complained = true;
            tracing::warn!(
                "Changes in {directory} cannot be watched ({error}); the files are looked at every few seconds instead."
            );
        }
        self.directories = wanted;
        new
    }

    /// Waits for the next event about something that matters. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Vec<Event> {
        let Some((path, touch)) = self.events.recv().await else {
            // Without a watcher there are no events, ever.
            return std::future::pending().await;
        };
        self.meaning(&path, touch)
    }

    /// Takes the events that are there already.
    pub(crate) fn waiting(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Ok((path, touch)) = self.events.try_recv() {
            events.extend(self.meaning(&path, touch));
        }
        events
    }

    fn meaning(&self, path: &Path, touch: Touch) -> Vec<Event> {
        if self.missed.swap(false, Ordering::Acquire) || path.as_os_str().is_empty() {
            return vec![Event::Everything];
        }
        self.about(path, touch)
    }

    /// What an event of the kernel's means for files as they were found.
    fn about(&self, path: &Path, touch: Touch) -> Vec<Event> {
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return vec![Event::Everything];
        };
        let Some(found) = self.directories.get(directory) else {
            // The watched directory itself was touched.
            return vec![Event::File(path.to_path_buf(), Touch::Partial)];
        };
        let paths = found.iter().map(|directory| directory.join(name));
        paths
            .map(|path| {
                let touch = self.judge(&path, name, touch);
                Event::File(path, touch)
            })
            .collect()
    }

    fn judge(&self, path: &Path, name: &OsStr, touch: Touch) -> Touch {
        // A ConfigMap volume changes by renaming `..data`, whole.
        let of_volume = name.as_encoded_bytes().starts_with(b"..");
        if self.named.contains(path) {
            Touch::OneOfSeveral
        } else if of_volume || holds_objects(name) || lock(&self.of_interest).contains(name) {
            touch
        } else {
            // Perhaps a directory or a link on the way to a file.
            Touch::Partial
        }
    }
}

/// What is done with the kernel's events, on the thread that gets them.
fn forward(
    sender: mpsc::Sender<(PathBuf, Touch)>,
    missed: Arc<AtomicBool>,
    of_interest: Names,
) -> impl Fn(notify::Result<notify::Event>) + Send {
    move |event| {
        let touched = match event {
            Ok(event) if !event.need_rescan() => {
                let Some((touch, of_content)) = touch_of(&event.kind) else {
                    return;
                };
                // A log file in the same directory may be written to all the time.
                let matters = |path: &PathBuf| {
                    let name = path.file_name().unwrap_or_default();
                    !of_content || holds_objects(name) || lock(&of_interest).contains(name)
                };
                let paths = event.paths.into_iter().filter(matters);
                paths.map(|path| (path, touch)).collect()
            }
            Ok(_) | Err(_) => vec![(PathBuf::new(), Touch::Whole)],
        };
        for touched in touched {
            if sender.try_send(touched).is_err() {
                missed.store(true, Ordering::Release);
            }
        }
    }
}

fn lock(names: &Names) -> MutexGuard<'_, BTreeSet<OsString>> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

fn holds_objects(name: &OsStr) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    matches!(extension, Some("yaml" | "yml" | "json"))
}

/// What an event means, and whether it is about a file's content only.
fn touch_of(kind: &EventKind) -> Option<(Touch, bool)> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some((Touch::Whole, true)),
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some((Touch::Whole, false)),
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => None,
        EventKind::Modify(ModifyKind::Data(_)) => Some((Touch::Partial, true)),
        EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Any
        | EventKind::Other => Some((Touch::Partial, false)),
    }
}
