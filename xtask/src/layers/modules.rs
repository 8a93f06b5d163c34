//! Which modules of a crate use each other in a circle.
//!
//! Counted are neighbours: the modules of one parent, each with all that is below it. A parent and its
//! children are one thing seen from outside, so what they do with each other is not counted.
//!
//! The reader sees the files of a crate as its modules, and in each file, tests left out, the paths that
//! begin with `crate::`, `super::`, `self::` or the name of a child module, in `use` and elsewhere.
//! A path leads to the module with the longest name that fits. A public re-export (`pub use`) is a signpost
//! and no use: it counts for nothing itself, and a name that is found through it counts for the module
//! that it points to. Not seen are paths made by macros, names behind `pub use …::*` (they count for the
//! module that re-exports) and modules that are written inline (they count as their file).

mod paths;

use std::collections::{BTreeMap, BTreeSet};

use self::paths::Path;
use crate::source::Source;

/// More modules than this must not use each other in a circle.
const MOST: usize = 3;

/// A module, as the segments of its path in the crate; the crate's root has none.
type Module = Vec<String>;

/// Neighbours of which each one uses, directly or not, each other one.
pub(super) struct Cycle {
    pub(super) modules: Vec<Module>,
    /// Who uses whom, and where it says so first.
    uses: Vec<(Module, Module, String)>,
}

impl Cycle {
    /// The modules by name.
    pub(super) fn list(&self) -> String {
        self.modules
            .iter()
            .map(shown)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What to say if the circle is too large.
    pub(super) fn finding(&self, name: &str) -> Option<String> {
        let uses: Vec<String> = self
            .uses
            .iter()
            .map(|(from, to, place)| format!("\n  {place}: {} uses {}", shown(from), shown(to)))
            .collect();
        (self.modules.len() > MOST).then(|| {
            format!(
                "crate {name}: {} modules use each other in a circle, {MOST} at most. Move what \
                 they share to a module below them.{}",
                self.modules.len(),
                uses.concat()
            )
        })
    }
}

/// The circles of all crates, each with its crate's directory: the largest one below each parent.
pub(super) fn cycles(sources: &[Source]) -> Vec<(String, Cycle)> {
    let mut crates: BTreeMap<String, BTreeMap<Module, &Source>> = BTreeMap::new();
    for source in sources {
        if let Some((name, module)) = place(source) {
            crates.entry(name).or_default().insert(module, source);
        }
    }
    let mut found = Vec::new();
    for (name, modules) in crates {
        for level in levels(&modules).values() {
            found.extend(largest_cycle(level).map(|cycle| (name.clone(), cycle)));
        }
    }
    found
}

/// The crate's directory and the module that a file is, if it is one outside of tests.
fn place(source: &Source) -> Option<(String, Module)> {
    let path = source.path.to_str()?;
    let (name, file) = path.split_once("/src/")?;
    source.production().next()?;
    let mut module: Module = file
        .strip_suffix(".rs")?
        .split('/')
        .map(str::to_owned)
        .collect();
    if matches!(
        module.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        module.pop();
    }
    Some((name.to_owned(), module))
}

/// Who of some neighbours uses whom, with the first place that says so.
type Level = BTreeMap<Module, BTreeMap<Module, String>>;

/// The neighbours below each parent.
fn levels(modules: &BTreeMap<Module, &Source>) -> BTreeMap<Module, Level> {
    let read: BTreeMap<&Module, Vec<Path>> = modules
        .iter()
        .map(|(module, source)| (module, paths::of(source)))
        .collect();
    let mut signposts: BTreeMap<Module, Module> = BTreeMap::new();
    for (module, paths) in &read {
        for path in paths.iter().filter(|path| path.reexport) {
            if let Some(target) = absolute(module, path, modules) {
                signposts.insert(join(module, &path.name), target);
            }
        }
    }
    let mut levels: BTreeMap<Module, Level> = BTreeMap::new();
    for (module, paths) in read {
        for path in paths.iter().filter(|path| !path.reexport) {
            let target = absolute(module, path, modules);
            let target = target.and_then(|target| resolve(target, modules, &signposts));
            let Some(target) = target else { continue };
            let shared = module
                .iter()
                .zip(&target)
                .take_while(|(a, b)| a == b)
                .count();
            if shared < module.len() && shared < target.len() {
                let level = levels.entry(module[..shared].to_vec()).or_default();
                let place = format!("{}:{}", modules[module].path.display(), path.line);
                let from = level.entry(module[..=shared].to_vec()).or_default();
                from.entry(target[..=shared].to_vec()).or_insert(place);
            }
        }
    }
    levels
}

fn largest_cycle(level: &Level) -> Option<Cycle> {
    let reach: BTreeMap<&Module, BTreeSet<&Module>> = level
        .keys()
        .map(|module| (module, reachable(level, module)))
        .collect();
    let is_mutual = |a: &Module, b: &Module| reach.get(b).is_some_and(|from_b| from_b.contains(a));
    let circle = |module: &&Module| -> Vec<&Module> {
        reach[*module]
            .iter()
            .copied()
            .filter(|other| is_mutual(module, other))
            .collect()
    };
    let largest = reach.keys().map(circle).max_by_key(Vec::len)?;
    let within = |module: &Module| largest.contains(&module);
    let mut uses = Vec::new();
    for (from, targets) in level.iter().filter(|(from, _)| within(from)) {
        let targets = targets.iter().filter(|(to, _)| within(to));
        uses.extend(targets.map(|(to, place)| (from.clone(), to.clone(), place.clone())));
    }
    let modules: Vec<Module> = largest.into_iter().cloned().collect();
    (modules.len() > 1).then_some(Cycle { modules, uses })
}

fn reachable<'a>(level: &'a Level, from: &'a Module) -> BTreeSet<&'a Module> {
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(module) = next.pop() {
        for target in level.get(module).into_iter().flat_map(BTreeMap::keys) {
            if seen.insert(target) {
                next.push(target);
            }
        }
    }
    seen
}

/// A path from the crate's root on; none if it leads out of the crate.
fn absolute(module: &Module, path: &Path, modules: &BTreeMap<Module, &Source>) -> Option<Module> {
    let mut base = module.clone();
    let mut rest = path.segments.as_slice();
    match rest.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|segment| segment == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        child if !modules.contains_key(&join(module, child)) => return None,
        _ => {}
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// The module that an absolute path leads to, along re-exports.
fn resolve(
    path: Module,
    modules: &BTreeMap<Module, &Source>,
    signposts: &BTreeMap<Module, Module>,
) -> Option<Module> {
    let mut path = path;
    // Each turn follows one re-export; a chain of them is short, and a circle of them does not build.
    for _ in 0..8 {
        let length = (0..=path.len())
            .rev()
            .find(|n| modules.contains_key(&path[..*n]))?;
        let Some(target) = path.get(..=length).and_then(|name| signposts.get(name)) else {
            path.truncate(length);
            return Some(path);
        };
        path = target.iter().chain(&path[length + 1..]).cloned().collect();
    }
    None
}

fn join(module: &Module, name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

fn shown(module: &Module) -> String {
    module.join("::")
}

#[cfg(test)]
mod tests;
