//! K3s' ServiceLB: the nodes' addresses are the Service's.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "K3s",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    Ok(from_pool(seen, &[]))
}
