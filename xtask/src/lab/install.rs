//! Installs Daemun in a cluster, as its users do: with what `daemun install` prints.

use std::process::Command;

use super::build;
use super::kubectl::Kubectl;

/// Where the controller runs.
pub(crate) const NAMESPACE: &str = "daemun-system";

/// The name of its ServiceAccount.
pub(crate) const NAME: &str = "daemun-controller";

/// Installs Daemun with an image that the cluster's nodes have, and waits until the controller serves.
pub(crate) fn install(kubectl: &Kubectl, profile: &str, image: &str) -> Result<(), String> {
    install_with(kubectl, profile, image, &[])
}

/// Installs Daemun so with more that `daemun install` is told.
pub(crate) fn install_with(
    kubectl: &Kubectl,
    profile: &str,
    image: &str,
    more: &[&str],
) -> Result<(), String> {
    kubectl.apply(&printed(profile, image, more)?)?;
    let rollout = kubectl.output(&[
        "-n",
        NAMESPACE,
        "rollout",
        "status",
        "deployment",
        "--timeout=120s",
    ]);
    let Err(why) = rollout else { return Ok(()) };
    let said = kubectl.output(&["-n", NAMESPACE, "describe", "pods"])?;
    Err(format!("{why}\n{said}"))
}

/// Takes Daemun away again.
pub(crate) fn uninstall(kubectl: &Kubectl, profile: &str, image: &str) -> Result<(), String> {
    kubectl.delete(&objects(profile, image)?)
}

/// The addresses of the lab's cloud, which are of ranges that are nobody's: what the controller is told of them.
pub(crate) const RANGES: [&str; 2] = [
    "--private-ranges=198.18.128.0/18",
    "--public-ranges=198.18.192.0/18",
];

/// What `daemun install` prints.
pub(crate) fn objects(profile: &str, image: &str) -> Result<String, String> {
    printed(profile, image, &[])
}

fn printed(profile: &str, image: &str, more: &[&str]) -> Result<String, String> {
    let binary = build::daemun(profile)?;
    let output = Command::new(&binary)
        .args(["install", "--gateway-api-crds", "none", "--image", image])
        .args(more)
        .arg("--")
        .args(RANGES)
        .output()
        .map_err(|error| format!("{} cannot be run: {error}.", binary.display()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("daemun install failed: {}", said.trim()))
}
