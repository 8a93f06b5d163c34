//! cloud-provider-kind: a proxy with an address of the containers' network.

use super::{Change, Cloud, Seen, Shows, Wish, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Kind",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Proxy,
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    Ok(from_pool(seen, &[]))
}
