//! Files that a Secret or ConfigMap names: `file.gateway.daemun.dev/KEY: PATH` in its annotations puts
//! the file's content under KEY, so that a certificate can stay where it is renewed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemun_base::clock;
use daemun_model::verdict::FieldPath;
use daemun_objects::own::FILE_ANNOTATION_PREFIX;
use daemun_objects::{Any, Binary};

use super::Look;
use super::document::{Node, Place};
use super::walk::{Stamp, parents, why};

/// As much as Kubernetes lets a Secret hold.
const MAX_BYTES: u64 = 1024 * 1024;

/// A file that an object names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedFile {
    pub(super) key: String,
    /// As written.
    pub(super) path: PathBuf,
    /// Where it is written.
    pub(super) place: Place,
}

/// The files that an object names; only Secrets and ConfigMaps can.
pub(super) fn named_files(any: &Any, node: &Node) -> Vec<NamedFile> {
    if !matches!(any, Any::Secret(_) | Any::ConfigMap(_)) {
        return Vec::new();
    }
    let annotations = FieldPath::of("metadata.annotations");
    let named = any
        .metadata()
        .annotations
        .iter()
        .filter_map(|(name, path)| {
            let key = name.strip_prefix(FILE_ANNOTATION_PREFIX)?;
            Some(NamedFile {
                key: key.to_owned(),
                path: PathBuf::from(path),
                place: node.locate(&annotations.key(name)),
            })
        });
    named.collect()
}

/// Puts a file's content under its key.
pub(super) fn fill(any: &mut Any, key: &str, content: &[u8]) {
    match any {
        Any::Secret(secret) => {
            let data = &mut Arc::make_mut(secret).data;
            data.insert(key.to_owned(), Binary(content.to_vec()));
        }
        Any::ConfigMap(map) => {
            let map = Arc::make_mut(map);
            match std::str::from_utf8(content) {
                Ok(text) => drop(map.data.insert(key.to_owned(), text.to_owned())),
                Err(_) => drop(
                    map.binary_data
                        .insert(key.to_owned(), Binary(content.to_vec())),
                ),
            }
        }
        // `named_files` finds none in other kinds.
        _ => {}
    }
}

/// The content of a named file, or why it cannot be read.
pub(super) type Content = Result<Arc<[u8]>, String>;

/// What the named files hold, read again when they change.
#[derive(Debug, Default)]
pub(super) struct NamedFiles {
    known: HashMap<PathBuf, (Option<Stamp>, Content)>,
    used: BTreeSet<PathBuf>,
    /// Files that are just being written: they stay as they were.
    unsettled: BTreeSet<PathBuf>,
    /// Whoever wrote the objects has no business with files.
    refused: bool,
}

impl NamedFiles {
    /// Begins a look: what is not asked for until its end is forgotten.
    pub(super) fn begin(&mut self, look: &Look) {
        self.used.clear();
        self.unsettled.clone_from(&look.unsettled);
        for (path, (stamp, _)) in &mut self.known {
            if look.everything || look.touched.contains(path) {
                *stamp = None;
            }
        }
    }

    /// For objects that may not name files.
    pub(super) fn refused() -> Self {
        Self {
            refused: true,
            ..Self::default()
        }
    }

    /// A file's content. The same `Arc` as long as the content is the same.
    pub(super) fn content(&mut self, path: &Path) -> Content {
        if self.refused {
            return Err("objects that do not come from a file cannot name files".to_owned());
        }
        let first_in_look = self.used.insert(path.to_path_buf());
        let settled = first_in_look && !self.unsettled.contains(path);
        if let (false, Some((_, content))) = (settled, self.known.get(path)) {
            return content.clone();
        }
        let stamp = Stamp::at(path).ok();
        let stamp = stamp.filter(|stamp| !stamp.is_recent(clock::since_epoch()));
        let old = self.known.get(path);
        if let (Some((Some(before), content)), Some(now)) = (old, stamp)
            && *before == now
        {
            return content.clone();
        }
        let content = match (read(path), old) {
            (Ok(bytes), Some((_, Ok(before)))) if **before == *bytes => Ok(Arc::clone(before)),
            (Ok(bytes), _) => Ok(Arc::from(bytes)),
            (Err(error), _) => Err(why(&error)),
        };
        self.known
            .insert(path.to_path_buf(), (stamp, content.clone()));
        content
    }

    /// How the files look now.
    pub(super) fn stamps(&self) -> BTreeMap<PathBuf, Option<Stamp>> {
        let paths = self.known.keys();
        paths
            .map(|path| (path.clone(), Stamp::at(path).ok()))
            .collect()
    }

    /// Whether what was read looked like this.
    pub(super) fn are_current(&self, seen: &BTreeMap<PathBuf, Option<Stamp>>) -> bool {
        seen.len() == self.known.len()
            && seen.iter().all(|(path, stamp)| {
                let known = self.known.get(path);
                known.is_some_and(|(known, _)| known == stamp)
            })
    }

    /// Ends a look.
    pub(super) fn end(&mut self) {
        self.known.retain(|path, _| self.used.contains(path));
    }

    /// The files that are in use.
    pub(super) fn paths(&self) -> &BTreeSet<PathBuf> {
        &self.used
    }

    /// The directories in which a change would matter.
    pub(super) fn directories(&self) -> impl Iterator<Item = PathBuf> {
        self.used.iter().flat_map(|path| parents(path))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a named pipe would wait for a writer, perhaps for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut content = Vec::new();
    let read = fs::File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut content)?;
    if read as u64 > MAX_BYTES {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(content)
}
