//! A maker of load balancers that reads no key.

use super::{Change, Cloud, Seen, Shows, Wish, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Generic",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    Ok(from_pool(seen, &[]))
}
