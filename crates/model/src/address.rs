//! What kind of address something has, by the ranges that RFC 6890 and its relatives set apart: who can have a way to
//! it, and whether it leads out of the host that asks for it.
//!
//! What an operator knows better about the network at hand is no business of this file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The class of an address; in the order in which who names one class prefers them.
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
    /// For documents (RFC 5737, RFC 3849, RFC 9637).
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
    /// The class of an address. An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => v4(address),
            IpAddr::V6(address) => v6(address),
        }
    }

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

/// Whether an address leads out of the host that connects to it, and over its link: it is none of loopback, of one
/// link, of many hosts at once, or of none.
pub fn leads_out(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let is_for_none = match address {
        // This network and this host on it (RFC 6890), and everybody on the link.
        IpAddr::V4(address) => address.octets()[0] == 0 || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unspecified(),
    };
    let class = AddressClass::of(address);
    !(is_for_none
        || address.is_multicast()
        || matches!(class, AddressClass::Loopback | AddressClass::LinkLocal))
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
    let [first, second, third, ..] = address.segments();
    let is_global_unicast = first & 0xe000 == 0x2000;
    // What is translated to IPv4 (RFC 6052) can be routed, too.
    let is_translated = address.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    if address.is_unique_local() {
        AddressClass::UniqueLocal
    } else if address.is_unicast_link_local() {
        AddressClass::LinkLocal
    } else if address.is_loopback() {
        AddressClass::Loopback
    } else if (first, second) == (0x2001, 0xdb8) || (first == 0x3fff && second < 0x1000) {
        AddressClass::Documentation
    } else if (first, second, third) == (0x2001, 2, 0) {
        AddressClass::Benchmark
    } else if first == 0x2001 && (1..0x200).contains(&second) {
        // Of 2001::/23, which is for protocols, only Teredo has a way in.
        AddressClass::Reserved
    } else if is_global_unicast || is_translated {
        AddressClass::Public
    } else {
        AddressClass::Reserved
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressClass, Side, leads_out};

    #[test]
    fn every_class_is_on_one_side() {
        let side = |address: &str| AddressClass::of(address.parse().unwrap()).side();
        for inside in ["10.0.0.1", "100.64.0.1", "fd00::1", "fe80::1", "127.0.0.1"] {
            assert_eq!(side(inside), Side::Inside, "{inside}");
        }
        for neither in ["192.0.2.1", "198.18.0.1", "240.0.0.1", "2001:db8::1"] {
            assert_eq!(side(neither), Side::Neither, "{neither}");
        }
        for outside in ["8.8.8.8", "2606:4700::1111", "64:ff9b::a00:1"] {
            assert_eq!(side(outside), Side::Outside, "{outside}");
        }
    }

    #[test]
    fn ranges_say_who_can_reach_an_address_and_whether_it_leads_out() {
        use AddressClass::{
            Benchmark, Documentation, LinkLocal, Loopback, Private, Public, Reserved, SharedRange,
            UniqueLocal,
        };
        for (address, class, out) in [
            ("1.0.0.0", Public, true),
            ("8.8.8.8", Public, true),
            ("9.255.255.255", Public, true),
            ("10.255.255.255", Private, true),
            ("11.0.0.0", Public, true),
            ("172.15.255.255", Public, true),
            ("172.31.255.255", Private, true),
            ("192.167.255.255", Public, true),
            ("192.169.0.0", Public, true),
            ("100.127.255.255", SharedRange, true),
            ("::ffff:100.64.0.1", SharedRange, true),
            ("192.0.1.0", Public, true),
            ("198.51.100.1", Documentation, true),
            ("198.17.255.255", Public, true),
            ("223.255.255.255", Public, true),
            ("fc00::1", UniqueLocal, true),
            ("fdff:ffff::1", UniqueLocal, true),
            ("fec0::1", Reserved, true),
            ("::10.0.0.1", Reserved, true),
            ("100::1", Reserved, true),
            ("3fff:1000::1", Public, true),
            ("64:ff9b:1::1", Reserved, true),
            ("::ffff:8.8.8.8", Public, true),
            ("10.0.0.1", Private, true),
            ("172.16.0.1", Private, true),
            ("172.32.0.1", Public, true),
            ("192.168.255.255", Private, true),
            ("::ffff:192.168.0.1", Private, true),
            ("100.63.255.255", Public, true),
            ("100.64.0.1", SharedRange, true),
            ("100.128.0.0", Public, true),
            ("169.254.169.254", LinkLocal, false),
            ("127.0.0.1", Loopback, false),
            ("127.255.0.1", Loopback, false),
            ("::ffff:127.0.0.1", Loopback, false),
            ("192.0.0.8", Reserved, true),
            ("192.0.2.1", Documentation, true),
            ("203.0.113.9", Documentation, true),
            ("198.18.0.1", Benchmark, true),
            ("198.19.255.255", Benchmark, true),
            ("198.20.0.0", Public, true),
            ("0.0.0.0", Reserved, false),
            ("0.1.2.3", Reserved, false),
            ("224.0.0.1", Reserved, false),
            // Nobody's, and yet some clusters have their pods there.
            ("240.0.0.1", Reserved, true),
            ("255.255.255.255", Reserved, false),
            ("::", Reserved, false),
            ("::1", Loopback, false),
            ("fd00::1", UniqueLocal, true),
            ("fe80::1", LinkLocal, false),
            ("ff02::1", Reserved, false),
            ("2001:db8::1", Documentation, true),
            ("3fff::1", Documentation, true),
            ("2001::1", Public, true),
            ("2001:2::1", Benchmark, true),
            ("2001:20::1", Reserved, true),
            ("2002:808:808::1", Public, true),
            ("2606:4700::1111", Public, true),
            ("64:ff9b::a00:1", Public, true),
            ("4000::1", Reserved, true),
        ] {
            let parsed = address.parse().unwrap();
            assert_eq!(AddressClass::of(parsed), class, "{address}");
            assert_eq!(leads_out(parsed), out, "{address}");
        }
    }
}
