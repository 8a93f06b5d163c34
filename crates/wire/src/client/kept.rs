//! The last accepted configuration on disk, for a start without a controller.
//!
//! It has private keys in it: only the process's own user can read it, and it belongs on a file system in
//! memory.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::ser::{Error as _, SerializeSeq as _, Serializer};
use serde::{Deserialize, Serialize};

use super::held::Accepted;
use crate::resource::{self, Name, Resource, Version};

/// The file's name in the directory.
const FILE: &str = "configuration";

/// What the file holds, as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The program that wrote it: another one may read it otherwise, and does not.
    program: String,
    /// All resources.
    entries: Vec<Entry>,
}

/// What the file holds, as it is written: one resource after the other, so that what is written is never in memory
/// as a whole.
#[derive(Serialize)]
struct Writing<'a> {
    program: &'static str,
    entries: Entries<'a>,
}

struct Entries<'a>(&'a Accepted);

/// A resource that was accepted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Which one.
    pub(super) name: Name,
    /// As it was sent; none for an earlier one than was sent last, and refused.
    pub(super) version: Option<Version>,
    /// As this program writes it.
    #[serde(with = "crate::commit::raw")]
    pub(super) bytes: Bytes,
}

/// Writes what was accepted, in place of what was kept before.
///
/// # Errors
/// A sentence.
pub(super) fn write(directory: &Path, accepted: &Accepted) -> Result<(), String> {
    let writing = Writing {
        program: env!("CARGO_PKG_VERSION"),
        entries: Entries(accepted),
    };
    replace(&directory.join(FILE), &writing)
        .map_err(|why| format!("{} cannot be written: {why}", directory.display()))
}

/// Whole or not at all.
fn replace(path: &Path, kept: &Writing<'_>) -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    let next: PathBuf = path.with_extension("next");
    // One that was left by a process that ended badly may have other rights.
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs::OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut file = BufWriter::new(options.open(&next).map_err(failed)?);
    rmp_serde::encode::write_named(&mut file, kept).map_err(|error| error.to_string())?;
    file.flush().map_err(failed)?;
    file.get_ref().sync_all().map_err(failed)?;
    fs::rename(&next, path).map_err(failed)
}

impl Entries<'_> {
    /// The resources with their versions. What only stands in for something refused has none, and is no
    /// configuration.
    fn iter(&self) -> impl Iterator<Item = (Resource, Name, Option<Version>)> {
        let Accepted { snapshot, versions } = self.0;
        resource::all(snapshot).filter_map(|resource| {
            let name = resource.key().name();
            let version = *versions.get(&name)?;
            Some((resource, name, version))
        })
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = serializer.serialize_seq(Some(self.iter().count()))?;
        for (resource, name, version) in self.iter() {
            entries.serialize_element(&Entry {
                bytes: resource.write().map_err(S::Error::custom)?,
                name,
                version,
            })?;
        }
        entries.end()
    }
}

/// Reads what was kept; none if nothing was.
///
/// # Errors
/// A sentence.
pub(super) fn read(directory: &Path) -> Result<Option<Vec<Entry>>, String> {
    let path = directory.join(FILE);
    let failed = |why: String| format!("{} cannot be used: {why}", path.display());
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    let kept: Kept = rmp_serde::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
    if kept.program != env!("CARGO_PKG_VERSION") {
        return Err(failed(format!("version {} wrote it", kept.program)));
    }
    Ok(Some(kept.entries))
}
