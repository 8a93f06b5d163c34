//! A namespace of its own with a backend, a Gateway and a route, as somebody has who tries Daemun: what the smoke
//! test and the scenarios play with. The objects are in `lab/playground.yaml`.

use std::net::{IpAddr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::kubectl::Kubectl;
use super::place;
use crate::http;

/// The host of the route.
pub(crate) const HOST: &str = "play.example.com";
/// As long as anything takes in a cluster that has much to do.
const PATIENCE: Duration = Duration::from_secs(120);
/// Kinds that are made around a Gateway.
const MADE: &str = "deployments,daemonsets,services,serviceaccounts,poddisruptionbudgets,horizontalpodautoscalers,endpointslices,secrets,configmaps,pods";

/// The namespace, and all in it.
pub(crate) struct Playground<'a> {
    kubectl: &'a Kubectl,
    name: &'static str,
    objects: String,
}

impl<'a> Playground<'a> {
    /// Makes it.
    pub(crate) fn make(kubectl: &'a Kubectl, name: &'static str) -> Result<Self, String> {
        Self::changed(kubectl, name, |objects| objects)
    }

    /// Makes it with other objects.
    pub(crate) fn changed(
        kubectl: &'a Kubectl,
        name: &'static str,
        change: impl FnOnce(String) -> String,
    ) -> Result<Self, String> {
        let objects = place::read("playground.yaml".as_ref())?.replace("PLAYGROUND", name);
        let objects = change(objects);
        let playground = Self {
            kubectl,
            name,
            objects,
        };
        playground.apply()?;
        Ok(playground)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Makes all objects again as they were made first.
    pub(crate) fn apply(&self) -> Result<(), String> {
        self.kubectl.apply(&self.objects)
    }

    /// Takes it away.
    pub(crate) fn delete(&self) -> Result<(), String> {
        self.kubectl.delete(&self.objects)
    }

    /// kubectl, in this namespace.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut all = vec!["-n", self.name];
        all.extend(arguments);
        self.kubectl.output(&all)
    }

    /// Waits until the Gateway serves, and tells where.
    pub(crate) fn address(&self) -> Result<SocketAddr, String> {
        let programmed = "--for=condition=Programmed";
        let waited = self.kubectl(&["wait", "gateway/play", programmed, "--timeout=120s"]);
        if let Err(why) = waited {
            let said = self.kubectl(&["get", "-o", "yaml", "gateways,httproutes"])?;
            return Err(format!("{why}\n{said}"));
        }
        let address = "jsonpath={.status.addresses[0].value}";
        let address = self.kubectl(&["get", "gateway", "play", "-o", address])?;
        let address: IpAddr = address.parse().map_err(|_| {
            format!("The Gateway's address is {address:?}, which is no IP address.")
        })?;
        Ok((address, 80).into())
    }

    /// Waits until a path is answered so.
    pub(crate) fn answers(
        &self,
        address: SocketAddr,
        path: &str,
        status: u16,
    ) -> Result<(), String> {
        until(
            &format!("{path} is answered {status}"),
            || match http::get_from(address, HOST, path)? {
                (found, _) if found == status => Ok(()),
                (other, _) => Err(format!("{path} is answered {other}")),
            },
        )
    }

    /// Changes which path the route takes, beside `/`.
    pub(crate) fn move_route(&self, path: &str) -> Result<(), String> {
        let patch = format!(
            r#"[{{"op": "replace", "path": "/spec/rules/0/matches/1/path/value", "value": "{path}"}}]"#
        );
        self.kubectl(&["patch", "httproute", "play", "--type=json", "-p", &patch])
            .map(drop)
    }

    /// Deletes the Gateway, and waits until nothing of it is left.
    pub(crate) fn delete_gateway(&self) -> Result<(), String> {
        self.kubectl(&["delete", "gateway", "play", "--timeout=60s"])?;
        let selector = "gateway.networking.k8s.io/gateway-name=play";
        until("nothing of the Gateway is left", || {
            let made = self.kubectl(&["get", MADE, "-l", selector, "-o", "name"])?;
            if made.trim().is_empty() {
                return Ok(());
            }
            let left = made.trim().replace('\n', ", ");
            Err(format!("there still is {left}"))
        })
    }
}

/// Tries until something is so.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask does not run inside Daemun's clock"
)]
pub(crate) fn until(
    what: &str,
    mut is_so: impl FnMut() -> Result<(), String>,
) -> Result<(), String> {
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
