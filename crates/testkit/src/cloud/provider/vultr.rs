//! Vultr: always public, also with a VPC.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Vultr",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let proxy = seen.exactly("service.beta.kubernetes.io/vultr-loadbalancer-proxy-protocol");
    Ok(Wish {
        // Of which version the header is, no source says; it is played as the first.
        proxy: proxy.then_some(1),
        ..Wish::new(false)
    })
}
