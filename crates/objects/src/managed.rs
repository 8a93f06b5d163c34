//! Who set which field of an object (`metadata.managedFields`), as far as it matters: which annotations Daemun set. By
//! that it knows which ones go when it says them no more; those that others set stay.
//!
//! It is no proof of anything: whoever may write an object may write in this name.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::read::{Ignored, nullable};

/// The name in which Daemun sets fields of what it makes.
pub const FIELD_MANAGER: &str = "daemun";

/// The annotations that Daemun set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedFields {
    annotations: Vec<String>,
}

impl ManagedFields {
    /// Their keys.
    pub fn annotations(&self) -> impl Iterator<Item = &str> {
        self.annotations.iter().map(String::as_str)
    }
}

/// What one manager set.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    manager: Option<String>,
    #[serde(default, rename = "fieldsV1", deserialize_with = "nullable")]
    fields: Fields,
    #[serde(default, rename = "apiVersion")]
    _api_version: Ignored,
    #[serde(default, rename = "fieldsType")]
    _fields_type: Ignored,
    #[serde(default, rename = "operation")]
    _operation: Ignored,
    #[serde(default, rename = "subresource")]
    _subresource: Ignored,
    #[serde(default, rename = "time")]
    _time: Ignored,
}

/// The keys of the annotations among the fields.
#[derive(Default)]
struct Fields(Vec<String>);

impl<'de> Deserialize<'de> for ManagedFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries: Vec<Entry> = nullable(deserializer)?;
        let ours = entries
            .into_iter()
            .filter(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER));
        Ok(Self {
            annotations: ours.flat_map(|entry| entry.fields.0).collect(),
        })
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let at = Below(&["f:metadata", "f:annotations"]);
        at.deserialize(deserializer).map(Self)
    }
}

/// The names of the fields at a path; all others are skipped.
#[derive(Clone, Copy)]
struct Below(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Below {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Below {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields that a manager set")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        let mut names = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match self.0 {
                [next, rest @ ..] if key == *next => names = map.next_value_seed(Below(rest))?,
                [] => {
                    map.next_value::<IgnoredAny>()?;
                    names.extend(key.strip_prefix("f:").map(str::to_owned));
                }
                [..] => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::ManagedFields;

    fn ours(json: &str) -> Vec<String> {
        let read: ManagedFields = serde_json::from_str(json).unwrap();
        read.annotations().map(str::to_owned).collect()
    }

    #[test]
    fn the_annotations_that_daemun_set_are_read_and_nothing_else() {
        let set = |manager: &str, key: &str| {
            format!(
                r#"{{"apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {{"f:metadata": {{"f:annotations": {{"f:{key}": {{}}, ".": {{}}}}, "f:labels": {{"f:x": {{}}}}}}, "f:spec": {{"f:annotations": {{"f:no": {{}}}}}}}}, "manager": "{manager}", "operation": "Apply", "time": "2026-11-23T12:00:00Z"}}"#
            )
        };
        let (one, other) = (set("daemun", "a.b/c"), set("kubectl-edit", "d.e/f"));
        assert_eq!(ours(&format!("[{one}, {other}]")), ["a.b/c"]);
        assert_eq!(ours("null"), Vec::<String>::new());
        let status = r#"[{"manager": "daemun", "subresource": "status", "fieldsV1": {"f:status": {}}}, {"manager": "daemun"}]"#;
        assert_eq!(ours(status), Vec::<String>::new());
    }
}
