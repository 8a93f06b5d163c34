//! The proxies' pods. They meet the restricted Pod Security Standard, but for ports of the nodes where those are asked
//! for, and nothing in them depends on listeners or routes: a change of those replaces no pod.

use std::collections::BTreeMap;

use daemun_objects::own::pod::{EnvVar, PodSettings, Security};
use daemun_translate::infrastructure::parameters::Proxy;
use serde_json::{Value, json};

use super::super::AUDIENCE;
use super::super::restricted::{self, HEALTH, NOBODY};
use super::account::AUTHORITIES;
use super::service::named;
use super::{Annotations, Maker};

/// Where a proxy finds the authorities and its token.
const IDENTITY: &str = "/var/run/daemun/identity";
/// Where a proxy keeps what it was told last.
const STATE: &str = "/var/run/daemun/state";
/// Seconds between the end of draining and the kill.
const SPARE: u64 = 5;

/// The pod template.
pub(super) fn template(maker: &Maker<'_>, selector: &BTreeMap<String, String>) -> Value {
    let pod = &maker.wanted.parameters.pod;
    let proxy = &maker.wanted.parameters.proxy;
    let mut spec = json!({
        "serviceAccountName": maker.base,
        // The only token is the one for the controller.
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "securityContext": pod_security(pod.security.as_ref()),
        "terminationGracePeriodSeconds": proxy.drain_delay + proxy.drain_grace + SPARE,
        "containers": [container(maker)],
        "volumes": volumes(maker),
    });
    let PodSettings {
        image: _, // these are the container's
        image_pull_policy: _,
        resources: _,
        env: _,
        security: _,    // and above
        labels: _,      // and below
        annotations: _, // likewise
        image_pull_secrets,
        node_selector,
        tolerations,
        affinity,
        topology_spread_constraints,
        priority_class_name,
    } = pod;
    let secrets = image_pull_secrets.as_ref().map(|secrets| json!(secrets));
    let default_secrets: Vec<Value> = maker
        .settings
        .pull_secrets
        .iter()
        .map(|name| json!({ "name": name }))
        .collect();
    let secrets = secrets.unwrap_or_else(|| json!(default_secrets));
    let spread = topology_spread_constraints.as_ref();
    let spread = spread.map_or_else(
        || default_spread(selector),
        |spread| with_selector(json!(spread), selector),
    );
    for (field, value) in [
        ("imagePullSecrets", secrets),
        ("nodeSelector", json!(node_selector)),
        ("tolerations", json!(tolerations)),
        ("affinity", json!(affinity)),
        ("topologySpreadConstraints", spread),
        ("priorityClassName", json!(priority_class_name)),
    ] {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            spec[field] = value;
        }
    }
    json!({ "metadata": metadata(maker, selector), "spec": spec })
}

fn metadata(maker: &Maker<'_>, selector: &BTreeMap<String, String>) -> Value {
    let pod = &maker.wanted.parameters.pod;
    let mut labels = pod.labels.clone().unwrap_or_default();
    labels.extend(maker.labels());
    labels.extend(selector.clone());
    let mut own = pod.annotations.clone().unwrap_or_default();
    if maker.wanted.parameters.proxy.scrape_annotations {
        let port = HEALTH.to_string();
        let scrape = [("scrape", "true"), ("port", &port), ("path", "/metrics")];
        own.extend(scrape.map(|(key, value)| (format!("prometheus.io/{key}"), value.to_owned())));
    }
    json!({ "labels": labels, "annotations": maker.annotations(Annotations::under(&own)) })
}

fn pod_security(security: Option<&Security>) -> Value {
    let Security {
        run_as_user,
        run_as_group,
        assigned_by_cluster,
    } = security.cloned().unwrap_or_default();
    let (user, group) = (
        run_as_user.unwrap_or(NOBODY),
        run_as_group.unwrap_or(NOBODY),
    );
    if assigned_by_cluster.unwrap_or(false) {
        return restricted::pod(None);
    }
    let mut context = restricted::pod(Some((user, group)));
    // The token is readable for this group.
    context["fsGroup"] = json!(group);
    context
}

fn container(maker: &Maker<'_>) -> Value {
    let pod = &maker.wanted.parameters.pod;
    let mut container = json!({
        "name": "proxy",
        "image": pod.image.as_deref().unwrap_or(&maker.settings.image),
        "args": arguments(maker),
        "env": environment(pod),
        "ports": ports(maker),
        "resources": resources(pod),
        "readinessProbe": {
            "httpGet": { "path": "/readyz", "port": "health" },
            "periodSeconds": 1,
            "failureThreshold": 3,
        },
        "livenessProbe": restricted::liveness(),
        // So that kubectl describe says why a proxy does not start, to those who may read pods.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": restricted::container(),
        "volumeMounts": [
            { "name": "identity", "mountPath": IDENTITY, "readOnly": true },
            { "name": "state", "mountPath": STATE },
        ],
    });
    // What holds for the common image need not hold for another one.
    let common = maker.settings.image_pull_policy.as_ref();
    let common = common.filter(|_| pod.image.is_none());
    if let Some(policy) = pod.image_pull_policy.as_ref().or(common) {
        container["imagePullPolicy"] = json!(policy);
    }
    container
}

