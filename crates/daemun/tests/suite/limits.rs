//! Limits that policies set, each at its bound: of clients (ListenerPolicy) and of connections to backends
//! (BackendPolicy). Those of heads, bodies, slow clients and floods are in `hardening`.

use std::time::Duration;

use daemun_testkit::{
    Act, Authority, Backend, Gateway, Raw, TlsClient, gateway, ports, raw, within, yaml,
};

use crate::World;

/// A head with a header of so many bytes.
fn head_of(host: &str, bytes: usize) -> String {
    raw::head("GET", host, "/", &[("x-large", &"a".repeat(bytes))])
}

fn two_listeners(port: u16, rest: &str) -> String {
    format!(
        "- {{name: a, port: {port}, hostname: a.example.org, {rest}}}\n\
         - {{name: b, port: {port}, hostname: b.example.org, {rest}}}"
    )
}

/// A policy for listener `b` alone.
fn policy_of_b() -> String {
    yaml::listener_policy("limits: {headerBytes: 512}")
        .replace("name: gw}", "name: gw, sectionName: b}")
}

#[tokio::test]
async fn the_strictest_listener_of_a_plain_port_counts() {
    let port = ports::free();
    let backend = Backend::start("echo").await;
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&two_listeners(port, "protocol: HTTP")),
        &policy_of_b(),
        &yaml::backend("echo", &backend),
        &yaml::route_all("all", "echo"),
    ]))
    .await;
    for (bytes, status) in [(100, 200), (2000, 431)] {
        let mut client = Raw::connect(port).await;
        client.send(head_of("b.example.org", bytes)).await;
        assert_eq!(client.answer().await.status, status, "{bytes}");
    }
}

#[tokio::test]
async fn over_tls_the_limits_of_the_chosen_listener_count() {
    let port = ports::free();
    let authority = Authority::new();
    let backend = Backend::start("echo").await;
    let https = "protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}";
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&two_listeners(port, https)),
        &yaml::secret("cert", &authority.issue(&["*.example.org"])),
        &policy_of_b(),
        &yaml::backend("echo", &backend),
        &yaml::route_all("all", "echo"),
    ]))
    .await;
    for (name, status) in [("a.example.org", 200), ("b.example.org", 431)] {
        let client = TlsClient::new(&authority.pem());
        let mut client = Raw::over(client.connect(port, name).await.unwrap());
        client.send(head_of(name, 2000)).await;
        assert_eq!(client.answer().await.status, status, "{name}");
    }
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_given_up() {
    let port = ports::free();
    let authority = Authority::new();
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&format!(
            "- {{name: https, port: {port}, protocol: HTTPS, tls: {{certificateRefs: [{{name: cert}}]}}}}"
        )),
        &yaml::secret("cert", &authority.issue(&["a.example.org"])),
        &yaml::listener_policy("limits: {handshake: 200ms}"),
    ]))
    .await;
    for beginning in [&b""[..], &[0x16, 0x03, 0x01, 0x02]] {
        let mut client = Raw::connect(port).await;
        client.send(beginning).await;
        let ended = tokio::time::timeout(Duration::from_secs(3), client.rest()).await;
        assert!(ended.is_ok(), "{beginning:?}: the connection is still open");
    }
}

