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
    /// Takes a line. A test that has ended with it is told.
    pub(super) fn line(&mut self, line: &str) -> Option<(String, Ending, String)> {
        if let Some(marker) = line.strip_prefix("=== ") {
            let name = marker.split_whitespace().nth(1).unwrap_or_default();
            self.current = short(name).map(str::to_owned);
            return None;
        }
        if let Some((name, ending, time)) = ended(line) {
            self.endings.insert(name.to_owned(), ending);
            if ending != Ending::Failed {
                self.said.remove(name);
            }
            return Some((name.to_owned(), ending, time.to_owned()));
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
fn ended(line: &str) -> Option<(&str, Ending, &str)> {
    let (ending, rest) = line.trim_start().strip_prefix("--- ")?.split_once(": ")?;
    let (name, time) = rest.split_once(' ')?;
    let name = name.strip_prefix(ROOT)?.strip_prefix('/')?;
    if name.contains('/') {
        return None;
    }
    let ending = match ending {
        "PASS" => Ending::Passed,
        "SKIP" => Ending::Skipped,
        _ => Ending::Failed,
    };
    Some((name, ending, time.trim_matches(['(', ')'])))
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
=== NAME  TestConformance/One
    one.go:3: more
    --- PASS: TestConformance/Two (1.20s)
        --- PASS: TestConformance/Two/Part (1.00s)
    --- FAIL: TestConformance/One (0.10s)
    --- SKIP: TestConformance/Three (0.00s)
--- FAIL: TestConformance (1.30s)"
            .lines()
            .filter_map(|line| follow.line(line))
            .collect();
        let expected = [
            ("Two", Ending::Passed, "1.20s"),
            ("One", Ending::Failed, "0.10s"),
            ("Three", Ending::Skipped, "0.00s"),
        ];
        let told: Vec<_> = told
            .iter()
            .map(|(name, ending, time)| (name.as_str(), *ending, time.as_str()))
            .collect();
        assert_eq!(told, expected);
        assert_eq!(follow.said.len(), 1);
        assert_eq!(
            follow.said["One"],
            ["    one.go:1: what One says", "    one.go:3: more"]
        );
    }
}
