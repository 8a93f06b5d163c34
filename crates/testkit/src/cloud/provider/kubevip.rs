//! kube-vip: ranges decide.

use super::{Change, Cloud, Seen, Shows, Wish, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "KubeVIP",
    classes: &["kube-vip.io/kube-vip-class"],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    if seen.is("kube-vip.io/ignore", "true") {
        return Err("kube-vip ignores the Service".to_owned());
    }
    Ok(from_pool(seen, &["kube-vip.io/loadbalancerIPs"]))
}
