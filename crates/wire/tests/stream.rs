//! Both ends of the wire over loopback: what travels, when, and to whom.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use daemun_base::tasks::Tasks;
use daemun_model::Snapshot;
use daemun_model::gateway::Gateway;
use daemun_model::listener::Listener;
use daemun_model::policy::sources::SourceRanges;
use daemun_testkit::gateway::Objects;
use daemun_testkit::wire::{Controller, Files};
use daemun_testkit::{Authority, ports, within, yaml};
use daemun_wire::answer::{Phase, ProxyState};
use daemun_wire::client::{Client, Resolve, Resolving, Update};
use daemun_wire::resource::Resource;
use tempfile::TempDir;

/// The Gateway `gw` with a Backend and these routes, each for the path of its name.
fn objects(routes: &[&str]) -> String {
    let mut all = vec![
        yaml::gateway(8080),
        "apiVersion: gateway.daemun.dev/v1alpha1\nkind: Backend\nmetadata: {name: echo}\n\
         spec: {endpoints: [{address: 127.0.0.1, port: 9}]}"
            .to_owned(),
    ];
    all.extend(routes.iter().map(|name| {
        let to = yaml::to("echo");
        let rule = format!(
            "rules: [{{matches: [{{path: {{value: /{name}}}}}], backendRefs: [{{{to}}}]}}]"
        );
        yaml::route(name, &rule)
    }));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    yaml::documents(&all)
}

/// An authority, and the files of a proxy of `default/gw`.
struct World {
    authority: Authority,
    directory: TempDir,
}

