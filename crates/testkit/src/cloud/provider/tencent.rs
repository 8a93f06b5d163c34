//! Tencent's TKE: a subnet's id makes it private.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic, Written};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Tencent",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[("service.kubernetes.io/loadbalance-id", Written::Id)],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let subnet = seen.text("service.kubernetes.io/qcloud-loadbalancer-internal-subnetid");
    Ok(Wish::new(subnet.is_some()))
}
