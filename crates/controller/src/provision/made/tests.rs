//! Goldens: a Gateway in, the objects around it out. `tests/golden/provision/CASE.in.yaml` gives `CASE.out.yaml`;
//! `UPDATE_GOLDENS=1` writes the outputs anew, and a person reads the difference. A Service among the inputs is
//! one that was seen around the Gateway.

use std::path::{Path, PathBuf};

use daemun_model::names::ObjectName;
use daemun_objects::Any;
use daemun_testkit::golden;
use daemun_translate::exposure::Asked;
use daemun_translate::{Cluster, Home, Infrastructure, translate};
use serde_json::Value;

use super::super::kinds::Kind;
use super::super::seen::Seen;
use super::super::waiter::Waiting;
use super::super::{Settings, place};
use super::{Manifest, made};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/provision")
}

fn settings() -> Settings {
    Settings {
        controller: "gateway.daemun.dev/controller".to_owned(),
        image: "example.com/daemun:0".to_owned(),
        image_pull_policy: None,
        pull_secrets: Vec::new(),
        wire: "daemun-controller.daemun-system.svc:9903".to_owned(),
        namespaces: None,
        rolling: 3,
    }
}

/// The one Gateway of a case, and the Services that were seen around it.
fn read(text: &str) -> (std::sync::Arc<Infrastructure>, Vec<Seen>) {
    let mut cluster = Cluster::default();
    cluster.settings.home = Home::Kubernetes;
    let mut services = Vec::new();
    for document in serde_saphyr::from_multiple::<Value>(text).unwrap() {
        let field = |name: &str| document[name].as_str().unwrap().to_owned();
        let (version, kind) = (field("apiVersion"), field("kind"));
        if kind == "Service" {
            let object = Any::deserialize(&version, &kind, document.clone()).unwrap();
            cluster.insert(object.unwrap());
            services.push(Seen {
                kind: Kind::Service,
                object: document,
            });
            continue;
        }
        let object = Any::deserialize(&version, &kind, document).unwrap();
        cluster.insert(object.unwrap());
    }
    let outcome = translate(&cluster);
    let mut all = outcome.infrastructure.into_values();
    (all.next().unwrap(), services)
}

fn objects(text: &str) -> (std::sync::Arc<Infrastructure>, Vec<Manifest>) {
    let (wanted, services) = read(text);
    assert!(!wanted.on_hold, "{text}");
    let services: Vec<&Seen> = services.iter().collect();
    let made = made(&wanted, &settings(), "CERTIFICATES", &services);
    (wanted, made)
}

#[test]
fn every_case_gives_what_is_recorded() {
    let mut count = 0;
    for entry in std::fs::read_dir(directory()).unwrap() {
        let case = entry.unwrap().path();
        let Some(start) = case
            .to_string_lossy()
            .strip_suffix(".in.yaml")
            .map(str::to_owned)
        else {
            continue;
        };
        count += 1;
        let (_, made) = objects(&std::fs::read_to_string(&case).unwrap());
        let actual: Vec<String> = made
            .iter()
            .map(|manifest| serde_saphyr::to_string(&manifest.body).unwrap())
            .collect();
        let actual = actual.join("---\n");
        let recorded = PathBuf::from(format!("{start}.out.yaml"));
        if let Err(why) = golden::check(&recorded, &actual) {
            panic!("{why}");
        }
    }
    assert!(count >= 5, "only {count} cases were found");
    assert_eq!(golden::without_case(&directory()), Vec::<String>::new());
}

/// What no setting of a case changes: the restricted Pod Security Standard, owners, labels.
#[test]
fn every_object_is_owned_and_every_pod_is_restricted() {
    for entry in std::fs::read_dir(directory()).unwrap() {
        let case = entry.unwrap().path();
        if !case.to_string_lossy().ends_with(".in.yaml") {
            continue;
        }
        let (wanted, made) = objects(&std::fs::read_to_string(&case).unwrap());
        for Manifest {
            kind, name, body, ..
        } in &made
        {
            assert!(name.len() <= 63, "{name}");
            let at = |pointer: &str| body.pointer(pointer).cloned().unwrap_or_default();
            assert_eq!(at("/metadata/namespace"), wanted.gateway.namespace.as_str());
            assert_eq!(at("/metadata/ownerReferences/0/uid"), wanted.uid.as_str());
            let labels = at("/metadata/labels");
            let label = labels["gateway.networking.k8s.io/gateway-name"].as_str();
            assert!(label.is_some_and(|label| !label.is_empty() && label.len() <= 63));
            if !kind.is_workload() {
                continue;
            }
            let pod = at("/spec/template/spec");
            let container = &pod["containers"][0];
            assert_eq!(pod["automountServiceAccountToken"], false);
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
            assert_eq!(
                pod["securityContext"]["seccompProfile"]["type"],
                "RuntimeDefault"
            );
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false);
            assert_eq!(security["readOnlyRootFilesystem"], true);
            assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]));
            for host in ["hostNetwork", "hostPID", "hostIPC"] {
                assert_eq!(pod[host], Value::Null);
            }
        }
    }
}