impl World {
    fn new() -> Self {
        Self {
            authority: Authority::new(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn files(&self, token: &str) -> Files {
        let name = token.replace('/', "-");
        Files::write(&self.directory.path().join(name), &self.authority, token)
    }

    async fn controller(&self) -> Controller {
        Controller::start(&self.authority).await
    }
}

/// The controller's name is of these replicas.
struct Replicas(Vec<IpAddr>);

impl Resolve for Replicas {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// A proxy's end, without a proxy.
struct Proxy {
    client: Client,
    _tasks: Tasks,
}

impl Proxy {
    fn start(files: &Files, controller: &Controller) -> Self {
        Self::of_replicas(files, &[controller.address])
    }

    /// All with the same port.
    fn of_replicas(files: &Files, addresses: &[SocketAddr]) -> Self {
        let tasks = Tasks::default();
        let mut settings = files.settings(addresses[0]);
        settings.controller.host = "controller".to_owned();
        let replicas = Replicas(addresses.iter().map(SocketAddr::ip).collect());
        Self {
            client: Client::start(settings, Arc::new(replicas), &tasks),
            _tasks: tasks,
        }
    }

    /// The next configuration.
    async fn next(&mut self) -> Update {
        let updates = &mut self.client.updates;
        within("an update", updates.changed()).await.unwrap();
        updates.borrow_and_update().clone().unwrap()
    }

    /// Serves it.
    fn serve(&self, update: &Update) {
        self.client.answer(Phase::Ready, Some(update), Vec::new());
    }
}

fn snapshot(update: &Update) -> Arc<Snapshot> {
    let mut gateways = update.configuration.gateways.values();
    Arc::clone(gateways.next().unwrap())
}

/// Whether the proxy is there and serves the newest.
async fn until_current(controller: &Controller) {
    controller
        .until("the proxy serves the newest", |proxies| {
            proxies.len() == 1 && proxies[0].current && proxies[0].phase == Phase::Ready
        })
        .await;
}

#[tokio::test]
async fn what_is_published_arrives_whole_and_what_changes_is_one_part() {
    let world = World::new();
    let mut controller = world.controller().await;
    let mut proxy = Proxy::start(&world.files("default/gw/pod"), &controller);
    controller
        .until("it is connected", |proxies| proxies.len() == 1)
        .await;

    controller.publish(&objects(&["one", "two"]));
    let update = proxy.next().await;
    let first = snapshot(&update);
    assert_eq!((first.routes.len(), first.backends.len()), (2, 1));
    assert!(update.refused.is_empty());

    let before = controller.publisher.sent();
    controller.publish(&objects(&["one", "two", "three"]));
    let second = snapshot(&proxy.next().await);
    assert_eq!(second.routes.len(), 3);
    for (key, route) in &first.routes {
        let now = second.routes.get(key).unwrap();
        assert!(Arc::ptr_eq(route, now), "{key} is the same");
    }
    let sent = controller.publisher.sent();
    assert_eq!(sent.commits - before.commits, 1);
    assert_eq!(sent.resources - before.resources, 1);
    assert!(sent.bytes - before.bytes < 1024, "{sent:?}");

    controller.publish(&objects(&["three"]));
    let update = proxy.next().await;
    assert_eq!(snapshot(&update).routes.len(), 1);

    proxy.serve(&update);
    until_current(&controller).await;
    controller.publish(&objects(&["four"]));
    controller
        .until("there is something newer", |proxies| !proxies[0].current)
        .await;
    drop(proxy);
    controller.until("it is gone", <[_]>::is_empty).await;
}

#[tokio::test]
async fn every_replica_hears_of_the_first_connection_and_who_comes_later_too() {
    let world = World::new();
    let mut one = world.controller().await;
    let files = world.files("default/gw/pod");
    let mut proxy = Proxy::start(&files, &one);
    let told =
        |reached| move |proxies: &[ProxyState]| proxies.len() == 1 && proxies[0].reached == reached;
    one.publish(&objects(&["one"]));
    one.until("none has come", told(Some(false))).await;
    proxy.client.reached();
    one.until("one has come", told(Some(true))).await;
    // What is answered later takes nothing of it back.
    let update = proxy.next().await;
    proxy.serve(&update);
    until_current(&one).await;
    one.until("one has come", told(Some(true))).await;
    let address = one.address;
    one.end().await;
    let mut two = Controller::start_at(address, &world.authority).await;
    two.publish(&objects(&["one"]));
    two.until("one has come", told(Some(true))).await;
}

#[test]
fn what_protects_arrives_as_it_was() {
    let (configuration, _) = Objects::default().translate(&objects(&[]));
    let snapshot = configuration.gateways.values().next().unwrap();
    let mut gateway = Gateway::clone(&snapshot.gateway);
    gateway.closed = Some("its address is a public one".to_owned());
    let mut listener = Listener::clone(snapshot.listeners.values().next().unwrap());
    let allowed = ["192.0.2.0/24", "2001:db8::/32"].map(|range| range.parse().unwrap());
    listener.sources = Some(SourceRanges {
        allowed: allowed.to_vec(),
    });
    for resource in [
        Resource::Gateway(gateway.into()),
        Resource::Listener(listener.into()),
    ] {
        let read = Resource::read(&resource.key().name(), &resource.write().unwrap());
        assert_eq!(read.unwrap(), resource);
    }
}

#[tokio::test]
async fn the_other_replica_goes_on_where_the_first_ended() {
    let world = World::new();
    let port = ports::free();
    let addresses = [1, 2].map(|last| SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), port)));
    let mut one = Controller::start_at(addresses[0], &world.authority).await;
    let mut two = Controller::start_at(addresses[1], &world.authority).await;
    one.publish(&objects(&["one", "two"]));
    two.publish(&objects(&["one", "two"]));
    let mut proxy = Proxy::of_replicas(&world.files("default/gw/pod"), &addresses);
    let first = proxy.next().await;
    proxy.serve(&first);
    // Whoever gives, both know what it serves.
    until_current(&one).await;
    until_current(&two).await;

    let (gives, mut other) = if one.publisher.sent().commits > 0 {
        (one, two)
    } else {
        (two, one)
    };
    assert_eq!(other.publisher.sent().commits, 0);
    gives.end().await;
    other.publish(&objects(&["one", "two", "three"]));
    let second = proxy.next().await;
    assert_eq!(snapshot(&second).routes.len(), 3);
    assert_eq!(other.publisher.sent().resources, 1, "only what was lacking");
}

#[tokio::test]
async fn who_comes_back_gets_what_it_lacks() {
    let world = World::new();
    let mut controller = world.controller().await;
    let address = controller.address;
    let mut proxy = Proxy::start(&world.files("default/gw/pod"), &controller);
    controller.publish(&objects(&["one", "two"]));
    let first = proxy.next().await;
    proxy.serve(&first);
    controller.end().await;

    // The same again: nothing is sent.
    let mut controller = Controller::start_at(address, &world.authority).await;
    controller.publish(&objects(&["one", "two"]));
    until_current(&controller).await;
    assert_eq!(controller.publisher.sent().commits, 0);
    controller.end().await;

    // Something is gone and something is there: these two are.
    let mut controller = Controller::start_at(address, &world.authority).await;
    controller.publish(&objects(&["two", "three"]));
    let update = proxy.next().await;
    assert_eq!(snapshot(&update).routes.len(), 2);
    assert_eq!(controller.publisher.sent().resources, 2);
}

#[tokio::test]
async fn who_cannot_prove_who_he_is_gets_nothing_until_he_can() {
    let world = World::new();
    let mut controller = world.controller().await;
    controller.publish(&objects(&["one"]));
    let files = world.files("nobody");
    let mut proxy = Proxy::start(&files, &controller);
    // A stranger's authority is not believed, whatever it says.
    let stranger = Files::write(
        &world.directory.path().join("stranger"),
        &Authority::new(),
        "default/gw/stranger",
    );
    let mut deceived = Proxy::start(&stranger, &controller);
    let waiting = tokio::time::sleep(std::time::Duration::from_millis(500));
    tokio::select! {
        _ = proxy.next() => daemun_testkit::fail("a token was believed that is nobody's"),
        _ = deceived.next() => daemun_testkit::fail("a controller was believed that is nobody's"),
        () = waiting => {}
    }
    assert_eq!(controller.publisher.sent().commits, 0);
    controller.until("nobody is there", <[_]>::is_empty).await;

    files.set_token("default/gw/pod");
    assert_eq!(snapshot(&proxy.next().await).routes.len(), 1);
}

#[tokio::test]
async fn a_proxy_gets_its_own_gateway_only() {
    let world = World::new();
    let mut controller = world.controller().await;
    let other = yaml::gateway(8081).replace("name: gw", "name: other");
    let route = yaml::route_to("secret", "{name: other}", "rules: [{}]");
    controller.publish(&yaml::documents(&[&objects(&["one"]), &other, &route]));
    let mut own = Proxy::start(&world.files("default/gw/pod"), &controller);
    let mut others = Proxy::start(&world.files("default/other/pod"), &controller);
    for (proxy, gateway, route) in [
        (&mut own, "default/gw", "HTTPRoute default/one"),
        (&mut others, "default/other", "HTTPRoute default/secret"),
    ] {
        let update = proxy.next().await;
        let names: Vec<String> = update
            .configuration
            .gateways
            .keys()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, [gateway]);
        let routes: Vec<String> = snapshot(&update)
            .routes
            .keys()
            .map(ToString::to_string)
            .collect();
        assert_eq!(routes, [route]);
    }
    let none = Proxy::start(&world.files("default/none/pod"), &controller);
    assert!(none.client.updates.borrow().is_none());
}

#[tokio::test]
async fn a_large_change_comes_in_pieces_and_whole() {
    let world = World::new();
    let mut controller = world.controller().await;
    let names: Vec<String> = (0..3000)
        .map(|number| format!("a-route-with-a-name-{number}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    controller.publish(&objects(&names));
    let mut proxy = Proxy::start(&world.files("default/gw/pod"), &controller);
    let update = proxy.next().await;
    assert_eq!(snapshot(&update).routes.len(), 3000);
    let sent = controller.publisher.sent();
    assert_eq!(sent.commits, 1);

    let frames = daemun_wire::server::whole(&snapshot(&update)).unwrap();
    assert!(frames.len() > 1 && frames.iter().all(|frame| frame.len() < 1024 * 1024));
    let all = frames.iter().map(|frame| &frame[..]);
    let again = daemun_wire::client::replay(all.clone()).unwrap().unwrap();
    assert_eq!(again.root, update.root);
    assert_eq!(again.configuration, update.configuration);
    // Without its last piece it is nothing.
    let cut = daemun_wire::client::replay(all.take(frames.len() - 1)).unwrap();
    assert!(cut.is_none());
}
