//! Reads what the suite prints while it runs: which test ended how, and what it said.
//!
//! Tests run side by side, and their lines are mixed; markers (`=== NAME`) say whose the next lines are. What a
//! test says is kept until it ends, and only its end if it failed.

use std::collections::BTreeMap;

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Passed,
    Failed,
    Skipped,
}

/// What became of the tests.
#[derive(Default)]
pub(super) struct Follow {
    /// By the test's short name.
    pub(super) endings: BTreeMap<String, Ending>,
    /// What the failed ones said.
    pub(super) said: BTreeMap<String, Vec<String>>,
    /// Whose the next lines are.
    current: Option<String>,
}

/// The test that runs all others.
const ROOT: &str = "TestConformance";

impl Follow {
    /// Takes a line. A test that begins or goes on with it is told: the endings of all come at the end of the last.
    pub(super) fn line(&mut self, line: &str) -> Option<String> {
        if let Some(marker) = line.strip_prefix("=== ") {
            let mut words = marker.split_whitespace();
            let (verb, name) = (words.next(), words.next().unwrap_or_default());
            self.current = short(name).map(str::to_owned);
            let whole = self
                .current
                .clone()
                .filter(|current| name.ends_with(current.as_str()));
            return whole.filter(|_| matches!(verb, Some("RUN" | "CONT")));
        }
        if let Some((name, ending)) = ended(line) {
            self.endings.insert(name.to_owned(), ending);
            if ending != Ending::Failed {
                self.said.remove(name);
            }
            return None;
        }
        if line.trim_start().starts_with("--- ") {
            return None;
        }
        if let Some(current) = &self.current
            && !line.trim().is_empty()
        {
            let said = self.said.entry(current.clone()).or_default();
            said.push(line.trim_end().to_owned());
        }
        None
    }
}

/// The short name in `TestConformance/NAME/…`.
fn short(name: &str) -> Option<&str> {
    let below = name.strip_prefix(ROOT)?.strip_prefix('/')?;
    below.split('/').next()
}

/// Reads `    --- PASS: TestConformance/NAME (1.20s)`; the endings of what is within a test are not told.
fn ended(line: &str) -> Option<(&str, Ending)> {
    let (ending, rest) = line.trim_start().strip_prefix("--- ")?.split_once(": ")?;
    let (name, _) = rest.split_once(' ')?;
    let name = name.strip_prefix(ROOT)?.strip_prefix('/')?;
    if name.contains('/') {
        return None;
    }
    let ending = match ending {
        "PASS" => Ending::Passed,
        "SKIP" => Ending::Skipped,
        _ => Ending::Failed,
    };
    Some((name, ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_end_and_failed_ones_have_their_lines() {
        let mut follow = Follow::default();
        let told: Vec<_> = "\
=== RUN   TestConformance
=== RUN   TestConformance/One
    one.go:1: what One says
=== PAUSE TestConformance/One
=== RUN   TestConformance/Two
=== RUN   TestConformance/Two/Part
    two.go:2: what Two says
=== CONT  TestConformance/One
=== NAME  TestConformance/One
    one.go:3: more
=== RUN   TestConformance/Three
    --- PASS: TestConformance/Two (1.20s)
        --- PASS: TestConformance/Two/Part (1.00s)
    --- FAIL: TestConformance/One (0.10s)
    --- SKIP: TestConformance/Three (0.00s)
--- FAIL: TestConformance (1.30s)"
            .lines()
            .filter_map(|line| follow.line(line))
            .collect();
        assert_eq!(told, ["One", "Two", "One", "Three"]);
        let endings = [
            ("One", Ending::Failed),
            ("Three", Ending::Skipped),
            ("Two", Ending::Passed),
        ];
        assert_eq!(
            follow.endings,
            endings
                .map(|(name, ending)| (name.to_owned(), ending))
                .into()
        );
        assert_eq!(follow.said.len(), 1);
        assert_eq!(
            follow.said["One"],
            ["    one.go:1: what One says", "    one.go:3: more"]
        );
    }
}
