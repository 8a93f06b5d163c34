//! Objects from files: which files, what stands in them, what is wrong with it, and where.
//!
//! [`Files`] is looked at again and again. Each look reads what changed, and gives all objects that are
//! in force with all that is wrong. Two looks at unchanged files give the same `Arc`s.
//! When to look is the business of `watch`.

mod assemble;
mod chunk;
mod deserializer;
mod document;
mod fault;
mod held;
mod named;
mod parse;
mod problem;
mod scalar;
mod text;
mod walk;
pub(crate) mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemun_base::clock;
use daemun_objects::Any;

pub use held::{Locator, Positions};
pub use problem::{Kept, Problem, Reason, Spot};

use assemble::{Assembled, Assembly, Fresh, Moment, Part};
use chunk::Chunk;
use held::HeldObjects;
use named::NamedFiles;
use walk::{Found, Stamp, walk, why};

/// As much as one file may hold.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Files with objects.
#[derive(Default)]
pub struct Files {
    paths: Vec<PathBuf>,
    /// What can be read only once: standard input and pipes.
    once: BTreeMap<PathBuf, Result<String, String>>,
    states: HashMap<PathBuf, State>,
    named: NamedFiles,
    held: Arc<HeldObjects>,
    /// The directories that the last look went through.
    directories: Option<BTreeSet<PathBuf>>,
    /// Counts the looks.
    looks: u64,
}

/// What is remembered of a file between two looks.
struct State {
    path: Arc<PathBuf>,
    file: Arc<str>,
    /// None if it may be out of date.
    stamp: Option<Stamp>,
    documents: Vec<(u32, Arc<Chunk>)>,
    unreadable: Option<String>,
}

/// What to watch, as paths were found.
#[derive(Debug, Default)]
pub(crate) struct Interest {
    /// Directories in which an entry's change would matter.
    pub(crate) directories: BTreeSet<PathBuf>,
    /// Files that objects name.
    pub(crate) named: BTreeSet<PathBuf>,
    /// Paths that were given.
    pub(crate) given: Vec<PathBuf>,
}

/// How the files look from outside.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    files: Vec<(PathBuf, Stamp)>,
    unreadable: Vec<PathBuf>,
    named: BTreeMap<PathBuf, Option<Stamp>>,
}

/// How to look.
#[derive(Debug, Default)]
pub struct Look {
    /// The time, in seconds since 1970.
    pub now: i64,
    /// Read everything again, changed or not.
    pub everything: bool,
    /// Files that were written to: they are read again whatever their stamps say.
    pub touched: BTreeSet<PathBuf>,
    /// Files that are just being written: they stay as they were.
    pub unsettled: BTreeSet<PathBuf>,
}

/// What a look gave.
#[derive(Debug)]
pub struct Reading {
    /// All objects in force, in the order of their names.
    pub objects: Vec<Any>,
    /// All that is wrong.
    pub problems: Vec<Problem>,
    /// Where the objects stand.
    pub positions: Positions,
    /// Those that are new, or differ from what they were at the look before.
    pub put: Vec<Any>,
    /// Those that were there at the look before, and are no more.
    pub removed: Vec<Any>,
    /// How many files there are.
    pub files: usize,
}

