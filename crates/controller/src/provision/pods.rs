//! What is wrong with the proxies' pods, in words: images that cannot be pulled, places that there are not, programs
//! that end.

use daemun_translate::infrastructure::Infrastructure;
use serde_json::Value;

use super::kinds::Kind;
use super::ports;
use super::seen::Seen;
use super::store::Around;
use super::waiter::{Waiter, Waiting};

/// The most characters of what somebody else said that are repeated.
const LONGEST: usize = 300;

/// What is wrong, as a sentence about the first pod of which something is.
pub(super) fn trouble(
    wanted: &Infrastructure,
    around: &Around,
    waiting: &Waiting,
) -> Option<String> {
    let namespace = &wanted.gateway.namespace;
    let of = |kind: Kind| {
        around
            .iter()
            .filter(move |((of, _), _)| *of == kind)
            .map(|(_, seen)| seen)
    };
    let pods: Vec<&Seen> = of(Kind::Pod).filter(|pod| !pod.is_going()).collect();
    let says = |pod: &Seen| waiting.get(&Waiter::Pod(pod.name().to_owned()));
    // A port is free when the pod that goes is gone.
    let makes_room = of(Kind::Pod).any(Seen::is_going);
    let wrong: Vec<String> = pods
        .iter()
        .filter(|pod| !(makes_room && lacks_port(pod) && says(pod).is_none()))
        .filter_map(|pod| of_pod(namespace, pod, says(pod).map(String::as_str)))
        .collect();
    let workloads = of(Kind::Deployment).chain(of(Kind::DaemonSet));
    let mut refused = workloads.filter_map(|workload| not_made(namespace, workload));
    match (wrong.first(), refused.next()) {
        (Some(first), _) if wrong.len() == 1 && pods.len() > 1 => {
            Some(format!("1 of {} pods: {first}", pods.len()))
        }
        (Some(first), _) if wrong.len() > 1 => Some(format!(
            "{} of {} pods do not run; the first: {first}",
            wrong.len(),
            pods.len()
        )),
        (Some(first), _) => Some(first.clone()),
        (None, refused) => refused,
    }
}

/// The first pod that waits for a port of a node, of which it is known who has it if of any.
pub(super) fn without_port(around: &Around) -> Option<&Seen> {
    let mut all = around.iter().filter(|((kind, _), _)| *kind == Kind::Pod);
    all.find_map(|(_, pod)| (!pod.is_going() && lacks_port(pod)).then_some(pod))
}

/// Whether a pod finds no node where a port that it takes is free.
fn lacks_port(pod: &Seen) -> bool {
    let message = condition(pod.list("/status/conditions"), "PodScheduled", "False");
    message.is_some_and(|message| ports::is_about(&message))
}

/// What is wrong with one pod, and what is known of who has its port.
fn of_pod(namespace: &str, pod: &Seen, port: Option<&str>) -> Option<String> {
    let name = format!("{namespace}/{}", pod.name());
    let conditions = pod.list("/status/conditions");
    if let Some(message) = condition(conditions, "PodScheduled", "False") {
        if ports::is_about(&message) {
            let why = port.map_or_else(
                || format!("{message} Take away who has it, or use another port."),
                str::to_owned,
            );
            return Some(format!(
                "Pod {name} has found no node where the ports that it takes are free (GatewayParameters: exposure.hostPorts): {why}"
            ));
        }
        return Some(format!(
            "Pod {name} has found no node: {message} Make room, or ask for less (GatewayParameters: pod.resources, pod.nodeSelector, pod.tolerations)."
        ));
    }
    let container = pod.list("/status/containerStatuses").first()?;
    let field = |pointer: &str| {
        let value = container.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default()
    };
    let waiting = sentence(field("/state/waiting/message"));
    let image = field("/image");
    match field("/state/waiting/reason") {
        "ErrImagePull"
        | "ImagePullBackOff"
        | "InvalidImageName"
        | "ErrImageNeverPull"
        | "RegistryUnavailable" => Some(format!(
            "The image {image} of Pod {name} cannot be pulled: {waiting} Check that it exists and that nodes reach its registry; for a private one name a Secret of namespace {namespace} in pod.imagePullSecrets of GatewayParameters."
        )),
        "CrashLoopBackOff"
        | "CreateContainerConfigError"
        | "CreateContainerError"
        | "RunContainerError" => {
            // What its program wrote is for those who may read its log.
            Some(format!(
                "Pod {name} does not stay up: {waiting} See kubectl logs -n {namespace} --previous {}.",
                pod.name()
            ))
        }
        _ => None,
    }
}

