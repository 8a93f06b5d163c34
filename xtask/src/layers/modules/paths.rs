//! The paths (`a::b::c`) in a file, with the trees of `use` unfolded.

use crate::source::Source;

/// One path of at least two segments, or one that is imported.
pub(super) struct Path {
    pub(super) segments: Vec<String>,
    /// What the path is called here: its last segment, or what stands behind `as`.
    pub(super) name: String,
    pub(super) line: usize,
    /// Whether it stands in a `pub use`.
    pub(super) reexport: bool,
}

/// All paths in the production code of a file.
pub(super) fn of(source: &Source) -> Vec<Path> {
    let tokens: Vec<Token<'_>> = source
        .production()
        .flat_map(|(line, code)| tokens(line, code))
        .collect();
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        paths: Vec::new(),
        reexport: false,
    };
    while let Some(token) = reader.peek() {
        if token.text == "use" {
            let before = reader.at.checked_sub(1).map(|at| tokens[at].text);
            reader.reexport = matches!(before, Some("pub" | ")"));
            reader.at += 1;
            reader.tree(&[], true);
            reader.reexport = false;
        } else if token.is_word() {
            reader.tree(&[], false);
        } else {
            reader.at += 1;
        }
    }
    reader.paths
}

#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

impl Token<'_> {
    fn is_word(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Words, `::`, and single characters.
fn tokens(line: usize, code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("::") {
            2
        } else {
            let word = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            word.max(first.len_utf8())
        };
        found.push(Token {
            text: &rest[..length],
            line,
        });
        rest = rest[length..].trim_start();
    }
    found
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    paths: Vec<Path>,
    reexport: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn is_next(&self, text: &str) -> bool {
        self.peek().is_some_and(|token| token.text == text)
    }

    /// Reads `a::b`, and if it stands in a `use` also `a::{b, c}`, behind the given prefix.
    fn tree(&mut self, prefix: &[String], imported: bool) {
        let mut segments = prefix.to_vec();
        let line = self.peek().map_or(0, |token| token.line);
        while let Some(token) = self.peek() {
            if token.text == "{" && imported {
                return self.branches(&segments);
            } else if !token.is_word() && token.text != "*" {
                break;
            }
            segments.push(token.text.to_owned());
            self.at += 1;
            if !self.is_next("::") {
                break;
            }
            self.at += 1;
        }
        if segments.len() > 1
            && segments
                .last()
                .is_some_and(|last| last == "self" || last == "*")
        {
            segments.pop();
        }
        let mut name = segments.last().cloned().unwrap_or_default();
        if imported && self.is_next("as") {
            name = self
                .tokens
                .get(self.at + 1)
                .map_or(name, |token| token.text.to_owned());
            self.at += 2;
        }
        if imported || segments.len() > 1 {
            self.paths.push(Path {
                segments,
                name,
                line,
                reexport: self.reexport,
            });
        }
    }

    fn branches(&mut self, prefix: &[String]) {
        self.at += 1;
        while !self.is_next("}") && self.peek().is_some() {
            let before = self.at;
            self.tree(prefix, true);
            if self.is_next(",") || self.at == before {
                self.at += 1;
            }
        }
        self.at += 1;
    }
}
