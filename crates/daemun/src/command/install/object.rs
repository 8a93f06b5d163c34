//! What the installed objects have in common.

use serde_json::{Value, json};

use super::Arguments;

/// The name of the controller and of nearly all that belongs to it.
pub(super) const NAME: &str = "daemun-controller";

/// The namespace where it is installed if nothing else is said.
pub(super) const NAMESPACE: &str = "daemun-system";

/// The name of what is in no namespace: two installations in one cluster do not share their rights.
pub(super) fn cluster_name(arguments: &Arguments, name: &str) -> String {
    if arguments.namespace == NAMESPACE {
        name.to_owned()
    } else {
        format!("{name}-{}", arguments.namespace)
    }
}

/// An object of the controller's namespace.
pub(super) fn object(arguments: &Arguments, version: &str, kind: &str, rest: Value) -> Value {
    let mut object = cluster_wide(version, kind, NAME, rest);
    object["metadata"]["namespace"] = json!(arguments.namespace);
    object
}

/// An object without a namespace, or with one that is set afterwards.
pub(super) fn cluster_wide(version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({
        "apiVersion": version,
        "kind": kind,
        "metadata": { "name": name, "labels": labels() },
    });
    if let (Some(fields), Value::Object(rest)) = (object.as_object_mut(), rest) {
        fields.extend(rest);
    }
    object
}

/// The labels of everything.
pub(super) fn labels() -> Value {
    json!({ "app.kubernetes.io/name": "daemun", "app.kubernetes.io/component": "controller" })
}
