//! Gateways that cannot be seen, and to which Routes are attached that can: they are there, as the controller wrote
//! into the Routes' status, and with them the question can be answered what the Routes do. Of the Gateway only that is
//! presumed without which there is no answer, and it is said.

use std::collections::BTreeSet;
use std::sync::Arc;

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_objects::gateway_api::gateway::{
    AllowedRoutes, Gateway, GatewaySpec, Listener, Protocol,
};
use daemun_objects::gateway_api::route::RouteSpec;
use daemun_objects::gateway_api::shared::{FromNamespaces, ParentReference, RouteNamespaces};
use daemun_objects::{Any, Metadata, Object};
use daemun_translate::{Cluster, Objects, translate};

use super::Glimpse;
use super::sight::presumed_class;

/// The class and the listener that are presumed.
const PRESUMED: &str = "presumed";
/// Its port where none is asked about.
const ANY_PORT: u16 = 80;

impl Glimpse {
    /// What would be known if the Gateways that cannot be seen had a listener on a port that takes every name; none if
    /// there is no such Gateway. It serves plain HTTP there, whatever it does in truth. Without a port the question is
    /// about no port, and Routes count whatever port they are for.
    #[must_use]
    pub fn presuming(&self, port: Option<u16>) -> Option<Self> {
        if self.all_gateways {
            return None;
        }
        let mut next = self.clone();
        let mut gateways = BTreeSet::new();
        let presuming = Presuming {
            glimpse: self,
            port,
        };
        let Cluster {
            http_routes,
            grpc_routes,
            ..
        } = &mut next.cluster;
        presuming.routes(http_routes, &mut gateways);
        presuming.routes(grpc_routes, &mut gateways);
        if gateways.is_empty() {
            return None;
        }
        let controller = &self.cluster.settings.controller;
        next.cluster.insert(presumed_class(PRESUMED, controller));
        let what = port.map_or_else(
            || "a listener which takes their names".to_owned(),
            |port| format!("a listener on port {port} which takes the name"),
        );
        for name in gateways {
            next.unseen.push(format!(
                "Gateway {name}: it is there, as the status of Routes says. That it has {what}, and what TLS does there, is presumed."
            ));
            next.cluster
                .insert(gateway(&name, port.unwrap_or(ANY_PORT)));
        }
        next.outcome = translate(&next.cluster);
        Some(next)
    }
}

struct Presuming<'a> {
    glimpse: &'a Glimpse,
    port: Option<u16>,
}

impl Presuming<'_> {
    /// Puts parents that are presumed into Routes, and gives their names.
    fn routes<S: RouteSpec + Clone>(
        &self,
        routes: &mut Objects<Object<S>>,
        gateways: &mut BTreeSet<ObjectName>,
    ) {
        for (name, route) in &routes.clone() {
            let object = ObjectRef::new(S::KIND, name.clone());
            let mut route = Object::clone(route);
            let written = route.spec.parent_refs_mut();
            if let Some(parents) = self.parents(&object, written, gateways) {
                *written = parents;
                routes.insert(name.clone(), Arc::new(route));
            }
        }
    }

    /// The parents of a Route with those that are presumed; none if there is none such. Where the controller did not
    /// take the Route, nothing is presumed.
    fn parents(
        &self,
        object: &ObjectRef,
        written: &[ParentReference],
        gateways: &mut BTreeSet<ObjectName>,
    ) -> Option<Vec<ParentReference>> {
        let recorded = self.glimpse.recorded.get(object)?;
        let mut presumed = false;
        let parents = written.iter().filter_map(|parent| {
            let namespace = parent.namespace.as_ref().unwrap_or(&object.name.namespace);
            let gateway = ObjectName::new(namespace, &parent.name);
            if parent.kind() != "Gateway" || self.glimpse.cluster.gateways.get(&gateway).is_some() {
                return Some(parent.clone());
            }
            let named = format!("Gateway {gateway}");
            let accepted = recorded.iter().any(|it| {
                it.parent == named && it.section == parent.section_name && it.is_accepted()
            });
            let on_port = match (parent.port, self.port) {
                (Some(port), Some(asked)) => port == i32::from(asked),
                (None, _) | (_, None) => true,
            };
            if !accepted || !on_port {
                return None;
            }
            presumed = true;
            gateways.insert(gateway);
            Some(ParentReference {
                section_name: None,
                port: None,
                ..parent.clone()
            })
        });
        let parents: Vec<ParentReference> = parents.collect();
        presumed.then_some(parents)
    }
}

