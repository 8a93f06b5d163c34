//! ListenerSet: listeners that another team adds to a Gateway (GEP-1713).

use schemars::JsonSchema;
use serde::Deserialize;

use super::GROUP;
use super::gateway::Listener;
use crate::meta::{Kind, Object};

/// A set of listeners.
pub type ListenerSet = Object<ListenerSetSpec>;

/// `ListenerSetSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListenerSetSpec {
    /// The Gateway that the listeners are added to.
    pub parent_ref: ParentGatewayReference,
    /// The listeners, in the order in which they are written.
    pub listeners: Vec<Listener>,
}

impl Kind for ListenerSetSpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "ListenerSet";
}

/// The Gateway of a ListenerSet (`ParentGatewayReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentGatewayReference {
    /// The group; default `gateway.networking.k8s.io`.
    pub group: Option<String>,
    /// The kind; default `Gateway`.
    pub kind: Option<String>,
    /// The name.
    pub name: String,
    /// The namespace; default the ListenerSet's own.
    pub namespace: Option<String>,
}

impl ParentGatewayReference {
    /// The group, or its default.
    pub fn group(&self) -> &str {
        self.group.as_deref().unwrap_or(GROUP)
    }

    /// The kind, or its default.
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("Gateway")
    }
}
