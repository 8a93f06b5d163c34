//! A `Translator` that has a memory gives what one without gives, and what did not change is the same `Arc`.
//! One changed route among thousands costs the work of one route.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test that fails is a test that fails"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "what json! makes is used on the spot"
)]

use std::sync::Arc;
use std::time::Duration;

use daemun_model::names::ObjectName;
use daemun_model::snapshot::Snapshot;
use daemun_objects::Any;
use daemun_translate::{Cluster, Home, Outcome, Translator, translate};
use serde_json::json;

/// A source of numbers that is the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        // xorshift64 (Marsaglia).
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn object(version: &str, kind: &str, name: &str, rest: serde_json::Value) -> Any {
    let mut value = json!({ "metadata": { "name": name } });
    for (key, field) in rest.as_object().unwrap() {
        match (key.as_str(), value.get_mut(key)) {
            ("metadata", Some(metadata)) => {
                for (key, field) in field.as_object().unwrap() {
                    metadata[key] = field.clone();
                }
            }
            _ => value[key] = field.clone(),
        }
    }
    Any::deserialize(version, kind, value).unwrap().unwrap()
}

const GATEWAY_API: &str = "gateway.networking.k8s.io/v1";

type Pick<'a> = dyn FnMut(&[&str]) -> String + 'a;

/// One of the objects that the random cluster is made of, in one of its shapes.
fn random(numbers: &mut Numbers) -> Any {
    let mut pick = |names: &[&str]| {
        let index = numbers.below(names.len() as u64);
        names[usize::try_from(index).unwrap()].to_owned()
    };
    let namespace = pick(&["default", "team"]);
    let kind = pick(&[
        "gateway",
        "set",
        "route",
        "route",
        "stream",
        "service",
        "slice",
        "grant",
        "namespace",
        "tls",
        "policy",
        "traffic",
        "x-backend",
        "backend",
        "listeners",
        "map",
    ]);
    match kind.as_str() {
        "gateway" | "set" => random_parent(&kind, &namespace, &mut pick),
        "route" | "stream" => random_route(&kind, &namespace, &mut pick),
        _ => random_surroundings(&kind, &namespace, &mut pick),
    }
}

fn random_parent(kind: &str, namespace: &str, pick: &mut Pick<'_>) -> Any {
    match kind {
        "gateway" => object(
            GATEWAY_API,
            "Gateway",
            &pick(&["a", "b"]),
            json!({
                "spec": {
                    "gatewayClassName": "daemun",
                    "allowedListeners": { "namespaces": { "from": pick(&["All", "Same", "None"]) } },
                    "addresses": [{ "type": pick(&["IPAddress", "IPAddress", "Hostname"]) }],
                    "defaultScope": pick(&["All", "None"]),
                    "listeners": [
                        { "name": "one", "port": 80, "protocol": pick(&["HTTP", "HTTP", "INVALID"]),
                          "hostname": pick(&["", "*.example.com", "a.example.com"]),
                          "allowedRoutes": { "namespaces": { "from": pick(&["All", "Same"]) } } },
                        { "name": pick(&["two", "other"]), "port": 8080, "protocol": "HTTP",
                          "allowedRoutes": { "namespaces": { "from": "Selector",
                            "selector": { "matchLabels": { "team": pick(&["a", "b"]) } } } } },
                        { "name": "below", "port": pick(&["9000", "80"]).parse::<u16>().unwrap(),
                          "protocol": pick(&["TCP", "UDP"]),
                          "allowedRoutes": { "namespaces": { "from": pick(&["All", "Same"]) } } },
                    ],
                }
            }),
        ),
        "set" => object(
            GATEWAY_API,
            "ListenerSet",
            &pick(&["s", "t"]),
            json!({
                "metadata": { "namespace": namespace },
                "spec": { "parentRef": { "name": pick(&["a", "b"]), "namespace": "default" },
                    "listeners": [{ "name": "extra", "port": 8081, "protocol": "HTTP",
                        "allowedRoutes": { "namespaces": { "from": "All" } } }] }
            }),
        ),
        _ => unreachable!("no other kind is a parent"),
    }
}

