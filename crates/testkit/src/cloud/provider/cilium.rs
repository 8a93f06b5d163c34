//! Cilium's LB-IPAM: pools decide.

use super::{Change, Cloud, Seen, Shows, Wish, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Cilium",
    classes: &["io.cilium/bgp-control-plane", "io.cilium/l2-announcer"],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    Ok(from_pool(seen, &["lbipam.cilium.io/ips"]))
}
