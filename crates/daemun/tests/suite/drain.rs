//! How a gateway ends: nobody is refused or cut off before the time that was set.

use std::time::Duration;

use daemun_proxy::Settings;
use daemun_testkit::gateway::settings;
use daemun_testkit::{Act, Backend, Gateway, Http2, Raw, ports, raw, yaml};

use crate::World;

#[tokio::test]
async fn requests_in_flight_end_and_connections_are_told() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Delay(Duration::from_millis(400)));
    let World {
        port,
        backend,
        gateway,
    } = world;
    let mut idle = Raw::connect(port).await;
    backend.plan([Act::Echo]);
    assert_eq!(idle.get("example.org", "/").await.status, 200);
    let http2 = Http2::connect(port).await;
    let mut http1 = Raw::connect(port).await;
    let drain = async {
        backend.until(3).await;
        gateway.drain().await;
    };
    let (one, two, ()) = tokio::join!(
        http1.get("example.org", "/"),
        http2.get("example.org", "/"),
        drain
    );
    assert_eq!((one.status, two.status), (200, 200));
    assert!(
        one.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close")),
        "{one:?}"
    );
    assert!(http1.closed().await);
    assert!(idle.closed().await);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(http2.is_closed(), "GOAWAY");
    assert!(
        tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err(),
        "nobody listens any more"
    );
}

async fn with(settings: Settings) -> (u16, Backend, Gateway) {
    let port = ports::free();
    let backend = Backend::start("echo").await;
    let text = yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("echo", &backend),
        &yaml::route_all("all", "echo"),
    ]);
    let gateway = Gateway::start_with(settings, &text).await;
    (port, backend, gateway)
}

#[tokio::test]
async fn during_the_delay_new_clients_are_served() {
    let (port, _backend, gateway) = with(Settings {
        drain_delay: Duration::from_millis(500),
        ..settings()
    })
    .await;
    let mut old = Raw::connect(port).await;
    assert_eq!(old.get("example.org", "/").await.status, 200);
    let serve = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let answer = raw::get(port, "example.org", "/").await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            old.get("example.org", "/").await.status,
            200,
            "an idle connection is not cut off"
        );
    };
    tokio::join!(gateway.drain(), serve);
}

#[tokio::test]
async fn what_does_not_end_is_cut_off_when_the_grace_is_over() {
    let (port, backend, gateway) = with(Settings {
        drain_grace: Duration::from_millis(600),
        ..settings()
    })
    .await;
    let mut socket = Raw::connect(port).await;
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    assert_eq!(
        socket
            .request("GET", "example.org", "/", &upgrade)
            .await
            .status,
        101
    );
    backend.always(Act::Hang);
    let alive = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        socket.send("still").await;
        assert_eq!(socket.bytes(5).await, b"still", "the grace is not over");
    };
    tokio::join!(gateway.drain(), alive);
    assert!(socket.closed().await);
}

#[tokio::test]
async fn a_request_that_hangs_is_cut_off_too() {
    let (port, backend, gateway) = with(Settings {
        drain_grace: Duration::from_millis(400),
        ..settings()
    })
    .await;
    backend.always(Act::Hang);
    let mut hanging = Raw::connect(port).await;
    hanging
        .send(raw::head("GET", "example.org", "/", &[]))
        .await;
    backend.until(1).await;
    gateway.drain().await;
    assert!(
        hanging
            .try_answer()
            .await
            .map_or(true, |answer| answer.status >= 500)
    );
}

#[tokio::test]
async fn a_racing_request_is_never_lost() {
    for _ in 0..5 {
        let (port, _backend, gateway) = with(Settings {
            drain_delay: Duration::from_millis(150),
            ..settings()
        })
        .await;
        let mut load = tokio::task::JoinSet::new();
        for _ in 0..6 {
            load.spawn(async move {
                let mut client = Raw::connect(port).await;
                loop {
                    client.send(raw::head("GET", "example.org", "/", &[])).await;
                    let answer = client
                        .try_answer()
                        .await
                        .expect("a request on a connection that was not told to end");
                    assert_eq!(answer.status, 200);
                    if answer.header("connection").is_some() {
                        return;
                    }
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        gateway.drain().await;
        while let Some(ended) = daemun_testkit::within("the clients' end", load.join_next()).await {
            ended.unwrap();
        }
    }
}
