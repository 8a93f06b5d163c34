//! A maker of load balancers that reads no key.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Generic",
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
