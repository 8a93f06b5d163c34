//! K3s' ServiceLB: the nodes' addresses are the Service's.

use super::{Change, Cloud, Seen, Shows, Wish, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "K3s",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    Ok(from_pool(seen, &[]))
}
