//! `cargo xtask chart`: the Helm chart makes what `daemun install` prints.
//!
//! Helm itself renders the chart: the one on the path, or one that Go compiles into `target/tools`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::repository;

const HELM: &str = "helm.sh/helm/v3/cmd/helm@v3.22.0";
/// The oldest version of Kubernetes that works, for which the chart is rendered.
const KUBERNETES: &str = "1.33.0";

/// A way to install: by the chart's values, and by the options of `daemun install`.
struct Case {
    what: &'static str,
    values: &'static [&'static str],
    options: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        what: "nothing is said",
        values: &[],
        options: &[],
    },
    Case {
        what: "everything is said",
        values: &[
            "image.name=example.com/daemun",
            "image.tag=1",
            "image.pullPolicy=Always",
            "imagePullSecrets[0]=registry",
            "replicas=3",
            "controllerName=example.com/controller",
            "watchNamespaces[0]=a",
            "watchNamespaces[1]=b",
            "roles=true",
            "policies.exposure=true",
            "policies.hostnames=true",
            "options[0]=--log-level=debug",
        ],
        options: &[
            "--image=example.com/daemun:1",
            "--image-pull-policy=always",
            "--pull-secret=registry",
            "--replicas=3",
            "--controller-name=example.com/controller",
            "--watch-namespace=a",
            "--watch-namespace=b",
            "--roles",
            "--policy=exposure",
            "--policy=hostnames",
            "--",
            "--log-level=debug",
        ],
    },
];

/// Compares them, case by case, in the usual namespace and in another one.
pub(crate) fn run() -> Result<(), String> {
    let helm = helm()?;
    let chart = repository::root().join("deploy/helm/daemun");
    let chart = chart.to_string_lossy();
    output(Command::new(&helm).args(["lint", "--strict", "--kube-version", KUBERNETES, &chart]))?;
    for case in CASES {
        for namespace in ["daemun-system", "elsewhere"] {
            let mut rendered = Command::new(&helm);
            rendered.args(["template", "daemun", &chart, "--namespace", namespace]);
            rendered.args(["--kube-version", KUBERNETES]);
            rendered.args(case.values.iter().flat_map(|value| ["--set", value]));
            let rendered = objects(&output(&mut rendered)?)?;
            let mut printed = Command::new("cargo");
            printed.current_dir(repository::root());
            printed.args(["run", "--quiet", "--package", "daemun", "--", "install"]);
            printed.args(["--gateway-api-crds=none", "--namespace", namespace]);
            let printed = objects(&output(printed.args(case.options))?)?;
            compare(&printed, &rendered)
                .map_err(|why| format!("{}, in namespace {namespace}: {why}", case.what))?;
        }
    }
    default_gateway(&helm, &chart)?;
    println!("chart: the Helm chart makes what daemun install prints.");
    Ok(())
}

/// Only `defaultGateway.enabled` makes a Gateway.
fn default_gateway(helm: &PathBuf, chart: &str) -> Result<(), String> {
    let mut command = Command::new(helm);
    command.args([
        "template",
        "daemun",
        chart,
        "--set",
        "defaultGateway.enabled=true",
    ]);
    command.args(["--set", "defaultGateway.parameters.workload.replicas=1"]);
    command.args(["--api-versions", "gateway.networking.k8s.io/v1"]);
    command.args(["--kube-version", KUBERNETES]);
    let with = objects(&output(&mut command)?)?;
    for kind in ["Gateway", "GatewayClass", "GatewayParameters"] {
        if !with
            .keys()
            .any(|name| name.starts_with(&format!("{kind} ")))
        {
            return Err(format!("defaultGateway.enabled makes no {kind}."));
        }
    }
    Ok(())
}

/// The objects by kind and name; not the CRDs, which a test of `xtask crds` compares, and not the namespace, which
/// Helm makes itself (`--create-namespace`).
fn objects(text: &str) -> Result<BTreeMap<String, Value>, String> {
    let all: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| format!("no YAML: {error}"))?;
    let named = all.into_iter().filter(|object| !object.is_null());
    let named = named.map(|object| {
        let field = |pointer: &str| {
            let value = object.pointer(pointer).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let kind = field("/kind");
        let name = format!(
            "{kind} {}/{}",
            field("/metadata/namespace"),
            field("/metadata/name")
        );
        (kind, name, object)
    });
    Ok(named
        .filter(|(kind, ..)| kind != "CustomResourceDefinition" && kind != "Namespace")
        .map(|(_, name, object)| (name, object))
        .collect())
}

fn compare(
    printed: &BTreeMap<String, Value>,
    rendered: &BTreeMap<String, Value>,
) -> Result<(), String> {
    for (name, object) in printed {
        match rendered.get(name) {
            None => return Err(format!("the chart has no {name}.")),
            Some(other) if other != object => {
                return Err(format!(
                    "{name} differs:\nprinted {object:#}\nchart   {other:#}"
                ));
            }
            Some(_) => {}
        }
    }
    match rendered.keys().find(|name| !printed.contains_key(*name)) {
        Some(name) => Err(format!(
            "the chart has {name}, and daemun install does not."
        )),
        None => Ok(()),
    }
}

/// Whether Helm is there, and need not be compiled.
pub(crate) fn has_helm() -> bool {
    is_on_the_path() || compiled().exists()
}

fn is_on_the_path() -> bool {
    Command::new("helm").arg("version").output().is_ok()
}

fn compiled() -> PathBuf {
    repository::root().join("target/tools/helm")
}

/// Helm; the error says why there is none.
pub(crate) fn helm() -> Result<PathBuf, String> {
    if is_on_the_path() {
        return Ok("helm".into());
    }
    let helm = compiled();
    if !helm.exists() {
        println!("chart: Go compiles Helm, which takes some minutes.");
        let mut go = Command::new("go");
        go.args(["install", HELM])
            .env("GOBIN", helm.with_file_name(""));
        go.current_dir(std::env::temp_dir());
        output(&mut go).map_err(|why| format!("there is no Helm: {why}"))?;
    }
    Ok(helm)
}

fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name} cannot be run: {error}."))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "{name} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::{compare, objects};

    #[test]
    fn what_differs_is_named() {
        let one = "kind: A\nmetadata: {name: x}\nspec: 1\n";
        let read = |text: &str| objects(text).unwrap();
        assert_eq!(compare(&read(one), &read(one)), Ok(()));
        for (printed, rendered, word) in [
            (one, "kind: B\nmetadata: {name: x}", "has no A /x"),
            (one, "kind: A\nmetadata: {name: x}\nspec: 2", "differs"),
            ("", one, "daemun install does not"),
        ] {
            let why = compare(&read(printed), &read(rendered)).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
    }
}
