//! `cargo xtask sizes`: the limits that keep every file readable in one sitting.
//!
//! How it counts: a line counts if it holds code after comments and the contents of literals are taken
//! away. Not counted are blank lines, comments, and tests: items under `#[cfg(test)]`, files named
//! `tests.rs`, directories named `tests` or `benches`. A function's lines are those between its braces;
//! its parameters include `self`. `testkit` and `fuzz` keep to the sizes, but may panic as tests may.
//!
//! This is not a linter: what clippy can say, clippy says (see the workspace's lints).

mod functions;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use self::functions::Function;
use crate::repository;
use crate::source::{self, Source};

const FILE: Limit = Limit {
    what: "production lines",
    aim: 300,
    most: 500,
};
const FUNCTION: Limit = Limit {
    what: "lines in a function",
    aim: 50,
    most: 100,
};
const PARAMETERS: Limit = Limit {
    what: "parameters",
    aim: 4,
    most: 6,
};
/// A crate may `expect` once for each of these production lines that it has begun.
const LINES_PER_EXPECT: usize = 1000;
/// How many of the largest are printed.
const SHOWN: usize = 5;

struct Limit {
    what: &'static str,
    aim: usize,
    most: usize,
}

/// Measures the repository, prints the largest, and fails if anything is over its limit.
pub(crate) fn run() -> Result<(), String> {
    let sources = source::read_all(&repository::root(), &["crates", "bench", "xtask", "fuzz"])?;
    let report = measure(&sources);
    for (limit, measured) in [
        (&FILE, &report.files),
        (&FUNCTION, &report.functions),
        (&PARAMETERS, &report.parameters),
    ] {
        print_largest(limit, measured);
    }
    if report.findings.is_empty() {
        println!("{} files are within their limits.", sources.len());
        return Ok(());
    }
    let mut lines: Vec<String> = report.findings.iter().map(Finding::to_string).collect();
    lines.push(format!(
        "{} limits are broken. CONTRIBUTING.md has the table.",
        lines.len()
    ));
    Err(lines.join("\n"))
}

fn print_largest(limit: &Limit, measured: &[Measured]) {
    println!(
        "Most {} (aim {}, limit {}):",
        limit.what, limit.aim, limit.most
    );
    let mut sorted: Vec<&Measured> = measured.iter().collect();
    sorted.sort_by_key(|measured| std::cmp::Reverse(measured.size));
    for Measured { size, place, name } in sorted.into_iter().take(SHOWN) {
        let mark = if *size > limit.aim {
            "over the aim"
        } else {
            ""
        };
        println!("  {size:>4}  {place} {name}  {mark}");
    }
}

/// What was measured, and what is over its limit.
#[derive(Default)]
struct Report {
    files: Vec<Measured>,
    functions: Vec<Measured>,
    parameters: Vec<Measured>,
    findings: Vec<Finding>,
}

struct Measured {
    size: usize,
    place: Place,
    name: String,
}

