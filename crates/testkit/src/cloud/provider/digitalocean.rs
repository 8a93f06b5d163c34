//! DigitalOcean: a word chooses.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic, Written};

pub(super) const CLOUD: Cloud = Cloud {
    name: "DigitalOcean",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[("kubernetes.digitalocean.com/load-balancer-id", Written::Id)],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let own = |key: &str| format!("service.beta.kubernetes.io/do-loadbalancer-{key}");
    let internal = seen.is(&own("network"), "INTERNAL");
    let address = seen.text(&own("ip")).filter(|_| !internal);
    // Where packets pass through, no header can be put before them.
    let proxies = seen.is(&own("type"), "REGIONAL");
    Ok(Wish {
        address: address.map(str::to_owned),
        proxy: (proxies && seen.exactly(&own("enable-proxy-protocol"))).then_some(1),
        ..Wish::new(internal)
    })
}
