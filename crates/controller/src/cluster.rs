//! Taking objects out of a cluster.

use daemun_objects::Any;
use daemun_translate::Cluster;
use daemun_translate::cluster::name_of;

/// Takes out an object of the same kind and name.
pub(crate) fn remove(cluster: &mut Cluster, object: &Any) {
    match object {
        Any::GatewayClass(it) => drop(cluster.gateway_classes.remove(&name_of(it.as_ref()))),
        Any::Gateway(it) => drop(cluster.gateways.remove(&name_of(it.as_ref()))),
        Any::ListenerSet(it) => drop(cluster.listener_sets.remove(&name_of(it.as_ref()))),
        Any::HttpRoute(it) => drop(cluster.http_routes.remove(&name_of(it.as_ref()))),
        Any::GrpcRoute(it) => drop(cluster.grpc_routes.remove(&name_of(it.as_ref()))),
        Any::TlsRoute(it) => drop(cluster.tls_routes.remove(&name_of(it.as_ref()))),
        Any::TcpRoute(it) => drop(cluster.tcp_routes.remove(&name_of(it.as_ref()))),
        Any::UdpRoute(it) => drop(cluster.udp_routes.remove(&name_of(it.as_ref()))),
        Any::ReferenceGrant(it) => drop(cluster.reference_grants.remove(&name_of(it.as_ref()))),
        Any::BackendTlsPolicy(it) => {
            drop(cluster.backend_tls_policies.remove(&name_of(it.as_ref())));
        }
        Any::Service(it) => drop(cluster.services.remove(&name_of(it.as_ref()))),
        Any::EndpointSlice(it) => drop(cluster.endpoint_slices.remove(&name_of(it.as_ref()))),
        Any::Secret(it) => drop(cluster.secrets.remove(&name_of(it.as_ref()))),
        Any::ConfigMap(it) => drop(cluster.config_maps.remove(&name_of(it.as_ref()))),
        Any::Namespace(it) => drop(cluster.namespaces.remove(&name_of(it.as_ref()))),
        Any::Backend(it) => drop(cluster.backends.remove(&name_of(it.as_ref()))),
        Any::ListenerPolicy(it) => drop(cluster.listener_policies.remove(&name_of(it.as_ref()))),
        Any::GatewayParameters(it) => {
            drop(cluster.gateway_parameters.remove(&name_of(it.as_ref())));
        }
        Any::BackendPolicy(it) => drop(cluster.backend_policies.remove(&name_of(it.as_ref()))),
    }
}
