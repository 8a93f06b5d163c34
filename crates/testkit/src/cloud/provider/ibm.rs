//! IBM: a word chooses, and what is shown is a name.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "IBM",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Hostname,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let own = |key: &str| format!("service.kubernetes.io/ibm-load-balancer-cloud-provider-{key}");
    Ok(Wish {
        address: seen.address.clone(),
        // Of which version the header is, no source says; it is played as the first.
        proxy: seen
            .is(&own("enable-features"), "proxy-protocol")
            .then_some(1),
        ..Wish::new(seen.is(&own("ip-type"), "private"))
    })
}
