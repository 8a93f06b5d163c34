//! Whether systemd can read the units in `deploy/systemd`.
//!
//! systemd also wants the program of a unit to be there, and Daemun need not be installed where the checks
//! run; so copies are read in which another program stands in its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::outcome::Outcome;
use crate::repository;

/// Reads all units as systemd does; whatever it has to say about them fails the check.
pub(super) fn verify() -> Outcome {
    let units = units();
    if units.is_empty() {
        return Outcome::Skipped("there are no units.".to_owned());
    }
    let copies = std::env::temp_dir().join(format!("daemun-units-{}", std::process::id()));
    let output = copy(&units, &copies).and_then(|paths| {
        Command::new("systemd-analyze")
            .arg("verify")
            .arg("--man=no")
            .args(paths)
            .output()
    });
    // What is left in the temporary directory harms nobody.
    let _ = fs::remove_dir_all(&copies);
    let output = match output {
        Ok(output) => output,
        Err(error) => return Outcome::Skipped(format!("systemd-analyze cannot be run: {error}.")),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    print!("{said}");
    Outcome::one(output.status.success() && !said.contains("daemun"))
}

fn units() -> Vec<PathBuf> {
    let directory = fs::read_dir(repository::root().join("deploy/systemd"));
    let is_unit = |path: &PathBuf| {
        path.extension()
            .is_some_and(|kind| kind == "service" || kind == "socket")
    };
    directory
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(is_unit)
        .collect()
}

fn copy(units: &[PathBuf], to: &Path) -> std::io::Result<Vec<PathBuf>> {
    fs::create_dir_all(to)?;
    units
        .iter()
        .map(|unit| {
            let copy = to.join(unit.file_name().unwrap_or_default());
            fs::write(&copy, with_another_program(&fs::read_to_string(unit)?))?;
            Ok(copy)
        })
        .collect()
}

/// The unit with `/bin/true` in the place of each program; arguments stay.
fn with_another_program(unit: &str) -> String {
    let replace = |line: &str| match line.split_once('=') {
        Some((key, value)) if key.starts_with("Exec") => {
            let arguments = value.split_once(' ').map_or("", |(_, arguments)| arguments);
            format!("{key}=/bin/true {arguments}\n")
        }
        _ => format!("{line}\n"),
    };
    unit.lines().map(replace).collect()
}

#[cfg(test)]
mod tests {
    use super::with_another_program;

    #[test]
    fn only_the_program_is_replaced() {
        let unit = "[Service]\nType=notify\nExecStart=/usr/bin/daemun run /etc/daemun\nExecReload=/bin/kill -HUP $MAINPID\n";
        let expected = "[Service]\nType=notify\nExecStart=/bin/true run /etc/daemun\nExecReload=/bin/true -HUP $MAINPID\n";
        assert_eq!(with_another_program(unit), expected);
    }
}
