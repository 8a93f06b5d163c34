//! Changes at 20 a second while requests go on: routes come, change and go, the backend is scaled and rolled.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::client::Client;
use super::cluster::Routes;
use super::objects;
use crate::bench::process::now;

/// Between two changes.
const STEP: Duration = Duration::from_millis(50);
/// Clients that send one request after the other.
const CLIENTS: usize = 4;
/// Between two requests of a client.
const PAUSE: Duration = Duration::from_millis(4);
/// Changes between two changes of the backend.
const BACKEND_EVERY: usize = 100;

/// What was measured.
#[derive(Serialize)]
pub(super) struct Churn {
    pub(super) seconds: u64,
    pub(super) changes: usize,
    pub(super) requests: u64,
    pub(super) failed: u64,
    /// The first few failures, in words.
    pub(super) failures: Vec<String>,
}

/// Makes changes for so many seconds.
pub(super) fn measure(routes: &mut Routes<'_>, seconds: u64) -> Result<Churn, String> {
    let load = Load::start(routes.gateway);
    let changed = change(routes, seconds);
    let (requests, failed, failures) = load.stop();
    Ok(Churn {
        seconds,
        changes: changed?,
        requests,
        failed,
        failures,
    })
}

fn change(routes: &mut Routes<'_>, seconds: u64) -> Result<usize, String> {
    let end = now() + Duration::from_secs(seconds);
    let mut made = 0;
    let mut passing = Vec::new();
    while now() < end {
        let next = now() + STEP;
        let cluster = routes.cluster;
        match made % 4 {
            0 => {
                passing.push(objects::route(routes.count() + made, 0));
                cluster.create(&passing[passing.len() - 1])?;
            }
            1 | 2 => {
                // One of those that requests go to, so that a change meets them.
                let number = made % CLIENTS;
                let changed = objects::route(number, made);
                cluster.patch(&changed, &json!({"spec": changed["spec"]}))?;
            }
            _ => {
                if passing.len() > 8 {
                    cluster.delete(&passing.remove(0))?;
                }
            }
        }
        if made % BACKEND_EVERY == BACKEND_EVERY / 2 {
            change_backend(routes, made)?;
        }
        made += 1;
        sleep(next.saturating_duration_since(now()));
    }
    for route in &passing {
        routes.cluster.delete(route)?;
    }
    Ok(made)
}

/// Scales it to two and three pods in turn, and rolls it.
fn change_backend(routes: &Routes<'_>, made: usize) -> Result<(), String> {
    let replicas = 2 + made / BACKEND_EVERY % 2;
    let patch = json!({"spec": {
        "replicas": replicas,
        "template": {"metadata": {"annotations": {"bench": made.to_string()}}},
    }});
    routes.cluster.patch(&objects::backend(""), &patch)
}

/// Requests that go on.
struct Load {
    stop: Arc<AtomicBool>,
    requests: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(gateway: SocketAddr) -> Self {
        let (stop, requests) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let clients = (0..CLIENTS).map(|number| {
            let (stop, requests) = (Arc::clone(&stop), Arc::clone(&requests));
            std::thread::spawn(move || {
                let host = objects::host(number);
                let mut client = Client::new(gateway);
                let mut failures = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    requests.fetch_add(1, Ordering::Relaxed);
                    match client.get(&host, "/") {
                        Ok(200) => {}
                        Ok(status) => failures.push(format!("{host} answered {status}")),
                        Err(why) => failures.push(why),
                    }
                    sleep(PAUSE);
                }
                failures
            })
        });
        let clients = clients.collect();
        Self {
            stop,
            requests,
            clients,
        }
    }

    /// Requests, failures, and the first few of them in words.
    fn stop(self) -> (u64, u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for client in self.clients {
            match client.join() {
                Ok(failures) => all.extend(failures),
                Err(_) => all.push("A client ended with a panic.".to_owned()),
            }
        }
        let failed = all.len() as u64;
        all.truncate(5);
        (self.requests.load(Ordering::Relaxed), failed, all)
    }
}
