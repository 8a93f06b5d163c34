//! The roles of people, without a cluster: `lab/personas.yaml` says who may do what, and the roles as they are printed are
//! read as Kubernetes' RBAC reads them.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::roles::persona::Persona;
use crate::roles::rule::rules;

use super::{arguments, objects};

/// Somebody, the role, and what it lets do and not.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Person {
    who: String,
    role: String,
    /// The one namespace where it is bound; none means all, and what is in none.
    r#in: Option<String>,
    may: Vec<String>,
    may_not: Vec<String>,
}

/// `create httproutes.gateway.networking.k8s.io in shop`
struct Act<'a> {
    verb: &'a str,
    group: &'a str,
    resource: String,
    place: Option<&'a str>,
}

impl<'a> Act<'a> {
    fn read(text: &'a str) -> Self {
        let (act, place) = match text.split_once(" in ") {
            Some((act, place)) => (act, Some(place)),
            None => (text, None),
        };
        let (verb, what) = act.split_once(' ').expect("a verb and a resource");
        let (what, part) = what.split_once('/').unwrap_or((what, ""));
        let (resource, group) = what.split_once('.').unwrap_or((what, ""));
        let resource = match part {
            "" => resource.to_owned(),
            part => format!("{resource}/{part}"),
        };
        Self {
            verb,
            group,
            resource,
            place,
        }
    }

    fn is_allowed_by(&self, rules: &[Value]) -> bool {
        let has = |rule: &Value, field: &str, value: &str| {
            let mut list = rule[field].as_array().into_iter().flatten();
            list.any(|it| it == value || it == "*")
        };
        rules.iter().any(|rule| {
            has(rule, "verbs", self.verb)
                && has(rule, "apiGroups", self.group)
                && has(rule, "resources", &self.resource)
                && rule.get("resourceNames").is_none()
        })
    }
}

fn people() -> Vec<Person> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/personas.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The rules of a role, as printed; of Kubernetes' own roles what is known of them, and what becomes part of them.
fn rules_of(role: &str, printed: &[Value]) -> Vec<Value> {
    let of = |object: &&Value| object["kind"] == "ClusterRole";
    let label = format!("rbac.authorization.k8s.io/aggregate-to-{role}");
    let roles = printed.iter().filter(of).filter(|object| {
        let metadata = &object["metadata"];
        metadata["name"] == role || metadata["labels"][&label] == "true"
    });
    let own = roles.flat_map(|role| role["rules"].as_array().cloned().unwrap_or_default());
    let mut all: Vec<Value> = own.collect();
    let kubernetes = Persona::ALL.iter().filter_map(|persona| persona.part_of());
    for (_, given) in kubernetes.filter(|(name, _)| *name == role) {
        all.extend(rules(given));
    }
    // Kubernetes makes view a part of edit.
    if role == "edit" {
        all.extend(rules_of("view", printed));
    }
    assert!(!all.is_empty(), "no role {role} is printed");
    all
}

fn may(person: &Person, act: &str, printed: &[Value]) -> bool {
    let act = Act::read(act);
    let bound_there = match (&person.r#in, act.place) {
        (None, _) => true,
        (Some(bound), Some(place)) => bound == place,
        // What is in no namespace takes a binding that is in none.
        (Some(_), None) => false,
    };
    bound_there && act.is_allowed_by(&rules_of(&person.role, printed))
}

#[test]
fn everybody_may_what_the_table_says_and_nothing_that_it_forbids() {
    let printed = objects(&arguments(&["--roles"]));
    let people = people();
    assert_eq!(people.len(), Persona::ALL.len());
    let mut wrong = Vec::new();
    for person in &people {
        for (acts, expected) in [(&person.may, true), (&person.may_not, false)] {
            for act in acts {
                if may(person, act, &printed) != expected {
                    wrong.push(format!("{} {act}: not {expected}", person.who));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Without being asked for, no role gives anybody more than to look.
#[test]
fn without_the_option_nobody_may_change_anything() {
    let printed = objects(&arguments(&[]));
    for role in ["view", "edit"] {
        let known = rules_of(role, &printed);
        let act = Act::read("create httproutes.gateway.networking.k8s.io in shop");
        assert!(!act.is_allowed_by(&known), "{role}");
    }
    let read = Act::read("get httproutes.gateway.networking.k8s.io in shop");
    assert!(read.is_allowed_by(&rules_of("edit", &printed)));
}

/// A kind that is new in the product is somebody's: there is one persona at least who may write it.
#[test]
fn every_kind_of_the_gateway_api_and_of_ours_has_an_owner_and_can_be_seen() {
    use daemun_controller::kubernetes::plural;
    use daemun_objects::Any;

    for kind in Any::KINDS {
        if !kind.group.starts_with("gateway.") {
            continue;
        }
        let resource = plural(kind);
        let may = |verb: &str| {
            let act = Act {
                verb,
                group: kind.group,
                resource: resource.clone(),
                place: None,
            };
            let allows = |persona: &&Persona| act.is_allowed_by(&rules(persona.rules()));
            Persona::ALL.iter().filter(allows).count()
        };
        assert_eq!(may("create"), 1, "{resource}");
        // What is in no namespace is in no role that is bound in one.
        let seen_by = if kind.namespaced { 4 } else { 2 };
        assert_eq!(may("get"), seen_by, "{resource}");
    }
}

/// The documents name for each role the kinds that are its own.
#[test]
fn the_documents_name_every_kind_of_a_role() {
    use daemun_controller::kubernetes::plural;
    use daemun_objects::Any;

    for document in ["roles.md", "roles.ko.md"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let text = std::fs::read_to_string(file.join(document)).unwrap();
        for persona in Persona::ALL {
            let name = format!("`{}`", persona.role());
            let mut rows = text.lines().filter(|line| line.starts_with("| "));
            let row = rows.find(|line| line.contains(&name));
            let row = row.unwrap_or_else(|| panic!("{document} has no row of {name}"));
            let words: Vec<&str> = row.split(|it: char| !it.is_ascii_alphanumeric()).collect();
            let ours = Any::KINDS
                .iter()
                .filter(|it| it.group.starts_with("gateway."));
            for kind in ours {
                let resource = plural(kind);
                let mut rules = persona.rules().iter();
                let is_own = rules.any(|rule| rule.allows("create", kind.group, &resource));
                let is_named = words.contains(&kind.kind);
                assert_eq!(is_own, is_named, "{document}: {name} and {}", kind.kind);
            }
        }
    }
}
