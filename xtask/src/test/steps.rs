//! The checks that `cargo xtask test` runs, cheapest first.
//!
//! Each finds out itself whether it can run here, and whether there is time for it.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::commands::{answers, cargo, component, succeeds};
use super::outcome::{Count, Outcome};
use super::plan::Plan;
use super::{cluster, fuzz, units};
use crate::lab::Channel;

/// One check.
pub(super) struct Step {
    pub(super) name: &'static str,
    /// What it looks at, in a few words.
    pub(super) what: &'static str,
    pub(super) run: fn(&Plan) -> Outcome,
}

pub(super) const STEPS: &[Step] = &[
    Step {
        name: "formatting",
        what: "cargo fmt --all --check",
        run: |_| formatting(),
    },
    Step {
        name: "layers",
        what: "who may use whom",
        run: |_| own(&crate::layers::run()),
    },
    Step {
        name: "sizes",
        what: "the limits of files and functions",
        run: |_| own(&crate::sizes::run()),
    },
    Step {
        name: "bindings",
        what: "the types of the objects and the published CRDs",
        run: |_| bindings(),
    },
    Step {
        name: "lints",
        what: "clippy on everything, warnings are errors",
        run: |_| lints(),
    },
    Step {
        name: "tests",
        what: "unit, golden, in-process, examples, documentation",
        run: |_| tests(),
    },
    Step {
        name: "documentation",
        what: "rustdoc, warnings are errors",
        run: |_| documentation(),
    },
    Step {
        name: "dependencies",
        what: "cargo deny: licenses, sources, bans",
        run: |_| dependencies(),
    },
    Step {
        name: "units",
        what: "systemd can read deploy/systemd",
        run: |_| units::verify(),
    },
    Step {
        name: "chart",
        what: "the Helm chart makes what daemun install prints",
        run: chart,
    },
    Step {
        name: "fuzz targets",
        what: "they build, and take their seeds",
        run: |_| fuzz::seeds(),
    },
    Step {
        name: "cluster",
        what: "in Kubernetes: install, a Gateway, a request, a change, uninstall",
        run: cluster::smoke,
    },
];

/// What takes longer, and runs only when asked for (`--all`).
pub(super) const LONG_STEPS: &[Step] = &[
    Step {
        name: "provisioning",
        what: "in Kubernetes: what is made around a Gateway",
        run: cluster::provisioning,
    },
    Step {
        name: "personas",
        what: "in Kubernetes: what the people around a gateway may do, and may not",
        run: cluster::personas,
    },
    Step {
        name: "way in",
        what: "in Kubernetes: private unless asked otherwise, and closed when it is wrong",
        run: cluster::way_in,
    },
    Step {
        name: "scenarios",
        what: "in Kubernetes: what is broken on purpose or replaced, under load",
        run: cluster::scenarios,
    },
    Step {
        name: "conformance",
        what: "the Gateway API's suite, standard channel",
        run: |plan| cluster::conformance(plan, Channel::Standard),
    },
    Step {
        name: "experimental",
        what: "the Gateway API's suite, experimental channel",
        run: |plan| cluster::conformance(plan, Channel::Experimental),
    },
];

/// Runs a check and measures it.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask does not run inside Daemun's clock"
)]
pub(super) fn timed(step: &Step, plan: &Plan) -> (Outcome, Duration) {
    let start = std::time::Instant::now();
    let outcome = (step.run)(plan);
    (outcome, start.elapsed())
}

/// A check of xtask's own, which says itself what is wrong.
fn own(done: &Result<(), String>) -> Outcome {
    if let Err(message) = done {
        println!("{message}");
    }
    Outcome::one(done.is_ok())
}

fn formatting() -> Outcome {
    match component("rustfmt", "fmt") {
        Ok(()) => succeeds(cargo(&["fmt", "--all", "--check"])),
        Err(why) => Outcome::Skipped(why),
    }
}

fn lints() -> Outcome {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    match component("clippy", "clippy") {
        Ok(()) => succeeds(cargo(&arguments)),
        Err(why) => Outcome::Skipped(why),
    }
}

fn bindings() -> Outcome {
    match crate::bindings::module_directory() {
        Ok(_) => own(&crate::bindings::run()),
        Err(why) => Outcome::Skipped(why),
    }
}

fn chart(plan: &Plan) -> Outcome {
    /// Minutes that Go needs for Helm, from nothing.
    const COMPILING: u64 = 6;
    if !crate::chart::has_helm() {
        if !plan.is_for_everything() {
            return Outcome::Skipped(
                "Helm is not installed (with --all, Go compiles it).".to_owned(),
            );
        }
        if let Err(why) = plan.has_time_for(COMPILING) {
            return Outcome::Skipped(why);
        }
    }
    match crate::chart::helm() {
        Ok(_) => own(&crate::chart::run()),
        Err(why) => Outcome::Skipped(why),
    }
}

fn tests() -> Outcome {
    counted(cargo(&[
        "test",
        "--workspace",
        "--locked",
        "--no-fail-fast",
    ]))
}

fn documentation() -> Outcome {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
    command
        .arg("--document-private-items")
        .env("RUSTDOCFLAGS", "-D warnings");
    succeeds(command)
}

fn dependencies() -> Outcome {
    if !answers(cargo(&["deny", "--version"])) {
        return Outcome::Skipped(
            "cargo-deny is not installed (cargo install --locked cargo-deny).".to_owned(),
        );
    }
    // Advisories need the network, and change without a change of ours.
    succeeds(cargo(&["deny", "check", "bans", "licenses", "sources"]))
}

/// Runs tests and counts them from what cargo prints, which is passed on as it comes.
fn counted(mut command: Command) -> Outcome {
    let Ok(mut child) = command.stdout(Stdio::piped()).spawn() else {
        println!("cargo cannot be run.");
        return Outcome::one(false);
    };
    let mut count = Count::default();
    for line in child
        .stdout
        .take()
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
    {
        let Ok(line) = line else { break };
        println!("{line}");
        add_result(&line, &mut count);
    }
    // Nobody may be there to read it.
    let _ = io::stdout().flush();
    let succeeded = matches!(child.wait(), Ok(status) if status.success());
    if !succeeded && count.failed == 0 {
        // What does not build has no tests to count.
        count.failed = 1;
    }
    Outcome::Counted(count)
}

/// Adds `test result: ok. 29 passed; 1 failed; 0 ignored; …`, if the line is one.
fn add_result(line: &str, count: &mut Count) {
    let Some(result) = line.strip_prefix("test result: ") else {
        return;
    };
    let mut words = result
        .split([' ', ';', '.'])
        .filter(|word| !word.is_empty());
    let mut previous = words.next();
    for word in words {
        let number = previous.and_then(|number| number.parse().ok()).unwrap_or(0);
        match word {
            "passed" => count.passed += number,
            "failed" => count.failed += number,
            "ignored" => count.skipped += number,
            _ => {}
        }
        previous = Some(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let mut count = Count::default();
        for line in [
            "test a::b ... ok",
            "test result: ok. 29 passed; 0 failed; 2 ignored; 0 measured; 7 filtered out; finished in 0.30s",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        ] {
            add_result(line, &mut count);
        }
        assert_eq!(
            count,
            Count {
                passed: 32,
                failed: 1,
                skipped: 2
            }
        );
    }
}
