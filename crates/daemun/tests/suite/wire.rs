//! `daemun proxy`: a real process that gets its configuration over the wire.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use daemun_base::clock;
use daemun_model::tls::Secret;
use daemun_model::{Configuration, Snapshot};
use daemun_testkit::gateway::Objects;
use daemun_testkit::wire::{Controller, Files};
use daemun_testkit::{Authority, Backend, Raw, ports, raw, yaml};
use daemun_wire::answer::{Phase, ProxyState};
use daemun_wire::server::Times;

/// A proxy's process. It is killed if the test does not end it.
struct Running {
    child: Child,
    health: u16,
}

impl Running {
    fn start(controller: &str, files: &Files) -> Self {
        let health = ports::free();
        let child = Command::new(env!("CARGO_BIN_EXE_daemun"))
            .args(["proxy", "--controller", controller, "--workers", "1"])
            .args(["--health", &format!("127.0.0.1:{health}")])
            .arg("--ca-file")
            .arg(files.authority())
            .arg("--token-file")
            .arg(files.token())
            .arg("--state")
            .arg(files.state())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, health }
    }

    /// Waits until `/readyz` says so.
    async fn until_ready(&self) {
        for _ in 0..400 {
            if self.is_ready().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        daemun_testkit::fail("the proxy does not become ready")
    }

    async fn is_ready(&self) -> bool {
        if tokio::net::TcpStream::connect(("127.0.0.1", self.health))
            .await
            .is_err()
        {
            return false;
        }
        raw::get(self.health, "localhost", "/readyz").await.status == 200
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", "kill -$0 $1", name, &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    async fn ended(mut self) -> bool {
        for _ in 0..400 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        daemun_testkit::fail("the proxy does not end")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, most of the time.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn objects(port: u16, backend: &Backend, routes: &[&str]) -> String {
    let mut all = vec![yaml::gateway(port), yaml::backend("echo", backend)];
    all.extend(routes.iter().map(|name| yaml::route_all(name, "echo")));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    yaml::documents(&all)
}

/// It stays ready, so that nobody restarts it or takes it for broken.
#[tokio::test]
async fn a_gateway_that_is_closed_serves_nothing_and_its_proxy_is_ready() {
    let (authority, backend, port) = (
        Authority::new(),
        Backend::start("echo").await,
        ports::free(),
    );
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let mut controller = Controller::start(&authority).await;
    let close = |snapshot: &mut Snapshot| {
        let gateway = Arc::make_mut(&mut snapshot.gateway);
        gateway.closed = Some("its address is a public one.".to_owned());
    };
    controller.publish_changed(&objects(port, &backend, &["all"]), close);
    let running = Running::start(&controller.address.to_string(), &files);
    running.until_ready().await;
    let is_current = |proxies: &[ProxyState]| {
        let one = proxies.first();
        one.is_some_and(|it| it.current && it.phase == Phase::Ready && it.refused.is_empty())
    };
    controller.until("it takes that", is_current).await;
    let refused = || std::net::TcpStream::connect(("127.0.0.1", port)).is_err();
    assert!(refused(), "from the beginning");

    controller.publish(&objects(port, &backend, &["all"]));
    controller.until("it opens", is_current).await;
    let mut client = Raw::connect(port).await;
    assert_eq!(client.get("example.org", "/").await.status, 200);

    // It comes with a name that nobody knows, which is asked for, and not waited for.
    let lost = "apiVersion: gateway.daemun.dev/v1alpha1\nkind: Backend\nmetadata: {name: lost}\n\
                spec: {endpoints: [{hostname: nobody.invalid, port: 80}]}";
    let objects = [
        objects(port, &backend, &["all"]),
        lost.to_owned(),
        yaml::route_all("lost", "lost"),
    ];
    let objects = objects.each_ref().map(String::as_str);
    let since = clock::now();
    controller.publish_changed(&yaml::documents(&objects), close);
    assert!(client.closed().await);
    while !refused() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = since.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    controller.until("it takes that", is_current).await;
    assert!(running.is_ready().await);
    running.signal("TERM");
    assert!(running.ended().await);
}

#[tokio::test]
async fn a_proxy_serves_what_is_published_and_drains_when_it_is_told_to() {
    let (authority, backend, port) = (
        Authority::new(),
        Backend::start("echo").await,
        ports::free(),
    );
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let mut controller = Controller::start(&authority).await;
    let running = Running::start(&controller.address.to_string(), &files);
    controller
        .until("it is connected", |proxies| {
            proxies.iter().any(|it| it.phase == Phase::Starting)
        })
        .await;
    assert!(!running.is_ready().await, "there is no configuration yet");

    controller.publish(&objects(port, &backend, &[]));
    running.until_ready().await;
    assert_eq!(raw::get(port, "example.org", "/").await.status, 404);
    controller.publish(&objects(port, &backend, &["all"]));
    controller
        .until("it serves the newest", |proxies| {
            proxies[0].current && proxies[0].phase == Phase::Ready && proxies[0].refused.is_empty()
        })
        .await;
    assert_eq!(raw::get(port, "example.org", "/").await.status, 200);

    running.signal("TERM");
    controller
        .until("it drains", |proxies| {
            proxies.iter().all(|it| it.phase == Phase::Draining)
        })
        .await;
    assert!(running.ended().await);
    controller.until("it is gone", <[_]>::is_empty).await;
}

/// Whatever becomes of it: a load balancer's health check opens and closes, and says nothing.
#[tokio::test]
async fn the_first_connection_to_a_listener_is_told_and_probes_are_none() {
    let (authority, backend, port) = (
        Authority::new(),
        Backend::start("echo").await,
        ports::free(),
    );
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let mut controller = Controller::start(&authority).await;
    controller.publish(&objects(port, &backend, &["all"]));
    let running = Running::start(&controller.address.to_string(), &files);
    running.until_ready().await;
    // It looks each second, and was probed before.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(running.is_ready().await);
    let says = |reached| {
        move |proxies: &[ProxyState]| {
            proxies.len() == 1 && proxies[0].current && proxies[0].reached == Some(reached)
        }
    };
    controller.until("nobody has come", says(false)).await;
    drop(std::net::TcpStream::connect(("127.0.0.1", port)).unwrap());
    controller.until("somebody has come", says(true)).await;
}

#[tokio::test]
async fn a_restart_without_a_controller_serves_what_was_kept() {
    let (authority, backend, port) = (
        Authority::new(),
        Backend::start("echo").await,
        ports::free(),
    );
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let mut controller = Controller::start(&authority).await;
    let address = controller.address;
    controller.publish(&objects(port, &backend, &["all"]));
    let running = Running::start(&address.to_string(), &files);
    running.until_ready().await;
    let kept = files.state().join("configuration");
    for _ in 0..400 {
        if kept.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&kept).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    controller.end().await;
    assert_eq!(raw::get(port, "example.org", "/").await.status, 200);
    running.signal("KILL");
    assert!(!running.ended().await);

    let running = Running::start(&address.to_string(), &files);
    running.until_ready().await;
    assert_eq!(raw::get(port, "example.org", "/").await.status, 200);

    // A controller that comes back is followed from there.
    let mut controller = Controller::start_at(address, &authority).await;
    controller.publish(&objects(port, &backend, &[]));
    controller
        .until("it serves the newest", |proxies| {
            proxies.iter().any(|proxy| proxy.current)
        })
        .await;
    assert_eq!(raw::get(port, "example.org", "/").await.status, 404);
}

#[tokio::test]
async fn a_proxy_of_which_nothing_is_heard_is_said_to_be_silent_and_nothing_else() {
    let (authority, backend, port) = (
        Authority::new(),
        Backend::start("echo").await,
        ports::free(),
    );
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let times = Times {
        ping: Duration::from_millis(50),
        silent: Duration::from_millis(500),
        ..Times::default()
    };
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut controller = Controller::start_with(address, &authority, times).await;
    controller.publish(&objects(port, &backend, &["all"]));
    let running = Running::start(&controller.address.to_string(), &files);
    running.until_ready().await;
    let is = |phase| move |proxies: &[ProxyState]| proxies.iter().any(|it| it.phase == phase);
    controller.until("it is ready", is(Phase::Ready)).await;
    running.signal("STOP");
    controller.until("it is silent", is(Phase::Silent)).await;
    running.signal("CONT");
    controller
        .until("it is ready again", is(Phase::Ready))
        .await;
}

#[tokio::test]
async fn a_stream_that_lasted_long_enough_is_begun_anew_and_nothing_is_sent_twice() {
    let (authority, backend, port) = (
        Authority::new(),
        Backend::start("echo").await,
        ports::free(),
    );
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let times = Times {
        longest: Duration::from_secs(1),
        ..Times::default()
    };
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut controller = Controller::start_with(address, &authority, times).await;
    controller.publish(&objects(port, &backend, &["all"]));
    let running = Running::start(&controller.address.to_string(), &files);
    running.until_ready().await;
    // From now on another pod shows itself, by the same files.
    files.set_token("default/gw/pod-2");
    controller
        .until("it proved anew who it is", |proxies| {
            proxies
                .iter()
                .any(|it| it.proxy.pod == "pod-2" && it.current)
        })
        .await;
    assert_eq!(controller.publisher.sent().commits, 1);
    assert_eq!(raw::get(port, "example.org", "/").await.status, 200);
}

/// With a key that is none, which no translation would let pass.
fn without_key(configuration: &Configuration) -> Arc<Configuration> {
    let mut configuration = configuration.clone();
    for snapshot in configuration.gateways.values_mut() {
        let snapshot = Arc::make_mut(snapshot);
        let all: Vec<_> = snapshot.certificates.values().cloned().collect();
        for mut certificate in all {
            Arc::make_mut(&mut certificate).key = Secret::new(*b"no key");
            let name = certificate.name.clone();
            snapshot.certificates.insert(name, certificate);
        }
    }
    Arc::new(configuration)
}

#[tokio::test]
async fn what_a_proxy_refuses_it_says_for_as_long_as_it_is_so() {
    let (authority, backend) = (Authority::new(), Backend::start("echo").await);
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let controller = Controller::start(&authority).await;
    let listeners = "- {name: http, port: $http, protocol: HTTP}\n- {name: https, port: $https, protocol: HTTPS, \
                     tls: {certificateRefs: [{name: cert}]}}";
    let (http, https) = (ports::free(), ports::free());
    let listeners = yaml::fill(listeners, &[("http", &http), ("https", &https)]);
    let identity = authority.issue(&["example.org"]);
    let objects = |routes: &[&str]| {
        let mut all = vec![
            yaml::gateway_of(&listeners),
            yaml::secret("cert", &identity),
            yaml::backend("echo", &backend),
        ];
        all.extend(routes.iter().map(|name| yaml::route_all(name, "echo")));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        yaml::documents(&all)
    };
    let mut translated = Objects::default();
    let (good, _) = translated.translate(&objects(&[]));
    controller.publisher.publish(without_key(&good));
    let running = Running::start(&controller.address.to_string(), &files);
    running.until_ready().await;
    let refuses = |proxies: &[ProxyState]| {
        let what: Vec<&str> = proxies[0]
            .refused
            .iter()
            .map(|it| it.what.as_str())
            .collect();
        proxies[0].current && what == ["listener default/gw/https"]
    };
    controller.until("it refuses the listener", refuses).await;
    let (more, _) = translated.translate(&objects(&["all"]));
    controller.publisher.publish(without_key(&more));
    controller
        .until("it still refuses the listener", refuses)
        .await;
    assert_eq!(raw::get(http, "example.org", "/").await.status, 200);
    controller.publisher.publish(more);
    controller
        .until("it refuses nothing", |proxies| {
            proxies[0].current && proxies[0].refused.is_empty()
        })
        .await;
}

#[tokio::test]
async fn a_port_that_is_taken_keeps_a_new_proxy_from_being_ready_and_the_controller_hears_of_it() {
    let (authority, backend, port) = (
        Authority::new(),
        Backend::start("echo").await,
        ports::free(),
    );
    let other = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let mut controller = Controller::start(&authority).await;
    controller.publish(&objects(port, &backend, &["all"]));
    let running = Running::start(&controller.address.to_string(), &files);
    let says = |proxies: &[ProxyState]| {
        let refused = proxies.iter().flat_map(|proxy| &proxy.refused);
        let mut refused = refused.filter(|it| it.what == "listener default/gw/http");
        refused.any(|it| it.why.contains(&port.to_string()))
    };
    controller.until("it says which port", says).await;
    let is = |phase| move |proxies: &[ProxyState]| proxies.iter().all(|it| it.phase == phase);
    controller
        .until("it is starting", is(Phase::Starting))
        .await;
    assert!(!running.is_ready().await);
    // It is tried again with the next change.
    drop(other);
    controller.publish(&objects(port, &backend, &["all", "more"]));
    running.until_ready().await;
    controller
        .until("it refuses nothing", |proxies| {
            proxies.iter().all(|it| it.refused.is_empty())
        })
        .await;
    assert_eq!(raw::get(port, "example.org", "/").await.status, 200);
}

#[tokio::test]
async fn a_port_that_is_taken_later_is_said_and_what_served_goes_on() {
    let (authority, backend) = (Authority::new(), Backend::start("echo").await);
    let (first, second) = (ports::free(), ports::free());
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let mut controller = Controller::start(&authority).await;
    controller.publish(&objects(first, &backend, &["all"]));
    let running = Running::start(&controller.address.to_string(), &files);
    running.until_ready().await;
    let _other = TcpListener::bind(("127.0.0.1", second)).unwrap();
    controller.publish(&yaml::documents(&[
        &yaml::gateway_of(&format!(
            "- {{name: http, port: {first}, protocol: HTTP}}\n- {{name: more, port: {second}, protocol: HTTP}}"
        )),
        &yaml::backend("echo", &backend),
        &yaml::route_all("all", "echo"),
    ]));
    controller
        .until("it says which listener", |proxies| {
            let refused = proxies.iter().flat_map(|proxy| &proxy.refused);
            let what: Vec<&str> = refused.map(|it| it.what.as_str()).collect();
            what == ["listener default/gw/more"]
        })
        .await;
    assert!(running.is_ready().await, "it serves the rest");
    assert_eq!(raw::get(first, "example.org", "/").await.status, 200);
}
