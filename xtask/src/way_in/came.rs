//! What came of a try, and its line in the table.

use std::fmt::Write as _;

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It is as promised, and how that was seen.
    Held(String),
    /// It cannot be had from this cloud: nothing was made, or nothing that serves, and the Gateway says why.
    Refused(String),
    /// It could not be found out, and why.
    Unknown(String),
    /// It is not as promised, and why.
    Broken(String),
}

impl Came {
    const fn word(&self) -> &'static str {
        match self {
            Self::Held(_) => "held",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
            Self::Broken(_) => "broken",
        }
    }

    fn why(&self) -> &str {
        let (Self::Held(why) | Self::Refused(why) | Self::Unknown(why) | Self::Broken(why)) = self;
        why
    }
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    cloud: &'static str,
    claim: String,
    came: Came,
}

impl Row {
    /// What could not be tried to its end counts as broken.
    pub(super) fn new(
        cloud: &'static str,
        claim: impl Into<String>,
        came: Result<Came, String>,
    ) -> Self {
        let row = Self {
            cloud,
            claim: claim.into(),
            came: came.unwrap_or_else(Came::Broken),
        };
        println!("  {}", row.line());
        row
    }

    pub(super) fn line(&self) -> String {
        let cell = |text: &str| text.trim().replace('|', "\\|").replace('\n', " ");
        let Self { cloud, claim, came } = self;
        let (word, why) = (came.word(), cell(came.why()));
        format!("| {cloud} | {claim} | {word} | {why} |")
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.came, Came::Broken(_))
    }
}

/// How many of each there are: `3 held, 1 refused, 0 unknown, 0 broken`.
pub(super) fn counts(rows: &[Row]) -> String {
    let mut text = String::new();
    for word in ["held", "refused", "unknown", "broken"] {
        let count = rows.iter().filter(|row| row.came.word() == word).count();
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing into a String cannot fail.
        let _ = write!(text, "{comma}{count} {word}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Came, Row, counts};

    #[test]
    fn lines_are_cells_and_what_was_not_tried_to_its_end_is_broken() {
        let rows = [
            Row::new("NHN", "a", Ok(Came::Held("so | so\nit is".to_owned()))),
            Row::new("AWS", "b", Err("it did not come".to_owned())),
            Row::new("AWS", "c", Ok(Came::Refused("no key".to_owned()))),
        ];
        assert_eq!(rows[0].line(), "| NHN | a | held | so \\| so it is |");
        assert_eq!(rows[1].line(), "| AWS | b | broken | it did not come |");
        assert!(rows[1].is_broken() && !rows[2].is_broken());
        assert_eq!(counts(&rows), "1 held, 1 refused, 0 unknown, 1 broken");
    }
}
