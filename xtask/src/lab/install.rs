//! Installs Daemun in a cluster, as its users do: with what `daemun install` prints.

use std::process::Command;

use super::build;
use super::kubectl::Kubectl;

/// Where the controller runs.
pub(crate) const NAMESPACE: &str = "daemun-system";

/// Installs Daemun with an image that the cluster's nodes have, and waits until the controller serves.
pub(crate) fn install(kubectl: &Kubectl, profile: &str, image: &str) -> Result<(), String> {
    let binary = build::daemun(profile)?;
    let output = Command::new(&binary)
        .args(["install", "--gateway-api-crds", "none", "--image", image])
        .output()
        .map_err(|error| format!("{} cannot be run: {error}.", binary.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("daemun install failed: {}", said.trim()));
    }
    kubectl.apply(&String::from_utf8_lossy(&output.stdout))?;
    let rollout = [
        "-n",
        NAMESPACE,
        "rollout",
        "status",
        "deployment",
        "--timeout=120s",
    ];
    kubectl.output(&rollout).map(drop)
}
