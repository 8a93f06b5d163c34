//! The objects of the bench, as the API server takes them.

use serde_json::{Value, json};

/// The host of a route, by its number.
pub(super) fn host(number: usize) -> String {
    format!("r{number}.bench.test")
}

/// A Gateway for routes of its own namespace.
pub(super) fn gateway(class: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"name": "bench"},
        "spec": {
            "gatewayClassName": class,
            "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
        },
    })
}

/// An HTTPRoute of one rule. `revision` is told by a header that it adds to requests.
pub(super) fn route(number: usize, revision: usize) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": format!("r{number}")},
        "spec": {
            "parentRefs": [{"name": "bench"}],
            "hostnames": [host(number)],
            "rules": [{
                "filters": [{
                    "type": "RequestHeaderModifier",
                    "requestHeaderModifier": {"set": [{"name": "x-revision", "value": revision.to_string()}]},
                }],
                "backendRefs": [{"name": "backend", "port": 8080}],
            }],
        },
    })
}

/// Two pods that answer. They go on for as long as it takes proxies to hear that they are going.
pub(super) fn backend(image: &str) -> Value {
    let from = |field: &str| json!({"fieldRef": {"fieldPath": field}});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "backend"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "backend"}},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": {"app": "backend"}},
                "spec": {
                    "terminationGracePeriodSeconds": 5,
                    "containers": [{
                        "name": "backend", "image": image,
                        "env": [
                            {"name": "POD_NAME", "valueFrom": from("metadata.name")},
                            {"name": "NAMESPACE", "valueFrom": from("metadata.namespace")},
                        ],
                        "resources": {"requests": {"cpu": "10m"}},
                        "readinessProbe": {"httpGet": {"path": "/", "port": 3000}, "periodSeconds": 1},
                        "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
                    }],
                },
            },
        },
    })
}

/// The Service of those pods.
pub(super) fn service() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "backend"},
        "spec": {
            "selector": {"app": "backend"},
            "ports": [{"port": 8080, "targetPort": 3000}],
        },
    })
}
