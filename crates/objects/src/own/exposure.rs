//! The way in, as GatewayParameters say it (`spec.exposure`): who may reach a Gateway, and what the load balancer's
//! maker is told for it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::Duration;
use crate::open::{Open, known_values};

/// Who may reach a Gateway, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExposureSettings {
    /// Who may reach the Gateway. Default `Private` where the load balancer's maker has a switch for it; where a pool
    /// of addresses or the nodes decide, the address is looked at and reported. What a GatewayClass says is fixed for
    /// its Gateways, unless `allowedReach` lists others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<Open<Reach>>,
    /// What else Gateways of the class may ask for. Counts where a GatewayClass refers to it only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_reach: Option<Vec<Open<Reach>>>,
    /// The ports of the nodes themselves that the proxies take, with reach `Node`: a listener is reached at one of them,
    /// or it is refused. Default none: the Service has a port of its own on every node (NodePort). Needs a namespace
    /// with the label `pod-security.kubernetes.io/enforce: privileged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_ports: Option<Vec<HostPort>>,
    /// Who makes load balancers here, such as `NHN`; default `Auto`: what the nodes' providerID says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The address that is asked for, as the Gateway's `spec.addresses` may say it as well. A public one has to be
    /// allocated and attached to nothing, a private one free in the load balancer's subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whether the address outlives the Gateway, and is billed on; default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_address: Option<bool>,
    /// The subnet of the address, as the load balancer's maker names subnets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// The addresses from which the Gateway may be called (CIDR); default all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ranges: Option<Vec<String>>,
    /// Whether nodes without a proxy pass traffic on; default what Kubernetes makes of it (`Cluster`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_traffic_policy: Option<Open<ExternalTrafficPolicy>>,
    /// Whether the load balancer tells clients' addresses in PROXY headers, and the listeners believe them; default
    /// false. A header is accepted and not demanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<bool>,
    /// Whose PROXY headers are believed (CIDR): the load balancer's own addresses. Default with externalTrafficPolicy
    /// `Cluster`: the nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_ranges: Option<Vec<String>>,
    /// How the load balancer finds out that a node is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Which load balancer is meant, where there are several. Counts when the Service is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer_class: Option<String>,
    /// Annotations of the Service alone. Keys that decide who may reach it belong to `reach`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Annotations of the Service about one listener, by its protocol and port: under `TCP-443`, what is written there
    /// as `TCP-443.KEY`. For makers of load balancers that have such keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener_annotations: Option<BTreeMap<String, BTreeMap<String, String>>>,
    /// What is done when an address is not what `reach` asks for; default `Close`. Counts where a GatewayClass refers to
    /// it only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_violation: Option<Open<OnViolation>>,
}

/// A port of the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HostPort {
    /// The port of the nodes, and of the listener that is reached there.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// `TCP`, also below HTTP and TLS, or `UDP`; default `TCP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Open<HostProtocol>>,
}

/// How the load balancer finds out that a node is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCheck {
    /// Between two checks, in whole seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
    /// How long an answer may take, in whole seconds; less than `delay`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// After how many failures a node is out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
}

known_values! { closed
    /// Who may reach a Gateway.
    pub enum Reach {
        /// Who is inside of the network: the load balancer has a private address.
        Private = "Private",
        /// Anybody on the internet.
        Public = "Public",
        /// Who is inside of the cluster: there is no load balancer.
        Cluster = "Cluster",
        /// Who reaches the nodes: there is no load balancer, but a port on every node.
        Node = "Node",
        /// Whoever reaches the Service that you bring: none is made.
        Unmanaged = "Unmanaged",
    }
}

known_values! { closed
    /// What a port of the nodes carries.
    pub enum HostProtocol {
        /// TCP, and what is above it: HTTP and TLS.
        Tcp = "TCP",
        /// UDP.
        Udp = "UDP",
    }
}

known_values! { closed
    /// What is done when an address is not what was asked for.
    pub enum OnViolation {
        /// Nothing is served.
        Close = "Close",
        /// It is said, and served all the same.
        Report = "Report",
    }
}

known_values! { closed
    /// Whether nodes without a proxy pass traffic on.
    pub enum ExternalTrafficPolicy {
        /// They do, and proxies see the node's address.
        Cluster = "Cluster",
        /// They do not, and proxies see the client's address.
        Local = "Local",
    }
}
