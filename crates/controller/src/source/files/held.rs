//! The objects that are in force, and where each of them stands.
//!
//! What cannot be read does not take away what is held: an object stays as it was until a readable
//! version of it, or its absence from a readable file, says otherwise.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use daemun_model::names::ObjectRef;
use daemun_model::verdict::FieldPath;
use daemun_objects::Any;

use super::chunk::Chunk;
use super::parse::Document;
use super::problem::Spot;

/// Where a version of an object was read.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The file's path, as it was found.
    pub(super) path: Arc<PathBuf>,
    /// The file, as people are told it.
    pub(super) file: Arc<str>,
    /// Lines of the file before the chunk.
    pub(super) lines_before: u32,
    pub(super) chunk: Arc<Chunk>,
    /// Which of the chunk's entries it is.
    pub(super) entry: usize,
}

impl Origin {
    /// Whether both are the same text, though it may have moved.
    pub(super) fn is_same_text(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chunk, &other.chunk) && self.entry == other.entry
    }
}

/// An object in force.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) any: Any,
    /// Contents of the files that it names.
    pub(super) contents: Vec<Arc<[u8]>>,
    pub(super) origin: Origin,
    /// When this version came into force, in seconds since 1970.
    pub(super) since: i64,
    /// The number of the look that brought this version.
    pub(super) look: u64,
}

impl Held {
    /// Whether nothing about the object can have changed.
    pub(super) fn is_made_of(&self, origin: &Origin, contents: &[Arc<[u8]>]) -> bool {
        self.origin.is_same_text(origin)
            && self.contents.len() == contents.len()
            && self
                .contents
                .iter()
                .zip(contents)
                .all(|(one, two)| Arc::ptr_eq(one, two))
    }
}

/// Objects in force, by name.
pub(super) type HeldObjects = BTreeMap<Arc<ObjectRef>, Held>;

/// Where the objects in force stand in their files.
#[derive(Clone, Debug, Default)]
pub struct Positions(Arc<HeldObjects>);

impl Positions {
    pub(super) fn of(held: &Arc<HeldObjects>) -> Self {
        Self(Arc::clone(held))
    }

    /// The names of all objects in force, in their order.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<ObjectRef>> {
        self.0.keys()
    }

    /// Finds places. Texts are parsed again for it and kept by the locator, so that many questions
    /// about one file cost one reading.
    pub fn locator(&self) -> Locator<'_> {
        Locator {
            positions: self,
            trees: HashMap::new(),
        }
    }

    /// The file that an object in force was read from.
    pub fn file(&self, object: &ObjectRef) -> Option<&str> {
        self.0.get(object).map(|held| &*held.origin.file)
    }
}

/// Finds where fields stand.
pub struct Locator<'p> {
    positions: &'p Positions,
    trees: HashMap<*const Chunk, Vec<Document>>,
}

impl Locator<'_> {
    /// Where a field of an object stands; if it is not written, its nearest parent that is. None if the
    /// object was not read from a file.
    pub fn spot(&mut self, object: &ObjectRef, path: &FieldPath) -> Option<Spot> {
        let origin = &self.positions.0.get(object)?.origin;
        let chunk = &origin.chunk;
        let trees = self
            .trees
            .entry(Arc::as_ptr(chunk))
            .or_insert_with(|| chunk.documents());
        let entry = chunk.entries.get(origin.entry)?;
        let place = if path.steps().is_empty() {
            entry.place
        } else {
            entry.position.locate(trees, path)?
        };
        Some(chunk.spot(&origin.file, origin.lines_before, place))
    }
}
