//! What breaks by itself: processes that die, and parts of the cluster that go away for a while.

use std::thread::sleep;
use std::time::Duration;

use super::stage::{self, Stage};
use crate::lab::playground::until;

/// Kills all replicas of the controller at once.
pub(super) fn controller(stage: &Stage<'_>) -> Result<(), String> {
    let selector = "app.kubernetes.io/name=daemun";
    stage.controller(&[
        "delete",
        "pods",
        "-l",
        selector,
        "--force",
        "--grace-period=0",
    ])?;
    stage.controller_is_there()
}

/// Kills the replica that leads, and sees another one lead.
pub(super) fn leader(stage: &Stage<'_>) -> Result<(), String> {
    let holder = || {
        stage.controller(&[
            "get",
            "lease",
            "-o",
            "jsonpath={.items[0].spec.holderIdentity}",
        ])
    };
    let leads = holder()?;
    let pods = stage.controller(&["get", "pods", "-o", "name"])?;
    let pod = pods
        .lines()
        .find(|pod| leads.contains(pod.trim_start_matches("pod/")))
        .ok_or(format!("{leads} leads, and is no pod."))?;
    stage.controller(&["delete", pod, "--force", "--grace-period=0"])?;
    until("another replica leads", || match holder()? {
        other if other != leads => Ok(()),
        _ => Err("the Lease has not changed hands".to_owned()),
    })?;
    stage.controller_is_there()
}

/// Takes the controller away and kills a proxy: it starts again with what it had.
pub(super) fn alone(stage: &Stage<'_>) -> Result<(), String> {
    let scale = |replicas: &str| {
        let replicas = format!("--replicas={replicas}");
        stage.controller(&["scale", "deployment/daemun-controller", &replicas])
    };
    scale("0")?;
    until("the controller is gone", || {
        match stage.controller(&["get", "pods", "-o", "name"])?.trim() {
            "" => Ok(()),
            left => Err(format!("there still is {left}")),
        }
    })?;
    let containers = stage.proxies("{.status.containerStatuses[0].containerID}")?;
    let restarts = stage.proxies("{.status.containerStatuses[0].restartCount}")?;
    for container in containers.iter().take(1) {
        stage.kill(container)?;
    }
    until("the proxy was started again", || {
        let now = stage.proxies("{.status.containerStatuses[0].restartCount}")?;
        if now == restarts {
            return Err("it was not".to_owned());
        }
        Ok(())
    })?;
    stage.proxies_are(2)?;
    stage.playground.answers(stage.address, "/", 200)?;
    scale("2")?;
    stage.controller_is_there()
}

/// Restarts containerd; what runs in containers goes on.
pub(super) fn containerd(stage: &Stage<'_>) -> Result<(), String> {
    stage.part("stop", "containerd")?;
    stage::pause();
    stage.part("start", "containerd")?;
    stage.node_is_ready()?;
    stage.proxies_are(2)
}

/// Takes the API server away for a while.
pub(super) fn api_server(stage: &Stage<'_>) -> Result<(), String> {
    stage.part("stop", "apiserver")?;
    sleep(stage.away);
    stage.part("start", "apiserver")?;
    until("the API server answers", || {
        stage.kubectl.output(&["get", "--raw", "/readyz"]).map(drop)
    })?;
    // The lab's kubelet does not find back by itself (README.md, Traps).
    stage.part("stop", "kubelet")?;
    stage.part("start", "kubelet")?;
    stage.node_is_ready()?;
    sleep(Duration::from_secs(5));
    stage.controller_is_there()
}
