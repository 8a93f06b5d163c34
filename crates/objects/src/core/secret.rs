//! Secret (core, v1): bytes by key, such as `tls.crt` and `tls.key`. Never shown by `Debug`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::binary::Binary;
use crate::meta::{Kind, Metadata, Resource};
use crate::read::{Ignored, nullable};

/// The type of a Secret that holds a certificate and its key.
pub const TLS_TYPE: &str = "kubernetes.io/tls";

/// A secret.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    #[serde(default)]
    api_version: Ignored,
    #[serde(default)]
    kind: Ignored,
    /// Name, namespace, labels and so on.
    pub metadata: Metadata,
    /// What the keys are: `kubernetes.io/tls`, `Opaque` (the default), …
    pub r#type: Option<String>,
    /// Bytes by key, in base64.
    #[serde(default, deserialize_with = "nullable")]
    pub data: BTreeMap<String, Binary>,
    /// Text by key, for people who write files; goes before `data`.
    #[serde(default, deserialize_with = "nullable")]
    pub string_data: BTreeMap<String, String>,
    #[serde(default)]
    immutable: Ignored,
}

impl Secret {
    /// What a key holds.
    pub fn value(&self, key: &str) -> Option<&[u8]> {
        self.string_data
            .get(key)
            .map(String::as_bytes)
            .or_else(|| self.data.get(key).map(|binary| binary.0.as_slice()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            metadata,
            r#type,
            data,
            string_data,
            api_version: _,
            kind: _,
            immutable: _,
        } = self;
        // Annotations are left out with the values: `kubectl apply` keeps a copy of the object there.
        f.debug_struct("Secret")
            .field("namespace", &metadata.namespace)
            .field("name", &metadata.name)
            .field("type", r#type)
            .field("data", &data.keys())
            .field("string_data", &string_data.keys())
            .finish_non_exhaustive()
    }
}

impl Kind for Secret {
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "Secret";
}

impl Resource for Secret {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}