impl Files {
    /// Files, directories, and `-` for standard input. Nothing is read yet, except for what can be
    /// read only once.
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let paths: Vec<PathBuf> = paths.into_iter().collect();
        let once = paths
            .iter()
            .filter_map(|path| Some((path.clone(), read_once(path)?)))
            .collect();
        Self {
            paths,
            once,
            ..Self::default()
        }
    }

    /// A text that is no file, under the name that messages give it. Its objects cannot name files.
    pub fn from_text(name: &str, text: impl Into<String>) -> Self {
        let path = PathBuf::from(name);
        Self {
            named: NamedFiles::refused(),
            once: BTreeMap::from([(path.clone(), Ok(text.into()))]),
            paths: vec![path],
            ..Self::default()
        }
    }

    /// Looks at the files.
    pub fn look(&mut self, look: &Look) -> Reading {
        let found = self.find();
        self.looks += 1;
        self.named.begin(look);
        let mut fresh = Fresh::new();
        let order = self.refresh(&found, look, &mut fresh);
        self.directories = Some(found.directories);
        let parts: Vec<Part<'_>> = order
            .iter()
            .filter_map(|path| self.states.get(path))
            .map(State::part)
            .collect();
        let moment = Moment {
            now: look.now,
            look: self.looks,
        };
        let assembly = Assembly::new(&self.held, &mut self.named, fresh, moment);
        let Assembled { held, problems } = assembly.run(&parts);
        let old = std::mem::replace(&mut self.held, Arc::new(held));
        let new = self.held.values().filter(|held| held.look == self.looks);
        let gone = old
            .iter()
            .filter(|(name, _)| !self.held.contains_key(*name));
        Reading {
            objects: self.held.values().map(|held| held.any.clone()).collect(),
            put: new.map(|held| held.any.clone()).collect(),
            removed: gone.map(|(_, held)| held.any.clone()).collect(),
            problems,
            positions: Positions::of(&self.held),
            files: self.states.len(),
        }
    }

    /// The text of every document, in no order that matters.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &str> {
        let states = self.states.values();
        let documents = states.flat_map(|state| &state.documents);
        documents.map(|(_, chunk)| chunk.text.as_str())
    }

    fn find(&self) -> Found {
        let on_disk: Vec<PathBuf> = self
            .paths
            .iter()
            .filter(|path| !self.once.contains_key(*path))
            .cloned()
            .collect();
        walk(&on_disk)
    }

    /// Brings the states up to date; gives the order in which files count.
    fn refresh(&mut self, found: &Found, look: &Look, fresh: &mut Fresh) -> Vec<PathBuf> {
        let mut order: Vec<PathBuf> = Vec::new();
        for path in self.once.keys().cloned().collect::<Vec<_>>() {
            if !self.states.contains_key(&path) {
                let text = self.once.get(&path).cloned();
                let text = text.unwrap_or_else(|| Err("it was read before".to_owned()));
                let file = if path.as_os_str() == STANDARD_INPUT {
                    Arc::from("standard input")
                } else {
                    shown_name(&path)
                };
                self.put(&path, file, None, text, fresh);
            }
            order.push(path);
        }
        for (path, stamp) in &found.files {
            let state = self.states.get(path);
            let current = state.is_some_and(|state| state.stamp == Some(*stamp));
            let forced = look.everything || look.touched.contains(path);
            if look.unsettled.contains(path) {
                continue;
            }
            if !current || forced {
                // The stamp is older than the text: a change in between is seen at the next look.
                let stamp = (!stamp.is_recent(clock::since_epoch())).then_some(*stamp);
                let file = shown_name(path);
                self.put(path, file, stamp, read(path), fresh);
            }
            order.push(path.clone());
        }
        self.unreadable(found, &mut order, fresh);
        // Each of these has a state: if there are no more states, none is left over.
        if self.states.len() != order.len() {
            let there: HashSet<PathBuf> = order.iter().cloned().collect();
            // What is being written or replaced stays as it was, though it may be gone for a moment.
            self.states
                .retain(|path, _| there.contains(path) || look.unsettled.contains(path));
            let unsettled = self.states.keys().filter(|path| !there.contains(*path));
            order.extend(unsettled.cloned());
        }
        if !look.unsettled.is_empty() || !found.unreadable.is_empty() {
            order.sort_by(|one, two| self.rank(one).cmp(&self.rank(two)));
        }
        order
    }

    /// Which of the given paths a file belongs to, and its place there: earlier ones count first.
    fn rank<'p>(&self, path: &'p Path) -> (usize, &'p Path) {
        let given = self.paths.iter().position(|given| path.starts_with(given));
        (given.unwrap_or(usize::MAX), path)
    }

    /// What to watch.
    pub(crate) fn interest(&self) -> Interest {
        let directories = self.directories.clone();
        let directories = directories.unwrap_or_else(|| self.find().directories);
        Interest {
            directories: directories
                .into_iter()
                .chain(self.named.directories())
                .collect(),
            named: self.named.paths().clone(),
            given: self.paths.clone(),
        }
    }

    /// What tells whether a look would find something new, without reading.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let found = self.find();
        Fingerprint {
            files: found.files,
            unreadable: found.unreadable.into_iter().map(|it| it.path).collect(),
            named: self.named.stamps(),
        }
    }

    /// The fingerprint of what was read.
    pub(crate) fn is_current(&self, seen: &Fingerprint) -> bool {
        let known = |(path, stamp): &(PathBuf, Stamp)| {
            let state = self.states.get(path);
            state.is_some_and(|state| state.stamp == Some(*stamp))
        };
        let on_disk = self.states.len().saturating_sub(self.once.len());
        on_disk == seen.files.len() + seen.unreadable.len()
            && seen.files.iter().all(known)
            && self.named.are_current(&seen.named)
    }

    /// Files below a path that cannot be looked at stay as they were.
    fn unreadable(&mut self, found: &Found, order: &mut Vec<PathBuf>, fresh: &mut Fresh) {
        for refused in &found.unreadable {
            let below: Vec<PathBuf> = self
                .states
                .keys()
                .filter(|path| path.starts_with(&refused.path))
                .cloned()
                .collect();
            for path in &below {
                if let Some(state) = self.states.get_mut(path) {
                    state.unreadable = Some(refused.why.clone());
                    state.stamp = None;
                }
            }
            if below.is_empty() {
                let file = shown_name(&refused.path);
                self.put(&refused.path, file, None, Err(refused.why.clone()), fresh);
                order.push(refused.path.clone());
            }
            order.extend(below);
        }
    }

    /// Takes a file's new text, or that it has none.
    fn put(
        &mut self,
        path: &Path,
        file: Arc<str>,
        stamp: Option<Stamp>,
        text: Result<String, String>,
        fresh: &mut Fresh,
    ) {
        let old = self.states.remove(path);
        let old_documents = old.map(|state| state.documents).unwrap_or_default();
        let (documents, unreadable) = match text {
            Ok(text) => (cut(&text, &old_documents, fresh), None),
            Err(why) => (old_documents, Some(why)),
        };
        let state = State {
            path: Arc::new(path.to_path_buf()),
            file,
            stamp,
            documents,
            unreadable,
        };
        self.states.insert(path.to_path_buf(), state);
    }
}

