//! What kind of address something is reached by, and so who can reach it: by the ranges that RFC 6890 and its
//! relatives set apart, corrected by what an operator says about the network at hand.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The class of an address; in the order in which a condition that names one class prefers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressClass {
    /// For one host.
    Loopback,
    /// For one link.
    LinkLocal,
    /// For networks of one's own, in IPv6 (RFC 4193).
    UniqueLocal,
    /// For networks of one's own (RFC 1918).
    Private,
    /// Between a carrier and its customers (RFC 6598).
    SharedRange,
    /// For documents (RFC 5737, RFC 3849).
    Documentation,
    /// For measuring networks (RFC 2544, RFC 5180).
    Benchmark,
    /// For nothing yet, or for something else than hosts.
    Reserved,
    /// Routed on the internet, as far as its range says.
    Public,
}

/// On which side of a network's edge addresses of a class are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Nobody on the internet has a way to it.
    Inside,
    /// Somebody on the internet may.
    Outside,
    /// The range is for neither, so what it is used for is not known.
    Neither,
}

impl AddressClass {
    /// As conditions name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "Private",
            Self::SharedRange => "SharedRange",
            Self::UniqueLocal => "UniqueLocal",
            Self::LinkLocal => "LinkLocal",
            Self::Loopback => "Loopback",
            Self::Documentation => "Documentation",
            Self::Benchmark => "Benchmark",
            Self::Reserved => "Reserved",
            Self::Public => "Public",
        }
    }

    /// Whether somebody on the internet may have a way to it.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public)
    }

    /// On which side of the network's edge it is. A shared range is not for networks of one's own, but is not routed
    /// on the internet either.
    pub const fn side(self) -> Side {
        match self {
            Self::Private
            | Self::SharedRange
            | Self::UniqueLocal
            | Self::LinkLocal
            | Self::Loopback => Side::Inside,
            Self::Documentation | Self::Benchmark | Self::Reserved => Side::Neither,
            Self::Public => Side::Outside,
        }
    }
}

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
        (_, None) => match address {
            IpAddr::V4(address) => v4(address),
            IpAddr::V6(address) => v6(address),
        },
    }
}

fn v4(address: Ipv4Addr) -> AddressClass {
    let [first, second, third, _] = address.octets();
    if address.is_private() {
        AddressClass::Private
    } else if first == 100 && (64..128).contains(&second) {
        AddressClass::SharedRange
    } else if address.is_link_local() {
        AddressClass::LinkLocal
    } else if address.is_loopback() {
        AddressClass::Loopback
    } else if address.is_documentation() {
        AddressClass::Documentation
    } else if first == 198 && (18..20).contains(&second) {
        AddressClass::Benchmark
    } else if first == 0 || first >= 224 || (first, second, third) == (192, 0, 0) {
        AddressClass::Reserved
    } else {
        AddressClass::Public
    }
}

fn v6(address: Ipv6Addr) -> AddressClass {
    let [first, second, ..] = address.segments();
    if address.is_unique_local() {
        AddressClass::UniqueLocal
    } else if address.is_unicast_link_local() {
        AddressClass::LinkLocal
    } else if address.is_loopback() {
        AddressClass::Loopback
    } else if (first, second) == (0x2001, 0xdb8) || (first == 0x3fff && second < 0x1000) {
        AddressClass::Documentation
    } else if address.is_unspecified() || address.is_multicast() {
        AddressClass::Reserved
    } else {
        // What leads to IPv4 (64:ff9b::/96, 2002::/16) can be routed, too.
        AddressClass::Public
    }
}

#[cfg(test)]
mod tests {
    use super::class_of;

    #[test]
    fn ranges_say_who_can_reach_an_address() {
        for (address, class) in [
            ("10.0.0.1", "Private"),
            ("172.16.0.1", "Private"),
            ("172.32.0.1", "Public"),
            ("192.168.255.255", "Private"),
            ("::ffff:192.168.0.1", "Private"),
            ("100.64.0.1", "SharedRange"),
            ("100.63.255.255", "Public"),
            ("100.128.0.0", "Public"),
            ("169.254.1.1", "LinkLocal"),
            ("127.0.0.1", "Loopback"),
            ("192.0.2.1", "Documentation"),
            ("203.0.113.9", "Documentation"),
            ("198.18.0.1", "Benchmark"),
            ("198.19.255.255", "Benchmark"),
            ("198.20.0.0", "Public"),
            ("240.0.0.1", "Reserved"),
            ("0.0.0.0", "Reserved"),
            ("114.110.160.100", "Public"),
            ("fd00::1", "UniqueLocal"),
            ("fe80::1", "LinkLocal"),
            ("::1", "Loopback"),
            ("2001:db8::1", "Documentation"),
            ("2606:4700::1111", "Public"),
            ("64:ff9b::a00:1", "Public"),
            ("::ffff:8.8.8.8", "Public"),
        ] {
            let found = class_of(address.parse().unwrap(), &[], &[]);
            assert_eq!(found.as_str(), class, "{address}");
        }
    }

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
