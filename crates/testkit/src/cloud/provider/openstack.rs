//! OpenStack's cloud controller manager, which changes live load balancers both ways.

use super::{Change, Cloud, Seen, Shows, Wish, WithoutPublic, Written};

pub(super) const CLOUD: Cloud = Cloud {
    name: "OpenStack",
    classes: &[],
    read,
    change: Change::Live,
    shows: Shows::Ip,
    without_public: WithoutPublic::Private,
    written: &[
        ("loadbalancer.openstack.org/load-balancer-id", Written::Id),
        (
            "loadbalancer.openstack.org/load-balancer-address",
            Written::Address,
        ),
    ],
};

pub(super) fn read(seen: &Seen) -> Result<Wish, String> {
    let own = |key: &str| format!("loadbalancer.openstack.org/{key}");
    let proxy = match seen.text(&own("proxy-protocol")) {
        Some("true" | "v1") => Some(1),
        Some("v2") => Some(2),
        Some(_) | None => None,
    };
    if proxy.is_some() && seen.exactly(&own("x-forwarded-for")) {
        return Err(
            "annotation x-forwarded-for and proxy-protocol cannot be used together".to_owned(),
        );
    }
    Ok(Wish {
        internal: seen.exactly("service.beta.kubernetes.io/openstack-internal-load-balancer"),
        address: seen.address.clone(),
        keep: seen.exactly(&own("keep-floatingip")),
        proxy,
        as_proxy: proxy.is_some(),
    })
}