impl Reading {
    /// Whether an object differs from those of the look before.
    pub fn has_changed(&self) -> bool {
        !self.put.is_empty() || !self.removed.is_empty()
    }
}

impl State {
    fn part(&self) -> Part<'_> {
        Part {
            path: &self.path,
            file: &self.file,
            documents: &self.documents,
            unreadable: self.unreadable.as_deref(),
        }
    }
}

/// Reads a text that is no file, from wherever it comes. Nothing that it says makes files be read.
pub fn read_text(name: &str, text: &str) -> (Vec<Any>, Vec<Problem>) {
    let reading = Files::from_text(name, text).look(&Look::default());
    (reading.objects, reading.problems)
}

/// A path as people are told it.
fn shown_name(path: &Path) -> Arc<str> {
    Arc::from(text::one_line(&path.display().to_string()))
}

/// Cuts a text into documents, of which those with known text are not read again.
fn cut(text: &str, known: &[(u32, Arc<Chunk>)], fresh: &mut Fresh) -> Vec<(u32, Arc<Chunk>)> {
    let mut by_text: Option<HashMap<&str, usize>> = None;
    // Most documents follow the one that they followed before: comparing is cheaper than looking up.
    let mut next = 0;
    let mut documents = Vec::with_capacity(known.len());
    for (lines_before, text) in text::documents(text) {
        let is_next = known.get(next).is_some_and(|(_, chunk)| chunk.text == text);
        let at = if is_next {
            Some(next)
        } else {
            let by_text = by_text.get_or_insert_with(|| {
                let texts = known.iter().map(|(_, chunk)| chunk.text.as_str());
                texts.zip(0..).collect()
            });
            by_text.get(text).copied()
        };
        let chunk = match at.and_then(|at| known.get(at)) {
            Some((_, chunk)) => Arc::clone(chunk),
            None => {
                let (chunk, objects) = Chunk::read(text);
                let chunk = Arc::new(chunk);
                fresh.insert(Arc::as_ptr(&chunk), objects);
                chunk
            }
        };
        // A changed document stands where the old one stood.
        next = at.unwrap_or(next) + 1;
        documents.push((lines_before, chunk));
    }
    documents
}

fn read(path: &Path) -> Result<String, String> {
    let read = || -> io::Result<String> {
        let file = fs::File::open(path)?;
        // Room for all at once: growing would copy a large file again and again.
        let size = file.metadata()?.len().min(MAX_BYTES);
        let mut text = String::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
        if file.take(MAX_BYTES + 1).read_to_string(&mut text)? as u64 > MAX_BYTES {
            return Err(io::Error::other("it is larger than 64 MiB"));
        }
        Ok(text)
    };
    read().map_err(|error| why(&error))
}

/// The text of standard input or a pipe; none for what can be read again.
fn read_once(path: &Path) -> Option<Result<String, String>> {
    if path.as_os_str() == STANDARD_INPUT {
        let mut text = String::new();
        let input = io::stdin().lock().take(MAX_BYTES);
        let read = { input }.read_to_string(&mut text);
        return Some(read.map(|_| text).map_err(|error| why(&error)));
    }
    let metadata = fs::metadata(path).ok()?;
    (!metadata.is_file() && !metadata.is_dir()).then(|| read(path))
}

#[cfg(test)]
mod tests;
