//! What a Service says of itself, as far as a load balancer is concerned.
//!
//! Read here are only the fields that every cloud reads; annotations are the provider's.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::{LoadBalancerIngress, Service};
use kube::ResourceExt as _;

use super::make;

/// Marks a Service whose load balancer has to go before the Service may.
pub(super) const FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";

/// `namespace/name`, for sentences.
pub(super) fn name(service: &Service) -> String {
    format!(
        "Service {}/{}",
        service.namespace().unwrap_or_default(),
        service.name_any()
    )
}

/// Whether this cloud is asked for a load balancer: a Service with a class that is not its own asks somebody else.
pub(super) fn wants_balancer(service: &Service, classes: &[&str]) -> bool {
    service.spec.as_ref().is_some_and(|spec| {
        let class = spec.load_balancer_class.as_deref();
        spec.type_.as_deref() == Some("LoadBalancer")
            && class.is_none_or(|class| classes.contains(&class))
    }) && service.metadata.deletion_timestamp.is_none()
}

/// Whether there is anything to look at: a load balancer is wanted, or was made.
pub(super) fn is_ours(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    has_finalizer(service) || spec.is_some_and(|spec| spec.type_.as_deref() == Some("LoadBalancer"))
}

/// Whether this cloud was there before.
pub(super) fn has_finalizer(service: &Service) -> bool {
    service.finalizers().iter().any(|name| name == FINALIZER)
}

/// The ports of a Service that carry TCP, and the node's port behind each.
pub(super) fn ways(service: &Service) -> impl Iterator<Item = (u16, Option<u16>)> {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_ref());
    let number = |number: i32| u16::try_from(number).ok().filter(|number| *number != 0);
    let ports = ports.into_iter().flatten();
    ports.filter_map(move |port| {
        let is_tcp = port.protocol.as_deref().is_none_or(|it| it == "TCP");
        let behind = port.node_port.and_then(number);
        number(port.port)
            .filter(|_| is_tcp)
            .map(|port| (port, behind))
    })
}

/// What a Service's status shows.
pub(super) fn ingress(service: &Service) -> &[LoadBalancerIngress] {
    let status = service.status.as_ref();
    let balancer = status.and_then(|status| status.load_balancer.as_ref());
    let ingress = balancer.and_then(|balancer| balancer.ingress.as_deref());
    ingress.unwrap_or_default()
}

/// The addresses in a Service's status, also those behind names of this cloud's.
pub(super) fn addresses(service: &Service) -> Vec<Ipv4Addr> {
    let address = |ingress: &LoadBalancerIngress| match (&ingress.ip, &ingress.hostname) {
        (Some(address), _) => address.parse().ok(),
        (None, Some(name)) => make::resolve(name),
        (None, None) => None,
    };
    ingress(service).iter().filter_map(address).collect()
}
