//! `cargo xtask personas`: each of the people around a gateway tries, in a real cluster, what the roles and the policies let
//! them do, and what they do not.
//!
//! kubectl acts in their names (`--as`). Nothing that is tried is kept: the API server judges a request that says
//! `--dry-run=server` like any other, and so nobody's load balancer is made.

mod scene;
mod tries;

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Deserializer, Value, json};

use crate::lab::kubectl::Kubectl;
use crate::lab::place::{self, Place};
use scene::{Scene, namespace, user};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Another cluster than the lab, by its kubeconfig; roles, policies and namespaces of the test are made there, and taken away
    #[arg(long, value_name = "PATH", env = "KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
}

/// Somebody of `lab/personas.yaml`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    who: String,
    role: String,
    r#in: Option<String>,
    may: Vec<String>,
    may_not: Vec<String>,
}

/// Tries everything, in the cluster that is given or in the lab.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    match &arguments.kubeconfig {
        Some(kubeconfig) => check(&Kubectl::with(kubeconfig)),
        None => check(&Kubectl::of(&Place::find()?)),
    }
}

/// Tries everything, and takes away what was made for it.
pub(crate) fn check(kubectl: &Kubectl) -> Result<(), String> {
    let people = people()?;
    let scene = Scene::make(kubectl, &people)?;
    let done = play(kubectl, &people);
    let gone = scene.clear();
    let (rights, acts) = done?;
    gone?;
    println!("personas: {rights} rights and {acts} acts are as they should be.");
    Ok(())
}

fn people() -> Result<Vec<Person>, String> {
    let text = place::read("personas.yaml".as_ref())?;
    serde_saphyr::from_str(&text)
        .map_err(|error| format!("lab/personas.yaml cannot be read: {error}"))
}

fn play(kubectl: &Kubectl, people: &[Person]) -> Result<(usize, usize), String> {
    scene::await_roles_and_policies(kubectl)?;
    let (rights, mut wrong) = rights(kubectl, people)?;
    wrong.extend(scene::warnings(kubectl)?);
    let acts = tries::all();
    for act in &acts {
        let said = act.attempt(kubectl);
        match act.judge(&said) {
            Ok(sentence) => println!("  {sentence}"),
            Err(sentence) => {
                println!("✗ {sentence}");
                wrong.push(sentence);
            }
        }
    }
    if wrong.is_empty() {
        return Ok((rights, acts.len()));
    }
    Err(format!(
        "Of the people around a gateway {} things are not as they should be:\n{}",
        wrong.len(),
        wrong.join("\n")
    ))
}

/// What the cluster's authorizer says of each right of the table. How many there are, and what is not as it should be.
fn rights(kubectl: &Kubectl, people: &[Person]) -> Result<(usize, Vec<String>), String> {
    let mut asked = Vec::new();
    for person in people {
        let all = [(&person.may, true), (&person.may_not, false)];
        for (acts, expected) in all {
            asked.extend(acts.iter().map(|act| (person, act, expected)));
        }
    }
    let reviews: Vec<Value> = asked.iter().map(|(who, act, _)| review(who, act)).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": reviews }).to_string();
    let answer = kubectl.output_of(&["create", "-o", "json", "-f", "-"], &list)?;
    let items: Result<Vec<Value>, _> = Deserializer::from_str(&answer).into_iter().collect();
    let items = items.map_err(|error| format!("kubectl's answer cannot be read: {error}."))?;
    if items.len() != asked.len() {
        return Err(format!(
            "The cluster answers {} of {} questions about rights.",
            items.len(),
            asked.len()
        ));
    }
    let mut wrong = Vec::new();
    for ((person, act, expected), answer) in asked.iter().zip(&items) {
        let allowed = answer["status"]["allowed"] == true;
        if allowed != *expected {
            let may = if allowed { "may" } else { "may not" };
            wrong.push(format!("{} {may} {act}.", person.who));
        }
    }
    println!(
        "  {} rights of {} people were asked for.",
        asked.len(),
        people.len()
    );
    Ok((asked.len(), wrong))
}

/// `create httproutes.gateway.networking.k8s.io in shop`, as a question to the authorizer.
fn review(person: &Person, act: &str) -> Value {
    let (act, place) = act.split_once(" in ").unwrap_or((act, ""));
    let (verb, what) = act.split_once(' ').unwrap_or((act, ""));
    let (what, part) = what.split_once('/').unwrap_or((what, ""));
    let (resource, group) = what.split_once('.').unwrap_or((what, ""));
    let namespace = match place {
        "" => String::new(),
        place => namespace(place),
    };
    json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": user(&person.who),
            "groups": ["system:authenticated"],
            "resourceAttributes": {
                "verb": verb,
                "group": group,
                "resource": resource,
                "subresource": part,
                "namespace": namespace,
            },
        },
    })
}
