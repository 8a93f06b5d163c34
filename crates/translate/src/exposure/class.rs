//! What kind of address something is reached by, and so who can reach it: by its range, corrected by what an operator
//! says about the network at hand.

use std::collections::BTreeSet;
use std::net::IpAddr;

pub use daemun_model::address::{AddressClass, Side};
use ipnet::IpNet;

use crate::cluster::Settings;

/// The class of an address. What an operator says of a range goes before; of two ranges the narrower counts, and of
/// two that are equal the public one.
pub fn class_of(address: IpAddr, private: &[IpNet], public: &[IpNet]) -> AddressClass {
    let address = address.to_canonical();
    let narrowest = |ranges: &[IpNet]| {
        let around = ranges.iter().filter(|range| range.contains(&address));
        around.map(IpNet::prefix_len).max()
    };
    match (narrowest(private), narrowest(public)) {
        (Some(private), public) if public.is_none_or(|public| private > public) => {
            AddressClass::Private
        }
        (_, Some(_)) => AddressClass::Public,
        (_, None) => AddressClass::of(address),
    }
}

/// The class of an address, as the operator of this cluster knows the network.
pub(crate) fn class_in(settings: &Settings, address: IpAddr) -> AddressClass {
    class_of(address, &settings.private_ranges, &settings.public_ranges)
}

/// The class of several addresses, in a word; none if there are none.
pub(crate) fn in_a_word(classes: &BTreeSet<AddressClass>) -> Option<&'static str> {
    let has = |side: &Side| classes.iter().any(|class| class.side() == *side);
    let sides = [Side::Inside, Side::Neither, Side::Outside];
    let sides = sides.iter().filter(|side| has(side)).count();
    let last = classes.last()?;
    Some(if sides > 1 { "Mixed" } else { last.as_str() })
}

#[cfg(test)]
mod tests {
    use super::class_of;

    #[test]
    fn an_operator_knows_the_network_better_the_narrower_range_counts_and_public_wins_ties() {
        let class = |address: &str, private: &[&str], public: &[&str]| {
            let ranges = |texts: &[&str]| -> Vec<_> {
                texts.iter().map(|text| text.parse().unwrap()).collect()
            };
            let address = address.parse().unwrap();
            class_of(address, &ranges(private), &ranges(public)).as_str()
        };
        assert_eq!(class("8.8.8.8", &["8.0.0.0/8"], &[]), "Private");
        assert_eq!(class("10.1.0.1", &[], &["10.1.0.0/16"]), "Public");
        let narrower = class("8.8.8.8", &["8.8.0.0/16"], &["8.0.0.0/8"]);
        assert_eq!(narrower, "Private");
        let wider = class("8.8.8.8", &["8.0.0.0/8"], &["8.8.0.0/16"]);
        assert_eq!(wider, "Public");
        assert_eq!(class("8.8.8.8", &["8.0.0.0/8"], &["8.0.0.0/8"]), "Public");
        assert_eq!(class("10.0.0.1", &["8.0.0.0/8"], &["9.0.0.0/8"]), "Private");
    }
}
