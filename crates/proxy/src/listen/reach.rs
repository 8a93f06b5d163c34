//! Whether an address that is bound can be reached from the public internet, as far as the address
//! itself tells: for the list that is printed. What a firewall or a router in front does is not seen.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use daemun_model::address::AddressClass;

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

fn is_public(address: IpAddr) -> bool {
    AddressClass::of(address) == AddressClass::Public
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
    use super::{local_v4, local_v6, public_addresses};

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
