//! A Rust source file, taken apart just far enough to count in it.
//!
//! What `sizes` and `layers` need of a file is: which characters are code, which are comments, and
//! which lines are tests. This is a lexer for comments and literals and a search for `#[cfg(test)]`
//! on top of it; it is not a parser, and macros are read as they stand, not expanded.
//!
//! Both texts, `code` and `comments`, have the lines and columns of the file: what does not belong is
//! blank. So a position in either is a position in the file.

mod lexer;

use std::fs;
use std::path::{Path, PathBuf};

/// One source file, split into code and comments, with its test lines marked.
pub(crate) struct Source {
    /// The path from the root of the repository.
    pub(crate) path: PathBuf,
    /// The file with comments and the contents of literals blanked; quotes remain.
    pub(crate) code: String,
    /// The file with everything but comments blanked.
    pub(crate) comments: String,
    /// For each line (the first is 0), whether it belongs to a test.
    tests: Vec<bool>,
}

impl Source {
    /// Reads a text as the file at `path`, which decides whether all of it is test code.
    pub(crate) fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        let path = path.into();
        let (code, comments) = lexer::split(text);
        let tests = if is_test_file(&path) {
            vec![true; text.lines().count()]
        } else {
            test_lines(&code)
        };
        Self {
            path,
            code,
            comments,
            tests,
        }
    }

    /// The lines with code that are not tests, with their numbers (the first is 1).
    pub(crate) fn production(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .lines()
            .zip(&self.tests)
            .enumerate()
            .filter(|(_, (line, test))| !**test && !line.trim().is_empty())
            .map(|(at, (line, _))| (at + 1, line))
    }

    /// Whether the line with this number (the first is 1) belongs to a test.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.tests
            .get(line.wrapping_sub(1))
            .copied()
            .unwrap_or(false)
    }

    /// The number of the line that holds this offset into `code` or `comments`.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        1 + self.code.as_bytes()[..offset]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
    }
}

impl Source {
    /// The files that this one may declare for tests (`#[cfg(test)] mod NAME;`), without their ending.
    fn test_modules(&self) -> Vec<PathBuf> {
        let directory = match self.path.file_stem().and_then(|stem| stem.to_str()) {
            Some("mod" | "lib" | "main") => self.path.with_file_name(""),
            _ => self.path.with_extension(""),
        };
        let lines: Vec<&str> = self.code.lines().map(str::trim).collect();
        lines
            .windows(2)
            .filter(|pair| FOR_TESTS.iter().any(|start| pair[0].starts_with(start)))
            .filter_map(|pair| pair[1].strip_suffix(';')?.split_once("mod "))
            .map(|(_, name)| directory.join(name))
            .collect()
    }
}

/// Marks the files that are declared as modules of tests, and those below them.
fn mark_test_modules(sources: &mut [Source]) {
    let modules: Vec<PathBuf> = sources.iter().flat_map(Source::test_modules).collect();
    for source in sources {
        if source
            .path
            .with_extension("")
            .ancestors()
            .any(|path| modules.iter().any(|m| m == path))
        {
            source.tests.fill(true);
        }
    }
}

/// All Rust files under the given directories of `root`, sorted; build output is left out.
pub(crate) fn read_all(root: &Path, directories: &[&str]) -> Result<Vec<Source>, String> {
    let mut paths = Vec::new();
    for directory in directories {
        let directory = root.join(directory);
        if directory.is_dir() {
            collect(&directory, &mut paths)?;
        }
    }
    paths.sort();
    let mut sources = paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("{} cannot be read: {error}.", path.display()))?;
            Ok(Source::new(path.strip_prefix(root).unwrap_or(&path), &text))
        })
        .collect::<Result<Vec<_>, String>>()?;
    mark_test_modules(&mut sources);
    Ok(sources)
}

fn collect(directory: &Path, into: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error| format!("{} cannot be listed: {error}.", directory.display());
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, into)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

/// `tests.rs`, and everything under a directory `tests` or `benches`.
fn is_test_file(path: &Path) -> bool {
    path.iter()
        .any(|part| part == "tests" || part == "benches" || part == "tests.rs")
}

/// How attributes begin that keep an item to tests; the second one is for what fuzzing shares with them.
const FOR_TESTS: [&str; 2] = ["#[cfg(test)]", "#[cfg(any(test,"];

/// Marks the lines from each attribute for tests to the end of the item that it stands before.
fn test_lines(code: &str) -> Vec<bool> {
    let mut marks = vec![false; code.lines().count()];
    let mut from = 0;
    let next = |from: usize| {
        FOR_TESTS
            .iter()
            .filter_map(|start| code[from..].find(start))
            .min()
    };
    while let Some(found) = next(from) {
        let start = from + found;
        let end = item_end(code, start + FOR_TESTS[0].len());
        let first = code[..start].matches('\n').count();
        let last = code[..end].matches('\n').count();
        marks
            .iter_mut()
            .take(last + 1)
            .skip(first)
            .for_each(|mark| *mark = true);
        from = end;
    }
    marks
}

/// The offset behind the item at `from`: behind its block, or behind its semicolon.
pub(crate) fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    let mut brackets = 0_usize;
    for (offset, character) in code[from..].char_indices() {
        match character {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && brackets == 0 {
                    return from + offset + 1;
                }
            }
            ';' if depth == 0 && brackets == 0 => return from + offset + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests;
