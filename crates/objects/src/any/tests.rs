//! Objects of every kind, read from YAML by their apiVersion and kind.

use super::Any;
use crate::core::service::IntOrString;
use crate::gateway_api::gateway::Protocol;
use crate::gateway_api::httproute::filters::HttpRouteFilterType;
use crate::own::listener_policy::TlsVersion;
use crate::{Duration, Open};

fn read(api_version: &str, kind: &str, rest: &str) -> Result<Any, String> {
    let yaml = format!("apiVersion: {api_version}\nkind: {kind}\n{rest}");
    serde_saphyr::with_deserializer_from_str(&yaml, |deserializer| {
        Any::deserialize(api_version, kind, deserializer).expect("the kind is known")
    })
    .map_err(|error| error.to_string())
}

#[test]
fn every_kind_is_found_in_each_of_its_versions_and_no_other() {
    let specs = [
        ("GatewayClass", "spec: {controllerName: a.b/c}"),
        ("Gateway", "spec: {gatewayClassName: d, listeners: []}"),
        ("ListenerSet", "spec: {parentRef: {name: g}, listeners: []}"),
        ("HTTPRoute", "spec: {}"),
        ("GRPCRoute", "spec: {}"),
        ("TLSRoute", "spec: {hostnames: [h], rules: []}"),
        ("TCPRoute", "spec: {rules: [{backendRefs: []}]}"),
        ("UDPRoute", "spec: {rules: []}"),
        ("ReferenceGrant", "spec: {from: [], to: []}"),
        (
            "BackendTLSPolicy",
            "spec: {targetRefs: [], validation: {hostname: h}}",
        ),
        (
            "XBackend",
            "spec: {type: ExternalHostname, port: {port: 443}}",
        ),
        ("XBackendTrafficPolicy", "spec: {targetRefs: []}"),
        ("Service", "spec: {ports: [{port: 80}]}"),
        ("EndpointSlice", "addressType: IPv4\nendpoints: []"),
        ("Secret", "type: Opaque\nimmutable: true"),
        ("ConfigMap", "data: {a: b}"),
        ("Namespace", "spec: {finalizers: [kubernetes]}"),
        ("Node", "spec: {providerID: x}"),
        ("Backend", "spec: {endpoints: []}"),
        ("ListenerPolicy", "spec: {targetRefs: []}"),
        ("BackendPolicy", "spec: {targetRefs: []}"),
        ("GatewayParameters", "spec: {}"),
    ];
    assert_eq!(specs.len(), Any::KINDS.len());
    for info in Any::KINDS {
        let spec = specs.iter().find(|(kind, _)| *kind == info.kind).unwrap().1;
        for version in std::iter::once(&info.version).chain(info.other_versions) {
            let api_version = if info.group.is_empty() {
                (*version).to_owned()
            } else {
                format!("{}/{version}", info.group)
            };
            let object = read(
                &api_version,
                info.kind,
                &format!("metadata: {{name: x}}\n{spec}"),
            );
            let object = object.unwrap_or_else(|error| panic!("{}: {error}", info.kind));
            assert_eq!((object.kind(), object.name()), (info.kind, "x"));
            assert_eq!(Any::kind_info(&api_version, info.kind), Some(info));
            assert_eq!(Any::kind_info("networking.istio.io/v1", info.kind), None);
            assert_eq!(
                Any::kind_info(&format!("{}/v0", info.group), info.kind),
                None
            );
        }
    }
}

#[test]
fn what_the_api_server_adds_is_tolerated_and_null_is_absence() {
    let object = read(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        "
metadata:
  name: r
  namespace: a
  labels:
  annotations: null
  creationTimestamp: 2026-11-23T16:50:00Z
  generation: 3
  uid: u
  resourceVersion: \"7\"
  managedFields: [{manager: kubectl, fieldsV1: {f:spec: {}}}]
  ownerReferences: []
  finalizers: [a.b/c]
spec:
  hostnames:
  parentRefs: ~
  rules: [{matches: , backendRefs: [{name: s, port: 80}]}]
status: {parents: []}",
    )
    .unwrap();
    assert_eq!(object.metadata().created(), Some(1_795_452_600));
    let Any::HttpRoute(route) = object else {
        panic!("not an HTTPRoute: {object:?}");
    };
    assert!(route.metadata.labels.is_empty() && route.spec.hostnames.is_empty());
    let rule = &route.spec.rules[0];
    assert!(rule.matches.is_empty());
    assert_eq!(
        (rule.backend_refs[0].weight(), rule.backend_refs[0].port),
        (1, Some(80))
    );
    assert_eq!(rule.backend_refs[0].object().kind(), "Service");
}

