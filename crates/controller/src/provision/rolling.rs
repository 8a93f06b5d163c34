//! Who may replace its pods: a few Gateways at a time, and none of them keeps the others waiting.

use std::time::Duration;

/// A Gateway whose new pods are not ready after this long does not keep others waiting.
pub(super) const LONGEST: Duration = Duration::from_secs(600);

/// Whether one more Gateway of a namespace may begin. These are the namespaces of those that have begun; the last of
/// the places is for a namespace that has none.
pub(super) fn may_begin<'a>(
    places: usize,
    begun: impl Iterator<Item = &'a str>,
    namespace: &str,
) -> bool {
    let (mut all, mut own) = (0, 0);
    for of in begun {
        all += 1;
        own += usize::from(of == namespace);
    }
    let free = places.max(1).saturating_sub(all);
    free > 1 || (free == 1 && own == 0)
}

#[cfg(test)]
mod tests {
    use super::may_begin;

    #[test]
    fn the_last_place_is_for_a_namespace_that_has_none() {
        for (places, begun, expected) in [
            (3, &[][..], true),
            (3, &["a"], true),
            (3, &["a", "a"], false),
            (3, &["a", "b"], false),
            (3, &["b", "c"], true),
            (3, &["b", "c", "c"], false),
            (1, &[], true),
            (1, &["b"], false),
            (0, &[], true),
        ] {
            let may = may_begin(places, begun.iter().copied(), "a");
            assert_eq!(may, expected, "{places} places, {begun:?}");
        }
    }
}
