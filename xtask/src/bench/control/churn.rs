//! Changes at 20 a second while requests go on: routes come, change and go, the backend is scaled and rolled.

use std::thread::sleep;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::cluster::Routes;
use super::objects;
use crate::bench::process::now;
use crate::load::{Clients, Load, Sent};

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
    let hosts: Vec<String> = (0..CLIENTS).map(objects::host).collect();
    let clients = Clients {
        keeping: CLIENTS,
        anew: 0,
        pause: PAUSE,
    };
    let load = Load::start(routes.gateway, &hosts, clients);
    let changed = change(routes, seconds);
    let Sent {
        requests,
        failed,
        failures,
    } = load.stop();
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