fn random_route(kind: &str, namespace: &str, pick: &mut Pick<'_>) -> Any {
    match kind {
        "stream" => object(
            GATEWAY_API,
            &pick(&["TCPRoute", "UDPRoute"]),
            &pick(&["r", "s"]),
            json!({
                "metadata": { "namespace": namespace },
                "spec": {
                    "parentRefs": [{ "name": pick(&["a", "c"]), "namespace": "default" }],
                    "useDefaultGateways": pick(&["All", "None"]),
                    "rules": [{ "backendRefs": [
                        { "name": pick(&["web", "wbe", "api"]), "port": 80 },
                        { "name": "web", "namespace": pick(&["default", "team"]), "port": 80 },
                    ] }],
                }
            }),
        ),
        _ => object(
            GATEWAY_API,
            &pick(&["HTTPRoute", "HTTPRoute", "GRPCRoute"]),
            &pick(&["r", "s", "t", "u"]),
            json!({
                "metadata": { "namespace": namespace },
                "spec": {
                    "parentRefs": [
                        { "name": pick(&["a", "b", "c"]), "namespace": "default" },
                        { "kind": "ListenerSet", "name": pick(&["s", "t"]) },
                    ],
                    "useDefaultGateways": pick(&["All", "None"]),
                    "hostnames": [pick(&["a.example.com", "b.example.com", "*.org"])],
                    "rules": [{
                        "matches": [{ "path": { "value": pick(&["/", "/a", "b"]) } }],
                        "backendRefs": [
                            { "name": pick(&["web", "wbe", "api"]), "port": 80 },
                            { "name": "web", "namespace": pick(&["default", "team"]), "port": 80 },
                            { "group": "gateway.daemun.dev", "kind": "Backend", "name": pick(&["vm", "vn"]) },
                            { "group": "gateway.networking.x-k8s.io", "kind": "XBackend", "name": "vn" },
                        ],
                    }],
                }
            }),
        ),
    }
}

fn random_surroundings(kind: &str, namespace: &str, pick: &mut Pick<'_>) -> Any {
    match kind {
        "service" => object(
            "v1",
            "Service",
            &pick(&["web", "api"]),
            json!({
                "metadata": { "namespace": namespace },
                "spec": { "ports": [{ "name": "http", "port": 80,
                    "appProtocol": pick(&["http", "https", "kubernetes.io/h2c", "redis"]) },
                    { "name": "udp", "port": 80, "protocol": "UDP" }] }
            }),
        ),
        "slice" => object(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            &pick(&["x", "y"]),
            json!({
                "metadata": { "namespace": namespace,
                    "labels": { "kubernetes.io/service-name": pick(&["web", "api"]) } },
                "addressType": "IPv4",
                "ports": [{ "name": "http", "port": 3000 }],
                "endpoints": [{ "addresses": [pick(&["10.0.0.1", "10.0.0.2"])] }],
            }),
        ),
        "grant" => object(
            GATEWAY_API,
            "ReferenceGrant",
            "grant",
            json!({
                "metadata": { "namespace": namespace },
                "spec": { "from": [{ "group": "gateway.networking.k8s.io",
                        "kind": pick(&["HTTPRoute", "TCPRoute", "Gateway"]), "namespace": pick(&["default", "team"]) }],
                    "to": [{ "group": "", "kind": "Service" }] }
            }),
        ),
        "namespace" => object(
            "v1",
            "Namespace",
            &pick(&["default", "team"]),
            json!({
                "metadata": { "labels": { "team": pick(&["a", "b"]) } }
            }),
        ),
        _ => random_rest(kind, namespace, pick),
    }
}

