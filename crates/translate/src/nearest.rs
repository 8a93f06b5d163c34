//! Did you mean: the name that somebody probably wanted to write.
//!
//! Used in messages only; nothing is ever resolved by likeness.

/// The longest name that anything may have in Kubernetes; longer texts are not compared.
const LONGEST: usize = 253;

/// The candidate that is nearest to what was written, if one is near enough to be a slip of the pen:
/// at most a third of the letters differ (and at least one may), or one is the start or end of
/// the other.
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if written.len() > LONGEST {
        return None;
    }
    let allowed = (written.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != written && candidate.len() <= LONGEST)
        .filter_map(|candidate| {
            let distance = distance(written, candidate);
            let start = written.len() >= 3
                && candidate.len() >= 3
                && (candidate.starts_with(written)
                    || candidate.ends_with(written)
                    || written.starts_with(candidate));
            (distance <= allowed || start).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// ` Did you mean "x"?`, or nothing.
pub fn did_you_mean<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, candidates)
        .map(|name| format!(" Did you mean \"{name}\"?"))
        .unwrap_or_default()
}

/// `a, b and c`, at most five of them; `otherwise` if there are none.
pub(crate) fn list(names: &[String], otherwise: &str) -> String {
    const SHOWN: usize = 5;
    match names {
        [] => otherwise.to_owned(),
        names if names.len() > SHOWN => format!(
            "{} and {} more",
            names.get(..SHOWN).unwrap_or_default().join(", "),
            names.len() - SHOWN
        ),
        names => list_all(names),
    }
}

/// `a, b and c`, however many.
pub fn list_all(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment), without
/// regard to case.
fn distance(one: &str, two: &str) -> usize {
    let one: Vec<char> = one.to_lowercase().chars().collect();
    let two: Vec<char> = two.to_lowercase().chars().collect();
    if one.len().abs_diff(two.len()) > 8 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == two[j - 1] && one[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{list, nearest};

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        for (written, candidates, found) in [
            ("catalog", vec!["catalogue", "orders"], Some("catalogue")),
            ("ordres", vec!["catalogue", "orders"], Some("orders")),
            ("shop", vec!["stop", "shop2"], Some("shop2")),
            ("Shop", vec!["shop"], Some("shop")),
            ("a", vec!["b"], Some("b")),
            ("Prefix", vec!["Exact", "PathPrefix"], Some("PathPrefix")),
            ("web", vec!["database"], None),
            ("x", vec!["long-name"], None),
            ("same", vec!["same"], None),
            ("pathh", vec!["path", "headers"], Some("path")),
            ("paht", vec!["path", "headers"], Some("path")),
            (
                "queryParam",
                vec!["queryParams", "path"],
                Some("queryParams"),
            ),
            ("timeouts", vec!["path", "method", "backendRefs"], None),
            ("", vec!["path"], None),
        ] {
            assert_eq!(nearest(written, candidates), found, "{written}");
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        let names: Vec<String> = ["a", "b", "c", "d", "e", "f", "g"]
            .map(str::to_owned)
            .into();
        assert_eq!(list(&names[..0], "none"), "none");
        assert_eq!(list(&names[..1], "none"), "a");
        assert_eq!(list(&names[..3], "none"), "a, b and c");
        assert_eq!(list(&names, "none"), "a, b, c, d, e and 2 more");
    }
}
