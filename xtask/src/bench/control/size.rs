//! What many routes cost: memory of the controller and of a proxy, the CPU of the controller while routes change, and
//! how long one more route takes. Memory and CPU are what the processes say of themselves in `/metrics`.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::cluster::Routes;
use super::{live, objects};
use crate::bench::process::now;

/// How long changes go on for the controller's CPU.
const SECONDS: u32 = 20;
/// Changes a second then.
const RATE: u32 = 10;

/// What was measured.
#[derive(Serialize)]
pub(super) struct Size {
    pub(super) routes: usize,
    /// Of the controller's replicas, the largest.
    pub(super) controller_mb: f64,
    /// Of the Gateway's proxies, the largest.
    pub(super) proxy_mb: f64,
    /// One more route each, in milliseconds.
    pub(super) one_more_ms: Vec<f64>,
    /// Cores, of the replica that used most.
    pub(super) controller_cores: f64,
}

/// Measures with the routes that there are.
pub(super) fn measure(routes: &mut Routes<'_>, controller: &str) -> Result<Size, String> {
    let controllers = pods(routes, controller, "app.kubernetes.io/component=controller")?;
    let proxies = pods(
        routes,
        super::NAMESPACE,
        "gateway.networking.k8s.io/gateway-name=bench",
    )?;
    // Until then the controller is still telling thousands of owners that their routes are accepted.
    routes.wait_for_statuses()?;
    // What was needed to take them all in at once is given back by then, or it is not.
    std::thread::sleep(Duration::from_secs(5));
    let count = routes.count();
    let mut one_more_ms = Vec::new();
    for _ in 0..20 {
        one_more_ms.push(live::one(routes)?.as_secs_f64() * 1e3);
        std::thread::sleep(Duration::from_millis(200));
    }
    one_more_ms.sort_by(f64::total_cmp);
    Ok(Size {
        routes: count,
        controller_mb: largest(&controllers, "process_resident_memory_bytes")? / 1e6,
        proxy_mb: largest(&proxies, "process_resident_memory_bytes")? / 1e6,
        one_more_ms,
        controller_cores: cores(routes, &controllers)?,
    })
}

fn cores(routes: &Routes<'_>, controllers: &[IpAddr]) -> Result<f64, String> {
    let read = || -> Result<Vec<f64>, String> {
        let metric = |address: &IpAddr| metric(*address, "process_cpu_seconds_total");
        controllers.iter().map(metric).collect()
    };
    let (before, begin) = (read()?, now());
    for change in 0..SECONDS * RATE {
        let next = begin + Duration::from_secs(1) * (change + 1) / RATE;
        let number = change as usize * 37 % routes.count();
        let changed = objects::route(number, change as usize + 1);
        routes
            .cluster
            .patch(&changed, &json!({"spec": changed["spec"]}))?;
        std::thread::sleep(next.saturating_duration_since(now()));
    }
    let (after, seconds) = (read()?, begin.elapsed().as_secs_f64());
    let used = before
        .iter()
        .zip(&after)
        .map(|(before, after)| after - before);
    Ok(used.fold(0.0, f64::max) / seconds)
}

/// The addresses of the pods with a label.
fn pods(routes: &Routes<'_>, namespace: &str, label: &str) -> Result<Vec<IpAddr>, String> {
    let label = label.replace('=', "%3D");
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={label}");
    let list = routes.cluster.get(&path)?;
    let addresses: Vec<IpAddr> = list["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pod| pod["status"]["podIP"].as_str()?.parse().ok())
        .collect();
    if addresses.is_empty() {
        return Err(format!("No pod in {namespace} has the label {label}."));
    }
    Ok(addresses)
}

fn largest(pods: &[IpAddr], name: &str) -> Result<f64, String> {
    pods.iter().try_fold(0.0, |largest, address| {
        Ok(f64::max(largest, metric(*address, name)?))
    })
}

fn metric(address: IpAddr, name: &str) -> Result<f64, String> {
    let text = scrape(address)
        .map_err(|error| format!("http://{address}:9901/metrics cannot be read: {error}."))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|value| value.trim().parse().ok())
        .ok_or_else(|| format!("http://{address}:9901/metrics has no {name}."))
}

fn scrape(address: IpAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((address, 9901))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
