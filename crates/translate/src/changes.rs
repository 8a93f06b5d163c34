//! What is different between two clusters, by pointers: no object is compared in depth.

use std::collections::BTreeSet;

use daemun_model::names::ObjectName;

use crate::cluster::{Cluster, Objects};

/// Names of objects that came, went or changed, of the kinds that routes and backends look at.
pub(crate) struct Changes {
    /// HTTPRoutes.
    pub(crate) http_routes: Changed,
    /// Services.
    pub(crate) services: Changed,
    /// EndpointSlices.
    pub(crate) endpoint_slices: Changed,
    /// Our Backends.
    pub(crate) backends: Changed,
    /// Namespaces.
    pub(crate) namespaces: Changed,
    /// Whether any ReferenceGrant did.
    pub(crate) grants: bool,
    /// Whether the settings did: then everything is looked at again.
    pub(crate) settings: bool,
}

/// Names of objects of one kind.
pub(crate) enum Changed {
    /// All, because there was nothing before.
    All,
    /// These.
    These(BTreeSet<ObjectName>),
}

impl Changed {
    /// Whether an object is among them.
    pub(crate) fn contains(&self, name: &ObjectName) -> bool {
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
                http_routes: Changed::All,
                services: Changed::All,
                endpoint_slices: Changed::All,
                backends: Changed::All,
                namespaces: Changed::All,
                grants: true,
                settings: true,
            };
        };
        Self {
            http_routes: changed(&old.http_routes, &new.http_routes),
            services: changed(&old.services, &new.services),
            endpoint_slices: changed(&old.endpoint_slices, &new.endpoint_slices),
            backends: changed(&old.backends, &new.backends),
            namespaces: changed(&old.namespaces, &new.namespaces),
            grants: changed(&old.reference_grants, &new.reference_grants).any(),
            settings: old.settings != new.settings,
        }
    }
}

/// The names at which both maps differ.
pub(crate) fn changed<T>(old: &Objects<T>, new: &Objects<T>) -> Changed {
    Changed::These(new.changed_since(old).into_iter().cloned().collect())
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
