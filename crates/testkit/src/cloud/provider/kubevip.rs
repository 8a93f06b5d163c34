//! kube-vip: ranges decide.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "KubeVIP",
    classes: &["kube-vip.io/kube-vip-class"],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    if seen.is("kube-vip.io/ignore", "true") {
        return Err("kube-vip ignores the Service".to_owned());
    }
    Ok(from_pool(seen, &["kube-vip.io/loadbalancerIPs"]))
}
