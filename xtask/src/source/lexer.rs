//! Tells code, comments and literals apart.
//!
//! It knows line comments, nested block comments, strings with escapes, raw strings with any number of
//! hashes, character literals, and that a lifetime is not a character literal. It does not know tokens.

/// The text twice, with equal lines and columns: once only the code, once only the comments.
///
/// The contents of literals are in neither; their quotes are code.
pub(super) fn split(text: &str) -> (String, String) {
    let mut split = Split {
        rest: text,
        code: String::new(),
        comments: String::new(),
        before: '\n',
    };
    while !split.rest.is_empty() {
        split.next();
    }
    (split.code, split.comments)
}

struct Split<'a> {
    rest: &'a str,
    code: String,
    comments: String,
    /// The last character of code, which tells `r"` from `for"`.
    before: char,
}

#[derive(Clone, Copy)]
enum Part {
    Code,
    Comment,
    Literal,
}

impl Split<'_> {
    /// Takes the next comment, literal or single character of code.
    fn next(&mut self) {
        let rest = self.rest;
        if rest.starts_with("//") {
            self.take(rest.find('\n').unwrap_or(rest.len()), Part::Comment);
        } else if rest.starts_with("/*") {
            self.take(block_comment(rest), Part::Comment);
        } else if let Some((opening, length)) = literal(rest, self.before) {
            let closing = length - usize::from(length > opening);
            self.take(opening, Part::Code);
            self.take(closing - opening, Part::Literal);
            self.take(length - closing, Part::Code);
        } else {
            self.take(rest.chars().next().map_or(0, char::len_utf8), Part::Code);
        }
    }

    fn take(&mut self, length: usize, part: Part) {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        for character in taken.chars() {
            let blank = if character == '\n' { '\n' } else { ' ' };
            let (code, comment) = match part {
                Part::Code => (character, blank),
                Part::Comment => (blank, character),
                Part::Literal => (blank, blank),
            };
            self.code.push(code);
            self.comments.push(comment);
            self.before = code;
        }
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the opening (prefix and quote) and of the whole literal, if one begins here.
fn literal(text: &str, before: char) -> Option<(usize, usize)> {
    if text.starts_with('"') {
        return Some((1, string(text, 1)));
    }
    if text.starts_with('\'') {
        return character(text).map(|length| (1, length));
    }
    let in_word = before.is_alphanumeric() || before == '_';
    let prefix = text.find(|c: char| !c.is_ascii_lowercase())?;
    if in_word || !matches!(&text[..prefix], "r" | "b" | "br" | "c" | "cr") {
        return None;
    }
    let after = &text[prefix..];
    if after.starts_with('\'') && &text[..prefix] == "b" {
        return character(after).map(|length| (prefix + 1, prefix + length));
    }
    let hashes = after.len() - after.trim_start_matches('#').len();
    if !after[hashes..].starts_with('"') {
        return None;
    }
    let opening = prefix + hashes + 1;
    if text[..prefix].ends_with('r') {
        let closing = format!("\"{}", "#".repeat(hashes));
        let end = text[opening..]
            .find(&closing)
            .map_or(text.len(), |at| opening + at + closing.len());
        Some((opening, end))
    } else {
        (hashes == 0).then(|| (opening, string(text, opening)))
    }
}

/// The offset behind the closing quote of a string whose contents begin at `from`.
fn string(text: &str, from: usize) -> usize {
    let mut escaped = false;
    for (at, character) in text[from..].char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return from + at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal; none if this quote begins a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
        return characters.find(|(_, c)| *c == '\'').map(|(at, _)| at + 1);
    }
    let (at, second) = characters.next()?;
    (second == '\'').then_some(at + 1)
}
