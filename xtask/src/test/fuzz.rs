//! The fuzz targets build, and take their seeds.
//!
//! This is no fuzzing: that takes nightly, cargo-fuzz and time (`fuzz/README.md`). But each seed is
//! an input that was of interest once, and a target that no longer builds finds nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::commands::{cargo, program, succeeds};
use super::outcome::{Count, Outcome};
use crate::repository;

/// Builds all targets, and runs each on its seeds; each target counts as one.
pub(super) fn seeds() -> Outcome {
    if let Err(why) = program("c++", "g++") {
        return Outcome::Skipped(format!("{why} libFuzzer is written in C++."));
    }
    let output = repository::root().join("target");
    let mut build = cargo(&[
        "build",
        "--locked",
        "--quiet",
        "--manifest-path",
        "fuzz/Cargo.toml",
    ]);
    // In the same place and with the same profile as the workspace, so that what is others' is not
    // built once more.
    build
        .arg("--target-dir")
        .arg(&output)
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    if !succeeds(build).has_passed() {
        return Outcome::one(false);
    }
    let mut count = Count::default();
    for target in targets() {
        let passed = takes_its_seeds(&target, &output);
        println!(
            "{}: {}",
            target.display(),
            if passed { "ok" } else { "FAILED" }
        );
        count.passed += usize::from(passed);
        count.failed += usize::from(!passed);
    }
    Outcome::Counted(count)
}

/// Runs each seed once, and nothing made up. A crash is kept beside the build.
fn takes_its_seeds(target: &Path, output: &Path) -> bool {
    let seeds = repository::root().join("fuzz/seeds").join(target);
    let mut run = Command::new(output.join("debug").join(target));
    run.arg("-runs=0")
        .arg(format!("-artifact_prefix={}/", output.display()))
        .arg(seeds);
    match run.output() {
        Ok(output) => {
            if !output.status.success() {
                println!("{}", String::from_utf8_lossy(&output.stderr));
            }
            output.status.success()
        }
        Err(error) => {
            println!("{} cannot be run: {error}.", target.display());
            false
        }
    }
}

fn targets() -> Vec<PathBuf> {
    let files = fs::read_dir(repository::root().join("fuzz/fuzz_targets"));
    let mut targets: Vec<PathBuf> = files
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| file.path().file_stem().map(PathBuf::from))
        .collect();
    targets.sort();
    targets
}
