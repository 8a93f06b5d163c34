//! NAVER Cloud's NKS: public unless internal is "true"; names that tell nothing.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "NAVER",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Hostname,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let own = |key: &str| format!("service.beta.kubernetes.io/ncloud-load-balancer-{key}");
    Ok(Wish {
        internal: seen.exactly(&own("internal")),
        address: seen.address.clone(),
        keep: seen.exactly(&own("retain-public-ip-on-termination")),
        // Of which version the header is, no source says; it is played as the first.
        proxy: seen.exactly(&own("proxy-protocol")).then_some(1),
        as_proxy: false,
    })
}
