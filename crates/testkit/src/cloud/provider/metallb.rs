//! MetalLB: a pool decides, and an annotation may choose the pool "public" or "private".

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic, from_pool};

pub(super) const CLOUD: Cloud = Cloud {
    name: "MetalLB",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let prefixes = ["metallb.io", "metallb.universe.tf"];
    let named = |pool: &str| {
        let is = |prefix: &str| seen.is(&format!("{prefix}/address-pool"), pool);
        prefixes.iter().any(|prefix| is(prefix))
    };
    let chosen = Seen {
        public_pool: named("public") || (seen.public_pool && !named("private")),
        ..seen.clone()
    };
    Ok(from_pool(
        &chosen,
        &[
            "metallb.io/loadBalancerIPs",
            "metallb.universe.tf/loadBalancerIPs",
        ],
    ))
}
