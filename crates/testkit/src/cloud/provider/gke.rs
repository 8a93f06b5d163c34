//! Google's GKE: a class goes before the annotation, of which there is an old name and a new one.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "GKE",
    classes: &[
        "networking.gke.io/l4-regional-internal",
        "networking.gke.io/l4-regional-external",
        "networking.gke.io/l4-regional-internal-legacy",
        "networking.gke.io/l4-regional-external-legacy",
    ],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let keys = [
        "networking.gke.io/load-balancer-type",
        "cloud.google.com/load-balancer-type",
    ];
    let internal = match &seen.class {
        Some(class) => class.contains("internal"),
        None => keys.iter().any(|key| seen.is(key, "Internal")),
    };
    Ok(Wish {
        address: seen.address.clone(),
        ..Wish::new(internal)
    })
}
