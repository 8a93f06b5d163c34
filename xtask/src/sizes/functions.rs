//! Finds the functions of a file, with their lines and parameters.
//!
//! It looks for the word `fn` and a name, then counts brackets. Functions of tests are left out, and so
//! are function types (`fn(u8)`), which have no name.

use crate::source::Source;

/// A function as it stands in the source.
pub(super) struct Function {
    pub(super) name: String,
    /// The line of its name.
    pub(super) line: usize,
    /// Lines with code between the braces; 0 for a declaration without a body.
    pub(super) lines: usize,
    /// Parameters, `self` among them.
    pub(super) parameters: usize,
}

/// All functions of production code in the file.
pub(super) fn of(source: &Source) -> Vec<Function> {
    let code = &source.code;
    code.match_indices("fn ")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .filter(|(at, _)| !source.is_test(source.line_of(*at)))
        .filter_map(|(at, word)| function(source, at + word.len()))
        .collect()
}

fn function(source: &Source, at: usize) -> Option<Function> {
    let code = &source.code;
    let length = code[at..].find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let name = code[at..at + length].to_owned();
    let (parameters, end) = parameters(code, at + length)?;
    (!name.is_empty()).then(|| Function {
        line: source.line_of(at),
        lines: body_lines(source, end),
        name,
        parameters,
    })
}

/// The number of parameters, and the offset behind their closing parenthesis.
fn parameters(code: &str, from: usize) -> Option<(usize, usize)> {
    let mut depth = 0_i32;
    let mut opened = false;
    let mut count = 0;
    let mut pending = false;
    let mut previous = ' ';
    for (offset, character) in code[from..].char_indices() {
        match character {
            '(' if depth == 0 => {
                opened = true;
                depth = 1;
            }
            ')' if opened && depth == 1 => {
                return Some((count + usize::from(pending), from + offset + 1));
            }
            ',' if opened && depth == 1 => {
                count += usize::from(pending);
                pending = false;
            }
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if previous != '-' && previous != '=' => depth -= 1,
            _ if opened && !character.is_whitespace() => pending = true,
            _ => {}
        }
        previous = character;
    }
    None
}

fn body_lines(source: &Source, from: usize) -> usize {
    let code = &source.code;
    let mut brackets = 0_i32;
    let opening = code[from..].char_indices().find(|(_, character)| {
        match character {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            _ => {}
        }
        brackets == 0 && matches!(character, '{' | ';')
    });
    let Some((offset, '{')) = opening else {
        return 0;
    };
    let end = crate::source::item_end(code, from + offset);
    let first = source.line_of(from + offset);
    let last = source.line_of(end);
    source
        .production()
        .filter(|(line, _)| (first + 1..last).contains(line))
        .count()
}
