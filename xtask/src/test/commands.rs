//! The programs that checks call: whether they are there, and whether they succeed.

use std::path::Path;
use std::process::{Command, Stdio};

use super::outcome::Outcome;
use crate::repository;

/// cargo, at the root of the repository.
pub(super) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(repository::root());
    command
}

/// Whether a command can be run at all; what it prints is not shown.
pub(super) fn answers(mut command: Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    matches!(command.status(), Ok(status) if status.success())
}

/// A check that passes if a command succeeds; what the command prints is shown.
pub(super) fn succeeds(mut command: Command) -> Outcome {
    match command.status() {
        Ok(status) => Outcome::one(status.success()),
        Err(error) => {
            println!(
                "{} cannot be run: {error}.",
                Path::new(command.get_program()).display()
            );
            Outcome::one(false)
        }
    }
}

/// Makes sure that a part of the toolchain is there, and fetches it where rustup can.
pub(super) fn component(name: &str, subcommand: &str) -> Result<(), String> {
    let is_there = || answers(cargo(&[subcommand, "--version"]));
    if is_there() {
        return Ok(());
    }
    println!("{name} is missing; rustup fetches it.");
    let mut fetch = Command::new("rustup");
    fetch.args(["component", "add", name]);
    if matches!(fetch.status(), Ok(status) if status.success()) && is_there() {
        return Ok(());
    }
    Err(format!(
        "{name} is not installed, and rustup could not add it (rustup component add {name})."
    ))
}

/// Makes sure that a program is there, and installs its Debian package where that is allowed.
pub(super) fn program(name: &str, package: &str) -> Result<(), String> {
    let is_there = || answers(version_of(name));
    if is_there() {
        return Ok(());
    }
    println!("{name} is missing; apt-get installs {package}, if it may.");
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--no-install-recommends", package]);
    if matches!(install.status(), Ok(status) if status.success()) && is_there() {
        return Ok(());
    }
    Err(format!(
        "{name} is not installed (apt-get install {package})."
    ))
}

fn version_of(program: &str) -> Command {
    let mut command = Command::new(program);
    command.arg("--version");
    command
}
