//! Addresses of both families: where a process listens at all of them, and there is no IPv6.

use std::net::{Ipv4Addr, SocketAddr};

/// All addresses of IPv4 alone, instead of all of both families.
pub fn only_v4(address: SocketAddr) -> Option<SocketAddr> {
    let all = address.is_ipv6() && address.ip().is_unspecified();
    all.then(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
}
