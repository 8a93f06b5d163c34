//! What a translation costs when one object has changed, beside how many objects exist: the cost of a change
//! should follow what changed.
//!
//! `cargo bench -p daemun-translate`. A main of its own; the fastest of several rounds, in microseconds.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::hint::black_box;
use std::time::Instant;

use daemun_objects::Any;
use daemun_translate::{Cluster, Home, Translator};
use serde_json::{Value, json};

const GATEWAY_API: &str = "gateway.networking.k8s.io/v1";
/// Routes that share a Service.
const PER_SERVICE: usize = 50;
const ROUNDS: usize = 40;

fn main() {
    println!(
        "{:>8} {:>16} {:>16} {:>16} {:>16}",
        "routes", "first us", "one route us", "new route us", "endpoints us"
    );
    for count in [10, 100, 1_000, 5_000, 10_000] {
        let mut cluster = cluster(count);
        let mut translator = Translator::default();
        let begin = Instant::now();
        black_box(translator.translate(&cluster));
        let first = begin.elapsed().as_secs_f64() * 1e6;
        let mut best = |change: &dyn Fn(usize) -> Any| {
            let rounds = (0..ROUNDS).map(|round| {
                let object = change(round);
                let begin = Instant::now();
                cluster.insert(object);
                black_box(translator.translate(&cluster));
                begin.elapsed().as_secs_f64() * 1e6
            });
            rounds.fold(f64::INFINITY, f64::min)
        };
        let changed = best(&|round| route(round * 7 % count, round + 1));
        let new = best(&|round| route(count + round, 0));
        let endpoints = best(&|round| slice(round * 3 % count.div_ceil(PER_SERVICE), round + 1));
        println!("{count:8} {first:16.0} {changed:16.0} {new:16.0} {endpoints:16.0}");
    }
}

fn cluster(count: usize) -> Cluster {
    let mut cluster = Cluster::default();
    cluster.settings.home = Home::Kubernetes;
    let class = json!({"spec": {"controllerName": cluster.settings.controller}});
    cluster.insert(object(GATEWAY_API, "GatewayClass", "daemun", class));
    let gateway = json!({"spec": {
        "gatewayClassName": "daemun",
        "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
    }});
    cluster.insert(object(GATEWAY_API, "Gateway", "gateway", gateway));
    for number in 0..count.div_ceil(PER_SERVICE) {
        let service = json!({"spec": {"ports": [{"port": 8080}], "clusterIP": "10.0.0.1"}});
        cluster.insert(object("v1", "Service", &format!("s{number}"), service));
        cluster.insert(slice(number, 0));
    }
    for number in 0..count {
        cluster.insert(route(number, 0));
    }
    cluster
}

fn route(number: usize, revision: usize) -> Any {
    let backend = format!("s{}", number / PER_SERVICE);
    object(
        GATEWAY_API,
        "HTTPRoute",
        &format!("r{number}"),
        json!({"spec": {
            "parentRefs": [{"name": "gateway"}],
            "hostnames": [format!("r{number}.example.com")],
            "rules": [{
                "matches": [{"path": {"type": "PathPrefix", "value": format!("/v{revision}")}}],
                "backendRefs": [{"name": backend, "port": 8080}],
            }],
        }}),
    )
}

fn slice(service: usize, revision: usize) -> Any {
    let address = format!("10.0.{}.{}", service % 250, revision % 250 + 1);
    let slice = json!({
        "metadata": {"labels": {"kubernetes.io/service-name": format!("s{service}")}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": true}}],
        "ports": [{"port": 8080}],
    });
    object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        &format!("s{service}"),
        slice,
    )
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "what json! makes is used on the spot"
)]
fn object(version: &str, kind: &str, name: &str, rest: Value) -> Any {
    let mut value = json!({"metadata": {"name": name, "namespace": "default"}});
    if kind == "GatewayClass" {
        value = json!({"metadata": {"name": name}});
    }
    for (key, field) in rest.as_object().into_iter().flatten() {
        match field.as_object().filter(|_| key == "metadata") {
            Some(metadata) => {
                for (key, field) in metadata {
                    value["metadata"][key] = field.clone();
                }
            }
            None => value[key] = field.clone(),
        }
    }
    match Any::deserialize(version, kind, value) {
        Some(Ok(object)) => object,
        other => unreachable!("a {kind} of the bench's own can be read: {other:?}"),
    }
}
