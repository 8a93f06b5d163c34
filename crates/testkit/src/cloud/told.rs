//! What a Service says of itself, as far as a load balancer is concerned.
//!
//! Read here are only the fields that every cloud reads; annotations are the provider's.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;

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

/// Whether this cloud is asked for a load balancer: a Service with a class asks somebody else.
pub(super) fn wants_balancer(service: &Service) -> bool {
    service.spec.as_ref().is_some_and(|spec| {
        spec.type_.as_deref() == Some("LoadBalancer") && spec.load_balancer_class.is_none()
    }) && service.metadata.deletion_timestamp.is_none()
}

/// Whether this cloud was there before.
pub(super) fn has_finalizer(service: &Service) -> bool {
    service.finalizers().iter().any(|name| name == FINALIZER)
}

/// The addresses in a Service's status.
pub(super) fn addresses(service: &Service) -> Vec<Ipv4Addr> {
    let status = service.status.as_ref();
    let balancer = status.and_then(|status| status.load_balancer.as_ref());
    let ingress = balancer.and_then(|balancer| balancer.ingress.as_ref());
    ingress
        .into_iter()
        .flatten()
        .filter_map(|ingress| ingress.ip.as_ref()?.parse().ok())
        .collect()
}
