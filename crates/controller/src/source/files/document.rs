//! A YAML or JSON document as a tree in which every node knows where it stands.
//!
//! The tree is what messages with line and column are made of. It is short-lived: it is made when a
//! document is read, and again when somebody asks where a field stands.

use daemun_model::verdict::{FieldPath, Step};

use super::scalar::Resolved;

/// Where something stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u32,
    /// In characters, from 1.
    pub(super) column: u32,
    /// How many characters of the line are meant; at least 1.
    pub(super) length: u32,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// The text as written (escapes resolved), and what YAML's core schema takes it for.
    Scalar { text: String, resolved: Resolved },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order in which it was written.
    Map(Vec<Entry>),
}

/// One entry of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) value: Node,
}

impl Node {
    /// A mapping's entries; none for other nodes.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Scalar { .. } | Value::List(_) => &[],
        }
    }

    /// The value of a mapping's key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries().iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    /// The text of a scalar that is a string.
    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar {
                text,
                resolved: Resolved::String,
            } => Some(text),
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Whether nothing, or one of YAML's words for it, is written.
    pub(super) fn is_null(&self) -> bool {
        matches!(
            self.value,
            Value::Scalar {
                resolved: Resolved::Null,
                ..
            }
        )
    }

    /// Where a field stands, or the nearest existing parent of it. A scalar's place is that of its
    /// value, a collection's that of its key.
    pub(super) fn locate(&self, path: &FieldPath) -> Place {
        let mut node = self;
        let mut place = self.place;
        for step in path.steps() {
            match (step, &node.value) {
                (Step::Field(field), Value::Map(entries)) => {
                    let Some(entry) = entries.iter().find(|entry| entry.key == *field) else {
                        break;
                    };
                    node = &entry.value;
                    place = match node.value {
                        Value::Scalar { .. } if !node.is_null() => node.place,
                        Value::Scalar { .. } | Value::List(_) | Value::Map(_) => entry.key_place,
                    };
                }
                (Step::Index(index), Value::List(items)) => {
                    let Some(item) = items.get(*index) else { break };
                    node = item;
                    place = item.place;
                }
                _ => break,
            }
        }
        place
    }
}
