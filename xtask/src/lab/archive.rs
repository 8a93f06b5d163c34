//! An image as a file that container runtimes load (a docker-archive), made from programs that need nothing
//! beside themselves.
//!
//! One layer, no shell, no libraries. It is the same file for the same programs: nothing in it tells when it
//! was made.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

/// An image of one program.
pub(crate) struct Image<'a> {
    /// The program on this machine.
    pub(crate) program: &'a Path,
    /// The program in the image, which is what the image runs.
    pub(crate) entry: &'a str,
    /// The names of the image.
    pub(crate) names: &'a [String],
    /// Who runs it, as numbers; a name would need a file of users.
    pub(crate) user: &'a str,
}

/// Writes an image's archive.
pub(crate) fn write(image: &Image<'_>, archive: &Path) -> Result<(), String> {
    let written = || -> io::Result<()> {
        let layer = layer(&fs::read(image.program)?, image.entry)?;
        let config = json!({
            "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
            "os": "linux",
            "config": { "Entrypoint": [image.entry], "User": image.user, "Env": ["PATH=/"] },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", sha256(&layer))] },
            "history": [{ "created_by": "cargo xtask lab" }],
        })
        .to_string();
        let config_name = format!("{}.json", sha256(config.as_bytes()));
        let manifest = json!([{
            "Config": config_name, "RepoTags": image.names, "Layers": ["layer.tar"],
        }])
        .to_string();
        // Who reads the archive while it is written would read half of it.
        let unfinished = archive.with_extension("new");
        let mut tar = Builder::new(File::create(&unfinished)?);
        add(&mut tar, &config_name, config.as_bytes())?;
        add(&mut tar, "layer.tar", &layer)?;
        add(&mut tar, "manifest.json", manifest.as_bytes())?;
        tar.into_inner()?.flush()?;
        fs::rename(unfinished, archive)
    };
    written().map_err(|error| {
        format!(
            "The image {} cannot be made from {}: {error}.",
            archive.display(),
            image.program.display()
        )
    })
}

/// The hash of a program, as a name.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut name = String::new();
    for byte in Sha256::digest(bytes) {
        // A String takes everything.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// The file system of the image: the program at its path.
fn layer(program: &[u8], entry: &str) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    add(&mut tar, entry.trim_start_matches('/'), program)?;
    tar.into_inner()
}

fn add<W: Write>(tar: &mut Builder<W>, name: &str, content: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o755);
    header.set_size(content.len() as u64);
    header.set_mtime(0);
    tar.append_data(&mut header, name, content)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn an_archive_names_its_layer_and_its_program() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("program");
        fs::write(&program, "machine code").unwrap();
        let archive = directory.path().join("image.tar");
        let image = Image {
            program: &program,
            entry: "/daemun",
            names: &["daemun:lab".to_owned()],
            user: "65532:65532",
        };
        write(&image, &archive).unwrap();
        let mut parts = std::collections::BTreeMap::new();
        for entry in tar::Archive::new(File::open(&archive).unwrap())
            .entries()
            .unwrap()
        {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            parts.insert(name, content);
        }
        let manifest: serde_json::Value = serde_json::from_slice(&parts["manifest.json"]).unwrap();
        assert_eq!(manifest[0]["RepoTags"], json!(["daemun:lab"]));
        let config = &parts[manifest[0]["Config"].as_str().unwrap()];
        let config: serde_json::Value = serde_json::from_slice(config).unwrap();
        assert_eq!(config["config"]["Entrypoint"], json!(["/daemun"]));
        let layer = &parts["layer.tar"];
        let expected = json!([format!("sha256:{}", sha256(layer))]);
        assert_eq!(config["rootfs"]["diff_ids"], expected);
        let mut layer = tar::Archive::new(layer.as_slice());
        let entry = layer.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap(), Path::new("daemun"));
        assert_eq!(entry.header().mode().unwrap(), 0o755);
    }
}
