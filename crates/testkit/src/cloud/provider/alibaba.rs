//! Alibaba's ACK: a word chooses, and the older kind of load balancer refuses another word later.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Alibaba",
    classes: &[],
    read,
    change: Change::Refused("can not change LoadBalancer AddressType once created"),
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let own = |key: &str| format!("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-{key}");
    let internal = seen.is(&own("address-type"), "intranet");
    let address = seen.text(&own("ip")).filter(|_| internal);
    Ok(Wish {
        address: address.map(str::to_owned),
        proxy: seen.is(&own("proxy-protocol"), "on").then_some(2),
        ..Wish::new(internal)
    })
}
