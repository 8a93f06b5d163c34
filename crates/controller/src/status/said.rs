//! What a status should say, of what is ours in it. Plain data: where it comes from is in `compose`, how it gets
//! beside what others say is in `merge`.

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::Condition;
use serde_json::{Value, json};

/// The group of the Gateway API.
pub(super) const GROUP: &str = "gateway.networking.k8s.io";

/// What a status should say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// The generation that all of it is about.
    pub(crate) generation: i64,
    /// `status.conditions`.
    pub(crate) conditions: Vec<Condition>,
    /// Fields of the status that are ours as a whole; none takes the field out.
    pub(crate) fields: Vec<(&'static str, Option<Value>)>,
    /// `status.listeners`.
    pub(crate) listeners: Option<Vec<ListenerSaid>>,
    /// `status.parents` or `status.ancestors`.
    pub(crate) entries: Option<Entries>,
}

/// What is said about a listener.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListenerSaid {
    /// Its name.
    pub(crate) name: String,
    /// `attachedRoutes`.
    pub(crate) attached: u32,
    /// `supportedKinds`.
    pub(crate) kinds: Vec<&'static str>,
    /// Its conditions.
    pub(crate) conditions: Vec<Condition>,
}

/// A list of which every controller has its own entries.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entries {
    /// Which list.
    pub(crate) list: List,
    /// Our entries: to whom each is about, as it is written, and what is said.
    pub(crate) ours: Vec<(Value, Vec<Condition>)>,
}

/// The lists of which every controller has its own entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// `status.parents` of Routes.
    Parents,
    /// `status.ancestors` of policies.
    Ancestors,
}

impl List {
    /// The field of the status.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Parents => "parents",
            Self::Ancestors => "ancestors",
        }
    }

    /// The field of an entry that says whom it is about.
    pub(super) fn reference(self) -> &'static str {
        match self {
            Self::Parents => "parentRef",
            Self::Ancestors => "ancestorRef",
        }
    }

    /// As many entries as the list may have.
    pub(super) fn most(self) -> usize {
        match self {
            Self::Parents => 32,
            Self::Ancestors => 16,
        }
    }
}

/// A parent of a Route, as its status names it: nothing is left to defaults.
pub(super) fn parent(object: &ObjectRef, section: Option<&str>, port: Option<u16>) -> Value {
    let mut parent = json!({
        "group": GROUP,
        "kind": object.kind,
        "namespace": object.name.namespace,
        "name": object.name.name,
    });
    if let Some(section) = section {
        parent["sectionName"] = json!(section);
    }
    if let Some(port) = port {
        parent["port"] = json!(port);
    }
    parent
}

/// A Gateway through which a policy works.
pub(super) fn ancestor(gateway: &ObjectName) -> Value {
    parent(&ObjectRef::new("Gateway", gateway.clone()), None, None)
}