fn gateway(name: &ObjectName, port: u16) -> Any {
    let listener = Listener {
        name: PRESUMED.to_owned(),
        hostname: None,
        port: i32::from(port),
        protocol: Protocol::Http.into(),
        tls: None,
        allowed_routes: Some(AllowedRoutes {
            namespaces: Some(RouteNamespaces {
                from: Some(FromNamespaces::All.into()),
                selector: None,
            }),
            kinds: Vec::new(),
        }),
    };
    let spec = GatewaySpec {
        gateway_class_name: PRESUMED.to_owned(),
        listeners: vec![listener],
        ..GatewaySpec::default()
    };
    let metadata = Metadata::new(&name.namespace, &name.name);
    let gateway: Gateway = Object::new(metadata, spec);
    Any::Gateway(Arc::new(gateway))
}

#[cfg(test)]
mod tests {
    use daemun_model::names::{ObjectName, ObjectRef};
    use daemun_objects::gateway_api::httproute::{HttpRoute, HttpRouteRule, HttpRouteSpec};
    use daemun_objects::gateway_api::shared::ParentReference;
    use daemun_objects::{Any, Metadata, Object};
    use daemun_translate::{Cluster, Home, Settings};

    use super::super::{Glimpse, Recorded, Said};

    fn glimpse(accepted: bool) -> Glimpse {
        let parent = ParentReference {
            namespace: Some("infra".to_owned()),
            name: "web".to_owned(),
            section_name: Some("https".to_owned()),
            ..ParentReference::default()
        };
        let spec = HttpRouteSpec {
            parent_refs: vec![parent],
            rules: vec![HttpRouteRule::default()],
            ..HttpRouteSpec::default()
        };
        let route: HttpRoute = Object::new(Metadata::new("shop", "orders"), spec);
        let mut cluster = Cluster {
            settings: Settings {
                home: Home::Kubernetes,
                ..Settings::default()
            },
            ..Cluster::default()
        };
        cluster.insert(Any::HttpRoute(route.into()));
        let said = Said {
            kind: "Accepted".to_owned(),
            status: if accepted { "True" } else { "False" }.to_owned(),
            reason: String::new(),
            message: String::new(),
        };
        let recorded = Recorded {
            parent: "Gateway infra/web".to_owned(),
            section: Some("https".to_owned()),
            conditions: vec![said],
        };
        let route = ObjectRef::new("HTTPRoute", ObjectName::new("shop", "orders"));
        Glimpse {
            cluster,
            recorded: [(route, vec![recorded])].into(),
            ..Glimpse::default()
        }
    }

    /// The same, with a Route for one port.
    fn on_port(port: i32) -> Glimpse {
        let mut glimpse = glimpse(true);
        let name = ObjectName::new("shop", "orders");
        let route = glimpse.cluster.http_routes.get(&name).expect("it is there");
        let mut route = HttpRoute::clone(route);
        route.spec.parent_refs[0].port = Some(port);
        glimpse.cluster.insert(Any::HttpRoute(route.into()));
        glimpse
    }

    #[test]
    fn a_gateway_that_took_a_route_is_presumed_and_one_that_did_not_is_not() {
        let presumed = glimpse(true)
            .presuming(Some(443))
            .expect("it took the Route");
        let gateways = &presumed.outcome.configuration.gateways;
        let snapshot = &gateways[&ObjectName::new("infra", "web")];
        assert_eq!(snapshot.routes.len(), 1);
        assert_eq!(
            snapshot.listeners.values().next().map(|it| it.port),
            Some(443)
        );
        assert!(presumed.unseen[0].contains("Gateway infra/web"));
        assert!(glimpse(false).presuming(Some(443)).is_none());
        assert!(on_port(8443).presuming(Some(443)).is_none());
        let any = on_port(8443).presuming(None).expect("it took the Route");
        let gateways = &any.outcome.configuration.gateways;
        let snapshot = &gateways[&ObjectName::new("infra", "web")];
        assert_eq!(snapshot.routes.len(), 1);
        let all_seen = Glimpse {
            all_gateways: true,
            ..glimpse(true)
        };
        assert!(all_seen.presuming(Some(443)).is_none());
    }
}
