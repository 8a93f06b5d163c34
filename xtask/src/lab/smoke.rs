//! The shortest way through Daemun in Kubernetes: install, Gateway and route, a request from outside, a change,
//! and nothing left behind.
//!
//! It stops at the first thing that is not as it should be. Where Daemun was installed before, it stays.

use std::net::{IpAddr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::install::{self, NAMESPACE};
use super::kubectl::Kubectl;
use super::place;
use crate::http;

/// Where it plays; the objects are in `lab/smoke.yaml`.
const PLAYGROUND: &str = "daemun-smoke";
const HOST: &str = "smoke.example.com";
/// As long as anything takes in a cluster that has much to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// Kinds that are made around a Gateway.
const MADE: &str = "deployments,daemonsets,services,serviceaccounts,poddisruptionbudgets,horizontalpodautoscalers,endpointslices,secrets,configmaps,pods";

/// Plays it through.
pub(crate) fn run(kubectl: &Kubectl, profile: &str, image: &str) -> Result<(), String> {
    let was_there = kubectl.output(&["get", "namespace", NAMESPACE]).is_ok();
    let before = cluster_wide(kubectl)?;
    install::install(kubectl, profile, image)?;
    let services = kubectl.output(&[
        "get",
        "services",
        "-A",
        "-o",
        "jsonpath={.items[*].spec.type}",
    ])?;
    if !was_there && services.contains("LoadBalancer") {
        return Err("Installing Daemun alone made a Service of type LoadBalancer.".to_owned());
    }
    let done = play(kubectl);
    // What was made goes, whatever came of it.
    let gone = kubectl.delete(&place::read("smoke.yaml".as_ref())?);
    done?;
    gone?;
    if was_there {
        return Ok(());
    }
    install::uninstall(kubectl, profile, image)?;
    let after = cluster_wide(kubectl)?;
    let left: Vec<&str> = after
        .iter()
        .filter(|it| !before.contains(it))
        .map(String::as_str)
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(format!("Uninstalling left behind: {}.", left.join(", ")))
}

fn play(kubectl: &Kubectl) -> Result<(), String> {
    kubectl.apply(&place::read("smoke.yaml".as_ref())?)?;
    let address = address(kubectl)?;
    println!("The Gateway is programmed; its address is {address}.");
    answers(address, "/first", 200)?;
    answers(address, "/second", 404)?;
    let patch =
        r#"[{"op": "replace", "path": "/spec/rules/0/matches/0/path/value", "value": "/second"}]"#;
    kubectl.output(&[
        "-n",
        PLAYGROUND,
        "patch",
        "httproute",
        "smoke",
        "--type=json",
        "-p",
        patch,
    ])?;
    answers(address, "/second", 200)?;
    answers(address, "/first", 404)?;
    println!("A request went through it, and through its route as it was changed to.");
    kubectl.output(&[
        "-n",
        PLAYGROUND,
        "delete",
        "gateway",
        "smoke",
        "--timeout=60s",
    ])?;
    let selector = "gateway.networking.k8s.io/gateway-name=smoke";
    until("nothing of the Gateway is left", || {
        let made =
            kubectl.output(&["-n", PLAYGROUND, "get", MADE, "-l", selector, "-o", "name"])?;
        if made.trim().is_empty() {
            return Ok(());
        }
        Err(format!(
            "there still is {}",
            made.trim().replace('\n', ", ")
        ))
    })?;
    println!("With the Gateway went what was made for it.");
    Ok(())
}

/// Waits until the Gateway serves, and tells where.
fn address(kubectl: &Kubectl) -> Result<SocketAddr, String> {
    let waited = kubectl.output(&[
        "-n",
        PLAYGROUND,
        "wait",
        "gateway/smoke",
        "--for=condition=Programmed",
        "--timeout=90s",
    ]);
    let address = "jsonpath={.status.addresses[0].value}";
    let address = kubectl.output(&["-n", PLAYGROUND, "get", "gateway", "smoke", "-o", address])?;
    if let Err(why) = waited {
        let said =
            kubectl.output(&["-n", PLAYGROUND, "get", "-o", "yaml", "gateways,httproutes"])?;
        return Err(format!("{why}\n{said}"));
    }
    let address: IpAddr = address
        .parse()
        .map_err(|_| format!("The Gateway's address is {address:?}, which is no IP address."))?;
    Ok((address, 80).into())
}

/// Waits until a path is answered so.
fn answers(address: SocketAddr, path: &str, status: u16) -> Result<(), String> {
    until(
        &format!("{path} is answered {status}"),
        || match http::get_from(address, HOST, path)? {
            (found, _) if found == status => Ok(()),
            (other, _) => Err(format!("{path} is answered {other}")),
        },
    )
}

/// Tries until something is so.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask does not run inside Daemun's clock"
)]
fn until(what: &str, mut is_so: impl FnMut() -> Result<(), String>) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    loop {
        match is_so() {
            Ok(()) => return Ok(()),
            Err(why) if Instant::now() >= end => {
                return Err(format!("It did not come to it that {what}: {why}."));
            }
            Err(_) => sleep(Duration::from_millis(100)),
        }
    }
}

/// The names of everything that is in no namespace and could be of an installation, and the namespaces.
fn cluster_wide(kubectl: &Kubectl) -> Result<Vec<String>, String> {
    let kinds = "namespaces,clusterroles,clusterrolebindings,customresourcedefinitions,gatewayclasses,\
                 validatingwebhookconfigurations,mutatingwebhookconfigurations,priorityclasses";
    let names = kubectl.output(&["get", kinds, "-o", "name"])?;
    Ok(names.lines().map(str::to_owned).collect())
}
