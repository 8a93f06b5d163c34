//! Where the lab keeps what it compiled, and what runs.
//!
//! `lab/lab` comes to the same answer by itself; it is told here, so that both always agree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;

use crate::repository;

/// The lab's directory: `bin` and `images` stay, `run` is there while the lab runs.
pub(crate) struct Place {
    cache: PathBuf,
}

/// Where users want caches, as their environment says.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Environment {
    #[arg(long, env = "LAB_CACHE")]
    lab: Option<PathBuf>,
    #[arg(long, env = "XDG_CACHE_HOME")]
    caches: Option<PathBuf>,
    #[arg(long, env = "HOME")]
    home: Option<PathBuf>,
}

impl Place {
    /// `LAB_CACHE`, or a directory `daemun-lab` where the user's caches are.
    pub(crate) fn find() -> Result<Self, String> {
        let none: [&str; 0] = [];
        let Environment { lab, caches, home } = Environment::parse_from(none);
        let caches = caches.or_else(|| home.map(|home| home.join(".cache")));
        let cache = lab
            .or_else(|| caches.map(|caches| caches.join("daemun-lab")))
            .ok_or("There is no place for the lab: neither LAB_CACHE nor HOME is set.")?;
        fs::create_dir_all(&cache)
            .and_then(|()| fs::canonicalize(&cache))
            .map(|cache| Self { cache })
            .map_err(|error| format!("{} cannot be made: {error}.", cache.display()))
    }

    /// A program that was compiled for the lab.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.cache.join("bin").join(name)
    }

    /// Where the docker-archives are that the node is given when it starts.
    pub(crate) fn images(&self) -> PathBuf {
        self.cache.join("images")
    }

    /// How to reach the cluster.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.run().join("kubeconfig")
    }

    /// The channel of the CRDs, as long as the lab runs.
    pub(crate) fn channel(&self) -> Option<String> {
        let channel = fs::read_to_string(self.run().join("channel")).ok()?;
        Some(channel.trim().to_owned())
    }

    /// What belongs to the running lab.
    pub(crate) fn run(&self) -> PathBuf {
        self.cache.join("run")
    }

    /// The script, to be run with some arguments.
    pub(crate) fn script(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(directory().join("lab"));
        command.args(arguments).env("LAB_CACHE", &self.cache);
        command
    }
}

/// The directory `lab` of the repository.
pub(crate) fn directory() -> PathBuf {
    repository::root().join("lab")
}

/// Reads a file of the repository's `lab`.
pub(crate) fn read(file: &Path) -> Result<String, String> {
    let file = directory().join(file);
    fs::read_to_string(&file)
        .map_err(|error| format!("{} cannot be read: {error}.", file.display()))
}
