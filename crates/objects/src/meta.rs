//! What all objects have: metadata, a kind, and for most a spec.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::managed::ManagedFields;
use crate::read::{Ignored, nullable};
use crate::timestamp::seconds_since_epoch;

/// An object of a kind with a spec. `status` may be written in a file, and is read of few kinds (`T`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "camelCase",
    bound = "S: serde::de::DeserializeOwned, T: serde::de::DeserializeOwned + Default"
)]
#[schemars(bound = "S: JsonSchema, T: JsonSchema + Default")]
pub struct Object<S, T = Ignored> {
    #[serde(default)]
    api_version: Ignored,
    #[serde(default)]
    kind: Ignored,
    /// Name, namespace, labels and so on.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: S,
    /// What is.
    #[serde(default)]
    pub status: T,
}

impl<S, T: Default> Object<S, T> {
    /// An object made of its parts.
    pub fn new(metadata: Metadata, spec: S) -> Self {
        Self {
            api_version: Ignored,
            kind: Ignored,
            metadata,
            spec,
            status: T::default(),
        }
    }
}

/// Which kind of object something is the spec of.
pub trait Kind {
    /// The API group; empty for the core group.
    const GROUP: &'static str;
    /// The version that is watched.
    const VERSION: &'static str;
    /// Other versions of the same shape that may be written.
    const OTHER_VERSIONS: &'static [&'static str] = &[];
    /// The kind, as written in `kind:`.
    const KIND: &'static str;
    /// Whether its objects live in namespaces.
    const NAMESPACED: bool = true;
}

/// An object of a known kind.
pub trait Resource: Kind {
    /// The object's metadata.
    fn metadata(&self) -> &Metadata;
}

impl<S: Kind, T> Kind for Object<S, T> {
    const GROUP: &'static str = S::GROUP;
    const VERSION: &'static str = S::VERSION;
    const OTHER_VERSIONS: &'static [&'static str] = S::OTHER_VERSIONS;
    const KIND: &'static str = S::KIND;
    const NAMESPACED: bool = S::NAMESPACED;
}

impl<S: Kind, T> Resource for Object<S, T> {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

/// The metadata that is read (Kubernetes `ObjectMeta`). The rest may be written and is skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The object's name, unique for its kind in its namespace.
    pub name: String,
    /// The namespace; none where a file gives none, and for kinds that have none.
    pub namespace: Option<String>,
    /// Labels, which selectors look at.
    #[serde(default, deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default, deserialize_with = "nullable")]
    pub annotations: BTreeMap<String, String>,
    /// Counts the changes of the spec. The API server sets it.
    pub generation: Option<i64>,
    /// When the object came into being, as written (RFC 3339); see [`created`](Self::created).
    pub creation_timestamp: Option<String>,
    /// When deletion was asked for (RFC 3339): the object waits for its finalizers.
    pub deletion_timestamp: Option<String>,
    /// Tells an object from an earlier one of the same name.
    pub uid: Option<String>,
    /// Changes with every write. The API server sets it.
    pub resource_version: Option<String>,
    /// The objects that it belongs to: it goes with the last of them.
    #[serde(default, deserialize_with = "nullable")]
    pub owner_references: Vec<OwnerReference>,
    #[serde(default)]
    deletion_grace_period_seconds: Ignored,
    #[serde(default)]
    finalizers: Ignored,
    #[serde(default)]
    generate_name: Ignored,
    /// Who set which field, as far as it is read.
    #[serde(default)]
    #[schemars(with = "Ignored")]
    pub managed_fields: ManagedFields,
    #[serde(default)]
    self_link: Ignored,
}

/// An object that another one belongs to (Kubernetes `OwnerReference`), in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its uid: another one of the same name does not own it.
    pub uid: String,
    /// Its group and version.
    #[serde(default)]
    pub api_version: String,
    /// Whether it made the object, and looks after it; an object has one such owner at most.
    #[serde(default, deserialize_with = "nullable")]
    pub controller: bool,
    #[serde(default)]
    block_owner_deletion: Ignored,
}

impl Metadata {
    /// Metadata of just a name and a namespace.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespace: Some(namespace.into()),
            ..Self::default()
        }
    }

    /// When the object came into being, in seconds since 1970-01-01T00:00:00Z; none if that is not
    /// written or is no timestamp.
    pub fn created(&self) -> Option<i64> {
        self.creation_timestamp
            .as_deref()
            .and_then(seconds_since_epoch)
    }
}
