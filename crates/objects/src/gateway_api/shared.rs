//! Shapes that several kinds share, named once: references, namespace selection, headers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::GROUP;
use crate::open::{Open, known_values};
use crate::read::nullable;

/// The parent that a route attaches to, or a part of it (`ParentReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentReference {
    /// The parent's group; default `gateway.networking.k8s.io`.
    pub group: Option<String>,
    /// The parent's kind; default `Gateway`.
    pub kind: Option<String>,
    /// The parent's namespace; default the route's own.
    pub namespace: Option<String>,
    /// The parent's name.
    pub name: String,
    /// The listener's name, if only that one is meant.
    pub section_name: Option<String>,
    /// The listeners' port, if only those are meant.
    pub port: Option<i32>,
}

impl ParentReference {
    /// The group, or its default.
    pub fn group(&self) -> &str {
        self.group.as_deref().unwrap_or(GROUP)
    }

    /// The kind, or its default.
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("Gateway")
    }
}

/// An object that traffic is sent to (`BackendObjectReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendObjectReference {
    /// The group; default the core group, which is empty.
    pub group: Option<String>,
    /// The kind; default `Service`.
    pub kind: Option<String>,
    /// The name.
    pub name: String,
    /// The namespace; default the referring object's own. Another one needs a ReferenceGrant.
    pub namespace: Option<String>,
    /// The port; needed for a Service, and the Service's port, not its targetPort.
    pub port: Option<i32>,
}

impl BackendObjectReference {
    /// The group, or its default.
    pub fn group(&self) -> &str {
        self.group.as_deref().unwrap_or_default()
    }

    /// The kind, or its default.
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("Service")
    }
}

/// A backend with its share (`BackendRef`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendRef {
    /// The group; default the core group, which is empty.
    pub group: Option<String>,
    /// The kind; default `Service`.
    pub kind: Option<String>,
    /// The name.
    pub name: String,
    /// The namespace; default the route's own. Another one needs a ReferenceGrant.
    pub namespace: Option<String>,
    /// The port; needed for a Service, and the Service's port, not its targetPort.
    pub port: Option<i32>,
    /// Its share among the rule's backends; default 1.
    pub weight: Option<i32>,
}

/// A backend with its share and its own filters (`HTTPBackendRef`, `GRPCBackendRef`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", bound = "F: Deserialize<'de>")]
pub struct FilteredBackendRef<F> {
    /// The group; default the core group, which is empty.
    pub group: Option<String>,
    /// The kind; default `Service`.
    pub kind: Option<String>,
    /// The name.
    pub name: String,
    /// The namespace; default the route's own. Another one needs a ReferenceGrant.
    pub namespace: Option<String>,
    /// The port; needed for a Service, and the Service's port, not its targetPort.
    pub port: Option<i32>,
    /// Its share among the rule's backends; default 1.
    pub weight: Option<i32>,
    /// What happens to requests that go there.
    #[serde(default, deserialize_with = "nullable")]
    pub filters: Vec<F>,
}

impl<F> FilteredBackendRef<F> {
    /// The same backend and share, with these filters.
    pub fn with_filters<G>(&self, filters: Vec<G>) -> FilteredBackendRef<G> {
        let Self {
            group,
            kind,
            name,
            namespace,
            port,
            weight,
            filters: _,
        } = self;
        FilteredBackendRef {
            group: group.clone(),
            kind: kind.clone(),
            name: name.clone(),
            namespace: namespace.clone(),
            port: *port,
            weight: *weight,
            filters,
        }
    }
}

/// What both references to backends can say.
macro_rules! backend_ref {
    ($($of:tt)+) => {
        $($of)+ {
            /// The object that is referred to, and nothing else.
            pub fn object(&self) -> BackendObjectReference {
                BackendObjectReference {
                    group: self.group.clone(),
                    kind: self.kind.clone(),
                    name: self.name.clone(),
                    namespace: self.namespace.clone(),
                    port: self.port,
                }
            }

            /// The share, or its default.
            pub fn weight(&self) -> i32 {
                self.weight.unwrap_or(1)
            }
        }
    };
}

backend_ref!(impl BackendRef);
backend_ref!(impl<F> FilteredBackendRef<F>);

