//! The shortest way through Daemun in Kubernetes: install, Gateway and route, a request from outside, a change,
//! and nothing left behind.
//!
//! It stops at the first thing that is not as it should be. Where Daemun was installed before, it stays.

use super::install::{self, NAMESPACE};
use super::kubectl::Kubectl;
use super::playground::Playground;
use super::quickstart;

/// Plays it through.
pub(crate) fn run(kubectl: &Kubectl, profile: &str, image: &str) -> Result<(), String> {
    let was_there = kubectl.output(&["get", "namespace", NAMESPACE]).is_ok();
    let before = cluster_wide(kubectl)?;
    install::install(kubectl, profile, image)?;
    let types = "jsonpath={.items[*].spec.type}";
    let services = kubectl.output(&["get", "services", "-A", "-o", types])?;
    if !was_there && services.contains("LoadBalancer") {
        return Err("Installing Daemun alone made a Service of type LoadBalancer.".to_owned());
    }
    let playground = Playground::make(kubectl, "daemun-smoke")?;
    let done = play(&playground);
    // What was made goes, whatever came of it.
    let gone = playground.delete();
    done?;
    gone?;
    quickstart::run(kubectl, image)?;
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

fn play(playground: &Playground<'_>) -> Result<(), String> {
    let address = playground.address()?;
    println!("The Gateway is programmed; its address is {address}.");
    playground.answers(address, "/first", 200)?;
    playground.answers(address, "/second", 404)?;
    playground.move_route("/second")?;
    playground.answers(address, "/second", 200)?;
    playground.answers(address, "/first", 404)?;
    println!("A request went through it, and through its route as it was changed to.");
    playground.delete_gateway()?;
    println!("With the Gateway went what was made for it.");
    Ok(())
}

/// The names of everything that is in no namespace and could be of an installation, and the namespaces.
fn cluster_wide(kubectl: &Kubectl) -> Result<Vec<String>, String> {
    let kinds = "namespaces,clusterroles,clusterrolebindings,customresourcedefinitions,gatewayclasses,\
                 validatingwebhookconfigurations,mutatingwebhookconfigurations,priorityclasses";
    let names = kubectl.output(&["get", kinds, "-o", "name"])?;
    Ok(names.lines().map(str::to_owned).collect())
}
