//! Service (core, v1): named ports in front of endpoints, or a DNS name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};
use crate::read::{Ignored, nullable};

/// A service.
pub type Service = Object<ServiceSpec, ServiceStatus>;

/// `ServiceSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// What kind of service it is; default `ClusterIP`.
    pub r#type: Option<Open<ServiceType>>,
    /// The ports.
    #[serde(default, deserialize_with = "nullable")]
    pub ports: Vec<ServicePort>,
    /// The DNS name, for `ExternalName`.
    pub external_name: Option<String>,
    /// The cluster's address for it; `None` means headless.
    #[serde(rename = "clusterIP")]
    pub cluster_ip: Option<String>,
    /// The labels of its pods.
    #[serde(default, deserialize_with = "nullable")]
    pub selector: BTreeMap<String, String>,
    /// Whether endpoints that are not ready count as ready.
    pub publish_not_ready_addresses: Option<bool>,
    /// Addresses of nodes by which it is reached besides.
    #[serde(default, rename = "externalIPs", deserialize_with = "nullable")]
    pub external_ips: Vec<String>,
    #[serde(default)]
    allocate_load_balancer_node_ports: Ignored,
    #[serde(default, rename = "clusterIPs")]
    cluster_ips: Ignored,
    #[serde(default)]
    external_traffic_policy: Ignored,
    #[serde(default)]
    health_check_node_port: Ignored,
    #[serde(default)]
    internal_traffic_policy: Ignored,
    #[serde(default)]
    ip_families: Ignored,
    #[serde(default)]
    ip_family_policy: Ignored,
    /// Which load balancer is meant, where there are several.
    pub load_balancer_class: Option<String>,
    /// The address that is asked for.
    #[serde(rename = "loadBalancerIP")]
    pub load_balancer_ip: Option<String>,
    #[serde(default)]
    load_balancer_source_ranges: Ignored,
    #[serde(default)]
    session_affinity: Ignored,
    #[serde(default)]
    session_affinity_config: Ignored,
    #[serde(default)]
    traffic_distribution: Ignored,
}

/// `ServiceStatus`, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Where its load balancer is reached.
    #[serde(default, deserialize_with = "nullable")]
    pub load_balancer: LoadBalancerStatus,
    /// What somebody notes about it.
    #[serde(default, deserialize_with = "nullable")]
    pub conditions: Vec<ServiceCondition>,
}

/// A condition of a Service, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceCondition {
    /// What it is about.
    #[serde(default)]
    pub r#type: String,
    /// Why, in a word.
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    status: Ignored,
    #[serde(default)]
    message: Ignored,
    #[serde(default)]
    last_transition_time: Ignored,
    #[serde(default)]
    observed_generation: Ignored,
}

/// `LoadBalancerStatus`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancerStatus {
    /// Its addresses.
    #[serde(default, deserialize_with = "nullable")]
    pub ingress: Vec<LoadBalancerIngress>,
}

/// An address of a load balancer: an IP address, or a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancerIngress {
    /// The IP address.
    pub ip: Option<String>,
    /// The name.
    pub hostname: Option<String>,
    #[serde(default)]
    ip_mode: Ignored,
    #[serde(default)]
    ports: Ignored,
}

impl LoadBalancerIngress {
    /// The address or else the name, as it is written; an empty text says nothing.
    pub fn text(&self) -> Option<&str> {
        let texts = [&self.ip, &self.hostname];
        let mut texts = texts.into_iter().filter_map(Option::as_deref);
        texts.find(|text| !text.is_empty())
    }
}

impl Kind for ServiceSpec {
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "Service";
}

known_values! { closed
    /// What kind of service it is.
    pub enum ServiceType {
        /// An address inside of the cluster, or none (headless).
        ClusterIp = "ClusterIP",
        /// Also a port on every node.
        NodePort = "NodePort",
        /// Also a load balancer in front.
        LoadBalancer = "LoadBalancer",
        /// A DNS name elsewhere.
        ExternalName = "ExternalName",
    }
}

/// A port of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServicePort {
    /// Its name; EndpointSlices use the same. May be left out if there is just one port.
    pub name: Option<String>,
    /// The port that references use.
    pub port: i32,
    /// The endpoints' port; default the same number.
    pub target_port: Option<IntOrString>,
    /// `TCP`, `UDP` or `SCTP`; default `TCP`.
    pub protocol: Option<String>,
    /// What is spoken there, such as `kubernetes.io/h2c`.
    pub app_protocol: Option<String>,
    /// The port on every node that leads there, too.
    pub node_port: Option<i32>,
}

impl ServicePort {
    /// The transport protocol, or its default.
    pub fn protocol(&self) -> &str {
        self.protocol.as_deref().unwrap_or("TCP")
    }
}

/// A number, or a name that stands for one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IntOrString {
    /// The number.
    Int(i32),
    /// The name.
    String(String),
}

impl<'de> Deserialize<'de> for IntOrString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntOrStringVisitor)
    }
}

impl Serialize for IntOrString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(number) => serializer.serialize_i32(*number),
            Self::String(text) => serializer.serialize_str(text),
        }
    }
}

struct IntOrStringVisitor;

impl Visitor<'_> for IntOrStringVisitor {
    type Value = IntOrString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a name")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<IntOrString, E> {
        i32::try_from(number)
            .map(IntOrString::Int)
            .map_err(|_| E::custom(format!("the number {number} does not fit in 32 bits")))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<IntOrString, E> {
        i32::try_from(number)
            .map(IntOrString::Int)
            .map_err(|_| E::custom(format!("the number {number} does not fit in 32 bits")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<IntOrString, E> {
        Ok(IntOrString::String(text.to_owned()))
    }
}

impl JsonSchema for IntOrString {
    fn schema_name() -> Cow<'static, str> {
        "IntOrString".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer" }, { "type": "string" }] })
    }
}