/// No change of listeners or routes replaces a pod.
#[test]
fn the_pod_template_does_not_depend_on_listeners() {
    let template = |ports: &[u16]| {
        let listeners: Vec<String> = ports
            .iter()
            .map(|port| format!("{{name: l{port}, port: {port}, protocol: HTTP}}"))
            .collect();
        let (_, made) = objects(&format!(
            "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: daemun}}
spec: {{controllerName: gateway.daemun.dev/controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: shop, namespace: infra, uid: u, generation: {}}}
spec: {{gatewayClassName: daemun, listeners: [{}]}}
",
            ports.len(),
            listeners.join(", ")
        ));
        let workload = made.iter().find(|made| made.kind.is_workload()).unwrap();
        workload.body.clone()
    };
    assert_eq!(template(&[80]), template(&[8080, 8443, 9901]));
}

/// The addresses that a Gateway shows of Services that were seen, and the names of those that it wants.
/// Nor with ports of nodes: which those are is listed, and a listener takes one of them or none.
#[test]
fn with_ports_of_nodes_the_pod_template_does_not_depend_on_listeners_either() {
    let path = directory().join("host-ports.in.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let template = |listeners: &str| {
        let one = "[{name: http, port: 80, protocol: HTTP}]";
        assert!(text.contains(one));
        let (_, made) = objects(&text.replace(one, listeners));
        let workload = made.into_iter().find(|made| made.kind.is_workload());
        workload.unwrap().body
    };
    let more = "[{name: a, port: 80, protocol: HTTP}, {name: b, port: 443, protocol: TCP}, {name: c, port: 22, protocol: TCP}]";
    let all = template(more);
    assert_eq!(template("[{name: http, port: 80, protocol: HTTP}]"), all);
    let ports = all.pointer("/spec/template/spec/containers/0/ports");
    let ports = ports.unwrap().as_array().unwrap().iter();
    let ports: Vec<&Value> = ports.filter_map(|port| port.get("hostPort")).collect();
    assert_eq!(ports, [80, 443, 53]);
    let strategy = |text: &str, pointer: &str| {
        let (_, made) = objects(text);
        let workload = made.into_iter().find(|made| made.kind.is_workload());
        workload.unwrap().body.pointer(pointer).cloned().unwrap()
    };
    let one_by_one = serde_json::json!({ "maxUnavailable": 1, "maxSurge": 0 });
    assert_eq!(
        strategy(&text, "/spec/updateStrategy/rollingUpdate"),
        one_by_one
    );
    let number = text.replace(
        "spec:\n  exposure:",
        "spec:\n  workload: {replicas: 3}\n  exposure:",
    );
    assert_eq!(
        strategy(&number, "/spec/strategy/rollingUpdate"),
        one_by_one
    );
}

fn addresses(wanted: &str, seen: &str) -> (Vec<String>, Vec<String>, Option<&'static str>) {
    let (wanted, services) = read(&format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: daemun}}
