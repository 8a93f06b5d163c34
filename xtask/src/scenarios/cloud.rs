//! A cloud that cannot make a load balancer: the Gateway says why, and serves as soon as the cloud does.

use std::thread::sleep;
use std::time::Duration;

use super::stage::Stage;
use crate::lab::kubectl::Kubectl;
use crate::lab::playground::{Playground, until};

/// Makes another Gateway while the cloud is in trouble.
pub(super) fn trouble(stage: &Stage<'_>) -> Result<(), String> {
    for (trouble, said) in [("quota", "Quota exceeded"), ("stuck", "no address")] {
        tell(stage.kubectl, trouble)?;
        let done = second(stage.kubectl, said);
        tell(stage.kubectl, "none")?;
        let playground = done?;
        playground.address()?;
        playground.delete()?;
    }
    Ok(())
}

/// A Gateway that cannot have an address, and says so.
fn second<'a>(kubectl: &'a Kubectl, said: &str) -> Result<Playground<'a>, String> {
    let playground = Playground::make(kubectl, "daemun-cloudless")?;
    let message = "jsonpath={.status.conditions[?(@.type==\"Programmed\")].message}";
    // Only after a while an address that is not there is worth a word.
    sleep(Duration::from_secs(30));
    until(&format!("the Gateway says: {said}"), || {
        let message = playground.kubectl(&["get", "gateway", "play", "-o", message])?;
        if message.contains(said) {
            return Ok(());
        }
        Err(format!("it says: {message}"))
    })?;
    Ok(playground)
}

/// Tells the cloud what goes wrong.
fn tell(kubectl: &Kubectl, trouble: &str) -> Result<(), String> {
    kubectl.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: lab-cloud, namespace: kube-system}}\ndata: {{trouble: {trouble}}}\n"
    ))
}
