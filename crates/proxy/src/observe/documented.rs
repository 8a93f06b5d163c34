//! What `docs/observing.md` says is what the code does. Tests only.

use crate::observe::answers::ANSWERS;
use crate::observe::ends::ENDS;
use crate::observe::metrics::Metrics;

const PAGE: &str = include_str!("../../../../docs/observing.md");

/// The names in the first columns of a section's table.
fn names(section: &str) -> Vec<&'static str> {
    let (_, rest) = PAGE.split_once(&format!("\n## {section}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| row.split(" | ").next().unwrap().trim_end_matches('`'));
    let mut names: Vec<_> = cells.flat_map(|cell| cell.split("`, `")).collect();
    names.sort_unstable();
    names
}

#[test]
fn all_metrics_are_documented_and_no_others() {
    let log = crate::access_log::Settings {
        destination: crate::access_log::Destination::File("/dev/null".into()),
        ..crate::access_log::Settings::default()
    };
    let mut text = String::new();
    let metrics = Metrics::start(1, Some(log)).unwrap();
    metrics.write(&mut text).unwrap();
    let helps = text.lines().filter_map(|line| line.strip_prefix("# HELP "));
    let mut written: Vec<_> = helps.map(|help| help.split(' ').next().unwrap()).collect();
    written.sort_unstable();
    assert_eq!(written, names("Metrics"));
}

#[test]
fn all_reasons_are_documented_and_no_others() {
    let mut reasons = ANSWERS;
    reasons.sort_unstable();
    assert_eq!(reasons.as_slice(), names("Answers of the gateway's own"));
}

#[test]
fn all_ends_of_connections_are_documented_and_no_others() {
    let mut ends = ENDS;
    ends.sort_unstable();
    assert_eq!(ends.as_slice(), names("Ends of connections"));
}

#[test]
fn all_fields_are_documented_and_no_others() {
    let error = "{?}".parse::<crate::access_log::Format>().unwrap_err();
    let (_, list) = error.split_once("there are ").unwrap();
    let mut fields: Vec<_> = list.split(", ").collect();
    fields.sort_unstable();
    assert_eq!(fields, names("Access log"));
}
