//! What NHN Cloud's Kubernetes service (NKS) makes of a Service: the annotations that it reads, and those
//! that it writes back.
//!
//! Its controller descends from OpenStack's. A value counts only if it is spelled exactly so: `"True"`,
//! `"yes"` and `"1"` are the default, which is public. The user guide of NKS lists TCP and HTTP for its
//! load balancers, not UDP; here UDP passes, since kube-proxy carries it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;

/// No address that is reached from outside.
const INTERNAL: &str = "service.beta.kubernetes.io/openstack-internal-load-balancer";
/// The load balancer's id, written back.
const ID: &str = "loadbalancer.openstack.org/load-balancer-id";
/// The load balancer's address, written back.
const ADDRESS: &str = "loadbalancer.openstack.org/load-balancer-address";

/// What a Service asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// Without a public address.
    pub(super) internal: bool,
    /// The address, where a certain one is asked for.
    pub(super) address: Option<String>,
}

/// Reads a Service.
pub(super) fn wish(service: &Service) -> Wish {
    let spec = service.spec.as_ref();
    let address = spec.and_then(|spec| spec.load_balancer_ip.clone());
    Wish {
        internal: exactly(service, INTERNAL, false),
        address: address.filter(|address| !address.is_empty()),
    }
}

/// What is written back on a Service whose load balancer was made.
pub(super) fn written_back(id: &str, address: Ipv4Addr) -> BTreeMap<String, String> {
    BTreeMap::from([
        (ID.to_owned(), id.to_owned()),
        (ADDRESS.to_owned(), address.to_string()),
    ])
}

/// A boolean as OpenStack's controller reads it.
fn exactly(service: &Service, key: &str, default: bool) -> bool {
    match service.annotations().get(key).map(String::as_str) {
        Some("true") => true,
        Some("false") => false,
        Some(other) => {
            tracing::info!(
                "{}: {key} is \"{other}\", which is neither \"true\" nor \"false\"; it counts as {default}.",
                super::told::name(service)
            );
            default
        }
        None => default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(internal: Option<&str>) -> Service {
        let mut service = Service::default();
        let annotations = internal.map(|value| (INTERNAL.to_owned(), value.to_owned()));
        service.metadata.annotations = Some(annotations.into_iter().collect());
        service
    }

    #[test]
    fn only_the_exact_word_is_private() {
        for (value, internal) in [
            (Some("true"), true),
            (Some("false"), false),
            (Some("True"), false),
            (Some("yes"), false),
            (Some("1"), false),
            (Some(" true"), false),
            (None, false),
        ] {
            assert_eq!(wish(&service(value)).internal, internal, "{value:?}");
        }
    }
}
