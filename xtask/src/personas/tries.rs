//! What is tried, by whom, and what has to come of it.

use serde_json::{Value, json};

use super::scene::{CARELESS, CLOUD, namespace, user};
use crate::lab::install::{NAME, NAMESPACE};
use crate::lab::kubectl::Kubectl;

/// Something that somebody tries.
pub(super) struct Try {
    who: &'static str,
    /// As the rest of a sentence: `creates a Service of type LoadBalancer`.
    what: String,
    how: How,
    expected: Expected,
}

enum How {
    /// An object is created.
    Create(Value),
    /// An object of a place is changed.
    Patch(&'static str, &'static str, &'static str, Value),
    /// An object of a place is read.
    Get(&'static str, &'static str, &'static str),
}

#[derive(Clone, Copy)]
enum Expected {
    Allowed,
    /// There is no such right.
    NoRight,
    /// A policy refuses it, with these words.
    Policy(&'static str, &'static str),
}

/// An annotation that says which callers a load balancer lets in.
pub(super) const SOURCE_RANGES: &str = "service.beta.kubernetes.io/azure-allowed-ip-ranges";

const SERVICES: Expected = Expected::Policy(
    "daemun-exposure-of-services",
    "takes an infrastructure operator",
);
const ROUTES: Expected =
    Expected::Policy("daemun-hostnames-of-routes", "is given shop.example.com");
const SETS: Expected = Expected::Policy(
    "daemun-hostnames-of-listener-sets",
    "is given gateway.example.com",
);

impl Try {
    /// Does it, without a trace: what kubectl says.
    pub(super) fn attempt(&self, kubectl: &Kubectl) -> Result<String, String> {
        let user = match self.who {
            "controller" => format!("system:serviceaccount:{NAMESPACE}:{NAME}"),
            CLOUD => format!("system:serviceaccount:kube-system:{}", namespace(CLOUD)),
            who => user(who),
        };
        match &self.how {
            How::Create(object) => {
                let words = ["create", "-f", "-", "--dry-run=server", "--as", &user];
                kubectl.output_of(&words, &object.to_string())
            }
            How::Patch(place, kind, name, patch) => kubectl.output(&[
                "patch",
                kind,
                name,
                "--type=merge",
                "-p",
                &patch.to_string(),
                "-n",
                &namespace(place),
                "--dry-run=server",
                "--as",
                &user,
            ]),
            How::Get(place, kind, name) => {
                kubectl.output(&["get", kind, name, "-n", &namespace(place), "--as", &user])
            }
        }
    }

    /// Whether it came as it should: a sentence either way.
    pub(super) fn judge(&self, said: &Result<String, String>) -> Result<String, String> {
        let Self {
            who,
            what,
            how: _,
            expected,
        } = self;
        match (expected, said) {
            (Expected::Allowed, Ok(_)) => Ok(format!("{who} {what}: allowed.")),
            (Expected::NoRight, Err(why)) if why.contains("cannot ") => {
                Ok(format!("{who} {what}: no role lets them."))
            }
            (Expected::Policy(policy, words), Err(why))
                if why.contains(policy) && why.contains(words) =>
            {
                let words = why.split("denied request: ").nth(1).unwrap_or(why);
                Ok(format!("{who} {what}: refused. {words}"))
            }
            (_, Ok(_)) => Err(format!("{who} {what}: allowed, and should not be.")),
            (_, Err(why)) => Err(format!(
                "{who} {what}: refused, and not as it should be: {why}"
            )),
        }
    }
}

/// Everything that is tried.
pub(super) fn all() -> Vec<Try> {
    let mut all = developer();
    all.extend(developer_with_routes());
    all.extend(operators());
    all.extend(careless());
    all.push(Try {
        who: "controller",
        what: "creates a Service of type LoadBalancer for a Gateway".to_owned(),
        how: How::Create(service("gateways", json!({ "type": "LoadBalancer" }))),
        expected: Expected::Allowed,
    });
    all.push(Try {
        who: CLOUD,
        what: "notes on a Service which load balancer it made".to_owned(),
        how: How::Patch(
            "shop",
            "service",
            "of-operators",
            json!({ "metadata": { "annotations": { "loadbalancer.openstack.org/load-balancer-id": "a" } } }),
        ),
        expected: Expected::Allowed,
    });
    // A developer has written as much onto it as one can (`scene`).
    all.push(Try {
        who: CLOUD,
        what: "takes its finalizer off a Service with many annotations".to_owned(),
        how: How::Patch(
            "shop",
            "service",
            "of-operators",
            json!({ "metadata": { "finalizers": ["service.kubernetes.io/load-balancer-cleanup"] } }),
        ),
        expected: Expected::Allowed,
    });
    all.push(Try {
        who: "controller",
        what: "changes the ports of a Service with many annotations".to_owned(),
        how: How::Patch(
            "shop",
            "service",
            "of-operators",
            json!({ "spec": { "ports": [{ "name": "other", "port": 82 }] } }),
        ),
        expected: Expected::Allowed,
    });
    let object = route("HTTPRoute", "shop", &["shop.example.com"]);
    all.push(Try {
        who: "viewer",
        what: "creates an HTTPRoute".to_owned(),
        how: How::Create(object),
        expected: Expected::NoRight,
    });
    all
}

/// The annotation that makes a load balancer public on NHN Cloud.
fn public() -> Value {
    let key = "service.beta.kubernetes.io/openstack-internal-load-balancer";
    json!({ "metadata": { "annotations": { key: "false" } } })
}

fn developer() -> Vec<Try> {
    let created = [
        ("a Service", json!({}), Expected::Allowed),
        (
            "a Service of type LoadBalancer",
            json!({ "type": "LoadBalancer" }),
            SERVICES,
        ),
        (
            "a Service of type NodePort",
            json!({ "type": "NodePort" }),
            SERVICES,
        ),
        (
            "a Service with externalIPs",
            json!({ "externalIPs": ["192.0.2.1"] }),
            SERVICES,
        ),
    ];
    let created = created.map(|(what, spec, expected)| Try {
        who: "developer",
        what: format!("creates {what} in the own namespace"),
        how: How::Create(service("shop", spec)),
        expected,
    });
    let mut all: Vec<Try> = created.into_iter().chain(developers_changes()).collect();
    let refused = [
        (
            "reads the certificate of the Gateway",
            How::Get("gateways", "secret", "certificate"),
        ),
        (
            "gives the own namespace another hostname",
            How::Patch(
                "shop",
                "namespace",
                "daemun-personas-shop",
                json!({ "metadata": { "annotations": { "gateway.daemun.dev/hostnames": "*" } } }),
            ),
        ),
        (
            "creates GatewayParameters with reach Public",
            How::Create(parameters("shop", "Public")),
        ),
        ("creates a Gateway", How::Create(gateway("shop"))),
        (
            "creates an HTTPRoute in another team's namespace",
            How::Create(route("HTTPRoute", "stock", &["stock.example.com"])),
        ),
    ];
    all.extend(refused.map(|(what, how)| Try {
        who: "developer",
        what: what.to_owned(),
        how,
        expected: Expected::NoRight,
    }));
    all
}

/// What a developer changes about Services of the own namespace.
fn developers_changes() -> Vec<Try> {
    let load_balancer = json!({ "spec": { "type": "LoadBalancer" } });
    let ports = json!({ "spec": { "ports": [{ "name": "other", "port": 81 }] } });
    let note = json!({ "metadata": { "annotations": { "example.com/note": "a" } } });
    let patched = [
        (
            "makes a Service one of type LoadBalancer",
            "own",
            load_balancer,
            SERVICES,
        ),
        (
            "asks for a public address by annotation",
            "of-operators",
            public(),
            SERVICES,
        ),
        (
            "chooses a pool of addresses by annotation",
            "of-operators",
            json!({ "metadata": { "annotations": { "metallb.io/address-pool": "public" } } }),
            SERVICES,
        ),
        (
            "chooses a pool of addresses by label",
            "of-operators",
            json!({ "metadata": { "labels": { "pool": "public" } } }),
            SERVICES,
        ),
        (
            "takes away which callers are let in",
            "of-operators",
            json!({ "metadata": { "annotations": { SOURCE_RANGES: null } } }),
            SERVICES,
        ),
        (
            "changes the ports of a Service that operators made reachable",
            "of-operators",
            ports,
            SERVICES,
        ),
        (
            "writes a note onto a Service that operators made reachable",
            "of-operators",
            note,
            Expected::Allowed,
        ),
        (
            "writes an annotation of load balancers onto a Service that has none",
            "own",
            public(),
            Expected::Allowed,
        ),
    ];
    let changes = patched.map(|(what, name, patch, expected)| Try {
        who: "developer",
        what: what.to_owned(),
        how: How::Patch("shop", "service", name, patch),
        expected,
    });
    changes.into()
}

fn developer_with_routes() -> Vec<Try> {
    let routes = [
        ("HTTPRoute", "shop.example.com", Expected::Allowed),
        ("HTTPRoute", "a.b.shop.example.com", Expected::Allowed),
        ("HTTPRoute", "*.shop.example.com", Expected::Allowed),
        ("GRPCRoute", "grpc.shop.example.com", Expected::Allowed),
        ("HTTPRoute", "stock.example.com", ROUTES),
        ("HTTPRoute", "myshop.example.com", ROUTES),
        ("HTTPRoute", "*.example.com", ROUTES),
        ("GRPCRoute", "stock.example.com", ROUTES),
        ("TLSRoute", "stock.example.com", ROUTES),
    ];
    let mut all: Vec<Try> = routes
        .into_iter()
        .map(|(kind, hostname, expected)| Try {
            who: "developer",
            what: format!("creates, as {kind}, a way to {hostname}"),
            how: How::Create(route(kind, "shop", &[hostname])),
            expected,
        })
        .collect();
    all.push(Try {
        who: "developer",
        what: "creates an HTTPRoute for whatever the listener takes".to_owned(),
        how: How::Create(route("HTTPRoute", "shop", &[])),
        expected: Expected::Policy("daemun-hostnames-of-routes", "names no hostname"),
    });
    let stock = json!({ "spec": { "hostnames": ["shop.example.com", "stock.example.com"] } });
    all.push(Try {
        who: "developer",
        what: "adds another team's hostname to an HTTPRoute".to_owned(),
        how: How::Patch("shop", "httproute", "own", stock),
        expected: ROUTES,
    });
    all
}

fn operators() -> Vec<Try> {
    let acts = [
        (
            "cluster-operator",
            "creates a Gateway",
            How::Create(gateway("gateways")),
            Expected::Allowed,
        ),
        (
            "cluster-operator",
            "creates a ListenerSet for the namespace's hostname",
            How::Create(listener_set("HTTP", Some("gateway.example.com"))),
            Expected::Allowed,
        ),
        (
            "cluster-operator",
            "creates a ListenerSet for another hostname",
            How::Create(listener_set("HTTP", Some("shop.example.com"))),
            SETS,
        ),
        (
            "cluster-operator",
            "creates a ListenerSet for all hostnames",
            How::Create(listener_set("HTTP", None)),
            SETS,
        ),
        (
            "cluster-operator",
            "creates a ListenerSet for TCP",
            How::Create(listener_set("TCP", None)),
            Expected::Allowed,
        ),
        (
            "cluster-operator",
            "creates GatewayParameters",
            How::Create(parameters("gateways", "Private")),
            Expected::NoRight,
        ),
        (
            "cluster-operator",
            "creates a Service of type LoadBalancer",
            How::Create(service("gateways", json!({ "type": "LoadBalancer" }))),
            Expected::NoRight,
        ),
        (
            "infrastructure-operator",
            "creates a Service of type LoadBalancer",
            How::Create(service("gateways", json!({ "type": "LoadBalancer" }))),
            Expected::Allowed,
        ),
        (
            "infrastructure-operator",
            "asks for a public address by annotation",
            How::Patch("shop", "service", "of-operators", public()),
            Expected::Allowed,
        ),
        (
            "infrastructure-operator",
            "creates GatewayParameters with reach Public",
            How::Create(parameters("gateways", "Public")),
            Expected::Allowed,
        ),
        (
            "infrastructure-operator",
            "creates a Gateway",
            How::Create(gateway("gateways")),
            Expected::NoRight,
        ),
    ];
    let acts = acts.into_iter().map(|(who, what, how, expected)| Try {
        who,
        what: what.to_owned(),
        how,
        expected,
    });
    acts.collect()
}

/// Somebody whom some role lets change Services and GatewayParameters: the policy is what refuses.
fn careless() -> Vec<Try> {
    let of_gateways = "daemun-exposure-of-gateways";
    let acts = [
        (
            "creates a Service of type LoadBalancer",
            service("gateways", json!({ "type": "LoadBalancer" })),
            SERVICES,
        ),
        (
            "creates GatewayParameters with reach Public",
            parameters("gateways", "Public"),
            Expected::Policy(of_gateways, "asks for reach Public"),
        ),
        (
            "creates GatewayParameters",
            parameters("gateways", "Private"),
            Expected::Policy(of_gateways, "says who may reach Gateways"),
        ),
    ];
    let acts = acts.into_iter().map(|(what, object, expected)| Try {
        who: CARELESS,
        what: what.to_owned(),
        how: How::Create(object),
        expected,
    });
    acts.collect()
}

fn object(version: &str, kind: &str, place: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": version,
        "kind": kind,
        "metadata": { "name": "tried", "namespace": namespace(place) },
        "spec": spec,
    })
}

