//! NHN Cloud's NKS: public unless the switch is "true" at creation, and what carries TCP only.

use super::{Change, Cloud, Seen, Shows, Wish, WithoutPublic, Written};

pub(super) const CLOUD: Cloud = Cloud {
    name: "NHN",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Ip,
    without_public: WithoutPublic::Fails(
        "the floating IP cannot be attached: the subnet's routing table is not connected to an internet gateway",
    ),
    written: &[
        ("loadbalancer.openstack.org/load-balancer-id", Written::Id),
        (
            "loadbalancer.openstack.org/load-balancer-address",
            Written::Address,
        ),
    ],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    if let Some((_, port)) = seen.ports.iter().find(|(protocol, _)| protocol != "TCP") {
        return Err(format!("protocol UDP of port {port} is not supported"));
    }
    let own = |key: &str| format!("loadbalancer.nhncloud/{key}");
    let proxy = own("proxy-protocol");
    let of_a_listener = seen
        .ports
        .iter()
        .any(|(protocol, port)| seen.exactly(&format!("{protocol}-{port}.{proxy}")));
    // The header is for listeners that pass TCP on.
    let listener = seen.text(&own("listener-protocol")).unwrap_or("TCP");
    let passes = matches!(listener, "TCP" | "HTTPS");
    Ok(Wish {
        internal: seen.exactly("service.beta.kubernetes.io/openstack-internal-load-balancer"),
        address: seen.address.clone(),
        keep: seen.exactly("loadbalancer.openstack.org/keep-floatingip"),
        proxy: (passes && (of_a_listener || seen.exactly(&proxy))).then_some(1),
        as_proxy: false,
    })
}