#[derive(Clone)]
struct Place {
    path: PathBuf,
    line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// A broken limit: where, what is, and what to do.
struct Finding {
    place: Place,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

fn measure(sources: &[Source]) -> Report {
    let mut report = Report::default();
    let mut crates: BTreeMap<PathBuf, Expects> = BTreeMap::new();
    for source in sources {
        file(source, &mut report);
        for function in functions::of(source) {
            one_function(source, &function, &mut report);
        }
        attributes_and_comments(source, &mut report);
        if !may_panic(&source.path) {
            unwraps(source, &mut report);
            crates
                .entry(crate_of(&source.path))
                .or_default()
                .add(source);
        }
    }
    report
        .findings
        .extend(crates.into_values().filter_map(Expects::finding));
    report
}

fn file(source: &Source, report: &mut Report) {
    let place = Place {
        path: source.path.clone(),
        line: 1,
    };
    if !source.comments.starts_with("//!") {
        report.findings.push(Finding {
            place: place.clone(),
            message: "the first line is not //!. Say there what the file is, why it is there, and \
                      what it is not."
                .to_owned(),
        });
    }
    let size = source.production().count();
    if size > FILE.most {
        report.findings.push(Finding {
            place: place.clone(),
            message: format!(
                "{size} production lines, {} at most (aim {}). Move what has a name of its own to \
                 a file of that name.",
                FILE.most, FILE.aim
            ),
        });
    }
    report.files.push(Measured {
        size,
        place,
        name: String::new(),
    });
}

fn one_function(source: &Source, function: &Function, report: &mut Report) {
    let Function {
        name,
        line,
        lines,
        parameters,
    } = function;
    let place = Place {
        path: source.path.clone(),
        line: *line,
    };
    if *lines > FUNCTION.most {
        report.findings.push(Finding {
            place: place.clone(),
            message: format!(
                "fn {name} has {lines} lines, {} at most (aim {}). Give its steps names and make \
                 them functions.",
                FUNCTION.most, FUNCTION.aim
            ),
        });
    }
    if *parameters > PARAMETERS.most {
        report.findings.push(Finding {
            place: place.clone(),
            message: format!(
                "fn {name} takes {parameters} parameters, {} at most (aim {}). Those that travel \
                 together are a struct.",
                PARAMETERS.most, PARAMETERS.aim
            ),
        });
    }
    report.functions.push(Measured {
        size: *lines,
        place: place.clone(),
        name: name.clone(),
    });
    report.parameters.push(Measured {
        size: *parameters,
        place,
        name: name.clone(),
    });
}

fn attributes_and_comments(source: &Source, report: &mut Report) {
    let mut find = |line, message: &str| {
        let place = Place {
            path: source.path.clone(),
            line,
        };
        report.findings.push(Finding {
            place,
            message: message.to_owned(),
        });
    };
    for (offset, _) in source.code.match_indices("allow(") {
        let before = source.code[..offset].trim_end_matches(char::is_whitespace);
        let after = source.code[offset..].split(']').next().unwrap_or_default();
        let is_lint = before.ends_with(['[', ',']) && !after.contains("reason");
        let attribute = source.code[..offset]
            .rfind("#[")
            .max(source.code[..offset].rfind("#!["));
        if is_lint && attribute.is_some_and(|at| !source.code[at..offset].contains(']')) {
            find(
                source.line_of(offset),
                "an allow without a reason. Write #[expect(…, reason = \"…\")], which also says \
                 when it is no longer needed.",
            );
        }
    }
    for (index, line) in source.comments.lines().enumerate() {
        let mut words = line.split(|c: char| !c.is_alphanumeric());
        let open = words.any(|word| matches!(word, "TODO" | "FIXME" | "XXX"));
        let issue = line
            .split('#')
            .skip(1)
            .any(|after| after.starts_with(|digit: char| digit.is_ascii_digit()));
        if open && !issue {
            find(
                index + 1,
                "something is left to do, and no issue says so. Do it, or name the issue (#12).",
            );
        }
    }
}

fn unwraps(source: &Source, report: &mut Report) {
    for (line, code) in source.production() {
        if code.contains(".unwrap()") || code.contains(".unwrap_err()") {
            report.findings.push(Finding {
                place: Place {
                    path: source.path.clone(),
                    line,
                },
                message: "unwrap in production code. Return an error, or say with expect(\"…\") \
                          why it cannot fail."
                    .to_owned(),
            });
        }
    }
}

/// The expects of one crate, and the lines that they are set against.
#[derive(Default)]
struct Expects {
    lines: usize,
    found: Vec<Place>,
}

impl Expects {
    fn add(&mut self, source: &Source) {
        self.lines += source.production().count();
        for (offset, call) in source.code.match_indices(".expect(") {
            let line = source.line_of(offset);
            // A method `expect` of our own takes something else than a message.
            let message = source.code[offset + call.len()..]
                .trim_start()
                .starts_with('"');
            if message && !source.is_test(line) {
                self.found.push(Place {
                    path: source.path.clone(),
                    line,
                });
            }
        }
    }

    fn finding(self) -> Option<Finding> {
        let allowed = self.lines.div_ceil(LINES_PER_EXPECT);
        if self.found.len() <= allowed {
            return None;
        }
        let places: Vec<String> = self.found.iter().map(Place::to_string).collect();
        Some(Finding {
            message: format!(
                "{} expects in a crate of {} production lines, {allowed} at most. They are: {}. \
                 Make the wrong state a type that cannot be, or return an error.",
                places.len(),
                self.lines,
                places.join(", ")
            ),
            place: self.found.into_iter().next()?,
        })
    }
}

/// `crates/NAME` of a path, or its first part.
fn crate_of(path: &Path) -> PathBuf {
    let parts = if path.starts_with("crates") { 2 } else { 1 };
    path.iter().take(parts).collect()
}

/// In `testkit` and in fuzz targets a panic is a failing test.
fn may_panic(path: &Path) -> bool {
    path.starts_with("crates/testkit") || path.starts_with("fuzz")
}

#[cfg(test)]
mod tests;