const GATEWAY_API: &str = "gateway.networking.k8s.io/v1";

fn service(place: &str, mut spec: Value) -> Value {
    spec["ports"] = json!([{ "port": 80 }]);
    object("v1", "Service", place, &spec)
}

fn gateway(place: &str) -> Value {
    let listeners = json!([{ "name": "http", "port": 80, "protocol": "HTTP" }]);
    let spec = json!({ "gatewayClassName": "daemun", "listeners": listeners });
    object(GATEWAY_API, "Gateway", place, &spec)
}

fn listener_set(protocol: &str, hostname: Option<&str>) -> Value {
    let mut listener = json!({ "name": "a", "port": 80, "protocol": protocol });
    if let Some(hostname) = hostname {
        listener["hostname"] = json!(hostname);
    }
    let spec = json!({ "parentRef": { "name": "shop" }, "listeners": [listener] });
    object(GATEWAY_API, "ListenerSet", "gateways", &spec)
}

fn route(kind: &str, place: &str, hostnames: &[&str]) -> Value {
    let mut spec = json!({
        "parentRefs": [{ "name": "shop", "namespace": namespace("gateways") }],
        "rules": [{ "backendRefs": [{ "name": "own", "port": 80 }] }],
    });
    if !hostnames.is_empty() {
        spec["hostnames"] = json!(hostnames);
    }
    object(GATEWAY_API, kind, place, &spec)
}

fn parameters(place: &str, reach: &str) -> Value {
    let spec = json!({ "exposure": { "reach": reach } });
    object(
        "gateway.daemun.dev/v1alpha1",
        "GatewayParameters",
        place,
        &spec,
    )
}
