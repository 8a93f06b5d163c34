//! `cargo xtask layers`: the data goes one way, and the crate graph says so.
//!
//! Three comparisons: the dependencies that cargo reports with the table in `table`; the heavy crates'
//! users with the `wrappers` in `deny.toml`, so that `cargo deny` and this check never disagree; and
//! the modules of each crate with the limit on cycles (`modules`). Dependencies for tests are free:
//! what a test sees does not ship.

mod modules;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cargo_metadata::{DependencyKind, MetadataCommand};

use self::table::{HEAVY, Heavy, LAYERS, Layer};
use crate::{repository, source};

/// Compares the workspace with the table, `deny.toml` and the limit on cycles.
pub(crate) fn run() -> Result<(), String> {
    let root = repository::root();
    let workspace = Workspace::read()?;
    let deny = fs::read_to_string(root.join("deny.toml"))
        .map_err(|error| format!("deny.toml cannot be read: {error}."))?;
    let sources = source::read_all(&root, &["crates", "bench", "xtask"])?;

    let mut findings = compare(&workspace, LAYERS, HEAVY);
    findings.extend(HEAVY.iter().filter_map(|heavy| wrappers(heavy, &deny)));
    for (name, cycle) in modules::cycles(&sources) {
        println!(
            "{name}: {} modules in a circle ({})",
            cycle.modules.len(),
            cycle.list()
        );
        findings.extend(cycle.finding(&name));
    }
    if findings.is_empty() {
        println!("{} crates keep to their layers.", workspace.ours.len());
        return Ok(());
    }
    findings
        .push("ARCHITECTURE.md has the layers, xtask/src/layers/table.rs the table.".to_owned());
    Err(findings.join("\n"))
}

/// Who depends on whom, by name, without dependencies for tests and builds.
struct Workspace {
    /// The workspace's own crates with their direct dependencies.
    ours: BTreeMap<String, BTreeSet<String>>,
    /// The same for every crate in the build.
    all: BTreeMap<String, BTreeSet<String>>,
}

impl Workspace {
    fn read() -> Result<Self, String> {
        let metadata = MetadataCommand::new()
            .current_dir(repository::root())
            .exec()
            .map_err(|error| format!("cargo metadata failed: {error}"))?;
        let ours = metadata
            .workspace_packages()
            .into_iter()
            .map(|package| {
                let normal = package
                    .dependencies
                    .iter()
                    .filter(|dependency| dependency.kind == DependencyKind::Normal)
                    .map(|dependency| dependency.name.clone());
                (package.name.to_string(), normal.collect())
            })
            .collect();
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let resolve = metadata
            .resolve
            .as_ref()
            .ok_or("cargo metadata resolved nothing.")?;
        for node in &resolve.nodes {
            let normal = node.deps.iter().filter(|dependency| {
                dependency
                    .dep_kinds
                    .iter()
                    .any(|kind| kind.kind == DependencyKind::Normal)
            });
            let names = normal.map(|dependency| metadata[&dependency.pkg].name.to_string());
            all.entry(metadata[&node.id].name.to_string())
                .or_default()
                .extend(names);
        }
        Ok(Self { ours, all })
    }

    /// One way from a crate of ours to another crate, if there is any.
    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::from([from]);
        let mut ways = vec![vec![from]];
        while let Some(way) = ways.pop() {
            for next in self.all.get(*way.last()?).into_iter().flatten() {
                let longer: Vec<&str> = way.iter().copied().chain([next.as_str()]).collect();
                if next == to {
                    return Some(longer.into_iter().map(str::to_owned).collect());
                }
                if seen.insert(next) {
                    ways.push(longer);
                }
            }
        }
        None
    }
}

fn compare(workspace: &Workspace, layers: &[Layer], heavy: &[Heavy]) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, dependencies) in &workspace.ours {
        let Some(layer) = layers.iter().find(|layer| layer.name == name) else {
            findings.push(format!(
                "crate {name} is not in the table of layers: which stage is it? Say it there in \
                 one sentence, with the crates that it may use."
            ));
            continue;
        };
        for other in dependencies
            .iter()
            .filter(|other| workspace.ours.contains_key(*other))
        {
            if !layer.uses.contains(&other.as_str()) {
                findings.push(format!(
                    "crate {name} ({}) must not use {other}. It may use: {}.",
                    layer.stage,
                    list(layer.uses)
                ));
            }
        }
        for never in layer.never {
            if let Some(way) = workspace.way(name, never) {
                findings.push(format!(
                    "crate {name} ({}) must never see {never}, and does: {}.",
                    layer.stage,
                    way.join(" → ")
                ));
            }
        }
        for Heavy {
            name: outside,
            users,
        } in heavy
        {
            if dependencies.contains(*outside) && !users.contains(&name.as_str()) {
                findings.push(format!(
                    "crate {name} ({}) must not use {outside}. Its users are: {}.",
                    layer.stage,
                    list(users)
                ));
            }
        }
    }
    for layer in layers
        .iter()
        .filter(|layer| !workspace.ours.contains_key(layer.name))
    {
        findings.push(format!(
            "the table of layers has {}, and the workspace has no such crate. Take it out of the \
             table.",
            layer.name
        ));
    }
    findings
}

/// Whether `deny.toml` names the same crates of ours as users of a heavy crate as the table does.
fn wrappers(heavy: &Heavy, deny: &str) -> Option<String> {
    let entry = format!("{{ crate = \"{}\",", heavy.name);
    let written: BTreeSet<&str> = deny
        .split_once(&entry)
        .and_then(|(_, rest)| rest.split(']').next())
        .into_iter()
        .flat_map(|wrappers| wrappers.split('"').skip(1).step_by(2))
        .filter(|name| LAYERS.iter().any(|layer| layer.name == *name))
        .collect();
    let meant: BTreeSet<&str> = heavy.users.iter().copied().collect();
    (written != meant).then(|| {
        format!(
            "deny.toml lets {} use {}; the table of layers says {}. Make them the same.",
            list(&written.into_iter().collect::<Vec<_>>()),
            heavy.name,
            list(heavy.users)
        )
    })
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        "none of ours".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests;
