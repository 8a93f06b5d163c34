//! `daemun verify exposure` on one of the lab's clouds, as it would be on a real one.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::came::{Came, Row};
use super::clouds::Cloud;
use crate::lab::install;

/// The program, and how it reaches the cluster.
#[derive(Clone)]
pub(super) struct Verify {
    pub(super) program: PathBuf,
    pub(super) kubeconfig: PathBuf,
}

impl Verify {
    /// Runs it with a class, and gives a line of the table for each claim.
    pub(super) fn run(&self, cloud: Cloud, class: &str) -> Result<Vec<Row>, String> {
        let report = self.report(cloud, class)?;
        if let Some(left) = report.get("left").and_then(Value::as_str) {
            return Err(left.to_owned());
        }
        let claims = report.get("claims").and_then(Value::as_array);
        let claims = claims.ok_or("daemun verify printed no claims.")?;
        let rows = claims.iter().map(|claim| {
            let row = row(cloud, claim);
            if row.is_broken() {
                println!("{claim:#}");
            }
            row
        });
        Ok(rows.collect())
    }

    fn report(&self, cloud: Cloud, class: &str) -> Result<Value, String> {
        let mut command = Command::new(&self.program);
        command
            .args(["verify", "exposure", "--public", "--patience", "60"])
            .args(["--output", "json", "--class", class])
            .args(["--provider", cloud.name()])
            .args(install::RANGES)
            .arg("--kubeconfig")
            .arg::<&Path>(self.kubeconfig.as_ref());
        if let Some(subnet) = cloud.subnet() {
            command.args(["--subnet", subnet]);
        }
        let output = command
            .output()
            .map_err(|error| format!("{} cannot be run: {error}.", self.program.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout)
            .map_err(|_| format!("{}: daemun verify failed: {}", cloud.name(), said.trim()))
    }
}

fn row(cloud: Cloud, claim: &Value) -> Row {
    let text = |pointer| {
        let text = claim.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let why = text("/verdict/why");
    let came = match text("/verdict/is").as_str() {
        "held" => Ok(Came::Held(why)),
        "refused" => Ok(Came::Refused(why)),
        "unknown" => Ok(Came::Unknown(why)),
        "broken" => Ok(Came::Broken(why)),
        other => Err(format!("daemun verify says {other:?}: {why}")),
    };
    Row::new(cloud.name(), text("/name"), came)
}
