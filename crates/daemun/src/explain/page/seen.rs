//! An object as the API server or a file has it, and how its fields are got at.

use std::collections::BTreeMap;

use daemun_model::names::ObjectName;
use serde_json::Value;

/// An object, whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a>(pub(crate) &'a Value);

/// A condition of a status.
#[derive(Clone, Copy, Debug)]
pub(super) struct Condition<'a> {
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
    /// `observedGeneration`, if it says.
    pub(super) generation: Option<i64>,
}

impl<'a> Seen<'a> {
    /// The text at a JSON pointer, or nothing.
    pub(super) fn text(self, pointer: &str) -> &'a str {
        let value = self.0.pointer(pointer);
        value.and_then(Value::as_str).unwrap_or_default()
    }

    /// The number at a JSON pointer, or 0, which is what Kubernetes leaves out.
    pub(super) fn number(self, pointer: &str) -> i64 {
        let value = self.0.pointer(pointer);
        value.and_then(Value::as_i64).unwrap_or_default()
    }

    /// What is at a JSON pointer.
    pub(super) fn at(self, pointer: &str) -> Option<&'a Value> {
        self.0.pointer(pointer)
    }

    /// The list at a JSON pointer, or an empty one.
    pub(super) fn list(self, pointer: &str) -> &'a [Value] {
        let value = self.0.pointer(pointer);
        value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The texts of a map at a JSON pointer.
    pub(super) fn map(self, pointer: &str) -> BTreeMap<&'a str, &'a str> {
        let value = self.0.pointer(pointer);
        let map = value.and_then(Value::as_object).into_iter().flatten();
        map.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
            .collect()
    }

    pub(crate) fn kind(self) -> &'a str {
        self.text("/kind")
    }

    pub(super) fn name(self) -> &'a str {
        self.text("/metadata/name")
    }

    /// `namespace/name`, with the namespace that counts.
    pub(crate) fn whole_name(self) -> ObjectName {
        let namespace = match self.text("/metadata/namespace") {
            "" => daemun_translate::cluster::DEFAULT_NAMESPACE,
            namespace => namespace,
        };
        ObjectName::new(namespace, self.name())
    }

    pub(super) fn label(self, key: &str) -> &'a str {
        let labels = self.map("/metadata/labels");
        labels.get(key).copied().unwrap_or_default()
    }

    pub(super) fn annotations(self) -> BTreeMap<&'a str, &'a str> {
        self.map("/metadata/annotations")
    }

    /// When it came into being, as people read it; empty if that is not said.
    pub(super) fn created(self) -> String {
        moment(self.text("/metadata/creationTimestamp"))
    }

    /// The kind and name of what controls it.
    pub(crate) fn owner(self) -> Option<(&'a str, &'a str)> {
        let owners = self.list("/metadata/ownerReferences").iter();
        let mut owners = owners.map(Seen);
        owners.find_map(|owner| match (owner.text("/kind"), owner.text("/name")) {
            ("", _) | (_, "") => None,
            owner => Some(owner),
        })
    }

    /// A condition of its status.
    pub(super) fn condition(self, kind: &str) -> Option<Condition<'a>> {
        condition(self.list("/status/conditions"), kind)
    }
}

/// A condition of a list of them.
pub(super) fn condition<'a>(conditions: &'a [Value], kind: &str) -> Option<Condition<'a>> {
    let mut conditions = conditions.iter().map(Seen);
    let found = conditions.find(|it| it.text("/type") == kind)?;
    Some(Condition {
        status: found.text("/status"),
        reason: found.text("/reason"),
        message: found.text("/message"),
        generation: found.0.get("observedGeneration").and_then(Value::as_i64),
    })
}

/// `2026-11-20 09:12:44 UTC` for a time as Kubernetes writes it.
pub(super) fn moment(written: &str) -> String {
    match written.strip_suffix('Z').and_then(|it| it.split_once('T')) {
        Some((day, time)) => {
            let whole_seconds = time.split('.').next().unwrap_or(time);
            format!("{day} {whole_seconds} UTC")
        }
        None => written.to_owned(),
    }
}
