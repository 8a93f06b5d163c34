//! Packs the CustomResourceDefinitions into the program, so that `daemun install` needs nothing but itself: as text
//! they are larger than what prints them.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), String> {
    let deploy = said("CARGO_MANIFEST_DIR")?.join("../../deploy");
    let into = said("OUT_DIR")?;
    for channel in ["standard", "experimental"] {
        let text = read(&deploy.join(format!("gateway-api/{channel}.yaml")))?;
        pack(&text, &into.join(format!("{channel}.z")))?;
    }
    let mut files: Vec<PathBuf> = fs::read_dir(deploy.join("crds"))
        .map_err(|error| format!("deploy/crds: {error}"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let mut own = String::new();
    for file in files {
        own.push_str("---\n");
        own.push_str(&read(&file)?);
    }
    println!("cargo:rerun-if-changed=../../deploy/crds");
    pack(&own, &into.join("own.z"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells build scripts what they need in the environment"
)]
fn said(name: &str) -> Result<PathBuf, String> {
    env::var_os(name)
        .map(PathBuf::from)
        .ok_or_else(|| format!("cargo does not say {name}"))
}

fn read(path: &Path) -> Result<String, String> {
    println!("cargo:rerun-if-changed={}", path.display());
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn pack(text: &str, path: &Path) -> Result<(), String> {
    let packed = miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 9);
    fs::write(path, packed).map_err(|error| format!("{}: {error}", path.display()))
}
