//! Changes while traffic flows: nobody whom a change does not concern notices it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use daemun_testkit::{Act, Backend, Gateway, Http2, Raw, ports, raw, yaml};

use crate::{World, named_rules};

#[tokio::test]
async fn a_change_is_live_at_once_and_the_connection_goes_on() {
    let mut world = World::new(&[&yaml::route(
        "one",
        &named_rules(&[("first", "{path: {value: /}}")]),
    )])
    .await;
    let mut client = Raw::connect(world.port).await;
    let http2 = Http2::connect(world.port).await;
    assert_eq!(
        client.get("example.org", "/").await.header("x-rule"),
        Some("first")
    );
    assert_eq!(
        http2.get("example.org", "/").await.header("x-rule"),
        Some("first")
    );
    world
        .reload(&[&yaml::route(
            "one",
            &named_rules(&[("second", "{path: {value: /}}")]),
        )])
        .await;
    assert_eq!(
        client.get("example.org", "/").await.header("x-rule"),
        Some("second")
    );
    assert_eq!(
        http2.get("example.org", "/").await.header("x-rule"),
        Some("second")
    );
    world.reload(&[]).await;
    assert_eq!(client.get("example.org", "/").await.status, 404);
    assert_eq!(http2.get("example.org", "/").await.status, 404);
}

#[tokio::test]
async fn a_request_ends_as_it_began() {
    let mut world = World::plain(&[]).await;
    world.backend.always(Act::Delay(Duration::from_millis(300)));
    let port = world.port;
    let request = raw::get(port, "example.org", "/");
    let change = async {
        world.backend.until(1).await;
        world.reload(&[]).await;
    };
    let (answer, ()) = tokio::join!(request, change);
    assert_eq!((answer.status, answer.backend()), (200, Some("echo")));
    assert_eq!(raw::get(port, "example.org", "/").await.status, 404);
}

#[tokio::test]
async fn a_websocket_does_not_notice() {
    let mut world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    assert_eq!(
        client
            .request("GET", "example.org", "/", &upgrade)
            .await
            .status,
        101
    );
    for number in 0..5 {
        let rules = named_rules(&[(&format!("r{number}"), "{path: {value: /}}")]);
        world.reload(&[&yaml::route("one", &rules)]).await;
        client.send("ping").await;
        assert_eq!(client.bytes(4).await, b"ping");
    }
}

#[tokio::test]
async fn listeners_come_and_go() {
    let (first, second) = (ports::free(), ports::free());
    let backend = Backend::start("echo").await;
    let objects = |listening: &[u16]| {
        let listeners: Vec<_> = listening
            .iter()
            .map(|port| format!("- {{name: p{port}, port: {port}, protocol: HTTP}}"))
            .collect();
        yaml::documents(&[
            &yaml::gateway_of(&listeners.join("\n")),
            &yaml::backend("echo", &backend),
            &yaml::route_all("one", "echo"),
        ])
    };
    let mut gateway = Gateway::start(&objects(&[first])).await;
    let mut client = Raw::connect(first).await;
    assert_eq!(client.get("example.org", "/").await.status, 200);
    assert!(
        tokio::net::TcpStream::connect(("127.0.0.1", second))
            .await
            .is_err()
    );
    for _ in 0..3 {
        gateway.reload(&objects(&[first, second])).await;
        assert_eq!(raw::get(second, "example.org", "/").await.status, 200);
        gateway.reload(&objects(&[first])).await;
        assert_eq!(client.get("example.org", "/").await.status, 200);
        let refused = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", second))
                .await
                .is_ok()
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        daemun_testkit::within("the end of a listener", refused).await;
    }
}

#[tokio::test]
async fn a_listener_that_shares_its_port_goes_without_closing_it() {
    let port = ports::free();
    let backend = Backend::start("echo").await;
    let listener = |name: &str| {
        format!("- {{name: {name}, port: {port}, protocol: HTTP, hostname: {name}.example.org}}\n")
    };
    let objects = |names: &[&str]| {
        let listeners: String = names.iter().map(|name| listener(name)).collect();
        yaml::documents(&[
            &yaml::gateway_of(listeners.trim_end()),
            &yaml::backend("echo", &backend),
            &yaml::route_all("one", "echo"),
        ])
    };
    let mut gateway = Gateway::start(&objects(&["a", "b"])).await;
    let mut client = Raw::connect(port).await;
    for names in [&["a"][..], &["a", "b"], &["a", "b", "c"], &["b", "a"]] {
        gateway.reload(&objects(names)).await;
        assert_eq!(client.get("a.example.org", "/").await.status, 200);
        let there = names.contains(&"b");
        assert_eq!(client.get("b.example.org", "/").await.status == 200, there);
    }
}

#[tokio::test]
async fn a_hundred_reloads_under_load_fail_not_one_request() {
    let (port, other) = (ports::free(), ports::free());
    let backend = Backend::start("echo").await;
    let objects = |round: usize| {
        let mut listeners = format!("- {{name: http, port: {port}, protocol: HTTP}}");
        if round % 2 == 1 {
            listeners += &format!("\n- {{name: other, port: {other}, protocol: HTTP}}");
        }
        let rules = named_rules(&[
            ("all", "{path: {value: /}}"),
            (
                &format!("r{round}"),
                &format!("{{path: {{value: /{round}}}}}"),
            ),
        ]);
        yaml::documents(&[
            &yaml::gateway_of(&listeners),
            &yaml::backend("echo", &backend),
            &yaml::route("one", &rules),
            &yaml::backend_policy(
                "echo",
                &format!("connections: {{idlePerEndpoint: {}}}", 100 + round % 3),
            ),
        ])
    };
    let mut gateway = Gateway::start(&objects(0)).await;
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicUsize::new(0));
    let mut load = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
        load.spawn(async move {
            let http2 = Http2::connect(port).await;
            let mut http1 = Raw::connect(port).await;
            while !stop.load(Ordering::Relaxed) {
                let status = match number % 3 {
                    0 => http2.get("example.org", "/x").await.status,
                    1 => http1.get("example.org", "/x").await.status,
                    // A connection for each request.
                    _ => raw::get(port, "example.org", "/x").await.status,
                };
                assert_eq!(status, 200);
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for round in 1..=100 {
        gateway.reload(&objects(round)).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let answer = raw::get(port, "example.org", &format!("/{round}")).await;
        assert_eq!(answer.header("x-rule"), Some(format!("r{round}").as_str()));
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = load.join_next().await {
        ended.unwrap();
    }
    let done = done.load(Ordering::Relaxed);
    assert!(done > 200, "{done} requests ran beside the reloads");
}
