//! A Gateway's configuration in parts that travel one by one.
//!
//! A resource has a key, made of the user's own names, and a version, which is a hash of what it says: two
//! controllers that come to the same result give it the same version. The bytes are MessagePack with the names
//! of fields, so that a proxy sees a field that it does not know, and refuses the resource.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use daemun_model::Snapshot;
use daemun_model::backend::Backend;
use daemun_model::gateway::Gateway;
use daemun_model::listener::Listener;
use daemun_model::names::{BackendKey, ListenerKey, ObjectName, RouteKey};
use daemun_model::persistent::Map;
use daemun_model::route::HttpRoute;
use daemun_model::stream::StreamRoute;
use daemun_model::tls::Certificate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A resource's key as it travels: a word for its kind, and the user's own names, such as
/// `route HTTPRoute shop/catalog`. A proxy holds on to one of a kind that it does not know, and refuses it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name(Arc<str>);

impl Default for Name {
    fn default() -> Self {
        Self(Arc::from(""))
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Name {
    /// Where it is among [`Versions`](crate::versions::Versions). Part of the protocol.
    pub(crate) fn bucket(&self) -> u8 {
        let Version([first, ..]) = Version::of(self.0.as_bytes());
        first
    }

    /// The word for its kind.
    pub(crate) fn kind(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }
}

impl fmt::Display for Name {
    /// As a person would name it: the word where what follows does not say it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.0.split_once(' ').map(|(_, rest)| rest);
        match (self.kind(), rest) {
            ("route" | "stream" | "backend", Some(rest)) => f.write_str(rest),
            _ => f.write_str(&self.0),
        }
    }
}

/// Which resource of a Gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The Gateway itself.
    Gateway,
    /// A listener.
    Listener(ListenerKey),
    /// An HTTPRoute or GRPCRoute.
    Route(RouteKey),
    /// A TLSRoute, TCPRoute or UDPRoute.
    Stream(RouteKey),
    /// A backend.
    Backend(BackendKey),
    /// A certificate.
    Certificate(ObjectName),
}

impl Key {
    /// As it travels.
    pub fn name(&self) -> Name {
        Name::from(match self {
            Self::Gateway => "gateway".to_owned(),
            Self::Listener(key) => format!("listener {key}"),
            Self::Route(key) => format!("route {key}"),
            Self::Stream(key) => format!("stream {key}"),
            Self::Backend(key) => format!("backend {key}"),
            Self::Certificate(name) => format!("certificate {name}"),
        })
    }
}

/// A hash of what a resource, or all of a Gateway's resources, say: SHA-256, cut to 128 bits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(#[serde(with = "sixteen")] [u8; 16]);

impl Version {
    /// The version of a resource that is written so.
    pub fn of(bytes: &[u8]) -> Self {
        Self::cut(Sha256::digest(bytes).as_slice())
    }

    /// The version of several together, in this order.
    pub(crate) fn of_all<'a>(versions: impl Iterator<Item = &'a Self>) -> Self {
        let mut hash = Sha256::new();
        versions.for_each(|version| hash.update(version.0));
        Self::cut(hash.finalize().as_slice())
    }

    fn cut(hash: &[u8]) -> Self {
        let mut version = [0; 16];
        let taken = hash.iter().zip(&mut version);
        taken.for_each(|(from, to)| *to = *from);
        Self(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Sixteen bytes that travel as bytes.
mod sixteen {
    use std::fmt;

    use serde::de::{self, Deserializer, Visitor};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(
        bytes: &[u8; 16],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; 16], D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = [u8; 16];

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("16 bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<[u8; 16], E> {
                let wrong = |_| E::invalid_length(bytes.len(), &self);
                bytes.try_into().map_err(wrong)
            }
        }
        deserializer.deserialize_bytes(Reader)
    }
}

/// A part of the model that travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The Gateway itself.
    Gateway(Arc<Gateway>),
    /// A listener.
    Listener(Arc<Listener>),
    /// An HTTPRoute or GRPCRoute.
    Route(Arc<HttpRoute>),
    /// A TLSRoute, TCPRoute or UDPRoute.
    Stream(Arc<StreamRoute>),
    /// A backend.
    Backend(Arc<Backend>),
    /// A certificate.
    Certificate(Arc<Certificate>),
}

