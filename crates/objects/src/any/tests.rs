//! Objects of each kind, read by their apiVersion and kind.

use super::Any;

fn read(yaml: &str) -> Any {
    let head: serde_json::Value = serde_saphyr::from_str(yaml).unwrap();
    let (api_version, kind) = (&head["apiVersion"], &head["kind"]);
    Any::deserialize(
        api_version.as_str().unwrap(),
        kind.as_str().unwrap(),
        head.clone(),
    )
    .expect("the kind is known")
    .unwrap()
}