/// The port of health, and those for which the nodes' ports are taken. Which others proxies bind follows from listeners,
/// and is nobody's business here.
fn ports(maker: &Maker<'_>) -> Vec<Value> {
    let health = json!({ "name": "health", "containerPort": HEALTH, "protocol": "TCP" });
    let host = maker.wanted.exposure.host_ports.iter().map(|port| {
        let (name, protocol) = named(port);
        json!({ "name": name, "containerPort": port.bind, "hostPort": port.port, "protocol": protocol })
    });
    [health].into_iter().chain(host).collect()
}

/// The variables that are written, and how soon the proxy's allocator gives memory back that it does not need any
/// more, in milliseconds: at once, since what thousands of Routes needed while they changed is not needed again.
fn environment(pod: &PodSettings) -> Vec<EnvVar> {
    const PURGE: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "0");
    let mut variables = pod.env.clone().unwrap_or_default();
    if variables.iter().all(|variable| variable.name != PURGE.0) {
        variables.push(EnvVar {
            name: PURGE.0.to_owned(),
            value: Some(PURGE.1.to_owned()),
            ..EnvVar::default()
        });
    }
    variables
}

/// What the proxy is told on its command line.
fn arguments(maker: &Maker<'_>) -> Vec<String> {
    let Proxy {
        workers,
        log_level,
        log_text,
        access_log,
        scrape_annotations: _, // is about annotations
        drain_delay,
        drain_grace,
    } = &maker.wanted.parameters.proxy;
    let mut arguments = vec!["proxy".to_owned()];
    let mut option = |name: &str, value: String| arguments.push(format!("--{name}={value}"));
    option("controller", maker.settings.wire.clone());
    option("ca-file", format!("{IDENTITY}/{AUTHORITIES}"));
    option("token-file", format!("{IDENTITY}/token"));
    option("state", STATE.to_owned());
    option("health", format!("[::]:{HEALTH}"));
    option("drain-delay", drain_delay.to_string());
    option("drain-grace", drain_grace.to_string());
    option(
        "log-format",
        if *log_text { "text" } else { "json" }.to_owned(),
    );
    if let Some(level) = log_level {
        option("log-level", level.clone());
    }
    if let Some(workers) = workers {
        option("workers", workers.to_string());
    }
    if let Some(access) = access_log {
        option("access-log", "-".to_owned());
        option("access-log-format", access.format.clone());
        if let Some(statuses) = &access.statuses {
            option("access-log-statuses", statuses.clone());
        }
        if let Some(one_in) = access.one_in {
            option("access-log-one-in", one_in.to_string());
        }
    }
    arguments
}

fn resources(pod: &PodSettings) -> Value {
    let written = pod.resources.clone().unwrap_or_default();
    let mut requests = json!({ "cpu": "100m", "memory": "64Mi" });
    if let (Some(all), Value::Object(own)) = (requests.as_object_mut(), json!(written.requests)) {
        all.extend(own);
    }
    let mut resources = json!({ "requests": requests });
    if let Some(limits) = &written.limits {
        resources["limits"] = json!(limits);
    }
    resources
}

fn volumes(maker: &Maker<'_>) -> Value {
    json!([
        {
            "name": "identity",
            "projected": {
                "defaultMode": 0o440,
                "sources": [
                    { "serviceAccountToken": { "audience": AUDIENCE, "expirationSeconds": 3600, "path": "token" } },
                    { "configMap": { "name": maker.base } },
                ],
            },
        },
        { "name": "state", "emptyDir": { "medium": "Memory", "sizeLimit": "128Mi" } },
    ])
}

/// Over nodes, then over zones, as far as possible.
fn default_spread(selector: &BTreeMap<String, String>) -> Value {
    let over = |topology: &str| {
        json!({
            "maxSkew": 1,
            "topologyKey": topology,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": { "matchLabels": selector },
        })
    };
    json!([
        over("kubernetes.io/hostname"),
        over("topology.kubernetes.io/zone")
    ])
}

/// Constraints without a selector are about the proxies of this Gateway.
fn with_selector(mut spread: Value, selector: &BTreeMap<String, String>) -> Value {
    for constraint in spread.as_array_mut().into_iter().flatten() {
        if constraint.get("labelSelector").is_none() {
            constraint["labelSelector"] = json!({ "matchLabels": selector });
        }
    }
    spread
}
