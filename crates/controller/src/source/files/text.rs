//! A file's text, cut into its documents before anything is parsed.
//!
//! A line that begins with `---` starts a document wherever it stands (YAML 1.2, production 206:
//! not even a quoted or block scalar may contain one). So each document can be read, refused and
//! remembered by itself: a mistake in one does not reach the next, and a document whose text did not
//! change is not parsed again.

use std::fmt::Write as _;
use std::ops::Range;

use super::document::Place;

/// The documents of a text: the number of each one's first line (from 0), and its text.
pub(super) fn documents(text: &str) -> Vec<(u32, &str)> {
    // Directives belong to the document behind them; texts that have any are left in one piece.
    if text.lines().any(|line| line.starts_with('%')) {
        return vec![(0, text)];
    }
    let mut cuts = vec![(0, 0)];
    let mut offset = 0;
    for (number, line) in (0..).zip(text.split_inclusive('\n')) {
        if offset > 0 && starts_document(line) {
            cuts.push((number, offset));
        }
        offset += line.len();
    }
    let ends = cuts
        .iter()
        .skip(1)
        .map(|(_, start)| *start)
        .chain([text.len()]);
    cuts.iter()
        .zip(ends)
        .map(|(&(line, start), end)| (line, &text[Range { start, end }]))
        .collect()
}

fn starts_document(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Lines shown before the one that is meant.
const LINES_BEFORE: u32 = 2;
/// Characters shown of a line.
const WIDTH: usize = 120;

/// The line that is meant with those before it, and marks under what is meant. Ends without a line
/// break. `lines_before` is the number of lines that stand before `text` in its file.
pub(super) fn snippet(text: &str, lines_before: u32, place: Place) -> String {
    let first = place.line.saturating_sub(LINES_BEFORE).max(1);
    let count = (place.line + 1).saturating_sub(first);
    // A long line is shown from a little before what is meant.
    let column = place.column.saturating_sub(1) as usize;
    let skipped = if column > WIDTH * 3 / 4 {
        column - WIDTH / 2
    } else {
        0
    };
    let mut shown = String::new();
    let lines = text.lines().skip(first as usize - 1).take(count as usize);
    for (number, line) in (first..).zip(lines) {
        let cut: String = line
            .chars()
            .skip(skipped)
            .take(WIDTH)
            .map(printable)
            .collect();
        let _ = writeln!(shown, "{:>5} | {}", number + lines_before, cut.trim_end());
    }
    let line = text
        .lines()
        .nth(place.line.saturating_sub(1) as usize)
        .unwrap_or_default();
    let before: usize = line
        .chars()
        .skip(skipped)
        .take(column - skipped)
        .map(width)
        .sum();
    let meant = line
        .chars()
        .skip(column)
        .take((place.length as usize).min(WIDTH));
    let marks = meant.map(width).sum::<usize>().max(1);
    let _ = write!(shown, "      | {}{}", " ".repeat(before), "^".repeat(marks));
    shown
}

/// A text as it may go to a terminal and into a log: on one line, without control characters.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(printable).collect()
}

/// A character as it may go to a terminal: no control character, and a tab as one space.
fn printable(character: char) -> char {
    match character {
        '\t' => ' ',
        // Also those that turn the direction of writing, behind which text can hide.
        control if control.is_control() => '\u{fffd}',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        other => other,
    }
}

/// Columns of a terminal that a character takes: two for East Asian wide ones.
fn width(character: char) -> usize {
    match character as u32 {
        0x0300..=0x036f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff => 2,
        0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::Place;
    use super::{documents, snippet};

    #[test]
    fn a_text_is_cut_at_document_starts_only() {
        let text = "a: 1\n---\nb: |\n  ---\n--- # two\nc: '---'\n----\n---";
        let cut: Vec<_> = documents(text).into_iter().collect();
        assert_eq!(
            cut,
            [
                (0, "a: 1\n"),
                (1, "---\nb: |\n  ---\n"),
                (4, "--- # two\nc: '---'\n----\n"),
                (7, "---"),
            ]
        );
        assert_eq!(documents("---\na: 1\n").len(), 1);
        assert_eq!(documents("%YAML 1.2\n---\na: 1\n---\nb: 1\n").len(), 1);
        assert_eq!(documents(""), [(0, "")]);
    }

    #[test]
    fn a_snippet_points_at_what_is_meant() {
        let text = "spec:\n  rules:\n  - matches:\n    - pathh: {type: Exact}\n";
        let place = Place {
            line: 4,
            column: 7,
            length: 5,
        };
        assert_eq!(
            snippet(text, 12, place),
            "   14 |   rules:\n   15 |   - matches:\n   16 |     - pathh: {type: Exact}\n      |       ^^^^^"
        );
    }

    #[test]
    fn a_snippet_is_right_for_wide_letters_tabs_and_long_lines() {
        let place = |column, length| Place {
            line: 1,
            column,
            length,
        };
        assert_eq!(
            snippet("이름: 값", 0, place(5, 1)),
            "    1 | 이름: 값\n      |       ^^"
        );
        assert_eq!(
            snippet("{\t\"a\": 1}", 0, place(3, 3)),
            "    1 | { \"a\": 1}\n      |   ^^^"
        );
        assert_eq!(
            snippet("a\u{1b}[31m", 0, place(1, 1)),
            "    1 | a\u{fffd}[31m\n      | ^"
        );
        let long = format!("a: {}X{}", "-".repeat(1000), "-".repeat(1000));
        let shown = snippet(&long, 0, place(1004, 1));
        let (line, marks) = shown.split_once('\n').unwrap();
        assert_eq!(line.find('X'), marks.find('^'));
        assert!(line.len() < 140, "{line}");
        assert_eq!(snippet("", 0, place(1, 1)), "      | ^");
    }
}
