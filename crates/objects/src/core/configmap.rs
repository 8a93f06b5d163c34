//! ConfigMap (core, v1): text by key, such as `ca.crt`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::binary::Binary;
use crate::meta::{Kind, Metadata, Resource};
use crate::read::{Ignored, nullable};

/// A map of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMap {
    #[serde(default)]
    api_version: Ignored,
    #[serde(default)]
    kind: Ignored,
    /// Name, namespace, labels and so on.
    pub metadata: Metadata,
    /// Text by key.
    #[serde(default, deserialize_with = "nullable")]
    pub data: BTreeMap<String, String>,
    /// Bytes by key, in base64.
    #[serde(default, deserialize_with = "nullable")]
    pub binary_data: BTreeMap<String, Binary>,
    #[serde(default)]
    immutable: Ignored,
}

impl ConfigMap {
    /// What a key holds, as text or bytes.
    pub fn value(&self, key: &str) -> Option<&[u8]> {
        self.data
            .get(key)
            .map(String::as_bytes)
            .or_else(|| self.binary_data.get(key).map(|binary| binary.0.as_slice()))
    }
}

impl Kind for ConfigMap {
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "ConfigMap";
}

impl Resource for ConfigMap {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}
