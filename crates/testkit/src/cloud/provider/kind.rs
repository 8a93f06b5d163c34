//! cloud-provider-kind: a proxy with an address of the containers' network.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Kind",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Proxy,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    Ok(from_pool(seen, &[]))
}
