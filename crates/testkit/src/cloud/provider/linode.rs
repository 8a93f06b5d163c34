//! Linode: always public, unless the front end is in a VPC.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Linode",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let own = |key: &str| format!("service.beta.kubernetes.io/linode-loadbalancer-{key}");
    let internal = seen.any(&[
        &own("frontend-subnet-id"),
        &own("frontend-subnet-name"),
        &own("frontend-vpc-name"),
        &own("frontend-ipv4-range"),
    ]);
    let reserved = seen.text(&own("reserved-ipv4")).filter(|_| !internal);
    Ok(Wish {
        internal,
        address: reserved.map(str::to_owned),
        keep: seen.exactly(&own("retain-reserved-ipv4")),
        proxy: match seen.text(&own("default-proxy-protocol")) {
            Some("v1") => Some(1),
            Some("v2") => Some(2),
            _ => None,
        },
        as_proxy: false,
    })
}
