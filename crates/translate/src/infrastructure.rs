//! What a Gateway needs around it in Kubernetes so that traffic reaches it: what the controller makes of it are
//! a workload, a Service and so on. This is what is wanted, judged and merged; it is not objects yet.

use std::collections::BTreeMap;

use daemun_model::names::ObjectName;

/// What must be there for one Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Infrastructure {
    /// The Gateway.
    pub gateway: ObjectName,
    /// Its uid, for owner references.
    pub uid: String,
    /// Its generation.
    pub generation: i64,
    /// Its GatewayClass.
    pub class: String,
    /// `spec.infrastructure.labels`.
    pub labels: BTreeMap<String, String>,
    /// `spec.infrastructure.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// The ports of its listeners, each once.
    pub ports: Vec<Port>,
    /// The addresses that are asked for, as written; empty means one that is chosen.
    pub addresses: Vec<Wanted>,
}

/// A port that leads to the proxies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// The port that clients ask for.
    pub port: u16,
    /// The port that the proxies bind for it.
    pub bind: u16,
    /// Below HTTP and TLS.
    pub transport: Transport,
}

/// What carries a listener's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// An address that is asked for (`spec.addresses[]`). Only type `IPAddress` gets here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// This one.
    Ip(std::net::IpAddr),
    /// Any of the type.
    Any,
}
