//! GatewayClass: which controller serves the Gateways of a class.

use schemars::JsonSchema;
use serde::Deserialize;

use super::GROUP;
use crate::meta::{Kind, Object};

/// A class of Gateways.
pub type GatewayClass = Object<GatewayClassSpec>;

/// `GatewayClassSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayClassSpec {
    /// The controller, a path under a domain such as `gateway.daemun.dev/controller`.
    pub controller_name: String,
    /// Settings of the class.
    pub parameters_ref: Option<ParametersReference>,
    /// What the class is for, in words.
    pub description: Option<String>,
}

impl Kind for GatewayClassSpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = "v1";
    const OTHER_VERSIONS: &'static [&'static str] = &["v1beta1"];
    const KIND: &'static str = "GatewayClass";
    const NAMESPACED: bool = false;
}

/// An object with settings of a class (`ParametersReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParametersReference {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The namespace, if the kind has them.
    pub namespace: Option<String>,
}