/// A rule of a route below HTTP (`TLSRouteRule`, `TCPRouteRule`, `UDPRouteRule`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamRouteRule {
    /// Its name.
    pub name: Option<String>,
    /// Where connections or datagrams go.
    pub backend_refs: Vec<BackendRef>,
}

/// A Secret, or another object that holds a certificate (`SecretObjectReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretObjectReference {
    /// The group; default the core group, which is empty.
    pub group: Option<String>,
    /// The kind; default `Secret`.
    pub kind: Option<String>,
    /// The name.
    pub name: String,
    /// The namespace; default the referring object's own. Another one needs a ReferenceGrant.
    pub namespace: Option<String>,
}

impl SecretObjectReference {
    /// The group, or its default.
    pub fn group(&self) -> &str {
        self.group.as_deref().unwrap_or_default()
    }

    /// The kind, or its default.
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("Secret")
    }
}

/// An object of any kind and namespace (`ObjectReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectReference {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The namespace; default the referring object's own. Another one needs a ReferenceGrant.
    pub namespace: Option<String>,
}

/// An object of any kind in the referring object's namespace (`LocalObjectReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalObjectReference {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
}

impl From<LocalObjectReference> for ObjectReference {
    fn from(local: LocalObjectReference) -> Self {
        let LocalObjectReference { group, kind, name } = local;
        Self {
            group,
            kind,
            name,
            namespace: None,
        }
    }
}

/// What a policy is about, in the policy's namespace
/// (`LocalPolicyTargetReferenceWithSectionName`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyTargetReference {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// A part of the target: a Service's port or a Gateway's listener, by name.
    pub section_name: Option<String>,
}

/// A header (`HTTPHeader`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Changes of a request's or response's headers (`HTTPHeaderFilter`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeaderModifier {
    /// Headers that are set, in place of any there are.
    #[serde(default, deserialize_with = "nullable")]
    pub set: Vec<HttpHeader>,
    /// Headers that are added to those there are.
    #[serde(default, deserialize_with = "nullable")]
    pub add: Vec<HttpHeader>,
    /// Names of headers that are removed.
    #[serde(default, deserialize_with = "nullable")]
    pub remove: Vec<String>,
}

/// Namespaces that routes may attach from (`RouteNamespaces`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteNamespaces {
    /// Which ones; default `Same`.
    pub from: Option<Open<FromNamespaces>>,
    /// With `Selector`: the labels that the namespaces have.
    pub selector: Option<LabelSelector>,
}

known_values! { closed
    /// Which namespaces routes may attach from (`FromNamespaces`).
    pub enum FromNamespaces {
        /// All namespaces.
        All = "All",
        /// Those whose labels a selector takes.
        Selector = "Selector",
        /// The listener's own.
        Same = "Same",
    }
}

/// Namespaces that ListenerSets may add listeners from (`ListenerNamespaces`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListenerNamespaces {
    /// Which ones; default `None`.
    pub from: Option<Open<ListenersFrom>>,
    /// With `Selector`: the labels that the namespaces have.
    pub selector: Option<LabelSelector>,
}

known_values! { closed
    /// Which namespaces ListenerSets may add listeners from (`FromNamespaces`, with `None`).
    pub enum ListenersFrom {
        /// All namespaces.
        All = "All",
        /// Those whose labels a selector takes.
        Selector = "Selector",
        /// The Gateway's own.
        Same = "Same",
        /// None.
        None = "None",
    }
}

/// A selection by labels (Kubernetes `LabelSelector`): all of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels that are there with these values.
    #[serde(default, deserialize_with = "nullable")]
    pub match_labels: BTreeMap<String, String>,
    /// Further requirements.
    #[serde(default, deserialize_with = "nullable")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// A requirement about one label.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelectorRequirement {
    /// The label.
    pub key: String,
    /// What is required.
    pub operator: Open<LabelOperator>,
    /// The values for `In` and `NotIn`.
    #[serde(default, deserialize_with = "nullable")]
    pub values: Vec<String>,
}

known_values! { open
    /// What a selector requires of a label (Kubernetes `LabelSelectorOperator`).
    pub enum LabelOperator {
        /// It has one of the values.
        In = "In",
        /// It is absent, or has none of the values.
        NotIn = "NotIn",
        /// It is there.
        Exists = "Exists",
        /// It is absent.
        DoesNotExist = "DoesNotExist",
    }
}
