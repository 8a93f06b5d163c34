//! What leads to the proxies: a Service for each address.

use daemun_translate::exposure::{Exposure, ServiceKind};
use daemun_translate::infrastructure::{Port, Transport};
use serde_json::{Value, json};

use super::{Annotations, Kind, Maker, Manifest, Seat};

/// The Service of one address. All that is to hold for it is in the call that makes it: a cloud looks at some of it
/// only then.
pub(super) fn service(maker: &Maker<'_>, seat: &Seat) -> Manifest {
    let Exposure {
        kind,
        reach: _,    // is in the switch
        provider: _, // was asked, and has answered
        local,
        class,
        annotations,
        switch,
        no_udp: _,  // is a matter of listeners, and their ports are not here
        notices: _, // is the proxies' matter
    } = &maker.wanted.exposure;
    let ports: Vec<Value> = maker.wanted.ports.iter().map(port).collect();
    let mut spec = json!({
        "type": type_of(*kind),
        "selector": maker.proxies(),
        "ports": ports,
    });
    match kind {
        ServiceKind::LoadBalancer => {
            if let Some(local) = local {
                let policy = if *local { "Local" } else { "Cluster" };
                spec["externalTrafficPolicy"] = json!(policy);
            }
            if let Some(class) = class {
                spec["loadBalancerClass"] = json!(class);
            }
            if let Some(address) = seat.address {
                spec["loadBalancerIP"] = json!(address);
            }
        }
        ServiceKind::ClusterIp => {
            if let Some(address) = seat.address {
                spec["clusterIP"] = json!(address);
            }
        }
    }
    if seat.address.is_some_and(|address| address.is_ipv6()) {
        spec["ipFamilyPolicy"] = json!("SingleStack");
        spec["ipFamilies"] = json!(["IPv6"]);
    }
    let annotations = Annotations {
        under: annotations,
        over: switch,
    };
    maker.named(
        Kind::Service,
        &seat.name,
        annotations,
        json!({ "spec": spec }),
    )
}

/// The Service's type, as written.
pub(super) fn type_of(kind: ServiceKind) -> &'static str {
    match kind {
        ServiceKind::LoadBalancer => "LoadBalancer",
        ServiceKind::ClusterIp => "ClusterIP",
    }
}

fn port(port: &Port) -> Value {
    let Port {
        port,
        bind,
        transport,
    } = port;
    let (word, protocol) = match transport {
        Transport::Tcp => ("tcp", "TCP"),
        Transport::Udp => ("udp", "UDP"),
    };
    json!({
        "name": format!("{word}-{port}"),
        "port": port,
        "targetPort": bind,
        "protocol": protocol,
    })
}
