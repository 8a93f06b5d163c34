//! Runs the suite once: its process, its log, and what it leaves behind when it is ended early.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Arguments;
use super::follow::Follow;
use crate::lab::kubectl::Kubectl;
use crate::lab::place::{self, Place};

/// What came of one run.
pub(super) struct Run {
    pub(super) follow: Follow,
    /// Whether the suite's process says that all is well.
    pub(super) succeeded: bool,
    pub(super) took: Duration,
    /// Everything that the suite printed.
    pub(super) log: PathBuf,
}

/// Takes away what another run left behind, and waits for what it only has asked to go.
pub(super) fn clean(kubectl: &Kubectl) -> Result<(), String> {
    let namespaces = kubectl.output(&["get", "namespaces", "-o", "name"])?;
    let left: Vec<&str> = namespaces
        .lines()
        .filter(|name| name.starts_with("namespace/gateway-conformance"))
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    let mut arguments = vec!["delete", "--timeout=120s"];
    arguments.extend(left);
    kubectl.output(&arguments).map(drop)
}

/// Runs the suite, tells which tests it is at, and keeps all that it prints in a file.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask does not run inside Daemun's clock"
)]
pub(super) fn run(
    place: &Place,
    kubectl: &Kubectl,
    arguments: &Arguments,
    number: u32,
) -> Result<Run, String> {
    let start = Instant::now();
    let logs = super::logs();
    let log = logs.join(format!("{}-{number}.log", arguments.channel.name()));
    let cannot = |error| format!("{} cannot be written: {error}.", log.display());
    let mut file = fs::create_dir_all(&logs)
        .and_then(|()| File::create(&log))
        .map_err(cannot)?;
    let mut child = command(place, kubectl, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(file.try_clone().map_err(cannot)?)
        .spawn()
        .map_err(|error| format!("The conformance suite cannot be run: {error}."))?;
    let mut follow = Follow::default();
    let output = child.stdout.take().map(BufReader::new);
    // Not lines of a `str`: tests print what they received, whatever it is.
    for line in output.into_iter().flat_map(|output| output.split(b'\n')) {
        let Ok(line) = line else { break };
        let line = String::from_utf8_lossy(&line);
        writeln!(file, "{line}").map_err(cannot)?;
        if let Some(test) = follow.line(&line)
            && !test.starts_with("Mesh")
        {
            println!("{:>5} s  {test}", start.elapsed().as_secs());
        }
    }
    let status = child
        .wait()
        .map_err(|error| format!("The conformance suite did not end: {error}."))?;
    Ok(Run {
        follow,
        succeeded: status.success(),
        took: start.elapsed(),
        log,
    })
}

fn command(place: &Place, kubectl: &Kubectl, arguments: &Arguments) -> Command {
    let mut command = Command::new(place.program("conformance.test"));
    command
        .current_dir(place::directory().join("conformance"))
        .env("KUBECONFIG", kubectl.kubeconfig())
        .args(["-test.run", "^TestConformance$", "-test.v"])
        .args([
            "-test.timeout",
            "60m",
            "-gateway-class",
            "gateway-conformance",
        ])
        .args(["-usable-address", &arguments.usable_address])
        .args(["-unusable-address", &arguments.unusable_address]);
    if let Some(test) = &arguments.run_test {
        command.args(["-run-test", test]);
        return command;
    }
    let profiles = arguments.profiles().join(",");
    command.args(["-conformance-profiles", &profiles]);
    if arguments.is_whole() {
        command
            .arg("-report-output")
            .arg(super::logs().join(arguments.file_name("default-report.yaml")))
            .args(["-organization", "daemun", "-project", "daemun"])
            .args(["-url", "https://daemun.dev", "-contact", "@daemun"])
            .args(["-version", concat!("v", env!("CARGO_PKG_VERSION"))]);
    }
    command
}
