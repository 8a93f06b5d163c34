//! Huawei's CCE: a field of a JSON text chooses; without that text, or a load balancer that is there, nothing is made.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "Huawei",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let own = |key: &str| format!("kubernetes.io/elb.{key}");
    let Some(text) = seen.text(&own("autocreate")) else {
        return Err("neither elb.id nor elb.autocreate is set".to_owned());
    };
    let made: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let internal = match made.get("type").and_then(serde_json::Value::as_str) {
        Some("inner") => true,
        Some("public") => false,
        _ => return Err("elb.autocreate has no type".to_owned()),
    };
    Ok(Wish {
        keep: seen.exactly(&own("keep-eip")),
        ..Wish::new(internal)
    })
}
