//! From what stands in the files to the objects in force.
//!
//! Unchanged text keeps its object, the very same `Arc`; changed text with the same meaning too. What
//! is wrong keeps what was there before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemun_model::names::ObjectRef;
use daemun_model::verdict::{FieldPath, Severity};
use daemun_objects::Any;

use super::chunk::{Chunk, Entry, FIRST_GENERATION};
use super::held::{Held, HeldObjects, Origin};
use super::named::{NamedFile, NamedFiles, fill};
use super::problem::{Kept, Problem, Reason};
use super::text::one_line;

/// Objects of chunks that were read just now, so that they are not read twice.
pub(super) type Fresh = HashMap<*const Chunk, Vec<Any>>;

/// One file, as far as assembling needs to know it.
pub(super) struct Part<'a> {
    pub(super) path: &'a Arc<PathBuf>,
    pub(super) file: &'a Arc<str>,
    pub(super) documents: &'a [(u32, Arc<Chunk>)],
    /// Why the file could not be read this time; its documents are those of last time then.
    pub(super) unreadable: Option<&'a str>,
}

/// When a pass is made.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// In seconds since 1970.
    pub(super) now: i64,
    /// The number of the look.
    pub(super) look: u64,
}

/// One pass over all files.
pub(super) struct Assembly<'a> {
    moment: Moment,
    named: &'a mut NamedFiles,
    fresh: Fresh,
    old: &'a HeldObjects,
    next: HeldObjects,
    /// Where each object was met first.
    met: HashMap<Arc<ObjectRef>, (Arc<str>, u32)>,
    problems: Vec<Problem>,
}

/// What a pass came to.
pub(super) struct Assembled {
    pub(super) held: HeldObjects,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(
        old: &'a HeldObjects,
        named: &'a mut NamedFiles,
        fresh: Fresh,
        moment: Moment,
    ) -> Self {
        Self {
            moment,
            named,
            fresh,
            old,
            next: HeldObjects::new(),
            met: HashMap::new(),
            problems: Vec::new(),
        }
    }