fn random_rest(kind: &str, namespace: &str, pick: &mut Pick<'_>) -> Any {
    match kind {
        "tls" => object(
            GATEWAY_API,
            "BackendTLSPolicy",
            &pick(&["p", "q"]),
            json!({
                "metadata": { "namespace": namespace },
                "spec": { "targetRefs": [{ "group": "", "kind": "Service", "name": pick(&["web", "api"]) }],
                    "validation": { "hostname": "web.example.com",
                        "caCertificateRefs": [{ "group": "", "kind": "ConfigMap", "name": "ca" }] } }
            }),
        ),
        "policy" => object(
            "gateway.daemun.dev/v1alpha1",
            "BackendPolicy",
            &pick(&["p", "q"]),
            json!({
                "metadata": { "namespace": namespace },
                "spec": { "targetRefs": [{ "group": "", "kind": "Service", "name": "web" }],
                    "balance": { "type": pick(&["Random", "RoundRobin", "Unknown"]) } }
            }),
        ),
        "traffic" => object(
            "gateway.networking.x-k8s.io/v1alpha1",
            "XBackendTrafficPolicy",
            &pick(&["p", "q"]),
            json!({
                "metadata": { "namespace": namespace },
                "spec": { "targetRefs": [{ "group": "", "kind": "Service", "name": pick(&["web", "api"]) }],
                    "retryConstraint": { "budget": { "interval": pick(&["2s", "3h"]) } } }
            }),
        ),
        "x-backend" => object(
            "gateway.networking.x-k8s.io/v1alpha1",
            "XBackend",
            "vn",
            json!({
                "metadata": { "namespace": namespace },
                "spec": { "type": "ExternalHostname", "port": { "port": 443 },
                    "externalHostname": { "hostname": pick(&["a.example", "192.0.2.1"]) },
                    "protocol": pick(&["HTTP", "TCP"]) }
            }),
        ),
        "backend" => object(
            "gateway.daemun.dev/v1alpha1",
            "Backend",
            "vm",
            json!({
                "metadata": { "namespace": namespace },
                "spec": { "endpoints": [{ "address": pick(&["192.0.2.1", "no-address"]), "port": 80 }] }
            }),
        ),
        "listeners" => object(
            "gateway.daemun.dev/v1alpha1",
            "ListenerPolicy",
            "lp",
            json!({
                "spec": { "targetRefs": [{ "group": "gateway.networking.k8s.io", "kind": "Gateway",
                        "name": pick(&["a", "b"]) }],
                    "limits": { "requests": 7 } }
            }),
        ),
        _ => {
            let ca = concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../tests/golden/certs/ca.crt"
            );
            let ca = std::fs::read_to_string(ca).unwrap();
            object(
                "v1",
                "ConfigMap",
                "ca",
                json!({
                    "metadata": { "namespace": namespace },
                    "data": { "ca.crt": pick(&[ca.as_str(), "nothing"]) },
                }),
            )
        }
    }
}

fn remove(cluster: &mut Cluster, object: &Any) {
    let name = match object {
        Any::Namespace(_) => ObjectName::new("", object.name()),
        _ => ObjectName::new(
            object.metadata().namespace.as_deref().unwrap_or("default"),
            object.name(),
        ),
    };
    match object {
        Any::Gateway(_) => drop(cluster.gateways.remove(&name)),
        Any::ListenerSet(_) => drop(cluster.listener_sets.remove(&name)),
        Any::HttpRoute(_) => drop(cluster.http_routes.remove(&name)),
        Any::GrpcRoute(_) => drop(cluster.grpc_routes.remove(&name)),
        Any::TlsRoute(_) => drop(cluster.tls_routes.remove(&name)),
        Any::TcpRoute(_) => drop(cluster.tcp_routes.remove(&name)),
        Any::UdpRoute(_) => drop(cluster.udp_routes.remove(&name)),
        Any::Service(_) => drop(cluster.services.remove(&name)),
        Any::EndpointSlice(_) => drop(cluster.endpoint_slices.remove(&name)),
        Any::ReferenceGrant(_) => drop(cluster.reference_grants.remove(&name)),
        Any::Namespace(_) => drop(cluster.namespaces.remove(&name)),
        Any::BackendTlsPolicy(_) => drop(cluster.backend_tls_policies.remove(&name)),
        Any::BackendPolicy(_) => drop(cluster.backend_policies.remove(&name)),
        Any::Backend(_) => drop(cluster.backends.remove(&name)),
        Any::XBackend(_) => drop(cluster.x_backends.remove(&name)),
        Any::XBackendTrafficPolicy(_) => {
            drop(cluster.x_backend_traffic_policies.remove(&name));
        }
        Any::ListenerPolicy(_) => drop(cluster.listener_policies.remove(&name)),
        Any::ConfigMap(_) => drop(cluster.config_maps.remove(&name)),
        Any::GatewayParameters(_) => drop(cluster.gateway_parameters.remove(&name)),
        Any::GatewayClass(_) | Any::Secret(_) | Any::Node(_) => {
            unreachable!("no random object is one")
        }
    }
}

