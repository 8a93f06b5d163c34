//! The controller's own objects: namespace, Deployment, the Service by which proxies find each replica, and how many
//! may be away at a time. No Service of type LoadBalancer is among them: those come with Gateways.

use daemun_controller::kubernetes::CONTROLLER;
use daemun_controller::provision::restricted::{self, HEALTH, NOBODY, WIRE};
use serde_json::{Value, json};

use super::Arguments;
use super::object::{NAME, cluster_wide, labels, object};

/// The namespace, with the restricted Pod Security Standard.
pub(super) fn namespace(arguments: &Arguments) -> Value {
    let mut namespace = cluster_wide("v1", "Namespace", &arguments.namespace, json!({}));
    namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = json!("restricted");
    namespace
}

/// Service, budget and Deployment.
pub(super) fn controller(arguments: &Arguments) -> Vec<Value> {
    vec![
        object(
            arguments,
            "v1",
            "Service",
            json!({
                "spec": {
                    // Headless: a proxy connects to every replica.
                    "clusterIP": "None",
                    "selector": labels(),
                    "ports": [{ "name": "wire", "port": WIRE, "targetPort": "wire", "protocol": "TCP" }],
                },
            }),
        ),
        object(
            arguments,
            "policy/v1",
            "PodDisruptionBudget",
            json!({
                "spec": {
                    "maxUnavailable": 1,
                    "selector": { "matchLabels": labels() },
                    "unhealthyPodEvictionPolicy": "AlwaysAllow",
                },
            }),
        ),
        object(
            arguments,
            "apps/v1",
            "Deployment",
            json!({
                "spec": {
                    "replicas": arguments.replicas,
                    "selector": { "matchLabels": labels() },
                    "strategy": {
                        "type": "RollingUpdate",
                        "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 },
                    },
                    "template": { "metadata": { "labels": labels() }, "spec": pod(arguments) },
                },
            }),
        ),
    ]
}

fn pod(arguments: &Arguments) -> Value {
    let mut pod = json!({
        "serviceAccountName": NAME,
        "enableServiceLinks": false,
        "securityContext": restricted::pod(Some((NOBODY, NOBODY))),
        "topologySpreadConstraints": [{
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": { "matchLabels": labels() },
        }],
        "containers": [container(arguments)],
    });
    if !arguments.pull_secret.is_empty() {
        let secrets = arguments.pull_secret.iter();
        pod["imagePullSecrets"] = secrets.map(|name| json!({ "name": name })).collect();
    }
    pod
}

fn container(arguments: &Arguments) -> Value {
    let of_pod = |name: &str, path: &str| json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": path } } });
    let mut container = json!({
        "name": "controller",
        "image": arguments.image,
        "args": options(arguments),
        "env": [of_pod("POD_NAME", "metadata.name"), of_pod("POD_NAMESPACE", "metadata.namespace")],
        "ports": [
            { "name": "wire", "containerPort": WIRE, "protocol": "TCP" },
            { "name": "health", "containerPort": HEALTH, "protocol": "TCP" },
        ],
        "readinessProbe": { "httpGet": { "path": "/readyz", "port": "health" }, "periodSeconds": 2 },
        "livenessProbe": restricted::liveness(),
        "resources": {
            "requests": { "cpu": "50m", "memory": "64Mi" },
            "limits": { "memory": "512Mi" },
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": restricted::container(),
    });
    if let Some(policy) = arguments.image_pull_policy {
        container["imagePullPolicy"] = json!(policy.as_str());
    }
    container
}

/// What the controller is told on its command line: nothing that is its default.
fn options(arguments: &Arguments) -> Vec<String> {
    let mut options = vec![
        "controller".to_owned(),
        format!("--proxy-image={}", arguments.image),
        "--log-format=json".to_owned(),
    ];
    if let Some(policy) = arguments.image_pull_policy {
        options.push(format!("--proxy-image-pull-policy={}", policy.as_str()));
    }
    let secrets = arguments.pull_secret.iter();
    options.extend(secrets.map(|name| format!("--proxy-pull-secret={name}")));
    if arguments.controller_name != CONTROLLER {
        options.push(format!("--controller-name={}", arguments.controller_name));
    }
    if !arguments.watch_namespace.is_empty() {
        let namespaces = arguments.watch_namespace.join(",");
        options.push(format!("--watch-namespaces={namespaces}"));
    }
    options.extend(arguments.options.iter().cloned());
    options
}
