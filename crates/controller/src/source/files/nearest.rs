//! The name that somebody probably meant.

/// The nearest of some names, if one is near enough to be a slip of the pen.
pub(super) fn nearest<'a>(
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if written.len() > 64 {
        return None;
    }
    let lower = written.to_ascii_lowercase();
    let allowed = (lower.chars().count() / 3).clamp(1, 3);
    names
        .into_iter()
        .filter(|name| name.len() <= 64)
        .map(|name| (distance(&lower, &name.to_ascii_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be put in, left out, replaced, or swapped with their neighbour (the optimal
/// string alignment distance).
fn distance(one: &str, two: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let two: Vec<char> = two.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=two.len()).collect();
    for (row, left) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, right) in two.iter().enumerate() {
            let replaced = last[column] + usize::from(left != right);
            let mut best = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            let swapped =
                row > 0 && column > 0 && *left == two[column - 1] && one[row - 1] == *right;
            if swapped {
                best = best.min(before_last[column - 1] + 1);
            }
            next.push(best);
        }
        before_last = std::mem::replace(&mut last, next);
    }
    last[two.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognized_and_other_words_are_not() {
        let names = ["path", "headers", "queryParams", "method", "backendRefs"];
        for (written, expected) in [
            ("pathh", Some("path")),
            ("paht", Some("path")),
            ("Path", Some("path")),
            ("backendrefs", Some("backendRefs")),
            ("backendRef", Some("backendRefs")),
            ("queryParam", Some("queryParams")),
            ("timeouts", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, names), expected, "{written}");
        }
    }
}
