//! Which files are meant by the paths that were given.
//!
//! A directory stands for all `*.yaml`, `*.yml` and `*.json` below it, in the order of their names.
//! Names that begin with a dot are left out: editors' and ConfigMap volumes' own files (`..data`).

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Directories inside one another.
const MAX_DEPTH: usize = 32;

/// What a look at the paths found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The files with their stamps, in the order in which they are read.
    pub(super) files: Vec<(PathBuf, Stamp)>,
    /// Paths that could not be looked at.
    pub(super) unreadable: Vec<Unreadable>,
    /// Directories in which a change would matter.
    pub(super) directories: BTreeSet<PathBuf>,
}

/// A path that could not be looked at.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) path: PathBuf,
    pub(super) why: String,
}

/// What tells that a file has changed without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether the file was changed so short a time ago that it may change again without its stamp
    /// telling.
    pub(super) fn is_recent(&self, now: Duration) -> bool {
        let (now, then) = (now.as_secs(), self.changed.0.max(self.modified.0));
        u64::try_from(then).is_ok_and(|then| then + 2 > now)
    }

    /// The stamp of a file, through symbolic links.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::of(&metadata))
    }
}

/// Looks at all paths.
pub(super) fn walk(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                found.directories.extend(parents(path));
                directory(path, &metadata, 0, &mut seen, &mut found);
            }
            Ok(metadata) => {
                found.directories.extend(parents(path));
                found.files.push((path.clone(), Stamp::of(&metadata)));
            }
            Err(error) => {
                found.directories.extend(parents(path));
                found.refuse(path, &error);
            }
        }
    }
    if paths.len() > 1 {
        let mut taken = HashSet::new();
        found.files.retain(|(path, _)| taken.insert(path.clone()));
    }
    found
}

fn directory(
    path: &Path,
    metadata: &Metadata,
    depth: usize,
    seen: &mut BTreeSet<(u64, u64)>,
    found: &mut Found,
) {
    // A symbolic link back up would go round for ever.
    if depth > MAX_DEPTH || !seen.insert((metadata.dev(), metadata.ino())) {
        return;
    }
    found.directories.insert(path.to_path_buf());
    let mut entries: Vec<(PathBuf, bool)> = match fs::read_dir(path) {
        Ok(entries) => entries
            .flatten()
            .map(|entry| {
                let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                (entry.path(), is_link)
            })
            .collect(),
        Err(error) => return found.refuse(path, &error),
    };
    entries.sort();
    for (inner, is_link) in entries {
        if is_hidden(&inner) {
            continue;
        }
        match fs::metadata(&inner) {
            Ok(metadata) if metadata.is_dir() => {
                if is_link {
                    found.directories.extend(parents(&inner));
                }
                directory(&inner, &metadata, depth + 1, seen, found);
            }
            Ok(metadata) if metadata.is_file() && is_object_file(&inner) => {
                // Only links lead elsewhere; asking for each of thousands of files would take its time.
                if is_link {
                    found.directories.extend(parents(&inner));
                }
                found.files.push((inner, Stamp::of(&metadata)));
            }
            // Not for us; or gone since the directory was listed; or a link to nothing.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if is_object_file(&inner) => found.refuse(&inner, &error),
            Err(_) => {}
        }
    }
}

impl Found {
    fn refuse(&mut self, path: &Path, error: &io::Error) {
        self.unreadable.push(Unreadable {
            path: path.to_path_buf(),
            why: why(error),
        });
    }
}

/// Why something cannot be read, as a clause: `no such file or directory`.
pub(super) fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission is denied".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}

/// The directories in which a path's entry, and that of each link on the way, can change.
pub(super) fn parents(path: &Path) -> BTreeSet<PathBuf> {
    // The parent of `shop.yaml` is the empty path, which joins with a name as it should.
    let parent = |path: &Path| path.parent().unwrap_or(path).to_path_buf();
    let mut directories = BTreeSet::from([parent(path)]);
    let mut current = path.to_path_buf();
    for _ in 0..MAX_DEPTH {
        let Ok(target) = fs::read_link(&current) else {
            break;
        };
        current = parent(&current).join(target);
        directories.insert(parent(&current));
    }
    if let Ok(real) = fs::canonicalize(path) {
        directories.insert(parent(&real));
    }
    directories
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_object_file(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::walk;

    fn names(root: &Path) -> Vec<String> {
        let found = walk(&[root.to_path_buf()]);
        assert!(found.unreadable.is_empty(), "{found:?}");
        let relative = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
        found.files.iter().map(|(path, _)| relative(path)).collect()
    }

    #[test]
    fn a_directory_stands_for_its_yaml_and_json_files() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "b.yaml",
            "a.json",
            "c.yml",
            "notes.txt",
            ".hidden.yaml",
            "d.yaml~",
        ] {
            fs::write(root.path().join(name), "").unwrap();
        }
        fs::create_dir(root.path().join("sub")).unwrap();
        fs::write(root.path().join("sub/e.yaml"), "").unwrap();
        symlink(root.path(), root.path().join("sub/loop")).unwrap();
        symlink("nothing", root.path().join("dangling.yaml")).unwrap();
        assert_eq!(
            names(root.path()),
            ["a.json", "b.yaml", "c.yml", "sub/e.yaml"]
        );
    }

    #[test]
    fn a_config_map_volume_is_read_through_its_links() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("..2024")).unwrap();
        fs::write(root.path().join("..2024/shop.yaml"), "").unwrap();
        symlink("..2024", root.path().join("..data")).unwrap();
        symlink("..data/shop.yaml", root.path().join("shop.yaml")).unwrap();
        assert_eq!(names(root.path()), ["shop.yaml"]);
        let watched = walk(&[root.path().join("shop.yaml")]).directories;
        assert!(watched.contains(root.path()), "{watched:?}");
    }

    #[test]
    fn a_path_that_is_not_there_is_said_and_one_given_twice_is_read_once() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a.yaml");
        fs::write(&file, "").unwrap();
        let found = walk(&[file, root.path().to_path_buf(), root.path().join("none")]);
        assert_eq!(found.files.len(), 1);
        assert_eq!(found.unreadable.len(), 1);
        assert!(found.unreadable[0].why.contains("no such file"));
    }
}
