//! What owners of objects must be told: conditions as Kubernetes shows them, and findings that point
//! into the object.
//!
//! Verdicts are data. `controller` writes them into status, `check` prints them.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::names::{ObjectName, ObjectRef};

/// All that is to be said about one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The object.
    pub object: ObjectRef,
    /// `metadata.generation` of what was judged; 0 in files.
    #[serde(skip_serializing_if = "crate::carried::is_default")]
    pub generation: i64,
    /// Conditions, part by part: the object's own first. Shared by all objects of which the same is to be
    /// said: thousands of Routes are attached to one listener.
    pub parts: Arc<[Part]>,
    /// What a person should notice, with the place and the remedy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// A part of a status that has conditions of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Which part.
    pub place: Place,
    /// Its conditions, in the order of the Gateway API's documentation.
    pub conditions: Vec<Condition>,
    /// `attachedRoutes`, for listeners; `attachedListenerSets`, for a Gateway itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attached: Option<u32>,
    /// `supportedKinds`, for listeners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supported_kinds: Option<Vec<&'static str>>,
}

/// Where in a status conditions stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Place {
    /// `status.conditions`.
    Object,
    /// `status.listeners[name]`.
    Listener(String),
    /// `status.parents[]` of a Route.
    Parent {
        /// `Gateway` or `ListenerSet`.
        parent: ObjectRef,
        /// `sectionName`, as written.
        #[serde(skip_serializing_if = "Option::is_none")]
        section: Option<String>,
        /// `port`, as written.
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
    /// `status.ancestors[]` of a policy: the Gateway through which it works.
    Ancestor(ObjectName),
}

/// A condition (`metav1.Condition` without its times).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// `Accepted`, `ResolvedRefs`, `Programmed`, `Conflicted`, …
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// True, False or Unknown.
    pub status: Status,
    /// One word, of the Gateway API's where there is one.
    pub reason: &'static str,
    /// A whole sentence, with the remedy where there is one.
    pub message: String,
}

/// The three values of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Status {
    /// Holds.
    True,
    /// Does not hold.
    False,
    /// Cannot be said yet.
    Unknown,
}

/// Something that a person should notice about an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether it stops something from working.
    pub severity: Severity,
    /// Where in the object.
    pub path: FieldPath,
    /// The condition's reason that it led to (`BackendNotFound`), or a word of the same style.
    pub reason: &'static str,
    /// A whole sentence: what is, why, what to do.
    pub message: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Severity {
    /// Works, and may surprise.
    Warning,
    /// Something that was asked for is refused or will not work.
    Error,
}

/// A place in an object: `spec.rules[0].backendRefs[1].name`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(Vec<Step>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A field of a mapping.
    Field(String),
    /// An element of a list, from 0.
    Index(usize),
}

impl FieldPath {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// A path written with dots: `FieldPath::of("spec.rules")`.
    pub fn of(dotted: &str) -> Self {
        Self(
            dotted
                .split('.')
                .map(|field| Step::Field(field.to_owned()))
                .collect(),
        )
    }

    /// This path and a field below it; the field may have dots for several steps.
    #[must_use]
    pub fn field(&self, dotted: &str) -> Self {
        let mut steps = self.0.clone();
        steps.extend(dotted.split('.').map(|field| Step::Field(field.to_owned())));
        Self(steps)
    }

    /// This path and one field whose name is taken as it is (annotation keys have dots).
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Field(key.to_owned()));
        Self(steps)
    }

    /// This path and an element of the list there.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Self(steps)
    }

    /// The steps from the object down.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(field) if position == 0 => f.write_str(field)?,
                Step::Field(field) => write!(f, ".{field}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::FieldPath;

    #[test]
    fn paths_read_as_kubernetes_writes_them() {
        let path = FieldPath::of("spec.rules")
            .index(0)
            .field("backendRefs")
            .index(1)
            .field("name");
        assert_eq!(path.to_string(), "spec.rules[0].backendRefs[1].name");
    }
}
