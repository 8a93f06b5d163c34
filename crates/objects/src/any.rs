//! An object of any known kind, and the one list of kinds.

use std::sync::Arc;

use serde::de::{Deserialize, Deserializer};

use crate::core::configmap::ConfigMap;
use crate::core::endpointslice::EndpointSlice;
use crate::core::namespace::Namespace;
use crate::core::node::Node;
use crate::core::secret::Secret;
use crate::core::service::Service;
use crate::experimental::xbackend::XBackend;
use crate::experimental::xbackendtrafficpolicy::XBackendTrafficPolicy;
use crate::gateway_api::backendtlspolicy::BackendTlsPolicy;
use crate::gateway_api::gateway::Gateway;
use crate::gateway_api::gatewayclass::GatewayClass;
use crate::gateway_api::grpcroute::GrpcRoute;
use crate::gateway_api::httproute::HttpRoute;
use crate::gateway_api::listenerset::ListenerSet;
use crate::gateway_api::referencegrant::ReferenceGrant;
use crate::gateway_api::tcproute::TcpRoute;
use crate::gateway_api::tlsroute::TlsRoute;
use crate::gateway_api::udproute::UdpRoute;
use crate::meta::{Kind, Metadata};
use crate::own::backend::Backend;
use crate::own::backend_policy::BackendPolicy;
use crate::own::listener_policy::ListenerPolicy;
use crate::own::parameters::GatewayParameters;

/// What is known about a kind before any object of it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindInfo {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version that is watched.
    pub version: &'static str,
    /// Other versions of the same shape that may be written.
    pub other_versions: &'static [&'static str],
    /// The kind, as written in `kind:`.
    pub kind: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

impl KindInfo {
    const fn of<K: Kind>() -> Self {
        Self {
            group: K::GROUP,
            version: K::VERSION,
            other_versions: K::OTHER_VERSIONS,
            kind: K::KIND,
            namespaced: K::NAMESPACED,
        }
    }

    fn is(&self, api_version: &str, kind: &str) -> bool {
        // The core group has no slash: `v1`.
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.kind == kind
            && self.group == group
            && (self.version == version || self.other_versions.contains(&version))
    }
}

macro_rules! kinds {
    ($( $(#[$meta:meta])* $kind:ident ),+ $(,)?) => {
        /// An object of a known kind. Shared, because that is how everything after reading holds it.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Any {
            $( $(#[$meta])* $kind(Arc<$kind>) ),+
        }

        impl Any {
            /// All kinds that are known here.
            pub const KINDS: &'static [KindInfo] = &[ $( KindInfo::of::<$kind>() ),+ ];

            /// Reads an object of the given kind. None if the kind is not known here, or not in this
            /// version; the deserializer is not touched then.
            pub fn deserialize<'de, D: Deserializer<'de>>(
                api_version: &str,
                kind: &str,
                deserializer: D,
            ) -> Option<Result<Self, D::Error>> {
                $(
                    if const { KindInfo::of::<$kind>() }.is(api_version, kind) {
                        return Some($kind::deserialize(deserializer).map(|it| Self::$kind(Arc::new(it))));
                    }
                )+
                None
            }

            /// What is known about the object's kind.
            pub fn info(&self) -> KindInfo {
                match self {
                    $( Self::$kind(_) => KindInfo::of::<$kind>() ),+
                }
            }

            /// The object's metadata.
            pub fn metadata(&self) -> &Metadata {
                match self {
                    $( Self::$kind(object) => &object.metadata ),+
                }
            }

            /// The object's metadata, to be changed; the object is copied if it is shared.
            pub fn metadata_mut(&mut self) -> &mut Metadata {
                match self {
                    $( Self::$kind(object) => &mut Arc::make_mut(object).metadata ),+
                }
            }
        }
    };
}

kinds! {
    /// `gateway.networking.k8s.io` GatewayClass.
    GatewayClass,
    /// `gateway.networking.k8s.io` Gateway.
    Gateway,
    /// `gateway.networking.k8s.io` ListenerSet.
    ListenerSet,
    /// `gateway.networking.k8s.io` HTTPRoute.
    HttpRoute,
    /// `gateway.networking.k8s.io` GRPCRoute.
    GrpcRoute,
    /// `gateway.networking.k8s.io` TLSRoute.
    TlsRoute,
    /// `gateway.networking.k8s.io` TCPRoute.
    TcpRoute,
    /// `gateway.networking.k8s.io` UDPRoute.
    UdpRoute,
    /// `gateway.networking.k8s.io` ReferenceGrant.
    ReferenceGrant,
    /// `gateway.networking.k8s.io` BackendTLSPolicy.
    BackendTlsPolicy,
    /// `gateway.networking.x-k8s.io` XBackend.
    XBackend,
    /// `gateway.networking.x-k8s.io` XBackendTrafficPolicy.
    XBackendTrafficPolicy,
    /// Core Service.
    Service,
    /// `discovery.k8s.io` EndpointSlice.
    EndpointSlice,
    /// Core Secret.
    Secret,
    /// Core ConfigMap.
    ConfigMap,
    /// Core Namespace.
    Namespace,
    /// Core Node.
    Node,
    /// `gateway.daemun.dev` Backend.
    Backend,
    /// `gateway.daemun.dev` ListenerPolicy.
    ListenerPolicy,
    /// `gateway.daemun.dev` BackendPolicy.
    BackendPolicy,
    /// `gateway.daemun.dev` GatewayParameters.
    GatewayParameters,
}

impl Any {
    /// What is known about a kind, if it is known here in this version.
    pub fn kind_info(api_version: &str, kind: &str) -> Option<&'static KindInfo> {
        Self::KINDS.iter().find(|info| info.is(api_version, kind))
    }

    /// The object's kind, as written in `kind:`.
    pub fn kind(&self) -> &'static str {
        self.info().kind
    }

    /// The object's name.
    pub fn name(&self) -> &str {
        &self.metadata().name
    }
}

#[cfg(test)]
mod tests;
