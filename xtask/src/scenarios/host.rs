//! Ports of the nodes: a Gateway that has port 80 of the lab's node, and another one that wants it.

use std::net::SocketAddr;

use super::stage::Stage;
use crate::lab::kubectl::Kubectl;
use crate::lab::playground::{Playground, until};

/// The label without which nothing is made.
const LABEL: &str = "pod-security.kubernetes.io/enforce";
/// What is made around the Gateway.
const MADE: &[&str] = &[
    "get",
    "deployments,daemonsets,services,pods",
    "-l",
    "gateway.networking.k8s.io/gateway-name=play",
    "-o",
    "name",
];

/// Makes both, one after the other, and lets the second one have the port in the end.
pub(super) fn ports(stage: &Stage<'_>) -> Result<(), String> {
    let one = with_port(stage.kubectl, "daemun-host")?;
    let done = first(stage, &one).and_then(|node| {
        let other = with_port(stage.kubectl, "daemun-host-other")?;
        let done = allow(&other).and_then(|()| second(&one, &other, node));
        other.delete().and(done)
    });
    one.delete().and(done)
}

/// A Gateway that asks for port 80 of the nodes.
fn with_port<'a>(kubectl: &'a Kubectl, name: &'static str) -> Result<Playground<'a>, String> {
    Playground::changed(kubectl, name, |objects| {
        let exposure = "spec:\n  exposure: {reach: Node, hostPorts: [{port: 80}]}\n  pod:";
        objects.replacen("spec:\n  pod:", exposure, 1)
    })
}

fn allow(playground: &Playground<'_>) -> Result<(), String> {
    let label = format!("{LABEL}=privileged");
    let name = playground.name();
    playground
        .kubectl(&["label", "namespace", name, &label])
        .map(drop)
}

/// It is refused without the label, and serves with it.
fn first(stage: &Stage<'_>, one: &Playground<'_>) -> Result<SocketAddr, String> {
    says(one, "Accepted", LABEL)?;
    let made = one.kubectl(MADE)?;
    if !made.trim().is_empty() {
        return Err(format!("Without the label there is {made}"));
    }
    allow(one)?;
    let address = one.address()?;
    let node = "jsonpath={.items[0].status.addresses[?(@.type==\"InternalIP\")].address}";
    let node = stage.kubectl.output(&["get", "nodes", "-o", node])?;
    if address.ip().to_string() != node {
        return Err(format!(
            "It is reached at {address}, and the node at {node}."
        ));
    }
    one.answers(address, "/", 200)?;
    another_listener_replaces_nothing(one)?;
    one.answers(address, "/", 200)?;
    Ok(address)
}

/// A listener at a port that is not listed is refused, and the proxies stay.
fn another_listener_replaces_nothing(one: &Playground<'_>) -> Result<(), String> {
    let before = one.kubectl(MADE)?;
    let patch = r#"[{"op": "add", "path": "/spec/listeners/-", "value": {"name": "more", "port": 8081, "protocol": "HTTP"}}]"#;
    one.kubectl(&["patch", "gateway", "play", "--type=json", "-p", patch])?;
    let reason = "jsonpath={.status.listeners[?(@.name==\"more\")].conditions[?(@.type==\"Accepted\")].reason}";
    until("the other listener is refused", || {
        match one
            .kubectl(&["get", "gateway", "play", "-o", reason])?
            .as_str()
        {
            "PortUnavailable" => Ok(()),
            other => Err(format!("it says: {other}")),
        }
    })?;
    let after = one.kubectl(MADE)?;
    if before != after {
        return Err(format!("What was {before} is now {after}"));
    }
    Ok(())
}

/// It is told who has the port, and gets it when that one is gone.
fn second(one: &Playground<'_>, other: &Playground<'_>, node: SocketAddr) -> Result<(), String> {
    let holder = format!("taken by Gateway {}/play", one.name());
    says(other, "Programmed", &holder)?;
    one.answers(node, "/", 200)?;
    one.delete_gateway()?;
    let address = other.address()?;
    if address != node {
        return Err(format!("It is reached at {address}, and not at {node}."));
    }
    other.answers(address, "/", 200)
}

/// Waits until a condition of the Gateway says something.
fn says(playground: &Playground<'_>, condition: &str, said: &str) -> Result<(), String> {
    let message = format!("jsonpath={{.status.conditions[?(@.type==\"{condition}\")].message}}");
    until(&format!("the Gateway says: {said}"), || {
        let message = playground.kubectl(&["get", "gateway", "play", "-o", &message])?;
        if message.contains(said) {
            return Ok(());
        }
        Err(format!("{condition} says: {message}"))
    })
}