#[test]
fn values_of_tomorrow_are_data() {
    let object = read(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        "
metadata: {name: r}
spec:
  rules:
  - filters: [{type: Teleport}, {type: CORS, cors: {allowMethods: [BREW]}}]
    matches: [{path: {type: Fuzzy, value: /}, method: BREW}]
    timeouts: {request: soon}",
    )
    .unwrap();
    let Any::HttpRoute(route) = object else {
        panic!("not an HTTPRoute: {object:?}");
    };
    let rule = &route.spec.rules[0];
    assert_eq!(rule.filters[0].r#type, Open::new("Teleport"));
    assert_eq!(rule.filters[0].r#type.known(), None);
    assert_eq!(rule.filters[1].r#type, HttpRouteFilterType::Cors);
    let timeouts = rule.timeouts.as_ref().unwrap();
    assert_eq!(timeouts.request, Some(Duration("soon".to_owned())));

    let object = read(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        "
metadata: {name: g}
spec:
  gatewayClassName: c
  listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 70000, protocol: example.com/moq}]",
    )
    .unwrap();
    let Any::Gateway(gateway) = object else {
        panic!("not a Gateway: {object:?}");
    };
    assert_eq!(gateway.spec.listeners[0].protocol, Protocol::Http);
    assert_eq!(
        gateway.spec.listeners[1].protocol.as_str(),
        "example.com/moq"
    );
    assert_eq!(gateway.spec.listeners[1].port, 70_000);
}

#[test]
fn scalars_are_read_as_their_fields_need_them() {
    let object = read(
        "v1",
        "Service",
        "
metadata: {name: s}
spec: {clusterIPs: [10.0.0.1], ports: [{port: 80, targetPort: 8080}, {port: 81, targetPort: http}]}",
    )
    .unwrap();
    let Any::Service(service) = object else {
        panic!("not a Service: {object:?}");
    };
    let targets: Vec<_> = service
        .spec
        .ports
        .iter()
        .map(|port| port.target_port.clone())
        .collect();
    assert_eq!(
        targets,
        [
            Some(IntOrString::Int(8080)),
            Some(IntOrString::String("http".to_owned()))
        ]
    );

    // Without quotes 1.3 is a number in YAML; what is meant is clear.
    let object = read(
        "gateway.daemun.dev/v1alpha1",
        "ListenerPolicy",
        "metadata: {name: p}\nspec: {targetRefs: [], tls: {minVersion: \"1.2\", maxVersion: 1.3}}",
    )
    .unwrap();
    let Any::ListenerPolicy(policy) = object else {
        panic!("not a ListenerPolicy: {object:?}");
    };
    let tls = policy.spec.tls.as_ref().unwrap();
    assert_eq!(tls.min_version, Some(TlsVersion::Tls12.into()));
    assert_eq!(tls.max_version, Some(TlsVersion::Tls13.into()));
}

#[test]
fn a_missing_or_mistyped_field_is_named() {
    for (rest, part) in [
        ("metadata: {name: s}", "spec"),
        ("metadata: {}\nspec: {}", "name"),
        ("metadata: {name: s}\nspec: {ports: [{name: a}]}", "port"),
        ("metadata: {name: s}\nspec: {ports: [{port: [80]}]}", "80"),
    ] {
        let error = read("v1", "Service", rest).unwrap_err();
        assert!(error.contains(part), "{rest}: {error}");
    }
}

#[test]
fn a_secret_is_read_and_never_shown() {
    let mut object = read(
        "v1",
        "Secret",
        "
metadata: {name: s, namespace: a, annotations: {kubectl.kubernetes.io/last-applied-configuration: hunter2}}
type: kubernetes.io/tls
data: {tls.key: aHVudGVyMg==, tls.crt: b2xk}
stringData: {tls.crt: hunter2}",
    )
    .unwrap();
    let shown = format!("{object:?}");
    assert!(shown.contains("tls.key"), "{shown}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("aHVudGVyMg"),
        "{shown}"
    );
    object.metadata_mut().namespace = Some("b".to_owned());
    assert_eq!(object.metadata().namespace.as_deref(), Some("b"));
    let Any::Secret(secret) = object else {
        panic!("not a Secret: {object:?}");
    };
    assert_eq!(secret.value("tls.key"), Some(&b"hunter2"[..]));
    assert_eq!(secret.value("tls.crt"), Some(&b"hunter2"[..]));
    assert_eq!(secret.value("ca.crt"), None);
}

#[test]
fn a_schema_has_the_fields_as_they_are_written() {
    let schema = schemars::schema_for!(crate::own::backend::Backend);
    let at = |pointer: &str| schema.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/required"), serde_json::json!(["metadata", "spec"]));
    assert_eq!(
        at("/$defs/Protocol/enum"),
        serde_json::json!(["HTTP", "HTTP1", "HTTP2"])
    );
    let port = at("/$defs/BackendEndpoint/properties/port");
    assert_eq!(
        (&port["minimum"], &port["maximum"]),
        (&0.into(), &65_535.into())
    );
    assert!(at("/$defs/BackendTls/properties/wellKnownCACertificates").is_object());
}
