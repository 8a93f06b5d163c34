//! Node (core, v1): whose machine it is (`spec.providerID`), by which the maker of load balancers is recognised.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::meta::{Kind, Object};
use crate::read::Ignored;

/// A node.
pub type Node = Object<NodeSpec>;

/// `NodeSpec`, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeSpec {
    /// The machine as its cloud names it: `openstack:///…`. None where nobody has said.
    #[serde(rename = "providerID")]
    pub provider_id: Option<String>,
    #[serde(default)]
    config_source: Ignored,
    #[serde(default, rename = "externalID")]
    external_id: Ignored,
    #[serde(default, rename = "podCIDR")]
    pod_cidr: Ignored,
    #[serde(default, rename = "podCIDRs")]
    pod_cidrs: Ignored,
    #[serde(default)]
    taints: Ignored,
    #[serde(default)]
    unschedulable: Ignored,
}

impl Kind for NodeSpec {
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "Node";
    const NAMESPACED: bool = false;
}
