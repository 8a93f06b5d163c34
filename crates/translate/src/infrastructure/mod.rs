//! What a Gateway needs around it in Kubernetes so that traffic reaches it: what the controller makes of it are
//! a workload, a Service and so on. This is what is wanted, judged and merged; it is not objects yet.

pub mod parameters;
pub mod way_in;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use daemun_model::names::ObjectName;
pub use daemun_model::names::Transport;
use serde::Serialize;

use crate::cluster::Home;
use crate::exposure::{Exposure, Fate};
use parameters::Parameters;

/// What must be there for one Gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Infrastructure {
    /// The Gateway.
    pub gateway: ObjectName,
    /// Its uid, for owner references.
    pub uid: String,
    /// Its generation.
    pub generation: i64,
    /// Its GatewayClass.
    pub class: String,
    /// What cannot be judged is not touched: nothing is made, changed or taken away. So it is with a Gateway that
    /// is not accepted (its parameters are invalid, say), and with one that is being deleted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub on_hold: bool,
    /// `spec.infrastructure.labels`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// `spec.infrastructure.annotations`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The ports of its accepted listeners, each once.
    pub ports: Vec<Port>,
    /// The addresses that are asked for; empty means one that is chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Wanted>,
    /// Where the Service that somebody brings is reached: an address or a name each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brought: Vec<String>,
    /// What the Service in front of the proxies is to be.
    pub exposure: Exposure,
    /// What becomes of Services that are there and cannot become that, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fates: BTreeMap<String, Fate>,
    /// Where a private address was asked for: the addresses that were looked at. One that its Services show later is
    /// nobody's to use before it was looked at too. None: any may be used.
    #[serde(skip)]
    pub looked_at: Option<BTreeSet<String>>,
    /// Names that its Services show, with those of the addresses that are asked for that each has.
    #[serde(skip)]
    pub named: BTreeMap<String, Vec<IpAddr>>,
    /// Whether a public address was asked for, and its Services show private ones only.
    #[serde(skip)]
    pub lacks_public: bool,
    /// How things are made.
    #[serde(skip_serializing_if = "is_default")]
    pub parameters: Parameters,
}

impl Infrastructure {
    /// Whether what a Service shows, an address or a name, is this address.
    pub fn is_at(&self, shown: &str, address: IpAddr) -> bool {
        let named = self.named.get(shown);
        shown.parse() == Ok(address) || named.is_some_and(|all| all.contains(&address))
    }
}

fn is_default(parameters: &Parameters) -> bool {
    *parameters == Parameters::default()
}

/// An annotation of what is made for a Gateway: the Gateway's whole name.
pub const OF_GATEWAY: &str = "gateway.daemun.dev/gateway";

/// An annotation of what is made for a Gateway: the `controllerName` for which it was made.
pub const OF_CONTROLLER: &str = "gateway.daemun.dev/controller-name";
/// A condition in the status of a Gateway's Service: who its load balancer was made to be reached by, as the reason
/// (`Private` or `Public`). Whoever may write Services, but not their status, cannot change it.
pub const MADE_FOR: &str = "gateway.daemun.dev/MadeFor";

/// A label of what is made: the Gateway's name, cut where it is too long for one.
pub const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";
/// A label of what is made: the name of the Gateway's class, likewise.
pub const CLASS_NAME: &str = "gateway.networking.k8s.io/gateway-class-name";
/// A label of what is made: what it is part of; its value is [`PROXY`].
pub const PART_NAME: &str = "app.kubernetes.io/name";
/// What it is part of.
pub const PROXY: &str = "daemun-proxy";
/// A label of what is made: who made it; its value is [`MANAGER`].
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The manager of what is made: also the field manager of server-side apply.
pub const MANAGER: &str = daemun_objects::FIELD_MANAGER;

/// Whether a label or annotation is one that Daemun sets and looks at itself, or one of the Gateway API's.
pub fn is_reserved(key: &str) -> bool {
    let prefix = key.split_once('/').map_or("", |(prefix, _)| prefix);
    matches!(prefix, "gateway.daemun.dev" | "gateway.networking.k8s.io")
        || matches!(key, PART_NAME | MANAGED_BY)
}

/// A port that leads to the proxies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Port {
    /// The port that clients ask for.
    pub port: u16,
    /// The port that the proxies bind for it.
    pub bind: u16,
    /// Below HTTP and TLS.
    pub transport: Transport,
}

/// `TCP 80`
impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.transport {
            Transport::Tcp => "TCP",
            Transport::Udp => "UDP",
        };
        write!(f, "{protocol} {}", self.port)
    }
}

/// An address that is asked for (`spec.addresses[]`). Only type `IPAddress` gets here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Wanted {
    /// This one.
    Ip(IpAddr),
    /// Any of the type.
    Any,
}

/// The first port that a proxy in a pod may bind without being root.
const UNPRIVILEGED: u16 = 1024;
/// How far ports are moved that a proxy in a pod cannot have.
const MOVED: u16 = 20_000;
/// The ports that a proxy's pod keeps for itself: health and metrics, admin, and what may come.
const RESERVED: std::ops::RangeInclusive<u16> = 9901..=9909;

/// The port that a proxy binds for a listener's port: on a host the same; in a pod a pure function of it, so that
/// neither the pod nor the Service changes with anything else. Ports below 1024, the reserved ones, and
/// those that would meet the former are moved by 20,000. Two ports that meet all the same (20080 and 40080) cannot
/// be in one Gateway.
pub fn bind_port(home: Home, port: u16) -> u16 {
    match home {
        Home::Host => port,
        Home::Kubernetes if is_moved(port) => port + MOVED,
        Home::Kubernetes => port,
    }
}

fn is_moved(port: u16) -> bool {
    let landed = MOVED..MOVED + UNPRIVILEGED;
    port < UNPRIVILEGED || RESERVED.contains(&port) || landed.contains(&port)
}

#[cfg(test)]
mod tests {
    use super::{RESERVED, UNPRIVILEGED, bind_port};
    use crate::cluster::Home;

    #[test]
    fn ports_in_a_pod_follow_from_the_listeners_alone() {
        for (port, bind) in [
            (1, 20_001),
            (80, 20_080),
            (443, 20_443),
            (1023, 21_023),
            (1024, 1024),
            (8080, 8080),
            (9900, 9900),
            (9901, 29_901),
            (9909, 29_909),
            (9910, 9910),
            (20_080, 40_080),
            (21_023, 41_023),
            (21_024, 21_024),
            (40_080, 40_080),
            (65_535, 65_535),
        ] {
            assert_eq!(bind_port(Home::Kubernetes, port), bind, "{port}");
            assert_eq!(bind_port(Home::Host, port), port);
        }
    }

    #[test]
    fn no_port_in_a_pod_is_privileged_or_reserved_and_few_meet() {
        let mut seen = std::collections::BTreeMap::new();
        let mut met = Vec::new();
        for port in 1..=u16::MAX {
            let bind = bind_port(Home::Kubernetes, port);
            assert!(bind >= UNPRIVILEGED && !RESERVED.contains(&bind), "{port}");
            if let Some(other) = seen.insert(bind, port) {
                met.push((other, port));
            }
        }
        assert!(met.len() < 1100, "{}", met.len());
        // The ports that people use meet nothing.
        assert!(met.iter().all(|(_, port)| *port >= 29_901), "{met:?}");
    }
}
