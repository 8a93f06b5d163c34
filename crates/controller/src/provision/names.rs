//! Names and labels of what is made. The Gateway API asks for `<gateway>-<class>` as the name, and for the Gateway's
//! name as the value of a label (GEP-1762); both are at most 63 characters long, and a Gateway's name up to 253.

pub(crate) use daemun_translate::infrastructure::GATEWAY_NAME;
pub(super) use daemun_translate::infrastructure::{
    CLASS_NAME, MANAGED_BY, MANAGER, OF_CONTROLLER, OF_GATEWAY, PART_NAME, PROXY,
};

/// The most characters of a label's value, and of a Service's name.
const LONGEST: usize = 63;
/// The characters of a hash.
const HASH: usize = 8;

/// The field manager that holds the number of pods until an autoscaler does.
pub(super) const SCALING: &str = "daemun-autoscaling";
/// Tells the pods of one kind of workload from those of the other.
pub(super) const WORKLOAD: &str = "gateway.daemun.dev/workload";
/// An annotation: the whole name of the Gateway's class.
pub(super) const OF_CLASS: &str = "gateway.daemun.dev/gateway-class";
/// An annotation: what was applied last, as a hash.
pub(super) const REVISION: &str = "gateway.daemun.dev/revision";

/// The name of what is made for a Gateway.
pub(super) fn base(gateway: &str, class: &str) -> String {
    service_name(&format!("{gateway}-{class}"))
}

/// The name of a Gateway's Service: the first has the common name, others a number.
pub(super) fn numbered(base: &str, number: usize) -> String {
    if number <= 1 {
        base.to_owned()
    } else {
        service_name(&format!("{base}-{number}"))
    }
}

/// A text as the value of a label: cut, with a hash, if it is too long.
pub(super) fn label(text: &str) -> String {
    cut(text, text)
}

/// A text as a Service's name, the strictest of names (RFC 1035): a letter first, no dots.
fn service_name(text: &str) -> String {
    let mut name: String = text.replace('.', "-");
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    if !starts_well {
        name.insert_str(0, "gw-");
    }
    if name == text && name.len() <= LONGEST {
        return name;
    }
    // Two texts must not become one name.
    let kept: String = name.chars().take(LONGEST - HASH - 1).collect();
    format!("{}-{}", kept.trim_end_matches('-'), hash(text))
}

fn cut(shown: &str, whole: &str) -> String {
    if shown.len() <= LONGEST {
        return shown.to_owned();
    }
    let kept: String = shown.chars().take(LONGEST - HASH - 1).collect();
    format!("{kept}-{}", hash(whole))
}

/// Eight hexadecimal digits of a text.
pub(super) fn hash(text: &str) -> String {
    let hash = fnv(text.as_bytes());
    format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}

/// FNV-1a, 64 bits: the same in every version of the program. It tells apart, and protects from nothing.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{base, label, numbered};

    #[test]
    fn names_fit_and_stay_apart() {
        assert_eq!(base("shop", "daemun"), "shop-daemun");
        assert_eq!(numbered("shop-daemun", 1), "shop-daemun");
        assert_eq!(numbered("shop-daemun", 2), "shop-daemun-2");
        let long = "a".repeat(253);
        let names: BTreeSet<String> = [
            base(&long, "daemun"),
            base(&format!("{}b", &long[1..]), "daemun"),
            base("shop.example", "daemun"),
            base("shop-example", "daemun"),
            base("7shop", "daemun"),
            base("gw-7shop", "daemun"),
            numbered(&base(&long, "daemun"), 2),
        ]
        .into();
        assert_eq!(names.len(), 7, "{names:?}");
        for name in names {
            assert!(name.len() <= 63, "{name}");
            assert!(name.starts_with(|first: char| first.is_ascii_lowercase()));
            assert!(!name.contains('.') && !name.ends_with('-'), "{name}");
        }
    }

    #[test]
    fn labels_are_whole_where_they_fit() {
        assert_eq!(label("shop.example"), "shop.example");
        assert_eq!(label(&"a".repeat(63)), "a".repeat(63));
        let long = label(&"a".repeat(64));
        assert_eq!(long.len(), 63);
        assert_ne!(long, label(&"a".repeat(65)));
    }
}
