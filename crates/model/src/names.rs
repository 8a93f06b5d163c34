//! Names of objects and keys of resources: how one part of the model points to another.
//!
//! A key is made of the user's own names, so that logs, metrics and messages need no translation back.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::carried::shown_as_displayed;

/// Namespace and name of an object. Displayed as `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct ObjectName {
    /// The namespace; `default` where a file gives none. Empty for kinds that have none (GatewayClass).
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectName {
    /// An object's name in a namespace.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The name as precedence compares it between objects of one age: "alphabetical order by {namespace}/{name}", in
    /// which `a-b/x` comes before `a/x`. The order of `ObjectName` itself is by namespace, and then by name.
    pub fn alphabetical(&self) -> Alphabetical<'_> {
        Alphabetical(self)
    }
}

/// An object's name, ordered by the letters of `namespace/name`: see [`ObjectName::alphabetical`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alphabetical<'a>(&'a ObjectName);

impl Ord for Alphabetical<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        fn letters(name: &ObjectName) -> impl Iterator<Item = u8> + '_ {
            name.namespace.bytes().chain(*b"/").chain(name.name.bytes())
        }
        letters(self.0).cmp(letters(other.0))
    }
}

impl PartialOrd for Alphabetical<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// Kind, namespace and name of an object. Displayed as `Kind namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// The kind, as written in the object (`Gateway`, `HTTPRoute`, …).
    pub kind: String,
    /// Its name.
    pub name: ObjectName,
}

impl ObjectRef {
    /// A reference to an object of a kind.
    pub fn new(kind: impl Into<String>, name: ObjectName) -> Self {
        Self {
            kind: kind.into(),
            name,
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// Which object a listener is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ListenerOwner {
    /// `Gateway.spec.listeners`.
    Gateway,
    /// `ListenerSet.spec.listeners` (GEP-1713).
    ListenerSet,
}

/// A listener: the object it is written in, and its name there.
/// Displayed as `namespace/gateway/listener`, or `namespace/set/listener (ListenerSet)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct ListenerKey {
    /// Gateway or ListenerSet.
    pub owner: ListenerOwner,
    /// The name of that object.
    pub object: ObjectName,
    /// The listener's `name`, unique in its object.
    pub name: String,
}

impl fmt::Display for ListenerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.object, self.name)?;
        match self.owner {
            ListenerOwner::Gateway => Ok(()),
            ListenerOwner::ListenerSet => f.write_str(" (ListenerSet)"),
        }
    }
}

/// The kinds of Route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RouteKind {
    /// `HTTPRoute`.
    Http,
    /// `GRPCRoute`: in the model an HTTP route whose answers of the gateway's own are gRPC's.
    Grpc,
    /// `TLSRoute`.
    Tls,
    /// `TCPRoute`.
    Tcp,
    /// `UDPRoute`.
    Udp,
}

impl RouteKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Http, Self::Grpc, Self::Tls, Self::Tcp, Self::Udp];

    /// The kind that is written so in `kind:`.
    pub fn of(written: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == written)
    }

    /// The kind as written in `kind:`.
    pub fn as_str(self) -> &'static str {
        match self {
            RouteKind::Http => "HTTPRoute",
            RouteKind::Grpc => "GRPCRoute",
            RouteKind::Tls => "TLSRoute",
            RouteKind::Tcp => "TCPRoute",
            RouteKind::Udp => "UDPRoute",
        }
    }

    /// What carries the traffic of such a Route.
    pub fn transport(self) -> Transport {
        match self {
            RouteKind::Http | RouteKind::Grpc | RouteKind::Tls | RouteKind::Tcp => Transport::Tcp,
            RouteKind::Udp => Transport::Udp,
        }
    }
}

/// A Route object. Displayed as `HTTPRoute namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct RouteKey {
    /// Its kind.
    pub kind: RouteKind,
    /// Its name.
    pub name: ObjectName,
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)
    }
}

/// The kinds of object that traffic can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BackendKind {
    /// A core `Service`.
    Service,
    /// Our own `Backend` (`gateway.daemun.dev/v1alpha1`).
    Backend,
    /// `XBackend` (`gateway.networking.x-k8s.io/v1alpha1`, GEP-4894).
    XBackend,
}

impl BackendKind {
    /// The kind as written in `kind:`.
    pub fn as_str(self) -> &'static str {
        match self {
            BackendKind::Service => "Service",
            BackendKind::Backend => "Backend",
            BackendKind::XBackend => "XBackend",
        }
    }
}

/// What carries a protocol.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Transport {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// One port of a Service or Backend. Displayed as `Service namespace/name:port`, with `/udp` after it where
/// it is not reached over TCP.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct BackendKey {
    /// The kind of object.
    pub kind: BackendKind,
    /// The object's name.
    pub name: ObjectName,
    /// The port as the reference names it (a Service's port, not its targetPort). 0: a Backend whose
    /// endpoints have several ports, referred to without one.
    pub port: u16,
    /// How it is reached: a Service may have the same number twice.
    #[serde(default, skip_serializing_if = "crate::carried::is_default")]
    pub transport: Transport,
}

impl fmt::Display for BackendKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)?;
        match self.port {
            0 => Ok(()),
            port => write!(f, ":{port}"),
        }?;
        match self.transport {
            Transport::Tcp => Ok(()),
            Transport::Udp => f.write_str("/udp"),
        }
    }
}

shown_as_displayed!(ObjectName, ListenerKey, RouteKey, BackendKey);

impl Serialize for ObjectRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Seconds since 1970-01-01T00:00:00Z. Only their order matters here: older objects win ties.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Created(pub i64);

#[cfg(test)]
mod tests {
    use super::ObjectName;

    #[test]
    fn names_are_compared_by_the_letters_of_namespace_and_name() {
        let name = |(namespace, name)| ObjectName::new(namespace, name);
        let mut names = [
            ("a", "x"),
            ("b", "a"),
            ("a-b", "x"),
            ("a", "a-a"),
            ("a", "a"),
        ]
        .map(name);
        names.sort_by(|one, two| one.alphabetical().cmp(&two.alphabetical()));
        let sorted = names.map(|name| name.to_string());
        // A hyphen comes before a slash, and the end of a name before everything.
        assert_eq!(sorted, ["a-b/x", "a/a", "a/a-a", "a/x", "b/a"]);
    }
}