/// Why pods of a workload are not even made: a quota, an admission policy.
fn not_made(namespace: &str, workload: &Seen) -> Option<String> {
    let conditions = workload.list("/status/conditions");
    let message = condition(conditions, "ReplicaFailure", "True")?;
    Some(format!(
        "{} {namespace}/{} cannot make its pods: {message}",
        workload.kind.as_str(),
        workload.name()
    ))
}

/// The message of a condition that has this status.
fn condition(conditions: &[Value], kind: &str, status: &str) -> Option<String> {
    let field = |condition: &Value, name: &str| {
        let value = condition.get(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    conditions
        .iter()
        .find(|condition| field(condition, "type") == kind && field(condition, "status") == status)
        .map(|condition| sentence(&field(condition, "message")))
}

/// What somebody else said, on one line, not too long, and with a full stop.
pub(super) fn sentence(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut text: String = words.join(" ").chars().take(LONGEST).collect();
    if !text.is_empty() && !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{not_made, of_pod};
    use crate::provision::kinds::Kind;
    use crate::provision::seen::Seen;

    fn seen(kind: Kind, status: &Value) -> Seen {
        let object = json!({ "metadata": { "name": "shop-1" }, "status": status });
        Seen { kind, object }
    }

    #[test]
    fn pods_say_what_is_wrong_and_what_to_do() {
        let waiting = |reason: &str, message: &str| {
            json!({ "containerStatuses": [{
                "image": "example.com/daemun:1",
                "state": { "waiting": { "reason": reason, "message": message } },
                "lastState": { "terminated": { "message": "--workers: 0 is no number\n" } },
            }] })
        };
        let message = "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.";
        let portless = json!({ "conditions": [
            { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message },
        ] });
        let portless = seen(Kind::Pod, &portless);
        for (port, expected) in [
            (
                None,
                format!("{message} Take away who has it, or use another port."),
            ),
            (
                Some("TCP 80 of node n1 is taken by Pod a/b."),
                "TCP 80 of node n1 is taken by Pod a/b.".to_owned(),
            ),
        ] {
            let said = of_pod("infra", &portless, port).unwrap();
            let start = "Pod infra/shop-1 has found no node where the ports that it takes are free";
            assert!(
                said.starts_with(start) && said.ends_with(&expected),
                "{said}"
            );
        }
        for (status, expected) in [
            (json!({}), None),
            (waiting("ContainerCreating", ""), None),
            (
                waiting("ImagePullBackOff", "Back-off pulling image"),
                Some(
                    "The image example.com/daemun:1 of Pod infra/shop-1 cannot be pulled: Back-off pulling image. Check that it exists and that nodes reach its registry; for a private one name a Secret of namespace infra in pod.imagePullSecrets of GatewayParameters.",
                ),
            ),
            (
                waiting("CrashLoopBackOff", "back-off 10s"),
                Some(
                    "Pod infra/shop-1 does not stay up: back-off 10s. See kubectl logs -n infra --previous shop-1.",
                ),
            ),
            (
                json!({ "conditions": [{
                    "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 Insufficient cpu.",
                }] }),
                Some(
                    "Pod infra/shop-1 has found no node: 0/1 nodes are available: 1 Insufficient cpu. Make room, or ask for less (GatewayParameters: pod.resources, pod.nodeSelector, pod.tolerations).",
                ),
            ),
        ] {
            let said = of_pod("infra", &seen(Kind::Pod, &status), None);
            assert_eq!(said.as_deref(), expected);
        }
    }

    #[test]
    fn workloads_say_why_they_make_no_pods() {
        let status = json!({ "conditions": [{
            "type": "ReplicaFailure", "status": "True",
            "message": "pods \"shop-1\" is forbidden: exceeded quota",
        }] });
        let said = not_made("infra", &seen(Kind::Deployment, &status));
        let expected = "Deployment infra/shop-1 cannot make its pods: pods \"shop-1\" is forbidden: exceeded quota.";
        assert_eq!(said.as_deref(), Some(expected));
    }
}
