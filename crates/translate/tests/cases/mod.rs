//! The cases of `tests/golden`: where they are, and the objects of each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemun_objects::own::FILE_ANNOTATION_PREFIX;
use daemun_objects::{Any, seconds_since_epoch};
use daemun_translate::{Cluster, Home};

/// Where they are.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// All of them, by name.
pub(crate) fn all() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".in.yaml"))
        .collect();
    cases.sort();
    cases
}

/// A case's objects.
pub(crate) fn read(case: &Path, text: &str) -> Cluster {
    let mut cluster = Cluster {
        now: seconds_since_epoch("2026-11-23T12:00:00Z").unwrap(),
        ..Cluster::default()
    };
    for line in text.lines().take_while(|line| line.starts_with('#')) {
        match line.trim_start_matches(['#', ' ']).split_once(": ") {
            Some(("now", time)) => cluster.now = seconds_since_epoch(time).unwrap(),
            Some(("home", "Kubernetes")) => cluster.settings.home = Home::Kubernetes,
            Some(("resolved", line)) => {
                let mut words = line.split(' ');
                let name = words.next().unwrap().to_owned();
                let addresses = words.map(|address| address.parse().unwrap()).collect();
                cluster.resolved.insert(name, addresses);
            }
            Some(("private", range)) => {
                let ranges = &mut cluster.settings.private_ranges;
                ranges.push(range.parse().unwrap());
            }
            Some(("public", range)) => {
                let ranges = &mut cluster.settings.public_ranges;
                ranges.push(range.parse().unwrap());
            }
            _ => {}
        }
    }
    let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(text)
        .unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    for document in documents {
        let field = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let (version, kind) = (field("apiVersion"), field("kind"));
        let mut object = Any::deserialize(&version, &kind, document)
            .unwrap_or_else(|| panic!("{}: {version} {kind} is not known", case.display()))
            .unwrap_or_else(|error| panic!("{}: {kind}: {error}", case.display()));
        fill_from_files(&mut object);
        let replaced = cluster.insert(object);
        assert!(
            replaced.is_none(),
            "{}: {replaced:?} is there twice",
            case.display()
        );
    }
    cluster
}

fn fill_from_files(object: &mut Any) {
    let files: BTreeMap<String, String> = object
        .metadata()
        .annotations
        .iter()
        .filter_map(|(key, path)| {
            let key = key.strip_prefix(FILE_ANNOTATION_PREFIX)?;
            let text = std::fs::read_to_string(directory().join(path)).unwrap();
            Some((key.to_owned(), text))
        })
        .collect();
    match object {
        Any::Secret(secret) => Arc::make_mut(secret).string_data.extend(files),
        Any::ConfigMap(map) => Arc::make_mut(map).data.extend(files),
        _ => assert!(files.is_empty(), "only Secrets and ConfigMaps name files"),
    }
}
