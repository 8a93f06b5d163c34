//! The comparison on made-up workspaces, and what an added edge does to the real one.

use super::{HEAVY, Heavy, LAYERS, Layer, Workspace, compare, wrappers};

const TABLE: &[Layer] = &[
    Layer {
        name: "below",
        stage: "the data",
        uses: &[],
        never: &["runtime"],
    },
    Layer {
        name: "above",
        stage: "the user",
        uses: &["below"],
        never: &[],
    },
];
const OUTSIDE: &[Heavy] = &[Heavy {
    name: "runtime",
    users: &["above"],
}];

fn workspace(all: &[(&str, &[&str])]) -> Workspace {
    let names = |uses: &&[&str]| uses.iter().map(|name| (*name).to_owned()).collect();
    let all: Vec<_> = all
        .iter()
        .map(|(name, uses)| ((*name).to_owned(), names(uses)))
        .collect();
    let is_ours = |name: &str| !matches!(name, "runtime" | "helper");
    Workspace {
        ours: all
            .iter()
            .filter(|(name, _)| is_ours(name))
            .cloned()
            .collect(),
        all: all.into_iter().collect(),
    }
}

fn findings(all: &[(&str, &[&str])]) -> String {
    compare(&workspace(all), TABLE, OUTSIDE).join("\n")
}

#[test]
fn what_the_table_allows_passes() {
    assert_eq!(
        findings(&[("below", &["helper"]), ("above", &["below", "runtime"])]),
        ""
    );
}

#[test]
fn an_edge_against_the_direction_fails() {
    let found = findings(&[("below", &["above"]), ("above", &[])]);
    assert_eq!(
        found,
        "crate below (the data) must not use above. It may use: none of ours."
    );
}

#[test]
fn a_heavy_crate_is_found_directly_and_behind_others() {
    let direct = findings(&[("below", &["runtime"]), ("above", &[])]);
    assert!(
        direct.contains("must not use runtime. Its users are: above."),
        "{direct}"
    );
    let behind = findings(&[
        ("below", &["helper"]),
        ("helper", &["runtime"]),
        ("above", &[]),
    ]);
    assert_eq!(
        behind,
        "crate below (the data) must never see runtime, and does: below → helper → runtime."
    );
}

#[test]
fn a_crate_that_is_not_in_the_table_is_asked_for_its_stage() {
    let found = findings(&[("below", &[]), ("above", &[]), ("beside", &[])]);
    assert!(found.contains("crate beside is not in the table of layers: which stage is it?"));
}

#[test]
fn a_crate_that_is_only_in_the_table_is_found() {
    assert!(findings(&[("below", &[])]).contains("the table of layers has above"));
}

#[test]
fn deny_names_the_same_users() {
    let heavy = Heavy {
        name: "hyper",
        users: &["daemun-proxy", "daemun"],
    };
    let same = r#"{ crate = "hyper", wrappers = ["daemun", "hyper-util", "daemun-proxy"] },"#;
    assert_eq!(wrappers(&heavy, same), None);
    for other in ["", r#"{ crate = "hyper", wrappers = ["daemun"] },"#] {
        let found = wrappers(&heavy, other).unwrap();
        assert!(
            found.starts_with("deny.toml lets") && found.contains("hyper"),
            "{found}"
        );
    }
}

/// The table is acyclic and complete: each crate uses only crates that stand before it.
#[test]
fn the_table_goes_one_way() {
    for (at, layer) in LAYERS.iter().enumerate() {
        let before: Vec<&str> = LAYERS[..at].iter().map(|layer| layer.name).collect();
        for used in layer.uses {
            assert!(before.contains(used), "{} uses {used}", layer.name);
        }
    }
}

/// The real workspace passes, and does not with any edge that the table does not have.
#[test]
fn every_edge_that_is_added_to_the_workspace_is_found() {
    let real = Workspace::read().unwrap();
    assert_eq!(compare(&real, LAYERS, HEAVY), Vec::<String>::new());
    for layer in LAYERS {
        let names = LAYERS
            .iter()
            .map(|layer| layer.name)
            .chain(HEAVY.iter().map(|h| h.name));
        for other in names.filter(|other| *other != layer.name) {
            let heavy = HEAVY.iter().find(|heavy| heavy.name == other);
            let allowed = layer.uses.contains(&other)
                || heavy.is_some_and(|heavy| heavy.users.contains(&layer.name));
            if allowed {
                continue;
            }
            let mut ours = real.ours.clone();
            ours.entry(layer.name.to_owned())
                .or_default()
                .insert(other.to_owned());
            let changed = Workspace {
                ours,
                all: real.all.clone(),
            };
            let found = compare(&changed, LAYERS, HEAVY);
            assert_eq!(found.len(), 1, "{} → {other}: {found:?}", layer.name);
            assert!(
                found[0].contains(&format!("must not use {other}")),
                "{found:?}"
            );
        }
    }
}
