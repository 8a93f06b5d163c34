//! Records of what comes out: compared, or written anew with `UPDATE_GOLDENS=1`, and then a person reads the difference.

use std::fs;
use std::path::Path;

/// Compares a text with its record.
///
/// # Errors
/// A sentence: they differ, or there is no record.
///
/// # Panics
/// If the record is to be written and cannot be.
pub fn check(record: &Path, actual: &str) -> Result<(), String> {
    if std::env::vars().any(|(name, value)| name == "UPDATE_GOLDENS" && value == "1") {
        fs::write(record, actual).expect("a record that can be written");
    }
    let recorded = fs::read_to_string(record).unwrap_or_default();
    if recorded == actual {
        return Ok(());
    }
    let mut lines = recorded.lines().zip(actual.lines());
    let line = lines.position(|(one, two)| one != two);
    let line = line.unwrap_or_else(|| recorded.lines().count().min(actual.lines().count()));
    let shown = |text: &str| text.lines().nth(line).unwrap_or_default().to_owned();
    Err(format!(
        "{} differs from line {} on:\n  recorded: {}\n  actual:   {}\nUPDATE_GOLDENS=1 writes it anew, and git diff shows how.",
        record.display(),
        line + 1,
        shown(&recorded),
        shown(actual)
    ))
}

/// The records (`CASE.out.yaml`) of a directory whose case (`CASE.in.yaml`) is not there any more, and which nothing
/// checks.
///
/// # Panics
/// If the directory cannot be read.
pub fn without_case(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").path());
    let names = names.map(|path| path.to_string_lossy().into_owned());
    names
        .filter(|name| {
            let case = name.strip_suffix(".out.yaml");
            case.is_some_and(|case| !Path::new(&format!("{case}.in.yaml")).exists())
        })
        .collect()
}
