//! What it costs that one Route of a Gateway has changed, beside how many there are: on the controller's side, on the
//! way to a proxy over loopback, and in bytes. It should follow what changed.
//!
//! `cargo bench -p daemun-wire`. A main of its own; the fastest of several rounds, in microseconds.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::sync::Arc;
use std::time::Instant;

use daemun_base::tasks::Tasks;
use daemun_model::names::{Created, ObjectName, RouteKey, RouteKind};
use daemun_model::{Configuration, Snapshot};
use daemun_testkit::gateway::Objects;
use daemun_testkit::wire::{Controller, Files, Localhost};
use daemun_testkit::{Authority, yaml};
use daemun_wire::client::Client;

const ROUNDS: u64 = 40;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!(
        "{:>8} {:>16} {:>16} {:>16}",
        "routes", "publish us", "at the proxy us", "bytes"
    );
    let authority = Authority::new();
    let directory = tempfile::tempdir().expect("a directory");
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    for count in [10, 100, 1_000, 5_000, 10_000] {
        let controller = Controller::start(&authority).await;
        let tasks = Tasks::default();
        let settings = files.settings(controller.address);
        let mut client = Client::start(settings, Arc::new(Localhost), &tasks);
        let mut snapshot = many(count);
        controller.publisher.publish(of(&snapshot));
        client.updates.changed().await.expect("an update");
        let (mut publish, mut arrives) = (f64::INFINITY, f64::INFINITY);
        let before = controller.publisher.sent();
        for round in 0..ROUNDS {
            change(&mut snapshot, round % count, round + 1);
            let configuration = of(&snapshot);
            let begin = Instant::now();
            controller.publisher.publish(configuration);
            publish = publish.min(begin.elapsed().as_secs_f64() * 1e6);
            client.updates.changed().await.expect("an update");
            arrives = arrives.min(begin.elapsed().as_secs_f64() * 1e6);
        }
        let bytes = (controller.publisher.sent().bytes - before.bytes) / ROUNDS;
        println!("{count:8} {publish:16.0} {arrives:16.0} {bytes:16}");
    }
}

fn of(snapshot: &Snapshot) -> Arc<Configuration> {
    let name = ObjectName::new("default", "gw");
    let gateways = [(name, Arc::new(snapshot.clone()))].into();
    Arc::new(Configuration { gateways })
}

/// A Gateway with so many Routes, all like the first.
fn many(count: u64) -> Snapshot {
    let backend = "apiVersion: gateway.daemun.dev/v1alpha1\nkind: Backend\nmetadata: {name: echo}\n\
         spec: {endpoints: [{address: 127.0.0.1, port: 9}]}";
    let route = yaml::route_all("first", "echo");
    let objects = yaml::documents(&[&yaml::gateway(8080), backend, &route]);
    let (configuration, _) = Objects::default().translate(&objects);
    let gateway = configuration.gateways.values().next();
    let mut snapshot = Snapshot::clone(gateway.expect("a Gateway"));
    for number in 0..count {
        change(&mut snapshot, number, 0);
    }
    snapshot
}

fn change(snapshot: &mut Snapshot, number: u64, round: u64) {
    let first = snapshot.routes.values().next().expect("a Route");
    let mut route = (**first).clone();
    route.key = RouteKey {
        kind: RouteKind::Http,
        name: ObjectName::new("default", format!("route-{number}")),
    };
    route.created = Created(i64::try_from(round).expect("few"));
    snapshot.routes.insert(route.key.clone(), Arc::new(route));
}
