//! The way in, as GatewayParameters say it (`spec.exposure`): who may reach a Gateway, and what the load balancer's
//! maker is told for it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::open::{Open, known_values};

/// Who may reach a Gateway, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExposureSettings {
    /// Who may reach the Gateway. Default `Private` where the load balancer's maker has a switch for it; where a pool
    /// of addresses or the nodes decide, the address is looked at and reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<Open<Reach>>,
    /// Who makes load balancers here, such as `NHN`; default `Auto`: what the nodes' providerID says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Whether nodes without a proxy pass traffic on; default what Kubernetes makes of it (`Cluster`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_traffic_policy: Option<Open<ExternalTrafficPolicy>>,
    /// Which load balancer is meant, where there are several. Counts when the Service is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer_class: Option<String>,
    /// Annotations of the Service alone. Keys that decide who may reach it belong to `reach`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
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
