//! Cilium's LB-IPAM: pools decide.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Cilium",
    classes: &["io.cilium/bgp-control-plane", "io.cilium/l2-announcer"],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    Ok(from_pool(seen, &["lbipam.cilium.io/ips"]))
}
