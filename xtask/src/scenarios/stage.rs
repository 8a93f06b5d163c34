//! What scenarios play on: a Gateway that serves, and ways to look at it and to set it right again.

use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use crate::lab;
use crate::lab::build;
use crate::lab::install::{self, NAMESPACE};
use crate::lab::kubectl::Kubectl;
use crate::lab::place::Place;
use crate::lab::playground::{self, Playground, until};

/// The namespace that is played in.
pub(super) const NAME: &str = "daemun-scenarios";

/// A Gateway that serves, and all around it.
pub(super) struct Stage<'a> {
    /// The lab, if it is played there.
    place: Option<&'a Place>,
    pub(super) kubectl: &'a Kubectl,
    pub(super) playground: Playground<'a>,
    /// Where the Gateway is reached.
    pub(super) address: SocketAddr,
    /// The image that the controller runs.
    pub(super) image: String,
    /// How long the API server is away.
    pub(super) away: Duration,
}

/// The host that clients ask for.
pub(super) fn host() -> String {
    playground::HOST.to_owned()
}

/// Long enough for requests to be under way.
pub(super) fn pause() {
    sleep(Duration::from_secs(2));
}

impl<'a> Stage<'a> {
    /// Makes the Gateway.
    pub(super) fn set(
        place: Option<&'a Place>,
        kubectl: &'a Kubectl,
        image: &str,
        away: Duration,
    ) -> Result<Self, String> {
        install::install(kubectl, build::PROFILE, image)?;
        let playground = Playground::make(kubectl, NAME)?;
        playground.kubectl(&["rollout", "status", "deployment/echo", "--timeout=60s"])?;
        let address = playground.address()?;
        playground.answers(address, "/", 200)?;
        let stage = Self {
            place,
            kubectl,
            playground,
            address,
            image: image.to_owned(),
            away,
        };
        stage.is_right_again()?;
        Ok(stage)
    }

    /// Takes everything away.
    pub(super) fn clear(&self) -> Result<(), String> {
        self.playground.delete()
    }

    /// Waits until the Gateway says that it serves, its proxies are ready, and a change of its route is live.
    pub(super) fn is_right_again(&self) -> Result<(), String> {
        self.proxies_are(2)?;
        self.playground.address()?;
        self.playground.move_route("/moved")?;
        self.playground.answers(self.address, "/moved", 200)?;
        self.playground.move_route("/first")?;
        self.playground.answers(self.address, "/moved", 404)
    }

    /// Waits until there are so many proxies, all ready and none going.
    pub(super) fn proxies_are(&self, number: usize) -> Result<(), String> {
        until(&format!("{number} proxies are ready"), || {
            let ready = self.proxies("{.status.conditions[?(@.type==\"Ready\")].status}")?;
            if ready.len() == number && ready.iter().all(|ready| ready == "True") {
                return Ok(());
            }
            Err(format!(
                "of {} proxies, ready is: {}",
                ready.len(),
                ready.join(", ")
            ))
        })
    }

    /// Something of each proxy's pod, as a path of JSON.
    pub(super) fn proxies(&self, path: &str) -> Result<Vec<String>, String> {
        let selector = "gateway.networking.k8s.io/gateway-name=play";
        let template = format!("jsonpath={{range .items[*]}}{path}{{\"\\n\"}}{{end}}");
        let said = self
            .playground
            .kubectl(&["get", "pods", "-l", selector, "-o", &template])?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// kubectl, where the controller runs.
    pub(super) fn controller(&self, arguments: &[&str]) -> Result<String, String> {
        let mut all = vec!["-n", NAMESPACE];
        all.extend(arguments);
        self.kubectl.output(&all)
    }

    /// Waits until the lab's node takes pods.
    pub(super) fn node_is_ready(&self) -> Result<(), String> {
        until("the node is ready", || {
            let wait = [
                "wait",
                "--for=condition=Ready",
                "nodes",
                "--all",
                "--timeout=5s",
            ];
            self.kubectl.output(&wait).map(drop)
        })
    }

    /// Waits until all replicas of the controller are there and are of its newest revision.
    pub(super) fn controller_is_there(&self) -> Result<(), String> {
        let rollout = [
            "rollout",
            "status",
            "deployment/daemun-controller",
            "--timeout=120s",
        ];
        self.controller(&rollout).map(drop)
    }

    /// Starts or stops a part of the lab.
    pub(super) fn part(&self, verb: &str, part: &str) -> Result<(), String> {
        self.script(&[verb, part])
    }

    /// Kills a container's process, as a crash would.
    pub(super) fn kill(&self, container: &str) -> Result<(), String> {
        let id = container.trim_start_matches("containerd://");
        self.script(&["kill", id])
    }

    fn script(&self, arguments: &[&str]) -> Result<(), String> {
        let place = self.place.ok_or("Only the lab's parts can be stopped.")?;
        lab::script(place, arguments)
    }

    /// Puts back what a scenario that failed may have left.
    pub(super) fn repair(&self) {
        let parts: &[&str] = match self.place {
            Some(_) => &["containerd", "etcd", "apiserver", "kubelet", "cloud"],
            None => &[],
        };
        let done = parts
            .iter()
            .try_for_each(|part| self.part("start", part))
            .and_then(|()| install::install(self.kubectl, build::PROFILE, &self.image))
            .and_then(|()| self.playground.apply())
            .and_then(|()| self.is_right_again());
        if let Err(why) = done {
            println!("  It stays so: {why}");
        }
    }
}