spec: {{controllerName: gateway.daemun.dev/controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: shop, namespace: infra, uid: u}}
spec:
  gatewayClassName: daemun
  addresses: {wanted}
  listeners: [{{name: http, port: 80, protocol: HTTP}}]
{seen}"
    ));
    let around = services
        .iter()
        .map(|seen| ((Kind::Service, seen.name().to_owned()), seen.clone()))
        .collect();
    let place = |wanted: &Infrastructure| place::place(wanted, &around, &Waiting::new(), None);
    // A private address that the Services show and that nobody has looked at yet is not told.
    let looked_at = |shown: &[&str]| Infrastructure {
        looked_at: Some(shown.iter().map(|text| (*text).to_owned()).collect()),
        named: [(
            "has-1.example.com".to_owned(),
            vec![std::net::Ipv4Addr::new(192, 0, 2, 1).into()],
        )]
        .into(),
        ..Infrastructure::clone(&wanted)
    };
    let before = place(&looked_at(&[])).addresses;
    assert_eq!(before, [], "before it was looked at");
    let shown: Vec<&str> = services.iter().flat_map(|seen| seen.given()).collect();
    let wanted = looked_at(&shown);
    let place = place(&wanted);
    let services: Vec<&Seen> = services.iter().collect();
    let seats = super::seats(&wanted, &services);
    let names = seats.iter().map(|seat| match seat.address {
        Some(address) => format!("{} {address}", seat.name),
        None => seat.name.clone(),
    });
    (
        names.collect(),
        place.addresses.iter().map(ToString::to_string).collect(),
        place.trouble.map(|(reason, _)| reason),
    )
}

