//! Everything that is known when a translation begins: all objects, the settings, and the time.
//!
//! Objects are shared, and so are the maps that hold them: a copy of a `Cluster` is cheap, and two
//! clusters are compared kind by kind by their pointers, which is how an unchanged object is known.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::persistent::{Iter, Map};
use daemun_objects::core::configmap::ConfigMap;
use daemun_objects::core::endpointslice::EndpointSlice;
use daemun_objects::core::namespace::Namespace;
use daemun_objects::core::node::Node;
use daemun_objects::core::secret::Secret;
use daemun_objects::core::service::Service;
use daemun_objects::experimental::xbackend::XBackend;
use daemun_objects::experimental::xbackendtrafficpolicy::XBackendTrafficPolicy;
use daemun_objects::gateway_api::backendtlspolicy::BackendTlsPolicy;
use daemun_objects::gateway_api::gateway::Gateway;
use daemun_objects::gateway_api::gatewayclass::GatewayClass;
use daemun_objects::gateway_api::grpcroute::GrpcRoute;
use daemun_objects::gateway_api::httproute::HttpRoute;
use daemun_objects::gateway_api::listenerset::ListenerSet;
use daemun_objects::gateway_api::referencegrant::ReferenceGrant;
use daemun_objects::gateway_api::tcproute::TcpRoute;
use daemun_objects::gateway_api::tlsroute::TlsRoute;
use daemun_objects::gateway_api::udproute::UdpRoute;
use daemun_objects::own::backend::Backend;
use daemun_objects::own::backend_policy::BackendPolicy;
use daemun_objects::own::listener_policy::ListenerPolicy;
use daemun_objects::own::parameters::GatewayParameters;
use daemun_objects::{Any, Kind, KindInfo, Metadata, Resource};
use ipnet::IpNet;

/// The controllers' name where nobody gives another.
pub const CONTROLLER: &str = "gateway.daemun.dev/controller";

/// The namespace of an object that gives none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// All objects that count, with the settings and the time at which they are looked at.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// What does not come from objects.
    pub settings: Settings,
    /// The time, in seconds since 1970: for certificates.
    pub now: i64,
    /// GatewayClasses; their names have no namespace.
    pub gateway_classes: Objects<GatewayClass>,
    /// Gateways.
    pub gateways: Objects<Gateway>,
    /// ListenerSets.
    pub listener_sets: Objects<ListenerSet>,
    /// HTTPRoutes.
    pub http_routes: Objects<HttpRoute>,
    /// GRPCRoutes.
    pub grpc_routes: Objects<GrpcRoute>,
    /// TLSRoutes.
    pub tls_routes: Objects<TlsRoute>,
    /// TCPRoutes.
    pub tcp_routes: Objects<TcpRoute>,
    /// UDPRoutes.
    pub udp_routes: Objects<UdpRoute>,
    /// ReferenceGrants.
    pub reference_grants: Objects<ReferenceGrant>,
    /// BackendTLSPolicies.
    pub backend_tls_policies: Objects<BackendTlsPolicy>,
    /// XBackends.
    pub x_backends: Objects<XBackend>,
    /// XBackendTrafficPolicies.
    pub x_backend_traffic_policies: Objects<XBackendTrafficPolicy>,
    /// Services.
    pub services: Objects<Service>,
    /// EndpointSlices.
    pub endpoint_slices: Objects<EndpointSlice>,
    /// Secrets.
    pub secrets: Objects<Secret>,
    /// ConfigMaps.
    pub config_maps: Objects<ConfigMap>,
    /// Namespaces; their names have no namespace.
    pub namespaces: Objects<Namespace>,
    /// Nodes; their names have no namespace.
    pub nodes: Objects<Node>,
    /// Whether nodes may not be looked at: then there being none says nothing.
    pub nodes_hidden: bool,
    /// Our Backends.
    pub backends: Objects<Backend>,
    /// Our ListenerPolicies.
    pub listener_policies: Objects<ListenerPolicy>,
    /// Our BackendPolicies.
    pub backend_policies: Objects<BackendPolicy>,
    /// Our GatewayParameters.
    pub gateway_parameters: Objects<GatewayParameters>,
    /// Objects that are there and could not be read.
    pub withheld: Withheld,
    /// The addresses of names that load balancers show ([`Outcome::names`](crate::Outcome::names)): none of a name
    /// that has none, and no entry for one that nobody has looked up.
    pub resolved: BTreeMap<String, Vec<IpAddr>>,
}

