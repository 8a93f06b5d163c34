//! What the people meet: roles and policies as they are installed, three namespaces, a Gateway's certificate, and objects of
//! others that they may not change. What was there before stays afterwards.

use std::process::Command;

use serde_json::{Value, json};

use super::Person;
use super::tries::SOURCE_RANGES;
use crate::lab::install::NAMESPACE;
use crate::lab::kubectl::Kubectl;
use crate::lab::playground::until;
use crate::repository;

/// The namespace of a place in `lab/personas.yaml`.
pub(super) fn namespace(place: &str) -> String {
    format!("daemun-personas-{place}")
}

/// The user's name of somebody.
pub(super) fn user(who: &str) -> String {
    format!("daemun-personas:{who}")
}

/// Somebody who may change Services and GatewayParameters by some other role, and is no operator.
pub(super) const CARELESS: &str = "careless";

/// What makes load balancers, as far as the policies can tell.
pub(super) const CLOUD: &str = "cloud";

const PLACES: [&str; 3] = ["gateways", "shop", "stock"];

/// What was made.
pub(super) struct Scene<'a> {
    kubectl: &'a Kubectl,
    /// What goes again, the last first.
    made: Vec<String>,
}

impl<'a> Scene<'a> {
    /// Makes everything.
    pub(super) fn make(kubectl: &'a Kubectl, people: &[Person]) -> Result<Self, String> {
        let mut scene = Self {
            kubectl,
            made: Vec::new(),
        };
        match scene.fill(people) {
            Ok(()) => Ok(scene),
            Err(why) => {
                scene.clear()?;
                Err(why)
            }
        }
    }

    fn fill(&mut self, people: &[Person]) -> Result<(), String> {
        let is_there = |kind: &str, name: &str| self.kubectl.output(&["get", kind, name]).is_ok();
        if !is_there("crd", "gateways.gateway.networking.k8s.io") {
            return Err("The cluster has no CRDs of the Gateway API.".to_owned());
        }
        // An installation that is there is the one that is tried; with the roles and policies that it has not.
        let has_daemun = is_there("namespace", NAMESPACE);
        let plain = if has_daemun {
            Vec::new()
        } else {
            installed(&[])?
        };
        let all = installed(&["--roles", "--policy=exposure", "--policy=hostnames"])?;
        let extra = all.into_iter().filter(|object| {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            is_for_people(object) && !is_there(kind_of(object), name)
        });
        let extra: Vec<Value> = extra.map(in_force_here).collect();
        self.apply(&plain)?;
        self.apply(&extra)?;
        self.apply(&places())?;
        self.apply(&bound(people))?;
        self.apply(&things())
    }

    fn apply(&mut self, objects: &[Value]) -> Result<(), String> {
        if objects.is_empty() {
            return Ok(());
        }
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string();
        self.made.push(list.clone());
        self.kubectl.apply(&list)
    }

    /// Takes it away.
    pub(super) fn clear(self) -> Result<(), String> {
        for objects in self.made.iter().rev() {
            self.kubectl.delete(objects)?;
        }
        Ok(())
    }
}

/// What `daemun install` prints, but for what would run.
fn installed(options: &[&str]) -> Result<Vec<Value>, String> {
    let mut command = Command::new("cargo");
    command.current_dir(repository::root());
    command.args(["run", "--quiet", "--package", "daemun", "--", "install"]);
    command.args(["--gateway-api-crds=none"]).args(options);
    let output = command
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}."))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("daemun install failed: {}", said.trim()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let all: Vec<Value> = serde_saphyr::from_multiple(&text)
        .map_err(|error| format!("What daemun install prints is no YAML: {error}."))?;
    let runs = ["Deployment", "Service", "PodDisruptionBudget"];
    Ok(all
        .into_iter()
        .filter(|object| !object.is_null() && !runs.contains(&kind_of(object)))
        .collect())
}

fn kind_of(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

/// Whether an object is one that `--roles` or `--policy` adds.
fn is_for_people(object: &Value) -> bool {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let is_role = ["ClusterRole", "ClusterRoleBinding"].contains(&kind_of(object))
        && name != crate::lab::install::NAME
        && name != "daemun-view";
    is_role || kind_of(object).starts_with("ValidatingAdmissionPolicy")
}

/// A policy's binding, for the namespaces of the test only: whoever else uses the cluster notices nothing.
fn in_force_here(mut object: Value) -> Value {
    if kind_of(&object) == "ValidatingAdmissionPolicyBinding" {
        let here = PLACES.map(namespace);
        let name = "kubernetes.io/metadata.name";
        let here = json!([{ "key": name, "operator": "In", "values": here }]);
        object["spec"]["matchResources"] =
            json!({ "namespaceSelector": { "matchExpressions": here } });
    }
    object
}

/// The namespaces, with the hostnames that they have.
fn places() -> Vec<Value> {
    let hostnames = [
        "gateway.example.com",
        "shop.example.com, *.shop.example.com",
        "stock.example.com",
    ];
    let places = PLACES.iter().zip(hostnames);
    let namespaces = places.map(|(place, hostnames)| {
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": namespace(place),
                "annotations": { "gateway.daemun.dev/hostnames": hostnames },
            },
        })
    });
    namespaces.collect()
}

