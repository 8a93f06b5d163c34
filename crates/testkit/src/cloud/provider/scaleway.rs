//! Scaleway: public unless the switch is "true".

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic, Written};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Scaleway",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[(
        "service.beta.kubernetes.io/scw-loadbalancer-id",
        Written::Id,
    )],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let own = |key: &str| format!("service.beta.kubernetes.io/scw-loadbalancer-{key}");
    let on = |key: &str| matches!(seen.text(&own(key)), Some("true" | "*"));
    let version = |(key, version): (&str, u8)| on(key).then_some(version);
    let versions = [("proxy-protocol-v1", 1), ("proxy-protocol-v2", 2)];
    Ok(Wish {
        proxy: versions.into_iter().find_map(version),
        ..Wish::new(seen.exactly(&own("private")))
    })
}
