//! What leads to the proxies: a Service for each address.

use std::net::IpAddr;

use daemun_translate::exposure::provider::Place;
use daemun_translate::exposure::{Asked, Exposure, Fate, Held, ServiceKind};
use daemun_translate::infrastructure::{Port, Transport};
use serde_json::{Value, json};

use super::{Annotations, Kind, Maker, Manifest, Seat};

/// The Service of one address. All that is to hold for it is in the call that makes it: a cloud looks at some of it
/// only then.
pub(super) fn service(maker: &Maker<'_>, seat: &Seat) -> Manifest {
    let Exposure {
        kind,
        instead: _,    // is said in the Gateway's status
        host_ports: _, // are in the pods
        reach,
        until_seen,
        provider: _,     // was asked, and has answered
        on_violation: _, // is a matter of what is seen
        local,
        class,
        annotations,
        unsaid: _, // is a matter of Services that are there
        switch,
        address: place,
        keeps_address: _, // is in the switch, too
        source_ranges,
        proxy_protocol: _, // likewise
        health_port,
        no_udp: _,  // is a matter of listeners, and their ports are not here
        gate: _,    // is said of in the status
        notices: _, // is the proxies' matter
    } = &maker.wanted.exposure;
    let ports: Vec<Value> = maker.wanted.ports.iter().map(port).collect();
    let mut spec = json!({
        "type": type_of(*kind),
        "selector": maker.proxies(),
        "ports": ports,
    });
    let is_private = *reach == Some(Asked::Private) && *until_seen;
    if is_private || *kind == ServiceKind::ClusterIp {
        // Whoever else sets one has the nodes lead there as well.
        spec["externalIPs"] = json!([]);
    }
    let mut over = switch.clone();
    match kind {
        ServiceKind::LoadBalancer => {
            if let Some(class) = class {
                spec["loadBalancerClass"] = json!(class);
            }
            if !source_ranges.is_empty() {
                spec["loadBalancerSourceRanges"] = json!(source_ranges);
            }
            if let Some(address) = seat.address {
                match key_of(*place, address) {
                    Some(key) => drop(over.insert(key.to_owned(), address.to_string())),
                    None => spec["loadBalancerIP"] = json!(address),
                }
            }
            if let Some(key) = health_port {
                let port = seat.health_port;
                spec["healthCheckNodePort"] = json!(port);
                over.insert((*key).to_owned(), port.to_string());
            }
        }
        ServiceKind::ClusterIp => {
            if let Some(address) = seat.address {
                spec["clusterIP"] = json!(address);
            }
        }
        ServiceKind::NodePort | ServiceKind::HostPorts | ServiceKind::Unmanaged => {}
    }
    let by_service = matches!(kind, ServiceKind::LoadBalancer | ServiceKind::NodePort);
    if let Some(local) = local.filter(|_| by_service) {
        let policy = if local { "Local" } else { "Cluster" };
        spec["externalTrafficPolicy"] = json!(policy);
    }
    if seat.address.is_some_and(|address| address.is_ipv6()) {
        spec["ipFamilyPolicy"] = json!("SingleStack");
        spec["ipFamilies"] = json!(["IPv6"]);
    }
    let annotations = Annotations {
        under: annotations,
        over: &over,
    };
    let mut service = maker.named(
        Kind::Service,
        &seat.name,
        annotations,
        json!({ "spec": spec }),
    );
    service.reach = *reach;
    match maker.wanted.fates.get(&seat.name) {
        Some(Fate::Held(held)) => {
            service.reach = held.reach;
            hold(held, seat, &mut service.body);
        }
        Some(Fate::Lacks(held)) => hold(held, seat, &mut service.body),
        Some(Fate::Migrating | Fate::Goes | Fate::GoesFirst) | None => {}
    }
    service
}

/// Keeps on a Service what cannot change on it.
fn hold(held: &Held, seat: &Seat, body: &mut Value) {
    let Held {
        annotations,
        reach: _, // is noted in its status
        class,
        local,
        unasked: _, // is a matter of which Service is for which address
        instead: _, // waits
        needed: _,  // is said in the Gateway's status
    } = held;
    if let Some(written) = body
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut)
    {
        for (key, value) in annotations {
            match value {
                Some(value) => drop(written.insert(key.clone(), json!(value))),
                None => drop(written.remove(key)),
            }
        }
    }
    if let Some(spec) = body.pointer_mut("/spec").and_then(Value::as_object_mut) {
        match class {
            Some(class) => drop(spec.insert("loadBalancerClass".to_owned(), json!(class))),
            None => drop(spec.remove("loadBalancerClass")),
        }
        if *local {
            spec.insert("externalTrafficPolicy".to_owned(), json!("Local"));
            let port = json!(seat.health_port);
            spec.insert("healthCheckNodePort".to_owned(), port);
        }
    }
}

/// The annotation at which an address is asked for; none means `spec.loadBalancerIP`.
pub(super) fn key_of(place: Option<Place>, address: IpAddr) -> Option<&'static str> {
    match place {
        None | Some(Place::LoadBalancerIp) => None,
        Some(Place::Annotation(key)) => Some(key),
        Some(Place::ByFamily { v4, v6 }) => Some(if address.is_ipv4() { v4 } else { v6 }),
    }
}

/// The Service's type, as written.
pub(super) fn type_of(kind: ServiceKind) -> &'static str {
    match kind {
        ServiceKind::LoadBalancer => "LoadBalancer",
        // With ports of the nodes it is for callers in the cluster: a NodePort would be a second way in that nobody
        // asked for.
        ServiceKind::ClusterIp | ServiceKind::HostPorts => "ClusterIP",
        ServiceKind::NodePort => "NodePort",
        // There is none of it.
        ServiceKind::Unmanaged => "",
    }
}

fn port(port: &Port) -> Value {
    let (name, protocol) = named(port);
    let Port {
        port,
        bind,
        transport: _, // is in both
    } = port;
    json!({ "name": name, "port": port, "targetPort": bind, "protocol": protocol })
}

/// A port's name, and its protocol as Kubernetes writes it.
pub(super) fn named(port: &Port) -> (String, &'static str) {
    let (word, protocol) = match port.transport {
        Transport::Tcp => ("tcp", "TCP"),
        Transport::Udp => ("udp", "UDP"),
    };
    (format!("{word}-{}", port.port), protocol)
}
