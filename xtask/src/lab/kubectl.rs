//! kubectl, with a certain cluster: what is applied, asked for and deleted from here goes through it.
//!
//! It is the lab's own, which was compiled with the cluster; with a cluster of somebody else's, whichever is
//! on the path.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::place::Place;

/// kubectl with the arguments that say which cluster is meant.
pub(crate) struct Kubectl {
    program: OsString,
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// For the lab's cluster.
    pub(crate) fn of(place: &Place) -> Self {
        Self {
            program: place.program("kubectl").into(),
            kubeconfig: place.kubeconfig(),
        }
    }

    /// For another cluster.
    pub(crate) fn with(kubeconfig: &Path) -> Self {
        Self {
            program: "kubectl".into(),
            kubeconfig: kubeconfig.to_path_buf(),
        }
    }

    /// How to reach the cluster.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs kubectl; what it prints is the answer.
    pub(crate) fn output(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self
            .command(arguments)
            .output()
            .map_err(|error| self.cannot_be_run(&error))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("kubectl {}: {}", arguments.join(" "), said.trim()))
    }

    /// Applies objects, as the owner of exactly what they say.
    pub(crate) fn apply(&self, objects: &str) -> Result<(), String> {
        self.apply_as("xtask", objects)
    }

    /// Applies objects, as an owner of this name.
    pub(crate) fn apply_as(&self, owner: &str, objects: &str) -> Result<(), String> {
        let how = format!("apply --server-side --force-conflicts --field-manager={owner} -f -");
        self.with_objects(&how, objects)
    }

    /// Deletes objects, and waits until they are gone.
    pub(crate) fn delete(&self, objects: &str) -> Result<(), String> {
        self.with_objects("delete --ignore-not-found --timeout=120s -f -", objects)
    }

    /// Runs kubectl with something on its standard input; what it prints is the answer.
    pub(crate) fn output_of(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| self.cannot_be_run(&error))?;
        let mut pipe = child.stdin.take();
        let written = pipe.as_mut().map(|pipe| pipe.write_all(input.as_bytes()));
        drop(pipe);
        let output = child
            .wait_with_output()
            .map_err(|error| self.cannot_be_run(&error))?;
        let said = String::from_utf8_lossy(&output.stderr);
        match written {
            Some(Ok(())) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            _ => Err(format!("kubectl {}: {}", arguments.join(" "), said.trim())),
        }
    }

    fn with_objects(&self, arguments: &str, objects: &str) -> Result<(), String> {
        let words: Vec<&str> = arguments.split(' ').collect();
        self.output_of(&words, objects).map(drop)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--kubeconfig").arg(&self.kubeconfig);
        command.args(arguments);
        command
    }

    fn cannot_be_run(&self, error: &std::io::Error) -> String {
        format!("{} cannot be run: {error}.", self.program.display())
    }
}
