//! Shares, as people write them.

/// A share as people write it: `50 %`, `33.3 %`.
pub(super) fn percent(part: u64, total: u64) -> String {
    if total == 0 {
        return "0 %".to_owned();
    }
    let tenths = (part * 1000 + total / 2) / total;
    match (tenths / 10, tenths % 10) {
        (0, 0) if part > 0 => "under 0.1 %".to_owned(),
        (whole, 0) => format!("{whole} %"),
        (whole, tenth) => format!("{whole}.{tenth} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn shares_are_rounded_to_tenths() {
        for (part, total, text) in [
            (1, 2, "50 %"),
            (1, 3, "33.3 %"),
            (2, 3, "66.7 %"),
            (0, 3, "0 %"),
            (3, 3, "100 %"),
            (1, 1_000_000, "under 0.1 %"),
            (0, 0, "0 %"),
        ] {
            assert_eq!(percent(part, total), text);
        }
    }
}