impl Resource {
    /// Its key.
    pub fn key(&self) -> Key {
        match self {
            Self::Gateway(_) => Key::Gateway,
            Self::Listener(listener) => Key::Listener(listener.key.clone()),
            Self::Route(route) => Key::Route(route.key.clone()),
            Self::Stream(route) => Key::Stream(route.key.clone()),
            Self::Backend(backend) => Key::Backend(backend.key.clone()),
            Self::Certificate(certificate) => Key::Certificate(certificate.name.clone()),
        }
    }

    /// Writes it as it travels.
    ///
    /// # Errors
    /// A sentence; nothing in the model is known that cannot be written.
    pub fn write(&self) -> Result<Bytes, String> {
        let written = match self {
            Self::Gateway(it) => rmp_serde::to_vec_named(&**it),
            Self::Listener(it) => rmp_serde::to_vec_named(&**it),
            Self::Route(it) => rmp_serde::to_vec_named(&**it),
            Self::Stream(it) => rmp_serde::to_vec_named(&**it),
            Self::Backend(it) => rmp_serde::to_vec_named(&**it),
            Self::Certificate(it) => rmp_serde::to_vec_named(&**it),
        };
        let bytes = written.map(Bytes::from);
        bytes.map_err(|error| format!("{} cannot be written: {error}", self.key().name()))
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// A sentence: a kind, field or variant that this version does not know, a value that is none, or a name that
    /// is another resource's.
    pub fn read(name: &Name, bytes: &[u8]) -> Result<Self, String> {
        let resource = match name.kind() {
            "gateway" => Self::Gateway(read(bytes)?),
            "listener" => Self::Listener(read(bytes)?),
            "route" => Self::Route(read(bytes)?),
            "stream" => Self::Stream(read(bytes)?),
            "backend" => Self::Backend(read(bytes)?),
            "certificate" => Self::Certificate(read(bytes)?),
            other => {
                return Err(format!(
                    "this version knows no resource of the kind \"{other}\""
                ));
            }
        };
        let own = resource.key().name();
        if own == *name {
            Ok(resource)
        } else {
            Err(format!("it was sent as {name} and is {own}"))
        }
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<Arc<T>, String> {
    rmp_serde::from_slice(bytes)
        .map(Arc::new)
        .map_err(|error| error.to_string())
}

/// All resources of a snapshot, in the order of their keys.
pub fn all(snapshot: &Snapshot) -> impl Iterator<Item = Resource> + '_ {
    let Snapshot {
        gateway,
        listeners,
        routes,
        streams,
        backends,
        certificates,
    } = snapshot;
    let gateway = std::iter::once(Resource::Gateway(Arc::clone(gateway)));
    gateway
        .chain(listeners.values().cloned().map(Resource::Listener))
        .chain(routes.values().cloned().map(Resource::Route))
        .chain(streams.values().cloned().map(Resource::Stream))
        .chain(backends.values().cloned().map(Resource::Backend))
        .chain(certificates.values().cloned().map(Resource::Certificate))
}

/// What is different between two snapshots: parts that are the same `Arc` are not looked at.
pub fn differences(before: Option<&Snapshot>, next: &Snapshot) -> Differences {
    let mut found = Differences::default();
    let Some(before) = before else {
        found.put.extend(all(next));
        return found;
    };
    if !Arc::ptr_eq(&before.gateway, &next.gateway) {
        found.put.push(Resource::Gateway(Arc::clone(&next.gateway)));
    }
    found.compare(&before.listeners, &next.listeners, Resource::Listener);
    found.compare(&before.routes, &next.routes, Resource::Route);
    found.compare(&before.streams, &next.streams, Resource::Stream);
    found.compare(&before.backends, &next.backends, Resource::Backend);
    found.compare(
        &before.certificates,
        &next.certificates,
        Resource::Certificate,
    );
    found
}

/// What became of a snapshot.
#[derive(Debug, Default)]
pub struct Differences {
    /// Resources that are new or may be different.
    pub put: Vec<Resource>,
    /// Resources that are gone.
    pub removed: Vec<Key>,
}

impl Differences {
    /// Thousands of parts are nearly all the same, and those are passed over.
    fn compare<K: Ord, V>(
        &mut self,
        before: &Map<K, Arc<V>>,
        next: &Map<K, Arc<V>>,
        resource: fn(Arc<V>) -> Resource,
    ) {
        for key in next.differences(before, Arc::ptr_eq) {
            match (next.get(key), before.get(key)) {
                (Some(value), _) => self.put.push(resource(Arc::clone(value))),
                (None, Some(old)) => self.removed.push(resource(Arc::clone(old)).key()),
                (None, None) => {}
            }
        }
    }
}