/// Who has which role where.
fn bound(people: &[Person]) -> Vec<Value> {
    let mut all: Vec<Value> = people
        .iter()
        .map(|person| binding(&person.who, &person.role, person.r#in.as_deref()))
        .collect();
    all.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": { "name": "daemun-personas-careless" },
        "rules": [
            { "apiGroups": [""], "resources": ["services"], "verbs": ["*"] },
            { "apiGroups": ["gateway.daemun.dev"], "resources": ["gatewayparameters"], "verbs": ["*"] },
            { "apiGroups": ["gateway.networking.k8s.io"], "resources": ["listenersets"], "verbs": ["*"] },
        ],
    }));
    all.push(binding(
        CARELESS,
        "daemun-personas-careless",
        Some("gateways"),
    ));
    let mut cloud = binding(CLOUD, "daemun-personas-careless", Some("shop"));
    cloud["subjects"] = json!([
        { "kind": "ServiceAccount", "namespace": "kube-system", "name": namespace(CLOUD) },
    ]);
    all.push(cloud);
    all
}

fn binding(who: &str, role: &str, place: Option<&str>) -> Value {
    let kind = match place {
        Some(_) => "RoleBinding",
        None => "ClusterRoleBinding",
    };
    let mut binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": { "name": format!("daemun-personas-{who}") },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user(who) }],
    });
    if let Some(place) = place {
        binding["metadata"]["namespace"] = json!(namespace(place));
    }
    binding
}

/// What is there already: a certificate, a Service that operators made reachable, and what the team of the shop has.
fn things() -> Vec<Value> {
    let named = |place: &str, name: &str| json!({ "namespace": namespace(place), "name": name });
    let ports = json!([{ "name": "http", "port": 80 }]);
    vec![
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": named("gateways", "certificate"),
            "stringData": { "tls.key": "of nobody" },
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "namespace": namespace("shop"),
                "name": "of-operators",
                "annotations": many_annotations(),
            },
            "spec": { "type": "NodePort", "ports": ports },
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": named("shop", "own"),
            "spec": { "ports": ports },
        }),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": named("shop", "own"),
            "spec": { "hostnames": ["shop.example.com"] },
        }),
    ]
}

/// Waits until roles are put together and policies are in force, which takes the cluster some seconds.
pub(super) fn await_roles_and_policies(kubectl: &Kubectl) -> Result<(), String> {
    let shop = namespace("shop");
    let developer = user("developer");
    let dry = ["-n", &shop, "--as", &developer, "--dry-run=server"];
    let role = "the developers' role is part of edit";
    until(role, || {
        let patch = r#"{"metadata": {"labels": {"a": "b"}}}"#;
        let words = ["patch", "httproute", "own", "--type=merge", "-p", patch];
        kubectl.output(&[&words[..], &dry].concat()).map(drop)
    })?;
    let refused = |words: &[&str], by: &str| match kubectl.output(&[words, &dry].concat()) {
        Ok(_) => Err(format!("{by} refuses nothing")),
        Err(why) if why.contains(by) => Ok(()),
        Err(why) => Err(why),
    };
    let service = ["create", "service", "nodeport", "a", "--tcp=80"];
    until("the policy of exposure is in force", || {
        refused(&service, "daemun-exposure-of-services")
    })?;
    let patch = r#"{"spec": {"hostnames": ["stock.example.com"]}}"#;
    let route = ["patch", "httproute", "own", "--type=merge", "-p", patch];
    until("the policy of hostnames is in force", || {
        refused(&route, "daemun-hostnames-of-routes")
    })
}

/// What the API server finds strange about the policies' expressions.
pub(super) fn warnings(kubectl: &Kubectl) -> Result<Vec<String>, String> {
    let found = "jsonpath={range .items[*]}{.metadata.name}{\"\\t\"}{.status.typeChecking.expressionWarnings}{\"\\n\"}{end}";
    let found = kubectl.output(&["get", "validatingadmissionpolicies", "-o", found])?;
    let warned = found.lines().filter_map(|line| line.split_once('\t'));
    let ours = warned.filter(|(name, what)| name.starts_with("daemun-") && !what.is_empty());
    Ok(ours
        .map(|(name, what)| format!("The API server warns of {name}: {what}"))
        .collect())
}

/// Which callers are let in, and as many long annotations as a developer may add to it in some requests.
fn many_annotations() -> serde_json::Map<String, Value> {
    let callers = (SOURCE_RANGES.to_owned(), json!("192.0.2.0/24"));
    let domain = [
        "a".repeat(60),
        "b".repeat(60),
        "c".repeat(60),
        "d".repeat(60),
    ]
    .join(".");
    let long = (0..80).map(|number| (format!("{domain}/{}{number}", "e".repeat(60)), json!("")));
    [callers].into_iter().chain(long).collect()
}
