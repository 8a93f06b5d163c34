//! ReferenceGrant: which objects of other namespaces may refer to objects of this one.

use schemars::JsonSchema;
use serde::Deserialize;

use super::GROUP;
use crate::meta::{Kind, Object};

/// A grant, in the namespace that is referred to.
pub type ReferenceGrant = Object<ReferenceGrantSpec>;

/// `ReferenceGrantSpec`: everything of `from` may refer to everything of `to`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceGrantSpec {
    /// Who may refer.
    pub from: Vec<ReferenceGrantFrom>,
    /// To what, in the grant's namespace.
    pub to: Vec<ReferenceGrantTo>,
}

impl Kind for ReferenceGrantSpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = "v1";
    const OTHER_VERSIONS: &'static [&'static str] = &["v1beta1"];
    const KIND: &'static str = "ReferenceGrant";
}

/// Objects of a kind in a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceGrantFrom {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
}

/// Objects of a kind, or one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceGrantTo {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name; without it, all of the kind.
    pub name: Option<String>,
}
