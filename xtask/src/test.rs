//! `cargo xtask test`: every check there is, in one run.
//!
//! A check that fails does not end the run: the others still say what they have to say. What cannot run
//! here (a tool is missing) is skipped with the reason, and printed again at the end. The last line is
//! for machines: `N passed, N failed, N skipped`, where each test function counts, and each other check
//! counts as one.

mod cluster;
mod commands;
mod fuzz;
mod outcome;
mod plan;
mod steps;
mod units;

use std::time::Duration;

use self::outcome::{Count, Outcome};
use self::plan::Plan;
use self::steps::{LONG_STEPS, STEPS};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also what takes longer: the conformance suite in both channels
    #[arg(long)]
    all: bool,
    /// How many minutes all of it may take; what would take longer than what is left is skipped, and says so
    #[arg(long, default_value_t = 85)]
    minutes: u64,
}

/// One line of the summary.
struct Row {
    name: &'static str,
    outcome: Outcome,
    time: Duration,
}

/// Runs everything, prints the summary, and fails if a check failed.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let plan = Plan::start(arguments.minutes, arguments.all);
    let long = if arguments.all { LONG_STEPS } else { &[] };
    let rows: Vec<Row> = STEPS
        .iter()
        .chain(long)
        .map(|step| {
            println!("\n── {}: {}", step.name, step.what);
            let (outcome, time) = steps::timed(step, &plan);
            if let Outcome::Skipped(why) = &outcome {
                println!("Skipped: {why}");
            }
            Row {
                name: step.name,
                outcome,
                time,
            }
        })
        .collect();
    let total = total(&rows);
    println!("\n{}\n{total}", table(&rows));
    if total.failed == 0 {
        Ok(())
    } else {
        Err("Not everything passes.".to_owned())
    }
}

fn total(rows: &[Row]) -> Count {
    rows.iter()
        .fold(Count::default(), |sum, row| match &row.outcome {
            Outcome::Counted(count) => Count {
                passed: sum.passed + count.passed,
                failed: sum.failed + count.failed,
                skipped: sum.skipped + count.skipped,
            },
            Outcome::Skipped(_) => Count {
                skipped: sum.skipped + 1,
                ..sum
            },
        })
}

fn table(rows: &[Row]) -> String {
    let mut lines = vec![format!("{:<14} {:>7}  {}", "CHECK", "TIME", "RESULT")];
    for Row {
        name,
        outcome,
        time,
    } in rows
    {
        let result = match outcome {
            Outcome::Counted(Count {
                failed: 0,
                passed: 1,
                skipped: 0,
            }) => "passed".to_owned(),
            Outcome::Counted(Count {
                failed: 1,
                passed: 0,
                skipped: 0,
            }) => "FAILED".to_owned(),
            Outcome::Counted(count) if count.failed == 0 => format!("passed ({count})"),
            Outcome::Counted(count) => format!("FAILED ({count})"),
            Outcome::Skipped(why) => format!("skipped: {why}"),
        };
        lines.push(format!("{name:<14} {:>5} s  {result}", time.as_secs()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, outcome: Outcome) -> Row {
        Row {
            name,
            outcome,
            time: Duration::from_secs(7),
        }
    }

    #[test]
    fn the_summary_counts_tests_and_checks_and_says_what_was_skipped() {
        let rows = [
            row("formatting", Outcome::one(true)),
            row("sizes", Outcome::one(false)),
            row(
                "tests",
                Outcome::Counted(Count {
                    passed: 40,
                    failed: 0,
                    skipped: 2,
                }),
            ),
            row(
                "fuzz",
                Outcome::Skipped("cargo-fuzz is not installed.".to_owned()),
            ),
        ];
        assert_eq!(total(&rows).to_string(), "41 passed, 1 failed, 3 skipped");
        let table = table(&rows);
        let lines: Vec<&str> = table.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "formatting         7 s  passed",
                "sizes              7 s  FAILED",
                "tests              7 s  passed (40 passed, 0 failed, 2 skipped)",
                "fuzz               7 s  skipped: cargo-fuzz is not installed.",
            ]
        );
    }
}
