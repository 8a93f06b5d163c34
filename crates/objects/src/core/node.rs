//! Node (core, v1): whose machine it is (`spec.providerID`), by which the maker of load balancers is recognised, and
//! the addresses that it has.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};
use crate::read::{Ignored, nullable};

/// A node.
pub type Node = Object<NodeSpec, NodeStatus>;

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
    /// The ranges of its pods' addresses, where Kubernetes itself gives them out.
    #[serde(default, rename = "podCIDRs", deserialize_with = "nullable")]
    pub pod_cidrs: Vec<String>,
    #[serde(default)]
    taints: Ignored,
    #[serde(default)]
    unschedulable: Ignored,
}

/// `NodeStatus`, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// Where it is reached.
    #[serde(default, deserialize_with = "nullable")]
    pub addresses: Vec<NodeAddress>,
    #[serde(default)]
    allocatable: Ignored,
    #[serde(default)]
    capacity: Ignored,
    #[serde(default)]
    conditions: Ignored,
    #[serde(default)]
    config: Ignored,
    #[serde(default)]
    daemon_endpoints: Ignored,
    #[serde(default)]
    declared_features: Ignored,
    #[serde(default)]
    features: Ignored,
    #[serde(default)]
    images: Ignored,
    #[serde(default)]
    node_info: Ignored,
    #[serde(default)]
    phase: Ignored,
    #[serde(default)]
    runtime_handlers: Ignored,
    #[serde(default)]
    volumes_attached: Ignored,
    #[serde(default)]
    volumes_in_use: Ignored,
}

/// An address of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeAddress {
    /// What it is.
    pub r#type: Option<Open<NodeAddressType>>,
    /// The address, or the name.
    #[serde(default)]
    pub address: String,
}

known_values! { open
    /// What an address of a node is.
    pub enum NodeAddressType {
        /// Inside of the network.
        InternalIp = "InternalIP",
        /// Reachable from outside.
        ExternalIp = "ExternalIP",
    }
}

impl Kind for NodeSpec {
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "Node";
    const NAMESPACED: bool = false;
}
