//! What the controller wrote into the status of Routes: the truth about those whose Gateway cannot be seen.

use std::collections::BTreeMap;

use daemun_model::names::ObjectRef;
use serde::Deserialize;

/// What was written about a parent of a Route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// `Gateway infra/shop`
    pub parent: String,
    /// The listener, if only that one is meant.
    pub section: Option<String>,
    /// Its conditions.
    pub conditions: Vec<Said>,
}

/// A condition that was written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Said {
    /// `Accepted`, `ResolvedRefs`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// True, False or Unknown.
    pub status: String,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

impl Recorded {
    /// Whether the parent takes the Route.
    pub fn is_accepted(&self) -> bool {
        let mut conditions = self.conditions.iter();
        conditions.any(|said| said.kind == "Accepted" && said.status == "True")
    }
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parent {
    controller_name: String,
    parent_ref: ParentRef,
    #[serde(default)]
    conditions: Vec<Said>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ParentRef {
    kind: Option<String>,
    namespace: Option<String>,
    name: String,
    section_name: Option<String>,
}

/// Reads the entries of a controller from statuses, as JSON.
pub(super) fn read(
    statuses: &BTreeMap<ObjectRef, Box<str>>,
    controller: &str,
) -> BTreeMap<ObjectRef, Vec<Recorded>> {
    let mut all = BTreeMap::new();
    for (object, text) in statuses {
        let Ok(Status { parents }) = serde_json::from_str(text) else {
            continue;
        };
        let recorded: Vec<Recorded> = parents
            .into_iter()
            .filter(|parent| parent.controller_name == controller)
            .map(|parent| recorded(object, parent))
            .collect();
        if !recorded.is_empty() {
            all.insert(object.clone(), recorded);
        }
    }
    all
}

fn recorded(object: &ObjectRef, parent: Parent) -> Recorded {
    let ParentRef {
        kind,
        namespace,
        name,
        section_name,
    } = parent.parent_ref;
    let kind = kind.as_deref().unwrap_or("Gateway");
    let namespace = namespace.as_ref().unwrap_or(&object.name.namespace);
    Recorded {
        parent: format!("{kind} {namespace}/{name}"),
        section: section_name,
        conditions: parent.conditions,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use daemun_model::names::{ObjectName, ObjectRef};

    use super::read;

    #[test]
    fn only_what_our_controller_wrote_counts() {
        let status = r#"{"parents": [
            {"controllerName": "them", "parentRef": {"name": "a"}, "conditions": []},
            {"controllerName": "us", "parentRef": {"name": "b", "sectionName": "web"}, "conditions": [
                {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "m", "observedGeneration": 1}
            ]}
        ]}"#;
        let route = ObjectRef::new("HTTPRoute", ObjectName::new("n", "r"));
        let statuses = BTreeMap::from([
            (route.clone(), status.into()),
            (
                ObjectRef::new("Gateway", ObjectName::new("n", "g")),
                "{\"listeners\": []}".into(),
            ),
        ]);
        let recorded = read(&statuses, "us");
        assert_eq!(recorded.len(), 1);
        let of_route = &recorded[&route];
        assert_eq!(of_route.len(), 1);
        assert_eq!(of_route[0].parent, "Gateway n/b");
        assert_eq!(of_route[0].section.as_deref(), Some("web"));
        assert!(of_route[0].is_accepted());
    }
}
