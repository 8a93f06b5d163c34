//! What is said of runs: counts by profile, the last words of what failed, and the file that is committed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::Arguments;
use super::follow::Ending;
use super::profiles::{NONE, Tests};
use super::suite::Run;
use crate::lab::Channel;
use crate::lab::place;

/// How many of a failed test's lines are shown.
const LAST_WORDS: usize = 12;
/// How much of a line is shown; some hold a whole request and its answer.
const WIDTH: usize = 600;

/// Tests of one profile in one run.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Count {
    run: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Neither of these: the suite ended before.
    missing: usize,
}

/// Whether a run passed: the suite says so, and every test that can run in this channel did.
pub(super) fn has_passed(run: &Run, tests: &Tests, arguments: &Arguments) -> bool {
    if !run.succeeded {
        return false;
    }
    match &arguments.run_test {
        Some(test) => run.follow.endings.get(test) == Some(&Ending::Passed),
        None => {
            let all = tests.all(&arguments.profiles(), arguments.channel);
            let count = count(run, &all);
            count.passed == all.len()
        }
    }
}

/// A run, for people.
pub(super) fn summary(run: &Run, tests: &Tests, arguments: &Arguments) -> String {
    let mut text = String::new();
    for (test, said) in &run.follow.said {
        if run.follow.endings.get(test) == Some(&Ending::Failed) {
            let _ = writeln!(text, "\n── {test}");
            for line in &said[said.len().saturating_sub(LAST_WORDS)..] {
                let shown = line.floor_char_boundary(WIDTH);
                let _ = writeln!(text, "{}", &line[..shown]);
            }
        }
    }
    if arguments.run_test.is_none() {
        let _ = write!(text, "\n{}", table(&[run], tests, arguments));
    }
    let _ = writeln!(
        text,
        "\nThe suite {} after {} s. Its log is {}.",
        if run.succeeded { "passed" } else { "failed" },
        run.took.as_secs(),
        run.log.display()
    );
    text
}

/// Keeps the suite's report and the counts of runs that passed, where they can be committed. The directory.
pub(super) fn keep(runs: &[Run], tests: &Tests, arguments: &Arguments) -> Result<PathBuf, String> {
    let runs: Vec<&Run> = runs.iter().collect();
    let text = format!(
        "# Runs of the conformance suite v1.6.1, {} channel, Daemun v{}\n\n\
         Made by `cargo xtask conformance --channel {0} --repeat {}`. Judged by the exit status of the suite's process \
         and by what it printed; nothing was left out, and only tests of meshes were skipped{}.\n\n{}",
        arguments.channel.name(),
        env!("CARGO_PKG_VERSION"),
        runs.len(),
        match arguments.channel {
            Channel::Standard =>
                " (the standard channel has no fields for HTTPRouteRetry and HTTPRouteDestinationPortMatching)",
            Channel::Experimental => "",
        },
        table(&runs, tests, arguments)
    );
    let report = arguments.file_name("default-report.yaml");
    let directory = place::directory().join("conformance/reports");
    fs::create_dir_all(&directory)
        .and_then(|()| fs::write(directory.join(arguments.file_name("runs.md")), text))
        .and_then(|()| fs::copy(super::logs().join(&report), directory.join(&report)))
        .map_err(|error| format!("{} cannot be written to: {error}.", directory.display()))?;
    Ok(directory)
}

/// A line for each run and profile.
fn table(runs: &[&Run], tests: &Tests, arguments: &Arguments) -> String {
    let mut text = "| run | profile | tests | run | passed | failed | skipped |\n\
                    |--:|---|--:|--:|--:|--:|--:|\n"
        .to_owned();
    let profiles = arguments.profiles();
    for (number, run) in runs.iter().enumerate() {
        let named = profiles.iter().map(|profile| {
            let tests = tests.of(profile, arguments.channel);
            (*profile, tests)
        });
        let rest = [("in no profile", tests.of(NONE, arguments.channel))];
        for (profile, tests) in named.chain(rest) {
            let Count {
                run,
                passed,
                failed,
                skipped,
                missing: _,
            } = count(run, &tests);
            let (number, all) = (number + 1, tests.len());
            let _ = writeln!(
                text,
                "| {number} | {profile} | {all} | {run} | {passed} | {failed} | {skipped} |"
            );
        }
    }
    text.push('\n');
    for (number, run) in runs.iter().enumerate() {
        let _ = writeln!(
            text,
            "Run {}: the suite's process {} after {} s.",
            number + 1,
            if run.succeeded { "succeeded" } else { "failed" },
            run.took.as_secs()
        );
    }
    text
}

fn count(run: &Run, tests: &BTreeSet<&str>) -> Count {
    let mut count = Count::default();
    for test in tests {
        match run.follow.endings.get(*test) {
            Some(Ending::Passed) => count.passed += 1,
            Some(Ending::Failed) => count.failed += 1,
            Some(Ending::Skipped) => count.skipped += 1,
            None => count.missing += 1,
        }
    }
    count.run = count.passed + count.failed;
    count
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::follow::Follow;
    use super::*;

    fn run(endings: &[(&str, Ending)], succeeded: bool) -> Run {
        let mut follow = Follow::default();
        for (test, ending) in endings {
            follow.endings.insert((*test).to_owned(), *ending);
        }
        Run {
            follow,
            succeeded,
            took: Duration::from_secs(1),
            log: PathBuf::new(),
        }
    }

    #[test]
    fn what_did_not_run_is_seen() {
        let run = run(
            &[
                ("A", Ending::Passed),
                ("B", Ending::Skipped),
                ("C", Ending::Failed),
            ],
            true,
        );
        let counted = count(&run, &BTreeSet::from(["A", "B", "C", "D"]));
        let expected = Count {
            run: 2,
            passed: 1,
            failed: 1,
            skipped: 1,
            missing: 1,
        };
        assert_eq!(counted, expected);
    }
}
