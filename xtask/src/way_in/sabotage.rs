//! A Service loses its switch in the call that makes it, by a policy of the cluster, as a webhook of somebody's might do
//! it: the cloud gives it a public address, and nothing is served.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::came::Came;
use crate::http;
use crate::lab::kubectl::Kubectl;
use crate::lab::place;
use crate::lab::playground::{HOST, Playground, until};

/// The Services of the playground's Gateway.
const FRONTS: &str = "gateway.networking.k8s.io/gateway-name=play";

/// Makes a Gateway while the policy is there. It is for all Services of the cluster, so nothing else may be tried then.
pub(super) fn sabotaged(kubectl: &Kubectl) -> Result<Came, String> {
    let policy = place::read("sabotage.yaml".as_ref())?;
    kubectl.apply(&policy)?;
    // The API server takes a moment to heed a new policy.
    sleep(Duration::from_secs(5));
    let playground = Playground::make(kubectl, "daemun-sabotaged");
    let done = match &playground {
        Ok(playground) => is_closed(playground),
        Err(why) => Err(why.clone()),
    };
    let gone = kubectl.delete(&policy);
    if let Ok(playground) = playground {
        playground.delete()?;
    }
    gone?;
    done
}

/// Waits for the address, and looks whether anything is served there.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask does not run inside Daemun's clock"
)]
fn is_closed(playground: &Playground<'_>) -> Result<Came, String> {
    let shown = "jsonpath={.items[*].status.loadBalancer.ingress[*].ip}";
    let mut address = String::new();
    until("the cloud gives an address", || {
        address = playground.kubectl(&["get", "services", "-l", FRONTS, "-o", shown])?;
        match address.trim() {
            "" => Err("it gave none".to_owned()),
            _ => Ok(()),
        }
    })?;
    let seen = Instant::now();
    let programmed = "jsonpath={.status.conditions[?(@.type==\"Programmed\")]}";
    let mut said = String::new();
    until("the Gateway says that the address is not usable", || {
        said = playground.kubectl(&["get", "gateway", "play", "-o", programmed])?;
        if said.contains("AddressNotUsable") {
            return Ok(());
        }
        Err(said.clone())
    })?;
    let took = seen.elapsed();
    let address = address.trim();
    let target = format!("{address}:80");
    let target = target
        .parse()
        .map_err(|_| format!("{target} is no address."))?;
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        if let Ok((status, _)) = http::get_from(target, HOST, "/") {
            return Err(format!(
                "{target} answers {status}, and the Gateway says: {said}"
            ));
        }
        sleep(Duration::from_millis(200));
    }
    let addresses = "jsonpath={.status.addresses}";
    let addresses = playground.kubectl(&["get", "gateway", "play", "-o", addresses])?;
    if addresses.contains(address) {
        return Err(format!("{address} is among the Gateway's addresses."));
    }
    let told = format!(
        "{address} came, the Gateway said so after {:.1} s, and answered nothing for 10 s",
        took.as_secs_f64()
    );
    Ok(match took > Duration::from_secs(2) {
        true => Came::Broken(told),
        false => Came::Held(told),
    })
}