#[tokio::test]
async fn a_client_is_told_how_many_streams_it_may_open() {
    let policy = yaml::listener_policy("limits: {concurrentStreams: 7, headerBytes: 4096}");
    let world = World::plain(&[&policy]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await;
    let head = client.bytes(9).await;
    assert_eq!(head[3], 4, "SETTINGS come first");
    let settings = client.bytes(usize::from(head[2])).await;
    let value = |wanted: u8| {
        let mut settings = settings.chunks(6);
        let found = settings.find(|one| one[1] == wanted)?;
        Some(u32::from_be_bytes(found[2..].try_into().unwrap()))
    };
    assert_eq!(value(3), Some(7), "MAX_CONCURRENT_STREAMS: {settings:?}");
    assert_eq!(value(6), Some(4096), "MAX_HEADER_LIST_SIZE: {settings:?}");
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_broken_off() {
    const SIZE: usize = 256 << 20;
    let world = World::plain(&[&yaml::listener_policy("limits: {stall: 1s}")]).await;
    world.backend.always(Act::Bytes(SIZE));
    let mut client = Raw::connect(world.port).await;
    client.send(raw::head("GET", "example.org", "/", &[])).await;
    tokio::time::sleep(Duration::from_millis(3500)).await;
    let rest = client.rest().await;
    assert!(rest.len() < SIZE, "{}", rest.len());
}

/// One worker, so that numbers per worker are numbers.
async fn alone(connections: &str, rules: &str) -> (u16, Backend, Gateway) {
    let port = ports::free();
    let backend = Backend::start("one").await;
    let settings = daemun_proxy::Settings {
        workers: 1,
        ..gateway::settings()
    };
    let objects = yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("one", &backend),
        &yaml::backend_policy("one", connections),
        &yaml::route("one", rules),
    ]);
    let gateway = Gateway::start_with(settings, &objects).await;
    (port, backend, gateway)
}

fn to_one(more: &str) -> String {
    format!("rules: [{{backendRefs: [{{{}}}]{more}}}]", yaml::to("one"))
}

#[tokio::test]
async fn who_waits_too_long_for_a_connection_hears_503() {
    let policy = "connections: {perEndpoint: 1, connect: 200ms}";
    let (port, backend, _gateway) = alone(policy, &to_one("")).await;
    backend.always(Act::Delay(Duration::from_secs(1)));
    let (first, second) = tokio::join!(raw::get(port, "example.org", "/1"), async {
        backend.until(1).await;
        raw::get(port, "example.org", "/2").await
    });
    assert_eq!((first.status, second.status), (200, 503), "{second:?}");
    assert_eq!((backend.count(), backend.connections()), (1, 1));
}

#[tokio::test]
async fn tunnels_leave_room_for_requests() {
    let policy = "connections: {perEndpoint: 1, connect: 1s}";
    let (port, _backend, _gateway) = alone(policy, &to_one("")).await;
    let upgrade = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
    ];
    let mut tunnels = Vec::new();
    for _ in 0..3 {
        let mut client = Raw::connect(port).await;
        let answer = client.request("GET", "example.org", "/", &upgrade).await;
        assert_eq!(answer.status, 101);
        tunnels.push(client);
    }
    assert_eq!(raw::get(port, "example.org", "/").await.status, 200);
}

#[tokio::test]
async fn no_more_connections_are_kept_than_may_be_idle() {
    let policy = "connections: {idlePerEndpoint: 1}";
    let (port, backend, _gateway) = alone(policy, &to_one("")).await;
    backend.always(Act::Delay(Duration::from_millis(200)));
    for connections in [3, 5] {
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..3 {
            set.spawn(async move { raw::get(port, "example.org", "/").await.status });
        }
        let statuses = within("three answers", set.join_all()).await;
        assert_eq!(statuses, [200; 3]);
        assert_eq!(backend.connections(), connections);
    }
}

#[tokio::test]
async fn only_as_much_of_a_body_is_kept_as_may_be() {
    let policy = "connections: {replayBytes: 10}";
    let retry = ", retry: {attempts: 1, codes: [503]}";
    let (port, backend, _gateway) = alone(policy, &to_one(retry)).await;
    for (size, status, tries) in [(10, 200, 2), (11, 503, 1)] {
        let before = backend.count();
        backend.plan([Act::Status(503)]);
        let mut client = Raw::connect(port).await;
        let body = "b".repeat(size);
        client
            .send(format!(
                "PUT / HTTP/1.1\r\nHost: example.org\r\nContent-Length: {size}\r\n\r\n{body}"
            ))
            .await;
        assert_eq!(client.answer().await.status, status, "{size}");
        assert_eq!(backend.count() - before, tries, "{size}");
    }
}
