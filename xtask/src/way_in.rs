//! `cargo xtask way-in`: the promises of the way in, in the lab, on each cloud that the lab can play.
//!
//! `daemun verify exposure` tries them on one cloud after the other, as it would on a real one; then the switch is
//! taken off a Service in the call that makes it, by a policy of the cluster, as a webhook of somebody's might. What a
//! real cloud does is not learnt here: the lab's clouds are written from documents.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http;
use crate::lab::kubectl::Kubectl;
use crate::lab::place::{self, Place};
use crate::lab::playground::{HOST, Playground, until};
use crate::lab::{self, build, install};
use crate::repository;

/// Clouds that are tried, if none is named: those whose Services say it, two that give names, and one with a pool.
const CLOUDS: &[&str] = &[
    "NHN",
    "NAVER",
    "OpenStack",
    "AWS",
    "GKE",
    "AKS",
    "OCI",
    "Alibaba",
    "IBM",
    "MetalLB",
];
/// The class of the Gateways that are made.
const CLASS: &str = "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: daemun-way-in}\nspec: {controllerName: gateway.daemun.dev/controller}\n";
/// The Services of the playground's Gateway.
const FRONTS: &str = "gateway.networking.k8s.io/gateway-name=play";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Clouds as GatewayParameters name them [default: ten of them]
    clouds: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let named = arguments.clouds.iter().map(String::as_str);
    let clouds: Vec<&str> = named.collect();
    let place = Place::find()?;
    if !clouds.is_empty() {
        return in_lab(&place, &clouds);
    }
    let lines = tried(&place, CLOUDS)?;
    write(&lines)?;
    none_broken(&lines)
}

/// Tries in the lab, which is started if need be.
pub(crate) fn in_lab(place: &Place, clouds: &[&str]) -> Result<(), String> {
    none_broken(&tried(place, clouds)?)
}

fn tried(place: &Place, clouds: &[&str]) -> Result<Vec<String>, String> {
    let image = lab::ready(place)?;
    let kubectl = Kubectl::of(place);
    install::install(&kubectl, build::PROFILE, &image)?;
    kubectl.apply(CLASS)?;
    let mut lines = Vec::new();
    for cloud in clouds {
        play(&kubectl, cloud)?;
        lines.extend(verify(&kubectl, cloud)?);
    }
    play(&kubectl, "NHN")?;
    lines.push(sabotaged(&kubectl)?);
    kubectl.delete(CLASS)?;
    Ok(lines)
}

fn none_broken(lines: &[String]) -> Result<(), String> {
    let broken = lines.iter().filter(|line| line.contains("| broken |"));
    let broken: Vec<&str> = broken.map(String::as_str).collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!("Broken:\n{}", broken.join("\n")))
}

fn write(lines: &[String]) -> Result<(), String> {
    let results = repository::root().join("bench/results/way-in.md");
    let document = format!(
        "# The way in, tried in the lab\n\n`cargo xtask way-in`: `daemun verify exposure --public` on each cloud that the lab plays, and a Service whose switch\nis taken off in the call that makes it. The lab's clouds are written from documents; what a real one does, the same\ncommand tells there.\n\n| cloud | claim | verdict | how |\n|---|---|---|---|\n{}\n",
        lines.join("\n")
    );
    println!("{document}");
    fs::write(&results, document)
        .map_err(|error| format!("{} cannot be written: {error}.", results.display()))
}

/// Tells the cloud which one it is.
fn play(kubectl: &Kubectl, cloud: &str) -> Result<(), String> {
    kubectl.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: lab-cloud, namespace: kube-system}}\ndata: {{provider: {cloud}, trouble: none}}\n"
    ))
}

/// Runs `daemun verify exposure`, and gives a line of the table for each claim.
fn verify(kubectl: &Kubectl, cloud: &str) -> Result<Vec<String>, String> {
    println!("{cloud}");
    let binary = build::daemun(build::PROFILE)?;
    let arguments = [
        "verify",
        "exposure",
        "--public",
        "--patience",
        "60",
        "-o",
        "json",
    ];
    let output = Command::new(&binary)
        .args(arguments)
        .args(["--class", "daemun-way-in", "--provider", cloud])
        .args(install::RANGES)
        .arg("--kubeconfig")
        .arg(kubectl.kubeconfig())
        .output()
        .map_err(|error| format!("{} cannot be run: {error}.", binary.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("{cloud}: daemun verify failed: {}", said.trim()))?;
    if let Some(left) = report.get("left").and_then(Value::as_str) {
        return Err(left.to_owned());
    }
    let claims = report.get("claims").and_then(Value::as_array);
    let claims = claims.ok_or("daemun verify printed no claims.")?;
    let mut lines = Vec::new();
    for claim in claims {
        let line = line(cloud, claim);
        println!("  {line}");
        if line.contains("| broken |") {
            println!("{claim:#}");
        }
        lines.push(line);
    }
    Ok(lines)
}

fn line(cloud: &str, claim: &Value) -> String {
    let text = |pointer| {
        let text = claim.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default().replace('|', "\\|")
    };
    let mut line = String::new();
    // Writing into a String cannot fail.
    let _ = write!(
        line,
        "| {cloud} | {} | {} | {} |",
        text("/name"),
        text("/verdict/is"),
        text("/verdict/why")
    );
    line
}

/// A Service loses its switch in the call that makes it: the cloud gives it a public address, and nothing is served.
fn sabotaged(kubectl: &Kubectl) -> Result<String, String> {
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
fn is_closed(playground: &Playground<'_>) -> Result<String, String> {
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
    let took = took.as_secs_f64();
    let verdict = if took > 2.0 { "broken" } else { "held" };
    Ok(format!(
        "| NHN | a switch that a webhook takes away opens nothing | {verdict} | {address} came, the Gateway said so after {took:.1} s, and answered nothing for 10 s |"
    ))
}
