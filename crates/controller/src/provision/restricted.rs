//! What the pods of proxies and of the controller have in common: the restricted Pod Security Standard, their ports, and
//! how it is asked whether they live.

use serde_json::{Value, json};

/// The port of health and metrics.
pub const HEALTH: u16 = 9901;
/// The port at which the controller is reached by proxies.
pub const WIRE: u16 = 9903;
/// User and group, where the cluster does not choose them: "nonroot" of distroless images.
pub const NOBODY: i64 = 65532;

/// The security context of a pod; user and group, if the cluster does not choose them.
pub fn pod(user_and_group: Option<(i64, i64)>) -> Value {
    let mut context = json!({
        "runAsNonRoot": true,
        "seccompProfile": { "type": "RuntimeDefault" },
    });
    if let Some((user, group)) = user_and_group {
        context["runAsUser"] = json!(user);
        context["runAsGroup"] = json!(group);
    }
    context
}

/// The security context of a container.
pub fn container() -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "runAsNonRoot": true,
        "capabilities": { "drop": ["ALL"] },
        "seccompProfile": { "type": "RuntimeDefault" },
    })
}

/// Whether a container lives; its port is named `health`.
pub fn liveness() -> Value {
    json!({
        "httpGet": { "path": "/healthz", "port": "health" },
        "periodSeconds": 10,
        "timeoutSeconds": 5,
        "failureThreshold": 6,
    })
}