#[test]
fn memory_changes_nothing_but_the_cost() {
    for seed in 1..=8 {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ seed);
        let mut cluster = Cluster::default();
        let mut translator = Translator::default();
        for step in 0..200 {
            let object = random(&mut numbers);
            if numbers.below(4) == 0 {
                remove(&mut cluster, &object);
            } else {
                cluster.insert(object);
            }
            let remembered = translator.translate(&cluster);
            let fresh = translate(&cluster);
            assert_eq!(
                remembered.configuration, fresh.configuration,
                "seed {seed}, step {step}"
            );
            assert_eq!(
                remembered.verdicts, fresh.verdicts,
                "seed {seed}, step {step}"
            );
            assert_eq!(
                remembered.infrastructure, fresh.infrastructure,
                "seed {seed}, step {step}"
            );
            let again = translator.translate(&cluster);
            assert_same(&again, &remembered);
        }
    }
}

/// Every part is the very same.
fn assert_same(one: &Outcome, two: &Outcome) {
    assert_eq!(
        one.configuration.gateways.len(),
        two.configuration.gateways.len()
    );
    for (name, snapshot) in &one.configuration.gateways {
        assert!(
            Arc::ptr_eq(snapshot, &two.configuration.gateways[name]),
            "{name}"
        );
    }
    assert_eq!(one.verdicts.len(), two.verdicts.len());
    for (one, two) in one.verdicts.iter().zip(two.verdicts.iter()) {
        assert!(Arc::ptr_eq(one, two), "{}", one.object);
    }
}

fn many(routes: usize) -> Cluster {
    let mut cluster = Cluster::default();
    cluster.insert(object(
        GATEWAY_API,
        "Gateway",
        "shop",
        json!({
            "spec": { "gatewayClassName": "daemun",
                "listeners": [{ "name": "http", "port": 80, "protocol": "HTTP" }] }
        }),
    ));
    for index in 0..routes {
        cluster.insert(route(index, "/"));
        let service = format!("service-{index}");
        cluster.insert(object(
            "v1",
            "Service",
            &service,
            json!({
                "spec": { "ports": [{ "port": 80 }] }
            }),
        ));
        cluster.insert(slice(index, "10.0.0.1"));
    }
    cluster
}

fn route(index: usize, path: &str) -> Any {
    object(
        GATEWAY_API,
        "HTTPRoute",
        &format!("route-{index}"),
        json!({
            "spec": {
                "parentRefs": [{ "name": "shop" }],
                "hostnames": [format!("host-{}.example.com", index % 500)],
                "rules": [{ "matches": [{ "path": { "value": path } }],
                    "backendRefs": [{ "name": format!("service-{index}"), "port": 80 }] }],
            }
        }),
    )
}

fn slice(index: usize, address: &str) -> Any {
    object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        &format!("slice-{index}"),
        json!({
            "metadata": { "labels": { "kubernetes.io/service-name": format!("service-{index}") } },
            "addressType": "IPv4",
            "ports": [{ "port": 3000 }],
            "endpoints": [{ "addresses": [address] }],
        }),
    )
}

fn shop(outcome: &Outcome) -> Arc<Snapshot> {
    Arc::clone(&outcome.configuration.gateways[&ObjectName::new("default", "shop")])
}

/// How many parts are not the same `Arc`.
fn differences(old: &Snapshot, new: &Snapshot) -> (usize, usize) {
    let routes = new.routes.iter().filter(|(key, route)| {
        !old.routes
            .get(key)
            .is_some_and(|old| Arc::ptr_eq(old, route))
    });
    let backends = new.backends.iter().filter(|(key, backend)| {
        !old.backends
            .get(key)
            .is_some_and(|old| Arc::ptr_eq(old, backend))
    });
    (routes.count(), backends.count())
}

