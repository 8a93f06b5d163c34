//! `RequestMirror`: which requests are copied.
//!
//! A copy is the request as it would be sent to the rule's own backend, header modifiers and rewrites
//! included; nothing marks it. Its body and its way are `http::replay`'s and `upstream::mirror`'s.

use daemun_model::filter::mirror::Share;

/// Whether a request is copied; `random` is any 64 random bits.
#[inline]
pub(crate) fn chosen(share: Share, random: u64) -> bool {
    let Share {
        numerator,
        denominator,
    } = share;
    let drawn = (u128::from(random) * u128::from(denominator)) >> 64;
    drawn < u128::from(numerator)
}

#[cfg(test)]
mod tests {
    use daemun_model::filter::mirror::Share;

    #[test]
    fn shares_are_met_at_their_ends_and_between() {
        for (numerator, denominator, chosen) in [
            (1, 1, 1000),
            (0, 100, 0),
            (0, 1, 0),
            (50, 100, 500),
            (1, 3, 333),
            (5, 1, 1000),
            (1, 1000, 1),
        ] {
            let share = Share {
                numerator,
                denominator,
            };
            let step = u64::MAX / 1000;
            let count = (0..1000u64)
                .filter(|part| super::chosen(share, part * step))
                .count();
            assert!(count.abs_diff(chosen) <= 1, "{share:?}: {count}");
        }
        assert!(super::chosen(Share::ALL, u64::MAX));
        assert!(!super::chosen(
            Share {
                numerator: 99,
                denominator: 100
            },
            u64::MAX
        ));
    }
}
