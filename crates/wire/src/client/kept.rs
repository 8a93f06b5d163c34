//! The last accepted configuration on disk, for a start without a controller.
//!
//! It has private keys in it: only the process's own user can read it, and it belongs on a file system in
//! memory.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::held::Accepted;
use crate::resource::{self, Name, Version};

/// The file's name in the directory.
const FILE: &str = "configuration";

/// What the file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The program that wrote it: another one may read it otherwise, and does not.
    program: String,
    /// All resources.
    entries: Vec<Entry>,
}

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
    let Accepted { snapshot, versions } = accepted;
    let mut entries = Vec::new();
    for resource in resource::all(snapshot) {
        let (name, bytes) = (resource.key().name(), resource.write()?);
        // What only stands in for something refused is no configuration.
        if let Some(version) = versions.get(&name).copied() {
            entries.push(Entry {
                name,
                version,
                bytes,
            });
        }
    }
    let kept = Kept {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        entries,
    };
    let bytes = rmp_serde::to_vec_named(&kept).map_err(|error| error.to_string())?;
    let failed = |error| format!("{} cannot be written: {error}", directory.display());
    replace(&directory.join(FILE), &bytes).map_err(failed)
}

/// Whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next: PathBuf = path.with_extension("next");
    // One that was left by a process that ended badly may have other rights.
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&next, path)
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