    /// Goes over all files, in the order in which they are read.
    pub(super) fn run(mut self, parts: &[Part<'_>]) -> Assembled {
        for part in parts {
            self.part(part);
        }
        self.named.end();
        self.keep_lost(parts);
        Assembled {
            // What was put in one after the other has nearly half of its room left over.
            held: self.next.into_iter().collect(),
            problems: self.problems,
        }
    }

    fn part(&mut self, part: &Part<'_>) {
        for (lines_before, chunk) in part.documents {
            for flaw in &chunk.flaws {
                let problem = chunk.problem(part.file, *lines_before, None, flaw);
                self.problems.push(problem);
            }
            for (number, entry) in chunk.entries.iter().enumerate() {
                let origin = Origin {
                    path: Arc::clone(part.path),
                    file: Arc::clone(part.file),
                    lines_before: *lines_before,
                    chunk: Arc::clone(chunk),
                    entry: number,
                };
                self.entry(entry, origin);
            }
        }
        if let Some(why) = part.unreadable {
            self.unreadable(part, why);
        }
    }

    fn entry(&mut self, entry: &Entry, origin: Origin) {
        let object = &entry.object;
        let line = entry.place.line + origin.lines_before;
        if let Some((file, first)) = self.met.get(object) {
            let message =
                format!("{object} stands twice; the first is in {file}:{first} and stays.");
            let spot = origin
                .chunk
                .spot(&origin.file, origin.lines_before, entry.place);
            self.problems.push(Problem {
                severity: Severity::Error,
                reason: Reason::Duplicate,
                file: origin.file,
                spot: Some(spot),
                object: Some(object.as_ref().clone()),
                path: FieldPath::root(),
                message: one_line(&message),
                kept: None,
            });
            return;
        }
        self.met
            .insert(Arc::clone(object), (Arc::clone(&origin.file), line));
        if entry.flaws.is_empty() {
            self.readable(entry, origin);
            return;
        }
        let kept = self.keep(object);
        for flaw in &entry.flaws {
            let problem =
                origin
                    .chunk
                    .problem(&origin.file, origin.lines_before, Some(object), flaw);
            let kept = kept.clone();
            self.problems.push(Problem { kept, ..problem });
        }
    }

    /// Holds on to an object as it was, if it was there.
    fn keep(&mut self, object: &Arc<ObjectRef>) -> Option<Kept> {
        let held = self.old.get(object)?;
        self.next.insert(Arc::clone(object), held.clone());
        Some(Kept {
            objects: vec![object.as_ref().clone()],
            since: held.since,
        })
    }

    fn readable(&mut self, entry: &Entry, origin: Origin) {
        let contents = match self.contents(entry, &origin) {
            Ok(contents) => contents,
            Err(problem) => {
                let kept = self.keep(&entry.object);
                self.problems.push(Problem { kept, ..*problem });
                return;
            }
        };
        let before = self.old.get(&entry.object);
        if let Some(held) = before.filter(|held| held.is_made_of(&origin, &contents)) {
            let mut held = held.clone();
            // The text may have moved with the lines above it.
            held.origin = origin;
            self.next.insert(Arc::clone(&entry.object), held);
            return;
        }
        let Some(mut any) = self.read(&origin) else {
            return;
        };
        for (named, content) in entry.named.iter().zip(&contents) {
            fill(&mut any, &named.key, content);
        }
        let held = self.renewed(any, contents, origin, before);
        self.next.insert(Arc::clone(&entry.object), held);
    }

    /// The next version of an object: the old one, if it says the same.
    fn renewed(
        &self,
        mut any: Any,
        contents: Vec<Arc<[u8]>>,
        origin: Origin,
        before: Option<&Held>,
    ) -> Held {
        let generation = before.and_then(|held| held.any.metadata().generation);
        let known = generation.unwrap_or(FIRST_GENERATION);
        // To change an object that is shared is to copy it.
        if any.metadata().generation != Some(known) {
            any.metadata_mut().generation = Some(known);
        }
        let Moment { now, look } = self.moment;
        let (mut since, mut look) = (now, look);
        match before {
            Some(held) if held.any == any => {
                any = held.any.clone();
                (since, look) = (held.since, held.look);
            }
            Some(_) => any.metadata_mut().generation = Some(known.saturating_add(1)),
            None => {}
        }
        Held {
            any,
            contents,
            origin,
            since,
            look,
        }
    }

    /// The object that stands at a place, read just now or again.
    fn read(&mut self, origin: &Origin) -> Option<Any> {
        let chunk = &origin.chunk;
        let objects = self
            .fresh
            .entry(Arc::as_ptr(chunk))
            .or_insert_with(|| Chunk::read(&chunk.text).1);
        let entries = chunk.entries.iter().take(origin.entry);
        let flawless = entries.filter(|entry| entry.flaws.is_empty()).count();
        objects.get(flawless).cloned()
    }

    fn contents(&mut self, entry: &Entry, origin: &Origin) -> Result<Vec<Arc<[u8]>>, Box<Problem>> {
        let base = origin.path.parent().unwrap_or(Path::new(""));
        let mut contents = Vec::with_capacity(entry.named.len());
        for NamedFile { key, path, place } in &entry.named {
            let full = base.join(path);
            let why = match self.named.content(&full) {
                Ok(content) => {
                    contents.push(content);
                    continue;
                }
                Err(why) => why,
            };
            let message = format!(
                "{} takes \"{key}\" from the file {}, which cannot be read: {why}.",
                entry.object,
                full.display()
            );
            let (file, lines_before) = (&origin.file, origin.lines_before);
            return Err(Box::new(Problem {
                severity: Severity::Error,
                reason: Reason::NamedFile,
                file: Arc::clone(file),
                spot: Some(origin.chunk.spot(file, lines_before, *place)),
                object: Some(entry.object.as_ref().clone()),
                path: FieldPath::of("metadata.annotations"),
                message: one_line(&message),
                kept: None,
            }));
        }
        Ok(contents)
    }

    fn unreadable(&mut self, part: &Part<'_>, why: &str) {
        let of_file = |held: &&Held| held.origin.path == *part.path;
        let kept = kept_of(self.next.iter().filter(|(_, held)| of_file(held)));
        self.problems.push(Problem {
            severity: Severity::Error,
            reason: Reason::Unreadable,
            file: Arc::clone(part.file),
            spot: None,
            object: None,
            path: FieldPath::root(),
            message: format!("this cannot be read: {why}."),
            kept,
        });
    }

    /// Holds on to objects that are not seen any more, where a document of their file cannot be told
    /// apart: it may be them.
    fn keep_lost(&mut self, parts: &[Part<'_>]) {
        let obscure = |part: &&Part<'_>| {
            let mut chunks = part.documents.iter().map(|(_, chunk)| chunk);
            chunks.any(|chunk| chunk.is_unidentified())
        };
        let obscure: BTreeSet<&PathBuf> = parts
            .iter()
            .filter(obscure)
            .map(|part| part.path.as_ref())
            .collect();
        let mut lost: BTreeMap<Arc<str>, HeldObjects> = BTreeMap::new();
        for (object, held) in self.old {
            if !self.next.contains_key(object)
                && !self.met.contains_key(object)
                && obscure.contains(held.origin.path.as_ref())
            {
                let of_file = lost.entry(Arc::clone(&held.origin.file)).or_default();
                of_file.insert(Arc::clone(object), held.clone());
            }
        }
        for (file, objects) in lost {
            let kept = kept_of(objects.iter());
            let unidentified = self.problems.iter_mut().filter(|problem| {
                problem.file == file
                    && problem.object.is_none()
                    && problem.severity == Severity::Error
            });
            for problem in unidentified {
                problem.kept.clone_from(&kept);
            }
            self.next.extend(objects);
        }
    }
}

fn kept_of<'h>(held: impl Iterator<Item = (&'h Arc<ObjectRef>, &'h Held)>) -> Option<Kept> {
    let mut since = i64::MIN;
    let objects: Vec<ObjectRef> = held
        .map(|(object, held)| {
            since = since.max(held.since);
            object.as_ref().clone()
        })
        .collect();
    (!objects.is_empty()).then_some(Kept { objects, since })
}