fn service(name: &str, asked: &str, given: &str) -> String {
    let ingress = if given.is_empty() {
        "[]".to_owned()
    } else if given.parse::<std::net::IpAddr>().is_ok() {
        format!("[{{ip: {given}}}]")
    } else {
        format!("[{{hostname: {given}}}]")
    };
    format!(
        "---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: infra, ownerReferences: [{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, name: shop, uid: u, controller: true}}], labels: {{app.kubernetes.io/managed-by: daemun}}, annotations: {{gateway.daemun.dev/gateway: shop, gateway.daemun.dev/controller-name: gateway.daemun.dev/controller}}}}
spec: {{type: LoadBalancer, loadBalancerIP: \"{asked}\"}}
status: {{loadBalancer: {{ingress: {ingress}}}, conditions: [{{type: gateway.daemun.dev/MadeFor, status: \"True\", reason: Private}}]}}
"
    )
}

/// What is asked for, the Services that are there, those that are wanted then, where the Gateway is reached, and what
/// stands against it.
type Case = (
    &'static str,
    &'static str,
    Vec<String>,
    Vec<&'static str>,
    Vec<&'static str>,
    Option<&'static str>,
);

fn compare((what, wanted, seen, services, shown, trouble): Case) {
    let found = addresses(wanted, &seen.concat());
    let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(found, (owned(services), owned(shown), trouble), "{what}");
}

#[test]
fn a_service_with_an_address_that_is_not_asked_for_any_more_stays_until_it_may_go() {
    let cases: [Case; _] = [
        (
            "another one than before: the old one is not taken away by the way",
            "[{value: 192.0.2.9}]",
            vec![service("shop-daemun", "192.0.2.1", "192.0.2.1")],
            vec!["shop-daemun 192.0.2.1"],
            vec!["192.0.2.1"],
            Some("AddressNotAssigned"),
        ),
        (
            "another one than before, which was never there: the Service that waits for it goes",
            "[{value: 192.0.2.9}]",
            vec![service("shop-daemun", "192.0.2.1", "")],
            vec!["shop-daemun-2 192.0.2.9"],
            vec![],
            Some("AddressNotAssigned"),
        ),
        (
            "another one than before, instead of which one was given that nobody was told",
            "[{value: 192.0.2.9}]",
            vec![service("shop-daemun", "192.0.2.1", "192.0.2.7")],
            vec!["shop-daemun-2 192.0.2.9"],
            vec![],
            Some("AddressNotAssigned"),
        ),
        (
            "one of two is not asked for any more",
            "[{value: 192.0.2.9}]",
            vec![
                service("shop-daemun", "192.0.2.1", "192.0.2.1"),
                service("shop-daemun-2", "192.0.2.9", "192.0.2.9"),
            ],
            vec!["shop-daemun-2 192.0.2.9", "shop-daemun 192.0.2.1"],
            vec!["192.0.2.9", "192.0.2.1"],
            None,
        ),
    ];
    cases.into_iter().for_each(compare);
}

#[test]
fn a_service_keeps_its_address_and_another_address_is_another_service() {
    let cases: [Case; _] = [
        (
            "nothing is there yet",
            "[]",
            vec![],
            vec!["shop-daemun"],
            vec![],
            Some("AddressNotAssigned"),
        ),
        (
            "any address",
            "[]",
            vec![service("shop-daemun", "", "192.0.2.1")],
            vec!["shop-daemun"],
            vec!["192.0.2.1"],
            None,
        ),
        (
            "a name",
            "[{type: IPAddress}]",
            vec![service("shop-daemun", "", "lb.example.com")],
            vec!["shop-daemun"],
            vec!["lb.example.com"],
            None,
        ),
        (
            "one that is asked for, and that the name has which is given",
            "[{value: 192.0.2.1}]",
            vec![service("shop-daemun", "192.0.2.1", "has-1.example.com")],
            vec!["shop-daemun 192.0.2.1"],
            vec!["192.0.2.1"],
            None,
        ),
        (
            "one that is asked for, and that the name does not have which is given",
            "[{value: 192.0.2.9}]",
            vec![service("shop-daemun", "192.0.2.9", "has-1.example.com")],
            vec!["shop-daemun 192.0.2.9"],
            vec![],
            Some("AddressNotUsable"),
        ),
        (
            "one that is asked for, and is not there yet",
            "[{value: 192.0.2.9}]",
            vec![],
            vec!["shop-daemun 192.0.2.9"],
            vec![],
            Some("AddressNotAssigned"),
        ),
        (
            "one that is asked for, and another one that is given",
            "[{value: 192.0.2.9}]",
            vec![service("shop-daemun", "192.0.2.9", "192.0.2.1")],
            vec!["shop-daemun 192.0.2.9"],
            vec![],
            Some("AddressNotUsable"),
        ),
        (
            "the one that it was given is asked for from now on",
            "[{value: 192.0.2.1}]",
            vec![service("shop-daemun", "", "192.0.2.1")],
            vec!["shop-daemun 192.0.2.1"],
            vec!["192.0.2.1"],
            None,
        ),
        (
            "any instead of a certain one: it stays",
            "[]",
            vec![service("shop-daemun", "192.0.2.1", "192.0.2.1")],
            vec!["shop-daemun 192.0.2.1"],
            vec!["192.0.2.1"],
            None,
        ),
    ];
    cases.into_iter().for_each(compare);
}

#[test]
fn each_of_several_addresses_has_a_service_of_its_own() {
    let cases: [Case; _] = [
        (
            "several, of which one cannot be had",
            "[{value: 198.51.100.9}, {value: 192.0.2.9}]",
            vec![
                service("shop-daemun", "198.51.100.9", ""),
                service("shop-daemun-2", "192.0.2.9", "192.0.2.9"),
            ],
            vec!["shop-daemun 198.51.100.9", "shop-daemun-2 192.0.2.9"],
            vec!["192.0.2.9"],
            Some("AddressNotAssigned"),
        ),
        (
            "of those the one that can be had is left",
            "[{value: 192.0.2.9}]",
            vec![
                service("shop-daemun", "198.51.100.9", ""),
                service("shop-daemun-2", "192.0.2.9", "192.0.2.9"),
            ],
            vec!["shop-daemun-2 192.0.2.9"],
            vec!["192.0.2.9"],
            None,
        ),
        (
            "a certain one and any",
            "[{type: IPAddress}, {value: 192.0.2.1}]",
            vec![service("shop-daemun", "", "192.0.2.1")],
            vec!["shop-daemun-2", "shop-daemun 192.0.2.1"],
            vec!["192.0.2.1"],
            Some("AddressNotAssigned"),
        ),
    ];
    cases.into_iter().for_each(compare);
}

/// The names of the two longest Gateways that differ in their last letter only.
#[test]
fn a_gateway_with_the_longest_name_has_names_of_its_own() {
    let name = |last: char| {
        let gateway = ObjectName::new("infra", format!("{}{last}", "g".repeat(252)));
        super::names::base(&gateway.name, "daemun")
    };
    assert_ne!(name('a'), name('b'));
    assert_eq!(name('a').len(), 63);
}

/// A Gateway on NHN, where the switch counts at creation only, and one of its Services, by what it was made.
fn on_nhn(exposure: &str, allows: &str, services: &[(&str, &str, &str)]) -> String {
    let mut text = format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: daemun}}
spec: {{controllerName: gateway.daemun.dev/controller}}
---
apiVersion: gateway.daemun.dev/v1alpha1
kind: GatewayParameters
metadata: {{name: p, namespace: infra}}
spec: {{exposure: {{provider: NHN, {exposure}}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: shop
  namespace: infra
  uid: uid-of-shop
  generation: 1
  annotations: {{gateway.daemun.dev/allow-recreation: \"{allows}\"}}
spec:
  gatewayClassName: daemun
  infrastructure: {{parametersRef: {{group: gateway.daemun.dev, kind: GatewayParameters, name: p}}}}
  listeners: [{{name: http, port: 80, protocol: HTTP}}]
"
    );
    for (name, reach, shown) in services {
        let internal = *reach == "Private";
        text += &format!(
            "---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: infra
  ownerReferences: [{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, name: shop, uid: uid-of-shop, controller: true}}]
  labels: {{app.kubernetes.io/managed-by: daemun}}
  annotations:
    gateway.daemun.dev/gateway: shop
    gateway.daemun.dev/controller-name: gateway.daemun.dev/controller
    service.beta.kubernetes.io/openstack-internal-load-balancer: \"{internal}\"
    loadbalancer.nhncloud/healthmonitor-delay: \"5\"
    loadbalancer.nhncloud/healthmonitor-timeout: \"3\"
    loadbalancer.nhncloud/healthmonitor-max-retries: \"3\"
spec: {{type: LoadBalancer, ports: [{{port: 80}}]}}
status: {{loadBalancer: {{ingress: [{shown}]}}, conditions: [{{type: gateway.daemun.dev/MadeFor, status: \"True\", reason: {reach}}}]}}
"
        );
    }
    text
}

/// The Services that are made: `name switch reach`.
fn made_services(text: &str) -> Vec<String> {
    let (_, made) = objects(text);
    let services = made.iter().filter(|it| it.kind == Kind::Service);
    services
        .map(|service| {
            let annotations = &service.body["metadata"]["annotations"];
            let text = |key: &str| annotations[key].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {}",
                service.name,
                text("service.beta.kubernetes.io/openstack-internal-load-balancer"),
                service.reach.map_or("-", Asked::as_str)
            )
        })
        .collect()
}

#[test]
fn a_load_balancer_is_made_anew_when_that_is_allowed_and_the_new_one_comes_first() {
    let old = ("shop-daemun", "Private", "{ip: 10.0.3.7}");
    let text =
        |allows: &str, services: &[(&str, &str, &str)]| on_nhn("reach: Public", allows, services);
    let refused = made_services(&text("", &[old]));
    assert_eq!(refused, ["shop-daemun true Private"]);
    let another = made_services(&text("shop-daemun-2", &[old]));
    assert_eq!(another, ["shop-daemun true Private"]);
    let allowed = made_services(&text("shop-daemun", &[old]));
    assert_eq!(allowed, ["shop-daemun-2 false Public"]);
    let new = ("shop-daemun-2", "Public", "{ip: 114.110.160.100}");
    let moved = text("shop-daemun", &[old, new]);
    assert_eq!(made_services(&moved), ["shop-daemun-2 false Public"]);
    let fate = |text: &str| format!("{:?}", read(text).0.fates);
    assert_eq!(fate(&moved), r#"{"shop-daemun": Goes}"#);
    let waits = text("shop-daemun", &[old, ("shop-daemun-2", "Public", "")]);
    assert_eq!(fate(&waits), r#"{"shop-daemun": Migrating}"#);
    // What was allowed once is not allowed for the next.
    let back = on_nhn("reach: Private", "shop-daemun", &[new]);
    assert_eq!(made_services(&back), ["shop-daemun-2 false Public"]);
}

#[test]
fn an_address_that_moves_is_kept_and_the_old_load_balancer_goes_first() {
    let exposure = "reach: Public, address: 114.110.160.100, annotations: {loadbalancer.nhncloud/loadbalancer-name: new}";
    let old = ("shop-daemun", "Public", "{ip: 114.110.160.100}");
    let text = |allows: &str, services: &[(&str, &str, &str)]| on_nhn(exposure, allows, services);
    let keeps = |text: &str| {
        let (_, made) = objects(text);
        let mut services = made.iter().filter(|it| it.kind == Kind::Service);
        let service = services
            .next()
            .map(|it| it.body["metadata"]["annotations"].clone());
        let service = service.unwrap_or_default();
        let of = |key: &str| service[key].as_str().unwrap_or("-").to_owned();
        (
            of("loadbalancer.openstack.org/keep-floatingip"),
            of("loadbalancer.nhncloud/loadbalancer-name"),
        )
    };
    let pair = |one: &str, two: &str| (one.to_owned(), two.to_owned());
    assert_eq!(
        keeps(&text("shop-daemun", &[old])),
        pair("-", "-"),
        "it must be the address"
    );
    let allowed = text("114.110.160.100", &[old]);
    assert_eq!(
        keeps(&allowed),
        pair("true", "-"),
        "first it is told to keep it"
    );
    let told = allowed.replace(
        "    loadbalancer.nhncloud/healthmonitor-delay",
        "    loadbalancer.openstack.org/keep-floatingip: \"true\"\n    loadbalancer.nhncloud/healthmonitor-delay",
    );
    assert_eq!(made_services(&told), Vec::<String>::new(), "then it goes");
    let gone = text("114.110.160.100", &[]);
    assert_eq!(keeps(&gone), pair("-", "new"));
}

#[test]
fn a_copy_takes_no_seat_whatever_its_name() {
    let real = ("shop-daemun", "Private", "{ip: 10.0.3.7}");
    for (created, copy) in [
        ("2026-01-02T00:00:00Z", ("aaa", "Private", "{ip: 10.0.3.8}")),
        ("2026-01-01T00:00:00Z", ("zzz", "Private", "{ip: 10.0.3.8}")),
    ] {
        let text = on_nhn("reach: Private", "", &[real, copy]);
        let at = |name: &str, time: &str| {
            (
                format!("  name: {name}\n"),
                format!("  name: {name}\n  creationTimestamp: \"{time}\"\n"),
            )
        };
        let (from, to) = at("shop-daemun", "2026-01-01T00:00:00Z");
        let text = text.replace(&from, &to);
        let (from, to) = at(copy.0, created);
        let text = text.replace(&from, &to);
        assert_eq!(made_services(&text), ["shop-daemun true Private"], "{text}");
    }
    // Once a load balancer was made anew, a copy under the common name is none the better for it.
    let text = on_nhn(
        "reach: Private",
        "",
        &[
            ("shop-daemun", "Private", ""),
            ("shop-daemun-2", "Private", "{ip: 10.0.3.9}"),
        ],
    );
    let text = text
        .replace(
            "  name: shop-daemun\n",
            "  name: shop-daemun\n  creationTimestamp: \"2026-01-03T00:00:00Z\"\n",
        )
        .replace(
            "  name: shop-daemun-2\n",
            "  name: shop-daemun-2\n  creationTimestamp: \"2026-01-02T00:00:00Z\"\n",
        );
    assert_eq!(made_services(&text), ["shop-daemun-2 true Private"]);
}

/// The fate of each Service, in a word, and what `ReachVerified` says.
fn fates(text: &str) -> (Vec<String>, String) {
    let mut cluster = Cluster::default();
    cluster.settings.home = Home::Kubernetes;
    for document in serde_saphyr::from_multiple::<Value>(text).unwrap() {
        let field = |name: &str| document[name].as_str().unwrap().to_owned();
        let object = Any::deserialize(&field("apiVersion"), &field("kind"), document.clone());
        cluster.insert(object.unwrap().unwrap());
    }
    let outcome = translate(&cluster);
    let infrastructure = outcome.infrastructure.values().next().unwrap();
    let fates = infrastructure.fates.iter().map(|(name, fate)| {
        let fate = format!("{fate:?}");
        let end = fate.find('(').unwrap_or(fate.len());
        format!("{name} {}", &fate[..end])
    });
    let verdicts = outcome.verdicts.iter();
    let parts = verdicts.flat_map(|verdict| verdict.parts.to_vec());
    let mut conditions = parts.flat_map(|part| part.conditions);
    let verified = conditions.find(|it| it.kind == daemun_translate::exposure::REACH_VERIFIED);
    let verified = verified.map(|it| format!("{:?} {}: {}", it.status, it.reason, it.message));
    (fates.collect(), verified.unwrap_or_default())
}

#[test]
fn an_address_is_not_taken_away_before_that_is_allowed_and_its_load_balancer_serves_meanwhile() {
    let old = ("shop-daemun", "Public", "{ip: 114.110.160.100}");
    let text = |allows: &str, services: &[(&str, &str, &str)]| {
        on_nhn("reach: Public, address: 114.110.160.200", allows, services)
    };
    let refused = text("", &[old]);
    assert_eq!(made_services(&refused), ["shop-daemun false Public"]);
    let (held, says) = fates(&refused);
    assert_eq!(held, ["shop-daemun Held"]);
    for part in [
        "Service infra/shop-daemun stays as it is: it is reached at 114.110.160.100, and 114.110.160.200 is asked for",
        "its address 114.110.160.100 is lost with it",
        "annotate the Gateway with gateway.daemun.dev/allow-recreation: \"shop-daemun\".",
    ] {
        assert!(says.contains(part), "{says}");
    }
    let allowed = text("shop-daemun", &[old]);
    assert_eq!(fates(&allowed).0, ["shop-daemun Migrating"]);
    assert_eq!(made_services(&allowed), ["shop-daemun-2 false Public"]);
    let asks = |shown: &str| {
        let new = ("shop-daemun-2", "Public", shown);
        let text = text("shop-daemun", &[old, new]);
        let at = text.rfind("type: LoadBalancer").unwrap();
        let (before, after) = text.split_at(at);
        format!("{before}loadBalancerIP: 114.110.160.200, {after}")
    };
    assert_eq!(fates(&asks("")).0, ["shop-daemun Migrating"]);
    let moved = asks("{ip: 114.110.160.200}");
    assert_eq!(fates(&moved).0, ["shop-daemun Goes"]);
    assert_eq!(made_services(&moved), ["shop-daemun-2 false Public"]);
    // What comes back without a Service that has an address is nobody's loss.
    let waits = text("", &[("shop-daemun", "Public", "")]);
    assert_eq!(fates(&waits).0, Vec::<String>::new());
}

#[test]
fn a_load_balancer_is_not_given_up_before_that_is_allowed() {
    let old = ("shop-daemun", "Public", "{ip: 114.110.160.100}");
    let types = |text: &str| {
        let (_, made) = objects(text);
        let services = made.iter().filter(|it| it.kind == Kind::Service);
        let types = services.map(|it| it.body["spec"]["type"].as_str().unwrap().to_owned());
        types.collect::<Vec<_>>()
    };
    for (reach, instead) in [
        ("Cluster", vec!["ClusterIP"]),
        ("Node", vec!["NodePort"]),
        ("Unmanaged", vec![]),
    ] {
        let text = |allows: &str, services: &[(&str, &str, &str)]| {
            on_nhn(&format!("reach: {reach}"), allows, services)
        };
        let refused = text("shop-daemun", &[old]);
        assert_eq!(types(&refused), ["LoadBalancer"], "{reach}");
        assert_eq!(made_services(&refused), ["shop-daemun false Public"]);
        let (held, says) = fates(&refused);
        assert_eq!(held, ["shop-daemun Held"], "{reach}");
        for part in [
            "False Public: Service infra/shop-daemun stays a load balancer's",
            &format!("{reach} is asked for (exposure.reach), which has none"),
            "its address 114.110.160.100 is lost with it",
            "gateway.daemun.dev/allow-recreation: \"114.110.160.100\".",
        ] {
            assert!(says.contains(part), "{says}");
        }
        let allowed = text("114.110.160.100", &[old]);
        assert_eq!(types(&allowed), instead);
        let waits = text("", &[("shop-daemun", "Public", "")]);
        assert_eq!(
            types(&waits),
            instead,
            "without an address there is nothing to lose"
        );
    }
}

#[test]
fn a_kept_address_goes_over_to_the_next_load_balancer() {
    let exposure = "reach: Public, keepAddress: true, annotations: {loadbalancer.nhncloud/loadbalancer-name: new}";
    let old = ("shop-daemun", "Public", "{ip: 114.110.160.100}");
    let text = |allows: &str, services: &[(&str, &str, &str)]| {
        on_nhn(exposure, allows, services).replace(
            "    loadbalancer.nhncloud/healthmonitor-delay",
            "    loadbalancer.openstack.org/keep-floatingip: \"true\"\n    loadbalancer.nhncloud/healthmonitor-delay",
        )
    };
    let refused = text("shop-daemun", &[old]);
    assert_eq!(made_services(&refused), ["shop-daemun false Public"]);
    let (held, says) = fates(&refused);
    assert_eq!(held, ["shop-daemun Held"]);
    let needs = "gateway.daemun.dev/allow-recreation: \"114.110.160.100\".";
    assert!(says.contains(needs), "{says}");
    let allowed = text("114.110.160.100", &[old]);
    assert_eq!(fates(&allowed).0, ["shop-daemun GoesFirst"]);
    assert_eq!(made_services(&allowed), Vec::<String>::new());
    let (_, made) = objects(&text("114.110.160.100", &[]));
    let service = made.iter().find(|it| it.kind == Kind::Service).unwrap();
    assert_eq!(service.body["spec"]["loadBalancerIP"], "114.110.160.100");
}