/// Objects that are there and could not be read, each with a sentence that says why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withheld(Arc<BTreeMap<ObjectRef, String>>);

impl Withheld {
    /// Why an object could not be read.
    pub fn why(&self, kind: &str, name: &ObjectName) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let object = ObjectRef::new(kind, name.clone());
        self.0.get(&object).map(String::as_str)
    }

    /// The beginning of a sentence about an object that is referred to and cannot be had: it could not be read, or it does
    /// not exist. Which others might be meant is only asked for in the second case.
    pub(crate) fn absence(
        &self,
        kind: &str,
        name: &ObjectName,
        meant: impl FnOnce() -> String,
    ) -> String {
        match self.why(kind, name) {
            Some(why) => format!("{kind} {name} could not be read: {why}"),
            None => format!("{kind} {name} does not exist.{}", meant()),
        }
    }

    /// Notes that an object could not be read, or could be.
    pub fn set(&mut self, object: ObjectRef, why: Option<String>) {
        let known = self.0.get(&object);
        if known != why.as_ref() {
            let all = Arc::make_mut(&mut self.0);
            match why {
                Some(why) => drop(all.insert(object, why)),
                None => drop(all.remove(&object)),
            }
        }
    }
}

impl FromIterator<(ObjectRef, String)> for Withheld {
    fn from_iter<I: IntoIterator<Item = (ObjectRef, String)>>(objects: I) -> Self {
        Self(Arc::new(objects.into_iter().collect()))
    }
}

/// What does not come from objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The `controllerName` of the GatewayClasses that are served.
    pub controller: String,
    /// Where the gateway runs.
    pub home: Home,
    /// Addresses that count as private whatever their range.
    pub private_ranges: Vec<IpNet>,
    /// Addresses that count as public whatever their range.
    pub public_ranges: Vec<IpNet>,
    /// The name of who makes load balancers, where GatewayParameters name nobody; none means that the nodes tell.
    pub provider: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            controller: CONTROLLER.to_owned(),
            home: Home::Host,
            private_ranges: Vec::new(),
            public_ranges: Vec::new(),
            provider: None,
        }
    }
}

/// Where the gateway runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// On a host, from files: a Gateway's class need not exist, all Gateways share the host's ports, and a
    /// Service without EndpointSlices is a DNS name (its `externalName`, or its own name).
    Host,
    /// In Kubernetes: only Gateways of our classes are served, each has its own address, and endpoints come
    /// from EndpointSlices alone.
    Kubernetes,
}

macro_rules! kinds {
    ($( $kind:ident in $field:ident ),+ $(,)?) => {
        impl Cluster {
            /// Adds an object, in place of one of the same kind and name, which is given back.
            pub fn insert(&mut self, object: Any) -> Option<Any> {
                match object {
                    $( Any::$kind(it) => self.$field.put(it).map(Any::$kind), )+
                }
            }

            /// Takes out the object of a kind and name.
            pub fn remove(&mut self, kind: &KindInfo, name: &ObjectName) -> Option<Any> {
                $( if is::<$kind>(kind) {
                    return self.$field.remove(name).map(Any::$kind);
                } )+
                None
            }

            /// The object of a kind and name.
            pub fn get(&self, kind: &KindInfo, name: &ObjectName) -> Option<Any> {
                $( if is::<$kind>(kind) {
                    return self.$field.get(name).cloned().map(Any::$kind);
                } )+
                None
            }

            /// The names of all objects of a kind.
            pub fn names(&self, kind: &KindInfo) -> Vec<ObjectName> {
                $( if is::<$kind>(kind) {
                    return self.$field.iter().map(|(name, _)| name.clone()).collect();
                } )+
                Vec::new()
            }
        }
    };
}

