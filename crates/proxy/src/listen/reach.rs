//! Whether an address that is bound can be reached from the public internet, as far as the address
//! itself tells: for the list that is printed. What a firewall or a router in front does is not seen.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The public addresses behind a bound one: itself, or for "all addresses" those of this host.
pub(crate) fn public_addresses(bound: IpAddr) -> Vec<IpAddr> {
    if !bound.is_unspecified() {
        return vec![bound]
            .into_iter()
            .filter(|address| is_public(*address))
            .collect();
    }
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let version_4 = local_v4(&read("/proc/net/fib_trie"))
        .into_iter()
        .map(IpAddr::V4);
    let version_6 = local_v6(&read("/proc/net/if_inet6"))
        .into_iter()
        .map(IpAddr::V6);
    let of_host = version_4.chain(version_6.filter(|_| bound.is_ipv6()));
    let mut public: Vec<_> = of_host.filter(|address| is_public(*address)).collect();
    public.sort_unstable();
    public.dedup();
    public
}

/// Whether an address is one of the public internet (IANA special-purpose registries).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [one, two, three, _] = address.octets();
    let shared = one == 100 && (64..128).contains(&two);
    let benchmark = one == 198 && (two == 18 || two == 19);
    let protocols = (one, two, three) == (192, 0, 0);
    let special = one == 0 || one >= 240 || shared || benchmark || protocols;
    !(special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let global_unicast = first & 0xe000 == 0x2000;
    let documentation = (first, second) == (0x2001, 0x0db8) || first == 0x3fff && second < 0x1000;
    // Teredo and 6to4 are reachable; the rest of 2001::/23 is for protocols.
    let protocols = first == 0x2001 && second != 0 && second < 0x200;
    global_unicast && !documentation && !protocols
}

/// The host's own IPv4 addresses, from the kernel's routing table.
fn local_v4(fib_trie: &str) -> Vec<Ipv4Addr> {
    let mut last: Option<Ipv4Addr> = None;
    let mut found = Vec::new();
    for line in fib_trie.lines() {
        let line = line.trim_start();
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse().ok();
        } else if line == "/32 host LOCAL" {
            found.extend(last);
        }
    }
    found
}

/// The host's own IPv6 addresses.
fn local_v6(if_inet6: &str) -> Vec<Ipv6Addr> {
    let first_words = if_inet6
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    first_words
        .filter_map(|hex| u128::from_str_radix(hex, 16).ok().map(Ipv6Addr::from))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{is_public, local_v4, local_v6, public_addresses};

    #[test]
    fn public_is_what_the_internet_routes() {
        for (address, public) in [
            ("8.8.8.8", true),
            ("133.186.200.4", true),
            ("10.0.0.1", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("127.0.0.1", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("169.254.1.1", false),
            ("198.51.100.1", false),
            ("198.18.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("224.0.0.1", false),
            ("::1", false),
            ("::ffff:8.8.8.8", true),
            ("::ffff:10.0.0.1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("2001:db8::1", false),
            ("2606:4700::1111", true),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn the_hosts_addresses_are_read_from_the_kernels_tables() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     \
                    |-- 133.186.200.4\n        /32 host LOCAL\n     |-- 133.186.200.255\n        /32 link BROADCAST\n";
        assert_eq!(
            local_v4(trie),
            ["133.186.200.4".parse::<std::net::Ipv4Addr>().unwrap()]
        );
        let table = "00000000000000000000000000000001 01 80 10 80       lo\n";
        assert_eq!(local_v6(table), [std::net::Ipv6Addr::LOCALHOST]);
    }

    #[test]
    fn a_private_address_hides_nothing() {
        assert!(public_addresses("127.0.0.1".parse().unwrap()).is_empty());
        let public = "8.8.8.8".parse().unwrap();
        assert_eq!(public_addresses(public), [public]);
    }
}
