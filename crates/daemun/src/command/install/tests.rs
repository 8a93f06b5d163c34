//! What `daemun install` prints.

mod personas;

use std::collections::BTreeSet;
use std::path::Path;

use clap::Parser;
use daemun_testkit::golden;
use serde_json::Value;

use super::definitions::Channel;
use super::policies::Guarded;
use super::{Arguments, channel, objects, printed, rights, roles};
use crate::roles::persona::Persona;
use crate::roles::rule::rules;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(options: &[&str]) -> Arguments {
    let all = std::iter::once(&"install").chain(options);
    Command::parse_from(all).arguments
}

fn parsed(options: &[&str]) -> Vec<Value> {
    let arguments = arguments(&[&["--offline"], options].concat());
    let text = printed(&arguments, channel(&arguments).unwrap()).unwrap();
    serde_saphyr::from_multiple(&text).unwrap()
}

/// Installing must not make a cloud give an address to anything; only Gateways do.
#[test]
fn no_load_balancer_comes_from_installing() {
    for options in [
        &[][..],
        &["--gateway-api-crds", "experimental", "--replicas", "3"],
        &["--watch-namespace", "a", "--watch-namespace", "b"],
    ] {
        let all = parsed(options);
        let services: Vec<&Value> = all
            .iter()
            .filter(|object| object["kind"] == "Service")
            .collect();
        assert_eq!(services.len(), 1, "{services:?}");
        assert_eq!(services[0]["spec"]["clusterIP"], "None");
        assert!(services[0]["spec"].get("type").is_none());
        for kind in ["Gateway", "GatewayClass"] {
            assert!(!all.iter().any(|object| object["kind"] == kind));
        }
    }
}

#[test]
fn the_crds_of_one_channel_are_printed_or_none() {
    let crds = |channel: &str| {
        let all = parsed(&["--gateway-api-crds", channel]);
        let group = "gateway.networking.k8s.io";
        let of_channel = all.iter().filter(|object| object["spec"]["group"] == group);
        let marked = of_channel.clone().all(|object| {
            let annotations = &object["metadata"]["annotations"];
            annotations["gateway.networking.k8s.io/channel"] == channel
                && annotations["gateway.networking.k8s.io/bundle-version"] == "v1.6.1"
        });
        (of_channel.count(), marked)
    };
    assert_eq!(crds("standard"), (10, true));
    assert_eq!(crds("experimental"), (10, true));
    assert_eq!(crds("none"), (0, true));
}

/// One small ClusterRole, and for each namespace a Role.
#[test]
fn in_namespaced_mode_there_are_few_rights_for_the_whole_cluster() {
    let all = objects(&arguments(&["--watch-namespace", "team-a"]));
    let rules = |kind: &str, namespace: &str| -> Vec<String> {
        let mut found: Vec<String> = all
            .iter()
            .filter(|object| {
                let of = object["metadata"]["namespace"].as_str().unwrap_or_default();
                let of_people = object["metadata"]["name"] == "daemun-view";
                object["kind"] == kind && of == namespace && !of_people
            })
            .flat_map(|role| role["rules"].as_array().cloned().unwrap_or_default())
            .flat_map(|rule| rule["resources"].as_array().cloned().unwrap_or_default())
            .filter_map(|resource| resource.as_str().map(str::to_owned))
            .collect();
        found.sort();
        found.dedup();
        found
    };
    assert_eq!(
        rules("ClusterRole", ""),
        [
            "customresourcedefinitions",
            "gatewayclasses",
            "gatewayclasses/status",
            "leases",
            "namespaces",
            "nodes",
            "tokenreviews",
        ]
    );
    assert!(rules("Role", "team-a").contains(&"secrets".to_owned()));
    assert!(rules("Role", "daemun-system").contains(&"leases".to_owned()));
}

/// A right that stands in a role twice is one that nobody dares to take away.
#[test]
fn no_role_permits_anything_twice() {
    for options in [&["--roles"][..], &["--watch-namespace", "a"]] {
        for role in objects(&arguments(options)) {
            let mut all = BTreeSet::new();
            for rule in role["rules"].as_array().into_iter().flatten() {
                for right in rights_of(rule) {
                    assert!(
                        all.insert(right.clone()),
                        "{} {}: {right:?}",
                        role["kind"],
                        role["metadata"]["name"]
                    );
                }
            }
        }
    }
}

fn rights_of(rule: &Value) -> Vec<[String; 3]> {
    let texts =
        |field: &str| -> Vec<String> { serde_json::from_value(rule[field].clone()).unwrap() };
    let mut all = Vec::new();
    for group in texts("apiGroups") {
        for resource in texts("resources") {
            for verb in texts("verbs") {
                all.push([group.clone(), resource.clone(), verb]);
            }
        }
    }
    all
}

/// What the Helm chart says about rights: the same rules.
#[test]
fn the_charts_rules_are_those_that_are_printed() {
    for (name, of) in [
        ("of-the-cluster", rights::CLUSTER_WIDE),
        ("of-namespaces", rights::IN_NAMESPACES),
        ("at-home", rights::AT_HOME),
        ("for-people", Persona::Viewer.rules()),
        ("of-developers", Persona::Developer.rules()),
        ("of-cluster-operators", Persona::ClusterOperator.rules()),
        (
            "of-infrastructure-operators",
            Persona::InfrastructureOperator.rules(),
        ),
    ] {
        let text = serde_saphyr::to_string(&rules(of)).unwrap();
        let path = format!("helm/daemun/files/rules-{name}.yaml");
        compare(&path, &text);
    }
}

/// The manifests for those who do not have the program at hand.
#[test]
fn deploy_daemun_yaml_is_what_is_printed() {
    let head = "# What daemun install --gateway-api-crds=none prints. Written by UPDATE_GOLDENS=1 cargo test -p daemun install;\n# not to be edited.\n";
    let printed = printed(&arguments(&[]), Channel::None).unwrap();
    compare("daemun.yaml", &format!("{head}{printed}"));
}

/// The roles of people, for those who do not have the program at hand.
#[test]
fn deploy_roles_are_what_is_printed() {
    let arguments = arguments(&["--roles"]);
    for role in roles::operators_and_developers(&arguments) {
        let name = role["metadata"]["name"].as_str().unwrap();
        let text = serde_saphyr::to_string(&role).unwrap();
        compare(
            &format!("roles/{name}.yaml"),
            &format!("# Of what daemun install --roles prints. {WRITTEN}\n{text}"),
        );
    }
}

/// The policies, for those who do not have the program at hand, and their insides for the Helm chart.
#[test]
fn deploy_policies_are_what_is_printed() {
    for (name, policy) in Guarded::ALL {
        let head = format!("# Of what daemun install --policy {name} prints. {WRITTEN}\n");
        let objects = policy.objects(&arguments(&[]));
        let texts = objects
            .iter()
            .map(|object| format!("---\n{}", serde_saphyr::to_string(object).unwrap()));
        let text: String = texts.collect();
        compare(&format!("policies/{name}.yaml"), &(head + &text));
        for (name, spec) in policy.policies() {
            let text = serde_saphyr::to_string(&spec).unwrap();
            compare(&format!("helm/daemun/files/{name}.yaml"), &text);
        }
    }
}

const WRITTEN: &str = "Written by UPDATE_GOLDENS=1 cargo test -p daemun install; not to be edited.";

/// Compares a file of `deploy/` with what it is to be, or writes it.
fn compare(path: &str, actual: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(path);
    if let Err(why) = golden::check(&file, actual) {
        panic!("{why}");
    }
}