kinds! {
    GatewayClass in gateway_classes,
    Gateway in gateways,
    ListenerSet in listener_sets,
    HttpRoute in http_routes,
    GrpcRoute in grpc_routes,
    TlsRoute in tls_routes,
    TcpRoute in tcp_routes,
    UdpRoute in udp_routes,
    ReferenceGrant in reference_grants,
    BackendTlsPolicy in backend_tls_policies,
    XBackend in x_backends,
    XBackendTrafficPolicy in x_backend_traffic_policies,
    Service in services,
    EndpointSlice in endpoint_slices,
    Secret in secrets,
    ConfigMap in config_maps,
    Namespace in namespaces,
    Node in nodes,
    Backend in backends,
    ListenerPolicy in listener_policies,
    GatewayParameters in gateway_parameters,
    BackendPolicy in backend_policies,
}

fn is<K: Kind>(kind: &KindInfo) -> bool {
    kind.group == K::GROUP && kind.kind == K::KIND
}

impl Cluster {
    /// Whether the gateway runs on a host.
    pub(crate) fn on_host(&self) -> bool {
        match self.settings.home {
            Home::Host => true,
            Home::Kubernetes => false,
        }
    }
}

/// The name of an object of any kind, as [`name_of`] gives it.
pub fn name_of_any(object: &Any) -> ObjectName {
    let metadata = object.metadata();
    if object.info().namespaced {
        ObjectName::new(namespace_of(metadata), &metadata.name)
    } else {
        ObjectName::new("", &metadata.name)
    }
}

/// The name of an object, with the namespace that counts: `default` where none is given, and empty for
/// kinds that have none.
pub fn name_of<T: Resource>(object: &T) -> ObjectName {
    if T::NAMESPACED {
        ObjectName::new(namespace_of(object.metadata()), &object.metadata().name)
    } else {
        ObjectName::new("", &object.metadata().name)
    }
}

/// The namespace of an object of a kind that has them.
pub(crate) fn namespace_of(metadata: &Metadata) -> &str {
    match metadata.namespace.as_deref() {
        None | Some("") => DEFAULT_NAMESPACE,
        Some(namespace) => namespace,
    }
}

/// The objects of one kind, by name. A copy is cheap, and so is the comparison of two copies.
pub struct Objects<T>(Map<ObjectName, Arc<T>>);

impl<T: Resource> Objects<T> {
    /// Adds an object under its own name, in place of an older one, which is given back.
    pub fn put(&mut self, object: Arc<T>) -> Option<Arc<T>> {
        self.insert(name_of(object.as_ref()), object)
    }
}

impl<T> Objects<T> {
    /// Adds an object, in place of one of the same name, which is given back.
    pub fn insert(&mut self, name: ObjectName, object: Arc<T>) -> Option<Arc<T>> {
        self.0.insert(name, object)
    }

    /// Takes an object out.
    pub fn remove(&mut self, name: &ObjectName) -> Option<Arc<T>> {
        self.0.remove(name)
    }

    /// An object by name.
    pub fn get(&self, name: &ObjectName) -> Option<&Arc<T>> {
        self.0.get(name)
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> Iter<'_, ObjectName, Arc<T>> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the objects that came, went or changed from `old` to this. Objects are compared by their
    /// pointers.
    pub(crate) fn changed_since<'a>(&'a self, old: &'a Self) -> Vec<&'a ObjectName> {
        self.0.differences(&old.0, Arc::ptr_eq)
    }

    /// Whether this is the very same map: then every object in it is the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }

    /// Those in one namespace.
    pub(crate) fn in_namespace<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a ObjectName, &'a Arc<T>)> {
        self.0
            .iter_from(&ObjectName::new(namespace, ""))
            .take_while(move |(name, _)| name.namespace == namespace)
    }

    /// The names in one namespace.
    pub(crate) fn names_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a str> {
        self.in_namespace(namespace)
            .map(|(name, _)| name.name.as_str())
    }
}

impl<T> Clone for Objects<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self(Map::default())
    }
}

impl<T: Kind> fmt::Debug for Objects<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of kind {}", self.len(), T::KIND)
    }
}

impl<T: Resource> FromIterator<Arc<T>> for Objects<T> {
    fn from_iter<I: IntoIterator<Item = Arc<T>>>(objects: I) -> Self {
        let named = objects
            .into_iter()
            .map(|object| (name_of(object.as_ref()), object));
        Self(named.collect())
    }
}

impl<'a, T> IntoIterator for &'a Objects<T> {
    type Item = (&'a ObjectName, &'a Arc<T>);
    type IntoIter = Iter<'a, ObjectName, Arc<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
