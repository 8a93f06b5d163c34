//! What two schemas are compared by: fields, whether they must be there, types, listed values.
//!
//! Limits, patterns and descriptions are left out: the bindings take what is outside of them, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

/// The part of a schema that the bindings must agree with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Anything.
    Any,
    /// Text; where the schema lists values, these.
    Text(Option<BTreeSet<String>>),
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A number or text.
    IntOrText,
    /// An object with these fields.
    Object(BTreeMap<String, Field>),
    /// An object with any keys and values of this shape.
    Map(Box<Self>),
    /// A list of this shape.
    List(Box<Self>),
    /// A type that neither the API nor the bindings have had so far.
    Unknown(String),
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Whether it must be written; a field with a default need not.
    pub(super) required: bool,
    /// What it holds.
    pub(super) shape: Shape,
}

impl Shape {
    /// Reads a CRD's schema (`openAPIV3Schema` or a part of it).
    pub(super) fn of_crd(schema: &Value) -> Self {
        if schema["x-kubernetes-int-or-string"] == true {
            return Self::IntOrText;
        }
        Self::of(schema, &Self::of_crd)
    }

    /// Reads a schema of the bindings, or a part of it; references point into `root`.
    pub(super) fn of_ours(schema: &Value, root: &Value) -> Self {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = reference.strip_prefix('#').and_then(|at| root.pointer(at));
            return target.map_or_else(
                || Self::Unknown(reference.to_owned()),
                |target| Self::of_ours(target, root),
            );
        }
        if let Some(alternatives) = schema["anyOf"].as_array() {
            // An optional part is the part or null; a number or name is the only other union.
            let mut parts = alternatives
                .iter()
                .filter(|part| part["type"] != "null")
                .map(|part| Self::of_ours(part, root));
            return match (parts.next(), parts.next(), parts.next()) {
                (Some(part), None, _) => part,
                (Some(Self::Integer), Some(Self::Text(None)), None) => Self::IntOrText,
                _ => Self::Unknown(format!("anyOf {alternatives:?}")),
            };
        }
        Self::of(schema, &|part| Self::of_ours(part, root))
    }

    fn of(schema: &Value, part: &dyn Fn(&Value) -> Self) -> Self {
        match type_of(schema) {
            Some("string") => Self::Text(listed(schema)),
            Some("integer") => Self::Integer,
            Some("boolean") => Self::Boolean,
            Some("array") => Self::List(Box::new(part(&schema["items"]))),
            Some("object") => match (&schema["properties"], &schema["additionalProperties"]) {
                (Value::Object(properties), _) => Self::Object(fields(schema, properties, part)),
                (_, Value::Null) => Self::Any,
                (_, values) => Self::Map(Box::new(part(values))),
            },
            Some(other) => Self::Unknown(other.to_owned()),
            None => Self::Any,
        }
    }

    fn word(&self) -> &str {
        match self {
            Self::Any => "anything",
            Self::Text(_) => "a string",
            Self::Integer => "an integer",
            Self::Boolean => "a boolean",
            Self::IntOrText => "an integer or string",
            Self::Object(_) => "an object",
            Self::Map(_) => "a map",
            Self::List(_) => "a list",
            Self::Unknown(what) => what,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The type, where `[T, "null"]` is T.
fn type_of(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::Array(types) => types
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null"),
        one => one.as_str(),
    }
}

fn listed(schema: &Value) -> Option<BTreeSet<String>> {
    let values = schema["enum"].as_array()?;
    Some(
        values
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    )
}

fn fields(
    schema: &Value,
    properties: &serde_json::Map<String, Value>,
    part: &dyn Fn(&Value) -> Shape,
) -> BTreeMap<String, Field> {
    let required: BTreeSet<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    properties
        .iter()
        .map(|(name, property)| {
            let required = required.contains(name.as_str()) && property["default"].is_null();
            let shape = part(property);
            (name.clone(), Field { required, shape })
        })
        .collect()
}
