//! How wide text is: in columns of a terminal, and about how wide in a drawing; and where it is broken into lines.

/// Whether a character takes two columns: Hangul, Han, Kana, and what is drawn like them.
pub(super) fn is_wide(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa960..=0xa97f
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd)
}

/// The columns of a text on a terminal.
pub(super) fn columns(text: &str) -> usize {
    let wide = |character| if is_wide(character) { 2 } else { 1 };
    text.chars().map(wide).sum()
}

/// About the width of a text in a drawing, in hundredths of the font's size: as wide as the wider of the usual fonts
/// draw it.
pub(super) fn hundredths(text: &str) -> usize {
    text.chars().map(of_character).sum()
}

/// The same where all letters are equally wide.
pub(super) fn equal_hundredths(text: &str) -> usize {
    columns(text) * 61
}

fn of_character(character: char) -> usize {
    match character {
        wide if is_wide(wide) => 100,
        '…' => 100,
        'i' | 'j' | 'l' | '\'' | '|' => 28,
        ' ' | '.' | ',' | ':' | ';' | '!' | '/' | 'f' | 't' | 'I' | '\\' => 36,
        'r' | '(' | ')' | '[' | ']' | '"' | '·' | '-' => 42,
        'm' | 'W' | 'M' | '@' | '%' => 92,
        'w' | 'O' | 'Q' | 'G' | 'N' | '→' => 80,
        'A'..='Z' => 68,
        _ => 58,
    }
}

/// Breaks a text into lines, none wider than a limit, by a measure; at spaces, and inside of words that do not fit.
pub(super) fn wrap(text: &str, limit: usize, measure: fn(&str) -> usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if measure(&longer) <= limit {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        line = cut_into(word, limit, measure, &mut lines);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Puts all but the end of a word into lines, if it is too long for one.
fn cut_into(
    word: &str,
    limit: usize,
    measure: fn(&str) -> usize,
    lines: &mut Vec<String>,
) -> String {
    let mut part = String::new();
    for character in word.chars() {
        let mut longer = part.clone();
        longer.push(character);
        if measure(&longer) > limit && !part.is_empty() {
            // A name reads better if it ends at one of its own marks.
            let at = part
                .rfind(['/', '.', '-', '=', ':', ',', '('])
                .map(|at| at + 1)
                .filter(|at| measure(part.get(..*at).unwrap_or_default()) * 2 > limit);
            let rest = at.map_or_else(String::new, |at| part.split_off(at));
            lines.push(std::mem::replace(&mut part, rest));
        }
        part.push(character);
    }
    part
}

/// The first lines of a text; what does not fit is cut, and the end says so.
pub(super) fn lines(
    text: &str,
    limit: usize,
    most: usize,
    measure: fn(&str) -> usize,
) -> Vec<String> {
    let mut all = wrap(text, limit, measure);
    if all.len() > most {
        all.truncate(most);
        if let Some(last) = all.last_mut() {
            *last = shorten(&format!("{last} …"), limit, measure);
            if !last.ends_with('…') {
                last.push('…');
            }
        }
    }
    all
}

/// A name in lines, at most so many: what does not fit is cut out of the middle, since names differ at their ends.
pub(super) fn lines_of_name(
    name: &str,
    limit: usize,
    most: usize,
    measure: fn(&str) -> usize,
) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut kept = characters.len();
    let mut all = wrap(name, limit, measure);
    while all.len() > most && kept > 1 {
        kept -= 1;
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let head = characters.iter().take(head);
        let tail = characters.iter().skip(characters.len() - tail);
        let short: String = head.chain(['…'].iter()).chain(tail).collect();
        all = wrap(&short, limit, measure);
    }
    all
}

/// A text on one line, with a mark at the end if it had to be cut.
pub(super) fn shorten(text: &str, limit: usize, measure: fn(&str) -> usize) -> String {
    if measure(text) <= limit {
        return text.to_owned();
    }
    let mut short = String::new();
    for character in text.chars() {
        let mut longer = short.clone();
        longer.push(character);
        if measure(&longer) + measure("…") > limit {
            break;
        }
        short = longer;
    }
    short.truncate(short.trim_end().len());
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::{columns, lines, lines_of_name, shorten, wrap};

    #[test]
    fn hangul_takes_two_columns() {
        assert_eq!(columns("플로팅 IP"), 9);
    }

    #[test]
    fn lines_break_at_spaces_and_inside_of_what_does_not_fit() {
        assert_eq!(wrap("one two three", 7, columns), ["one two", "three"]);
        assert_eq!(
            wrap("example.com/a-long-name", 12, columns),
            ["example.com/", "a-long-name"]
        );
        assert_eq!(wrap("가나다라마", 4, columns), ["가나", "다라", "마"]);
        assert!(wrap("", 4, columns).is_empty());
    }

    #[test]
    fn names_keep_their_ends() {
        let named = |name: &str| lines_of_name(name, 10, 2, columns).concat();
        assert_eq!(named("shop/orders"), "shop/orders");
        let (one, other) = (
            named("a-long-namespace/route-17"),
            named("a-long-namespace/route-18"),
        );
        assert!(one.contains('…') && one.ends_with("17"), "{one}");
        assert_ne!(one, other);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(shorten("abcdef", 4, columns), "abc…");
        assert_eq!(shorten("abcd", 4, columns), "abcd");
        assert_eq!(lines("a b c d", 1, 2, columns), ["a", "…"]);
        assert_eq!(lines("aaa bbb ccc", 5, 2, columns), ["aaa", "bbb …"]);
    }
}
