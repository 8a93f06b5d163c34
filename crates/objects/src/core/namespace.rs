//! Namespace (core, v1): its labels, which selectors look at.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::meta::{Kind, Metadata, Resource};
use crate::read::Ignored;

/// A namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Namespace {
    #[serde(default)]
    api_version: Ignored,
    #[serde(default)]
    kind: Ignored,
    /// Name, labels and so on.
    pub metadata: Metadata,
    #[serde(default)]
    spec: Ignored,
    #[serde(default)]
    status: Ignored,
}

impl Kind for Namespace {
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "Namespace";
    const NAMESPACED: bool = false;
}

impl Resource for Namespace {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}
