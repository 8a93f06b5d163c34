//! Azure's AKS: the switch counts as "true" only, and may change while the load balancer lives.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "AKS",
    classes: &[],
    read,
    change: Change::Live,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let own = |key: &str| format!("service.beta.kubernetes.io/azure-load-balancer-{key}");
    let address = seen.text(&own("ipv4")).map(str::to_owned);
    Ok(Wish {
        address: address.or_else(|| seen.address.clone()),
        ..Wish::new(seen.exactly(&own("internal")))
    })
}