#[test]
fn one_change_among_thousands_is_one_part_and_quick() {
    let mut cluster = many(5_000);
    let mut translator = Translator::default();
    let first = shop(&translator.translate(&cluster));
    assert_eq!((first.routes.len(), first.backends.len()), (5_000, 5_000));

    cluster.insert(route(7, "/changed"));
    let (second, time) = timed(&mut translator, &cluster);
    assert_eq!(differences(&first, &second), (1, 0));
    // A debug build takes some milliseconds; a second is far from the work of one route, and far from noise.
    assert!(time < Duration::from_secs(1), "{time:?}");

    cluster.insert(slice(8, "10.0.0.2"));
    let (third, time) = timed(&mut translator, &cluster);
    assert_eq!(differences(&second, &third), (0, 1));
    assert!(time < Duration::from_secs(1), "{time:?}");

    // An object that was written again and says the same changes nothing at all.
    cluster.insert(route(9, "/"));
    let (fourth, _) = timed(&mut translator, &cluster);
    assert!(Arc::ptr_eq(&third, &fourth));
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time that a test takes is no part of what it decides"
)]
fn timed(translator: &mut Translator, cluster: &Cluster) -> (Arc<Snapshot>, Duration) {
    let start = std::time::Instant::now();
    let outcome = translator.translate(cluster);
    let time = start.elapsed();
    println!("translated in {time:?}");
    (shop(&outcome), time)
}

/// Warnings of certificates come with time alone, to the second.
#[test]
fn time_passes_for_certificates() {
    let file = |name: &str| {
        let certs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/certs");
        std::fs::read_to_string(format!("{certs}/{name}")).unwrap()
    };
    let mut cluster = Cluster::default();
    cluster.insert(object(
        "v1",
        "Secret",
        "shop",
        json!({ "stringData": { "tls.crt": file("shop.crt"), "tls.key": file("shop.key") } }),
    ));
    cluster.insert(object(
        GATEWAY_API,
        "Gateway",
        "shop",
        json!({ "spec": { "gatewayClassName": "daemun", "listeners": [{
            "name": "https", "port": 443, "protocol": "HTTPS",
            "tls": { "certificateRefs": [{ "name": "shop" }] } }] } }),
    ));
    let (not_before, not_after, day) = (1_577_836_800, 4_733_510_400_i64, 86_400);
    let moments = [
        not_before,
        not_after - 14 * day,
        not_after - 13 * day,
        not_after,
    ];
    let mut translator = Translator::default();
    let mut said = Vec::new();
    for now in moments
        .iter()
        .flat_map(|moment| [moment - 1, *moment, moment + 1])
    {
        cluster.now = now;
        let remembered = translator.translate(&cluster).verdicts;
        assert_eq!(remembered, translate(&cluster).verdicts, "{now}");
        said.push(remembered);
    }
    said.dedup();
    // Not yet valid; valid; 13, 12 and 0 days left; expired. Near the end, each comes once.
    assert_eq!(said.len(), 6);
}

#[test]
fn kubernetes_says_nothing_of_what_is_not_ours() {
    let mut cluster = many(1);
    cluster.settings.home = Home::Kubernetes;
    let outcome = translate(&cluster);
    assert!(outcome.configuration.gateways.is_empty());
    assert!(outcome.verdicts.is_empty(), "{:?}", outcome.verdicts);
}

/// A Gateway on NHN that is reached through a load balancer which sends PROXY headers; its parameters are its own, or
/// its class's.
fn behind_a_load_balancer(of_class: bool, spec: Option<serde_json::Value>) -> Cluster {
    let mut cluster = Cluster::default();
    cluster.settings.home = Home::Kubernetes;
    let reference =
        json!({ "group": "gateway.daemun.dev", "kind": "GatewayParameters", "name": "p" });
    let mut class = json!({ "spec": { "controllerName": "gateway.daemun.dev/controller" } });
    let mut gateway = json!({ "metadata": { "namespace": "infra", "uid": "uid-shop" }, "spec": {
        "gatewayClassName": "daemun",
        "listeners": [{ "name": "http", "port": 80, "protocol": "HTTP" }] } });
    if of_class {
        class["spec"]["parametersRef"] = reference;
        class["spec"]["parametersRef"]["namespace"] = json!("infra");
    } else {
        gateway["spec"]["infrastructure"] = json!({ "parametersRef": reference });
    }
    cluster.insert(object(GATEWAY_API, "GatewayClass", "daemun", class));
    cluster.insert(object(GATEWAY_API, "Gateway", "shop", gateway));
    if let Some(spec) = spec {
        cluster.insert(object(
            "gateway.daemun.dev/v1alpha1",
            "GatewayParameters",
            "p",
            json!({ "metadata": { "namespace": "infra" }, "spec": spec }),
        ));
    }
    cluster.insert(object(
        "v1",
        "Service",
        "shop-daemun",
        json!({
            "metadata": {
                "namespace": "infra",
                "ownerReferences": [{
                    "apiVersion": GATEWAY_API, "kind": "Gateway", "name": "shop", "uid": "uid-shop",
                    "controller": true,
                }],
                "labels": { "app.kubernetes.io/managed-by": "daemun" },
                "annotations": {
                    "gateway.daemun.dev/gateway": "shop",
                    "gateway.daemun.dev/controller-name": "gateway.daemun.dev/controller",
                    "service.beta.kubernetes.io/openstack-internal-load-balancer": "false",
                    "loadbalancer.nhncloud/proxy-protocol": "true",
                },
            },
            "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }] },
            "status": {
                "loadBalancer": { "ingress": [{ "ip": "114.110.160.100" }] },
                "conditions": [{ "type": "gateway.daemun.dev/MadeFor", "reason": "Public" }],
            },
        }),
    ));
    cluster
}

