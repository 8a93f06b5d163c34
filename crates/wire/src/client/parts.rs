//! A snapshot while it is put together from resources.

use std::sync::Arc;

use daemun_model::Snapshot;
use daemun_model::backend::Backend;
use daemun_model::gateway::Gateway;
use daemun_model::listener::Listener;
use daemun_model::names::{BackendKey, ListenerKey, ObjectName, RouteKey};
use daemun_model::persistent::Map;
use daemun_model::route::HttpRoute;
use daemun_model::stream::StreamRoute;
use daemun_model::tls::Certificate;

use crate::resource::{Key, Resource};

/// A snapshot that may not have a Gateway yet.
#[derive(Clone, Default)]
pub(super) struct Parts {
    gateway: Option<Arc<Gateway>>,
    listeners: Map<ListenerKey, Arc<Listener>>,
    routes: Map<RouteKey, Arc<HttpRoute>>,
    streams: Map<RouteKey, Arc<StreamRoute>>,
    backends: Map<BackendKey, Arc<Backend>>,
    certificates: Map<ObjectName, Arc<Certificate>>,
}

impl Parts {
    /// Those of a snapshot.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let Snapshot {
            gateway,
            listeners,
            routes,
            streams,
            backends,
            certificates,
        } = snapshot.clone();
        Self {
            gateway: Some(gateway),
            listeners,
            routes,
            streams,
            backends,
            certificates,
        }
    }

    /// The snapshot, if there is a Gateway.
    pub(super) fn complete(self) -> Result<Snapshot, Box<Self>> {
        let Some(gateway) = self.gateway.clone() else {
            return Err(Box::new(self));
        };
        let Self {
            gateway: _,
            listeners,
            routes,
            streams,
            backends,
            certificates,
        } = self;
        Ok(Snapshot {
            gateway,
            listeners,
            routes,
            streams,
            backends,
            certificates,
        })
    }

    /// Puts a resource in its place. If it says what the one there says, that one
    /// stays.
    pub(super) fn put(&mut self, resource: Resource) -> Key {
        let key = resource.key();
        match resource {
            Resource::Gateway(it) => match &self.gateway {
                Some(before) if *before == it => {}
                _ => self.gateway = Some(it),
            },
            Resource::Listener(it) => put(&mut self.listeners, it.key.clone(), it),
            Resource::Route(it) => put(&mut self.routes, it.key.clone(), it),
            Resource::Stream(it) => put(&mut self.streams, it.key.clone(), it),
            Resource::Backend(it) => put(&mut self.backends, it.key.clone(), it),
            Resource::Certificate(it) => put(&mut self.certificates, it.name.clone(), it),
        }
        key
    }

    /// Takes a resource away.
    pub(super) fn remove(&mut self, key: &Key) {
        match key {
            // A proxy of no Gateway serves what it served; nobody sends this.
            Key::Gateway => {}
            Key::Listener(key) => drop(self.listeners.remove(key)),
            Key::Route(key) => drop(self.routes.remove(key)),
            Key::Stream(key) => drop(self.streams.remove(key)),
            Key::Backend(key) => drop(self.backends.remove(key)),
            Key::Certificate(name) => drop(self.certificates.remove(name)),
        }
    }
}

fn put<K: Ord + Clone, V: PartialEq>(into: &mut Map<K, Arc<V>>, key: K, value: Arc<V>) {
    match into.get(&key) {
        Some(before) if *before == value => {}
        _ => drop(into.insert(key, value)),
    }
}
