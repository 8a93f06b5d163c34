//! EndpointSlice (`discovery.k8s.io/v1`): some of a Service's endpoints.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::meta::{Kind, Metadata, Resource};
use crate::open::{Open, known_values};
use crate::read::{Ignored, nullable};

/// The label that names a slice's Service.
pub const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// A slice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSlice {
    #[serde(default)]
    api_version: Ignored,
    #[serde(default)]
    kind: Ignored,
    /// Name, namespace, labels and so on.
    pub metadata: Metadata,
    /// What the addresses are.
    pub address_type: Open<EndpointAddressType>,
    /// The endpoints.
    #[serde(default, deserialize_with = "nullable")]
    pub endpoints: Vec<Endpoint>,
    /// The ports that each endpoint has.
    #[serde(default, deserialize_with = "nullable")]
    pub ports: Vec<EndpointPort>,
}

impl EndpointSlice {
    /// The Service that the slice belongs to, by its label.
    pub fn service_name(&self) -> Option<&str> {
        self.metadata
            .labels
            .get(SERVICE_NAME_LABEL)
            .map(String::as_str)
    }
}

impl Kind for EndpointSlice {
    const GROUP: &'static str = "discovery.k8s.io";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "EndpointSlice";
}

impl Resource for EndpointSlice {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

known_values! { closed
    /// What the addresses of a slice are (`AddressType`).
    pub enum EndpointAddressType {
        /// IPv4 addresses.
        Ipv4 = "IPv4",
        /// IPv6 addresses.
        Ipv6 = "IPv6",
        /// DNS names.
        Fqdn = "FQDN",
    }
}

/// An endpoint: usually a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Its addresses; they stand for the same endpoint.
    pub addresses: Vec<String>,
    /// Whether it takes requests.
    #[serde(default, deserialize_with = "nullable")]
    pub conditions: EndpointConditions,
    /// The node it is on.
    pub node_name: Option<String>,
    /// The zone it is in.
    pub zone: Option<String>,
    #[serde(default)]
    deprecated_topology: Ignored,
    #[serde(default)]
    hints: Ignored,
    #[serde(default)]
    hostname: Ignored,
    #[serde(default)]
    target_ref: Ignored,
}

/// Whether an endpoint takes requests (`EndpointConditions`). Not written means unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointConditions {
    /// It takes requests; unknown counts as true.
    pub ready: Option<bool>,
    /// It answers, terminating or not; unknown counts as `ready`.
    pub serving: Option<bool>,
    /// It is going away; unknown counts as false.
    pub terminating: Option<bool>,
}

impl EndpointConditions {
    /// Whether it takes requests; unknown is yes.
    pub fn ready(&self) -> bool {
        self.ready.unwrap_or(true)
    }

    /// Whether it answers, terminating or not; unknown is what `ready` says.
    pub fn serving(&self) -> bool {
        self.serving.unwrap_or_else(|| self.ready())
    }

    /// Whether it is going away; unknown is no.
    pub fn terminating(&self) -> bool {
        self.terminating.unwrap_or(false)
    }
}

/// A port of all endpoints of a slice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointPort {
    /// Its name, the same as the Service's; none or empty for the only port.
    pub name: Option<String>,
    /// The number; none means all ports.
    pub port: Option<i32>,
    /// `TCP`, `UDP` or `SCTP`; default `TCP`.
    pub protocol: Option<String>,
    /// What is spoken there, such as `kubernetes.io/h2c`.
    pub app_protocol: Option<String>,
}

impl EndpointPort {
    /// The name; an absent one is empty, as the Service's only port has it.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The transport protocol, or its default.
    pub fn protocol(&self) -> &str {
        self.protocol.as_deref().unwrap_or("TCP")
    }
}
