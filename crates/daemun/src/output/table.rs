//! Columns as wide as their widest cell.

use daemun_model::shown::plain_lines;

use super::style::CODES;

/// A table of left-aligned columns; the last one is as wide as it likes.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Row {
    Cells(Vec<String>),
    /// A line below a row, indented to the second column.
    Below(String),
}

impl Table {
    /// A table that begins with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let mut table = Self::default();
        table.row(headings.iter().map(|heading| (*heading).to_owned()));
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().map(|cell| seen(&cell));
        self.rows.push(Row::Cells(cells.collect()));
    }

    /// Adds a line that belongs to the row above.
    pub(crate) fn below(&mut self, line: impl Into<String>) {
        self.rows.push(Row::Below(seen(&line.into())));
    }

    /// The whole table, each line with its end.
    pub(crate) fn text(&self) -> String {
        const GAP: usize = 2;
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            let Row::Cells(cells) = row else { continue };
            for (column, cell) in cells.iter().enumerate() {
                let width = cell.chars().count();
                match widths.get_mut(column) {
                    Some(known) => *known = width.max(*known),
                    None => widths.push(width),
                }
            }
        }
        let indent = widths.first().map_or(0, |width| width + GAP);
        let mut text = String::new();
        for row in &self.rows {
            match row {
                Row::Below(line) => {
                    for line in line.lines() {
                        text.push_str(&" ".repeat(indent));
                        text.push_str(line);
                        text.push('\n');
                    }
                }
                Row::Cells(cells) => {
                    let mut line = String::new();
                    for (cell, width) in cells.iter().zip(&widths) {
                        line.push_str(cell);
                        line.push_str(&" ".repeat(width + GAP - cell.chars().count()));
                    }
                    text.push_str(line.trim_end());
                    text.push('\n');
                }
            }
        }
        text
    }
}

/// A text in which nothing is unseen but ends of lines and what paints (`Style`).
fn seen(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('\u{1b}') {
        let (before, after) = rest.split_at(start);
        seen.push_str(&plain_lines(before));
        let code = CODES.iter().find(|code| after.starts_with(**code));
        let taken = match code {
            Some(code) => {
                seen.push_str(code);
                code.len()
            }
            None => {
                seen.push(char::REPLACEMENT_CHARACTER);
                1
            }
        };
        rest = &after[taken..];
    }
    seen.push_str(&plain_lines(rest));
    seen
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["KIND", "NAME", "RESULT"]);
        table.row(["HTTPRoute", "a", "accepted"].map(str::to_owned));
        table.below("f.yaml:3  a line below\nand another");
        table.row(["Gateway", "default/shop", ""].map(str::to_owned));
        assert_eq!(
            table.text(),
            "KIND       NAME          RESULT\n\
             HTTPRoute  a             accepted\n           \
             f.yaml:3  a line below\n           \
             and another\n\
             Gateway    default/shop\n"
        );
    }

    #[test]
    fn no_cell_reaches_into_the_terminal() {
        let mut table = Table::new(&["KIND", "NAME"]);
        table.row([
            "G\u{1b}[2Jx".to_owned(),
            "\u{1b}]0;t\u{7}\u{1b}[31mred\u{1b}[0m".to_owned(),
        ]);
        table.below("a\u{202e}b\nc");
        let text = table.text();
        let row = text.lines().nth(1).unwrap_or_default();
        assert_eq!(
            row,
            "G\u{fffd}[2Jx  \u{fffd}]0;t\u{fffd}\u{1b}[31mred\u{1b}[0m"
        );
        assert!(text.contains("a\u{fffd}b\n"), "{text:?}");
    }
}
