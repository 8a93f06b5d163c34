//! What cargo builds for the lab: the image with Daemun's binary, and the cloud.
//!
//! The binary in the image is linked statically, since there is nothing else in the image. That takes other
//! flags than the usual build, and so a target of its own, which keeps both from building everything anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archive::{self, Image};
use super::place::Place;
use crate::repository;

/// The profile of cargo that images are built with if nothing else is said: soon built, and fast enough.
pub(crate) const PROFILE: &str = "lab";

/// An image that was built.
pub(crate) struct Built {
    /// Its name, which stands for its content.
    pub(crate) name: String,
    pub(crate) archive: PathBuf,
}

/// The images of programs that are not ours, with the names that the lab and the conformance suite give them.
const OTHERS: &[(&str, &[&str])] = &[
    ("pause", &["registry.k8s.io/pause:3.10"]),
    ("coredns", &["registry.k8s.io/coredns/coredns:v1.12.2"]),
    (
        "echo-basic",
        &[
            "registry.k8s.io/gateway-api/echo-basic:v1.5.1",
            "registry.k8s.io/gateway-api/echo-basic:v1.6.0-dev.2",
            "registry.k8s.io/gateway-api/echo-basic:v1.6.0-dev.3",
            "registry.k8s.io/gateway-api/echo-advanced:v1.5.1",
        ],
    ),
];

/// Makes the images of programs that are not ours, where the program is newer than its image.
pub(crate) fn images_of_others(place: &Place) -> Result<(), String> {
    let images = made(place.images())?;
    for (name, names) in OTHERS {
        let program = place.program(name);
        let archive = images.join(format!("{name}.tar"));
        if is_newer(&archive, &program) {
            continue;
        }
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let image = Image {
            program: &program,
            entry: &format!("/{name}"),
            names: &names,
            user: "0:0",
        };
        archive::write(&image, &archive)?;
    }
    Ok(())
}

/// Builds Daemun's image. It is named by the hash of the binary, so that a Deployment that is given the name of
/// another one rolls, and one with the same does not.
pub(crate) fn image(place: &Place, profile: &str) -> Result<Built, String> {
    let program = daemun(profile)?;
    let read = fs::read(&program)
        .map_err(|error| format!("{} cannot be read: {error}.", program.display()))?;
    let hash = archive::sha256(&read);
    let name = format!("docker.io/library/daemun:lab-{}", &hash[..12]);
    let archive = made(place.images())?.join("daemun.tar");
    let stamp = archive.with_extension("name");
    if !archive.exists() || fs::read_to_string(&stamp).ok().as_ref() != Some(&name) {
        let image = Image {
            program: &program,
            entry: "/daemun",
            names: &[name.clone(), other_name(&name)],
            user: "65532:65532",
        };
        archive::write(&image, &archive)?;
        fs::write(&stamp, &name)
            .map_err(|error| format!("{} cannot be written: {error}.", stamp.display()))?;
    }
    Ok(Built { name, archive })
}

/// A second name of an image: the same program, and yet another image to Kubernetes.
pub(crate) fn other_name(name: &str) -> String {
    format!("{name}-again")
}

/// Builds Daemun's binary, linked statically.
pub(crate) fn daemun(profile: &str) -> Result<PathBuf, String> {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = cargo(&["--package", "daemun", "--profile", profile]);
    command
        .args(["--target", &triple])
        .env("RUSTFLAGS", "-C target-feature=+crt-static");
    build(command)?;
    Ok(repository::root()
        .join("target")
        .join(triple)
        .join(directory(profile))
        .join("daemun"))
}

/// Builds the cloud, and tells whether it is another one than before.
pub(crate) fn cloud(place: &Place) -> Result<bool, String> {
    build(cargo(&[
        "--package",
        "daemun-testkit",
        "--bin",
        "lab-cloud",
    ]))?;
    let built = repository::root().join("target/debug/lab-cloud");
    let used = place.program("lab-cloud");
    let read = |path: &Path| fs::read(path).ok();
    if read(&built) == read(&used) {
        return Ok(false);
    }
    // A program that runs cannot be written to, but its name can be given to another one.
    let unfinished = used.with_extension("new");
    fs::copy(&built, &unfinished)
        .and_then(|_| fs::rename(&unfinished, &used))
        .map_err(|error| format!("{} cannot be written: {error}.", used.display()))?;
    Ok(true)
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(["build", "--locked", "--quiet"])
        .args(arguments)
        .current_dir(repository::root());
    command
}

fn build(mut command: Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cargo build failed ({status}).")),
        Err(error) => Err(format!("cargo cannot be run: {error}.")),
    }
}

/// Where cargo puts what it builds with a profile.
fn directory(profile: &str) -> &str {
    match profile {
        "dev" | "test" => "debug",
        "bench" => "release",
        other => other,
    }
}

fn made(directory: PathBuf) -> Result<PathBuf, String> {
    match fs::create_dir_all(&directory) {
        Ok(()) => Ok(directory),
        Err(error) => Err(format!("{} cannot be made: {error}.", directory.display())),
    }
}

fn is_newer(one: &Path, other: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
    changed(one).is_some_and(|one| Some(one) > changed(other))
}
