//! What is different between two clusters, by pointers: no object is compared in depth.

use std::collections::BTreeSet;

use daemun_model::names::{ObjectName, RouteKey, RouteKind};

use crate::cluster::{Cluster, Objects};

/// Names of objects that came, went or changed, of the kinds that routes and backends look at.
pub(crate) struct Changes {
    /// Routes of all kinds.
    pub(crate) routes: Changed<RouteKey>,
    /// Services.
    pub(crate) services: Changed,
    /// EndpointSlices.
    pub(crate) endpoint_slices: Changed,
    /// Our Backends.
    pub(crate) backends: Changed,
    /// XBackends.
    pub(crate) x_backends: Changed,
    /// Namespaces.
    pub(crate) namespaces: Changed,
    /// Whether any ReferenceGrant did.
    pub(crate) grants: bool,
    /// Whether the settings did: then everything is looked at again.
    pub(crate) settings: bool,
}

/// Names of objects, of one kind unless the name says the kind.
pub(crate) enum Changed<K = ObjectName> {
    /// All, because there was nothing before.
    All,
    /// These.
    These(BTreeSet<K>),
}

impl<K: Ord> Changed<K> {
    /// Whether an object is among them.
    pub(crate) fn contains(&self, name: &K) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => !names.is_empty() && names.contains(name),
        }
    }

    /// Whether there are any.
    pub(crate) fn any(&self) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => !names.is_empty(),
        }
    }
}

impl Changes {
    /// From one cluster, if there was one, to the next.
    pub(crate) fn between(old: Option<&Cluster>, new: &Cluster) -> Self {
        let Some(old) = old else {
            return Self {
                routes: Changed::All,
                services: Changed::All,
                endpoint_slices: Changed::All,
                backends: Changed::All,
                x_backends: Changed::All,
                namespaces: Changed::All,
                grants: true,
                settings: true,
            };
        };
        Self {
            routes: Changed::These(changed_routes(old, new)),
            services: changed(&old.services, &new.services),
            endpoint_slices: changed(&old.endpoint_slices, &new.endpoint_slices),
            backends: changed(&old.backends, &new.backends),
            x_backends: changed(&old.x_backends, &new.x_backends),
            namespaces: changed(&old.namespaces, &new.namespaces),
            grants: changed(&old.reference_grants, &new.reference_grants).any(),
            settings: old.settings != new.settings,
        }
    }
}

/// The objects of a kind that came, went or changed.
pub(crate) fn changed<T>(old: &Objects<T>, new: &Objects<T>) -> Changed {
    Changed::These(new.changed_since(old).into_iter().cloned().collect())
}

fn changed_routes(old: &Cluster, new: &Cluster) -> BTreeSet<RouteKey> {
    let of_kind = |kind| {
        let names = match kind {
            RouteKind::Http => new.http_routes.changed_since(&old.http_routes),
            RouteKind::Grpc => new.grpc_routes.changed_since(&old.grpc_routes),
            RouteKind::Tls => new.tls_routes.changed_since(&old.tls_routes),
            RouteKind::Tcp => new.tcp_routes.changed_since(&old.tcp_routes),
            RouteKind::Udp => new.udp_routes.changed_since(&old.udp_routes),
        };
        names.into_iter().map(move |name| RouteKey {
            kind,
            name: name.clone(),
        })
    };
    RouteKind::ALL.into_iter().flat_map(of_kind).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use daemun_objects::gateway_api::httproute::{HttpRoute, HttpRouteSpec};
    use daemun_objects::{Metadata, Object};

    use super::{Changed, changed};
    use crate::cluster::Objects;

    fn map(name: &str) -> Arc<HttpRoute> {
        Arc::new(Object::new(
            Metadata::new("a", name),
            HttpRouteSpec::default(),
        ))
    }

    #[test]
    fn what_came_went_or_changed_is_named_and_nothing_else() {
        let (one, two, three) = (map("1"), map("2"), map("3"));
        let old: Objects<HttpRoute> = [one.clone(), two, three].into_iter().collect();
        let new: Objects<HttpRoute> = [map("0"), one, map("2")].into_iter().collect();
        let Changed::These(names) = changed(&old, &new) else {
            unreachable!("both maps are there");
        };
        let names: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
        assert_eq!(names, ["0", "2", "3"]);
        assert!(!changed(&old, &old.clone()).any());
    }
}
