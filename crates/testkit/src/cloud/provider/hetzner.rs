//! Hetzner: a switch takes the public network away; a public one shows all its addresses. A place must be named.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic, Written};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Hetzner",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Mixed,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[
        ("load-balancer.hetzner.cloud/id", Written::Id),
        ("load-balancer.hetzner.cloud/ipv4", Written::Address),
    ],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let own = |key: &str| format!("load-balancer.hetzner.cloud/{key}");
    if !seen.any(&[&own("location"), &own("network-zone")]) {
        return Err("neither load-balancer.hetzner.cloud/location nor load-balancer.hetzner.cloud/network-zone set".to_owned());
    }
    let internal = seen.exactly(&own("disable-public-network"));
    let address = seen.text(&own("private-ipv4")).filter(|_| internal);
    let proxy = seen.exactly(&own("uses-proxyprotocol"));
    Ok(Wish {
        address: address.map(str::to_owned),
        proxy: proxy.then_some(1),
        as_proxy: proxy,
        ..Wish::new(internal)
    })
}
