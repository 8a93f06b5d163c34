//! Proxies and controllers that are replaced as their owners wish: nobody may notice.

use super::stage::{self, Stage};
use crate::lab::build;
use crate::lab::install;
use crate::lab::playground::{Playground, until};

/// Rolls the proxies.
pub(super) fn proxies(stage: &Stage<'_>) -> Result<(), String> {
    let workload = workload_name(stage)?;
    let playground = &stage.playground;
    playground.kubectl(&["rollout", "restart", &workload])?;
    playground.kubectl(&["rollout", "status", &workload, "--timeout=120s"])?;
    stage.proxies_are(2)
}

/// More proxies, then fewer.
pub(super) fn scale(stage: &Stage<'_>) -> Result<(), String> {
    for replicas in [4, 2] {
        change_parameters(
            stage,
            &format!(r#"{{"spec": {{"workload": {{"replicas": {replicas}}}}}}}"#),
        )?;
        stage.proxies_are(replicas)?;
    }
    Ok(())
}

/// A DaemonSet in place of the Deployment, and back. The lab has one node, so it is one proxy in place of two.
pub(super) fn workload(stage: &Stage<'_>) -> Result<(), String> {
    for (kind, proxies) in [("DaemonSet", 1), ("Deployment", 2)] {
        change_parameters(
            stage,
            &format!(r#"{{"spec": {{"workload": {{"kind": "{kind}"}}}}}}"#),
        )?;
        stage.proxies_are(proxies)?;
        let workload = workload_name(stage)?;
        if !workload.starts_with(&kind.to_lowercase()) {
            return Err(format!("A {kind} was asked for, and there is {workload}."));
        }
    }
    Ok(())
}

/// Installs the same program under another name, which replaces the controller, and then the proxies.
pub(super) fn controller(stage: &Stage<'_>) -> Result<(), String> {
    for image in [build::other_name(&stage.image), stage.image.clone()] {
        install::install(stage.kubectl, build::PROFILE, &image)?;
        stage.controller_is_there()?;
        until("all proxies have the new image", || {
            let images = stage.proxies("{.spec.containers[0].image}")?;
            if images.len() == 2 && images.iter().all(|other| *other == image) {
                return Ok(());
            }
            Err(format!("they have {}", images.join(", ")))
        })?;
        stage.proxies_are(2)?;
    }
    Ok(())
}

/// Installs the controller with the rights for one namespace, then with those for all: what is elsewhere is left alone
/// until then.
pub(super) fn namespaced(stage: &Stage<'_>) -> Result<(), String> {
    let only = ["--watch-namespace", stage::NAME];
    install::install_with(stage.kubectl, build::PROFILE, &stage.image, &only)?;
    let may_elsewhere = stage.kubectl.output(&[
        "auth",
        "can-i",
        "list",
        "services",
        "-n",
        "default",
        "--as",
        &format!(
            "system:serviceaccount:{}:{}",
            install::NAMESPACE,
            install::NAME
        ),
    ]);
    if may_elsewhere.is_ok() {
        return Err("The controller still may list Services elsewhere.".to_owned());
    }
    // That it works there still is what makes the comparison worth something.
    stage.is_right_again()?;
    let elsewhere = Playground::make(stage.kubectl, "daemun-elsewhere")?;
    let done = left_alone(stage, &elsewhere)
        .and_then(|()| install::install(stage.kubectl, build::PROFILE, &stage.image))
        .and_then(|()| stage.controller_is_there())
        .and_then(|()| elsewhere.address().map(drop));
    elsewhere.delete()?;
    done
}

/// Sees that nobody cares for a Gateway while another one's change is live.
fn left_alone(stage: &Stage<'_>, elsewhere: &Playground<'_>) -> Result<(), String> {
    stage.is_right_again()?;
    let said = "jsonpath={.status.conditions[*].reason}";
    let said = elsewhere.kubectl(&["get", "gateway", "play", "-o", said])?;
    let services = elsewhere.kubectl(&[
        "get",
        "services",
        "-l",
        "gateway.networking.k8s.io/gateway-name=play",
        "-o",
        "name",
    ])?;
    // The CRD's own default stands there until a controller writes.
    if said.split(' ').all(|reason| reason == "Pending") && services.trim().is_empty() {
        return Ok(());
    }
    Err(format!(
        "A Gateway of another namespace was touched: {said} {services}"
    ))
}

fn change_parameters(stage: &Stage<'_>, patch: &str) -> Result<(), String> {
    let change = [
        "patch",
        "gatewayparameters",
        "play",
        "--type=merge",
        "-p",
        patch,
    ];
    stage.playground.kubectl(&change).map(drop)
}

/// The Gateway's workload, as `kind/name`.
fn workload_name(stage: &Stage<'_>) -> Result<String, String> {
    let selector = "gateway.networking.k8s.io/gateway-name=play";
    let kinds = "deployments,daemonsets";
    let names = stage
        .playground
        .kubectl(&["get", kinds, "-l", selector, "-o", "name"])?;
    match names.lines().collect::<Vec<_>>()[..] {
        [name] => Ok(name.replace(".apps", "")),
        _ => Err(format!(
            "The Gateway has not one workload, but: {}.",
            names.trim()
        )),
    }
}