/// Wrong parameters stop no traffic, and open nothing: listeners believe whom they believed, and let in whom they let in.
#[test]
fn while_parameters_are_wrong_listeners_go_on_as_before() {
    let exposure = json!({
        "provider": "NHN", "reach": "Public", "externalTrafficPolicy": "Local", "proxyProtocol": true,
        "trustedRanges": ["10.0.3.0/24"], "sourceRanges": ["192.0.2.0/24"],
    });
    let right = || json!({ "exposure": exposure });
    let with = |field: &str, value: serde_json::Value| {
        let mut spec = right();
        spec["exposure"][field] = value;
        Some(spec)
    };
    let mut elsewhere = right();
    elsewhere["workload"] = json!({ "replicas": 0 });
    // What is wrong, and whether it takes a memory to go on.
    let cases = [
        (Some(elsewhere), false),
        (with("reach", json!("Everybody")), false),
        (with("healthCheck", json!({ "delay": "0s" })), false),
        (with("trustedRanges", json!(["10.0.3/24"])), true),
        (with("sourceRanges", json!(["192.0.2/24"])), true),
        (None, true),
    ];
    let shop = |outcome: &Outcome| {
        let name = ObjectName::new("infra", "shop");
        let snapshot = &outcome.configuration.gateways[&name];
        assert_eq!(snapshot.gateway.closed, None);
        snapshot.listeners.clone()
    };
    for of_class in [false, true] {
        let fine = behind_a_load_balancer(of_class, Some(right()));
        let before = shop(&translate(&fine));
        let listener = before.values().next().unwrap();
        let believed = listener.forwarding.proxy_protocol.as_ref().unwrap();
        assert_eq!(believed.trusted, ["10.0.3.0/24".parse().unwrap()]);
        assert!(listener.sources.is_some());
        for (spec, remembered) in &cases {
            let wrong = behind_a_load_balancer(of_class, spec.clone());
            let mut translator = Translator::default();
            translator.translate(&fine);
            for _ in 0..2 {
                assert_eq!(shop(&translator.translate(&wrong)), before, "{spec:?}");
            }
            let anew = shop(&translate(&wrong));
            assert_eq!(anew == before, !remembered, "{of_class} {spec:?}");
        }
    }
}

/// A Gateway whose parameters cannot be judged keeps the addresses of what was made.
#[test]
fn what_cannot_be_judged_is_in_front_as_it_was_made() {
    use daemun_translate::exposure::ServiceKind;
    for (kind, expected) in [
        ("ClusterIP", ServiceKind::ClusterIp),
        ("NodePort", ServiceKind::NodePort),
        ("LoadBalancer", ServiceKind::LoadBalancer),
    ] {
        let mut cluster = behind_a_load_balancer(false, None);
        let service = object(
            "v1",
            "Service",
            "shop-daemun",
            json!({
                "metadata": {
                    "namespace": "infra",
                    "ownerReferences": [{ "kind": "Gateway", "name": "shop", "uid": "uid-shop" }],
                },
                "spec": { "type": kind, "ports": [{ "port": 80 }] },
            }),
        );
        cluster.insert(service);
        let outcome = translate(&cluster);
        let wanted = &outcome.infrastructure[&ObjectName::new("infra", "shop")];
        assert!(wanted.on_hold);
        assert_eq!(wanted.exposure.kind, expected);
    }
}
