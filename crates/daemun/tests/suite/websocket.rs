//! Upgrades: bytes both ways after 101, over HTTP/1.1 and by extended CONNECT over HTTP/2.

use std::time::Duration;

use daemun_testkit::body::Body;
use daemun_testkit::{Act, Http2, Raw, Step, Tap, within, yaml};
use http::Request;
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;

use crate::World;

const UPGRADE: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-version", "13"),
];

#[tokio::test]
async fn bytes_go_both_ways_after_the_upgrade() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    let answer = client
        .request("GET", "example.org", "/chat", &UPGRADE)
        .await;
    assert_eq!((answer.status, answer.backend()), (101, Some("echo")));
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    assert!(
        answer
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("upgrade"))
    );
    let seen = world.backend.last();
    assert_eq!(seen.header("upgrade"), Some("websocket"));
    assert_eq!(
        seen.header("sec-websocket-key"),
        Some("dGhlIHNhbXBsZSBub25jZQ==")
    );
    for size in [1, 1000, 300_000] {
        let sent = vec![b'w'; size];
        let (mut reader, mut writer) = tokio::io::split(client.into_stream());
        let mut back = vec![0; size];
        let both = async {
            tokio::join!(
                tokio::io::AsyncWriteExt::write_all(&mut writer, &sent),
                tokio::io::AsyncReadExt::read_exact(&mut reader, &mut back)
            )
        };
        let (wrote, read) = within("the echo", both).await;
        wrote.unwrap();
        read.unwrap();
        assert_eq!(back, sent);
        client = Raw::over(reader.unsplit(writer));
    }
}

#[tokio::test]
async fn bytes_that_come_with_the_upgrade_are_not_lost() {
    let tap = Tap::start(vec![
        Step::Until(b"\r\n\r\n".to_vec()),
        Step::Send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nearly".to_vec()),
    ])
    .await;
    let world = World::new(&[&yaml::backend("tap", &tap), &yaml::route_all("one", "tap")]).await;
    let mut client = Raw::connect(world.port).await;
    assert_eq!(
        client
            .request("GET", "example.org", "/", &UPGRADE)
            .await
            .status,
        101
    );
    assert_eq!(client.bytes(5).await, b"early");
}

#[tokio::test]
async fn an_upgrade_that_is_refused_is_an_ordinary_answer() {
    let tap = Tap::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
    let world = World::new(&[&yaml::backend("tap", &tap), &yaml::route_all("one", "tap")]).await;
    let mut client = Raw::connect(world.port).await;
    let answer = client.request("GET", "example.org", "/", &UPGRADE).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, "no"));
    assert_eq!(
        client.get("example.org", "/").await.status,
        403,
        "the connection goes on"
    );
}

#[tokio::test]
async fn a_tunnel_ends_when_either_side_does() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    assert_eq!(
        client
            .request("GET", "example.org", "/", &UPGRADE)
            .await
            .status,
        101
    );
    let mut stream = client.into_stream();
    tokio::io::AsyncWriteExt::shutdown(&mut stream)
        .await
        .unwrap();
    // The echo ends with its input, and that end comes back.
    assert!(Raw::over(stream).closed().await);
    let tap = Tap::start(vec![
        Step::Until(b"\r\n\r\n".to_vec()),
        Step::Send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n".to_vec()),
        Step::Wait(Duration::from_millis(20)),
        Step::Close,
    ])
    .await;
    let mut world = world;
    world
        .reload(&[&yaml::backend("tap", &tap), &yaml::route_all("one", "tap")])
        .await;
    let mut client = Raw::connect(world.port).await;
    assert_eq!(
        client
            .request("GET", "example.org", "/", &UPGRADE)
            .await
            .status,
        101
    );
    assert!(client.closed().await);
}

#[tokio::test]
async fn extended_connect_over_http_2_becomes_an_upgrade() {
    let world = World::plain(&[]).await;
    let client = Http2::connect(world.port).await;
    // The server's settings, which allow it, must have come.
    assert_eq!(client.get("example.org", "/").await.status, 200);
    let request = Request::connect("http://example.org/chat")
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .body(Body::empty())
        .unwrap();
    let mut response = client.send(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let seen = world.backend.last();
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("GET", "/chat")
    );
    assert_eq!(seen.header("upgrade"), Some("websocket"));
    assert!(
        seen.header("sec-websocket-key").is_some(),
        "HTTP/1 wants a key"
    );
    let upgraded = within("the tunnel", hyper::upgrade::on(&mut response)).await;
    let mut tunnel = Raw::over(TokioIo::new(upgraded.unwrap()));
    for word in ["ping", "pong"] {
        tunnel.send(word).await;
        assert_eq!(tunnel.bytes(4).await, word.as_bytes());
    }
    let mut stream = tunnel.into_stream();
    tokio::io::AsyncWriteExt::shutdown(&mut stream)
        .await
        .unwrap();
    assert!(Raw::over(stream).closed().await);
}

#[tokio::test]
async fn an_extended_connect_that_is_refused_is_an_ordinary_answer_and_never_a_tunnel() {
    let to = yaml::to("tap");
    let modifier = "{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-set, value: '1'}]}}";
    let route = yaml::route(
        "one",
        &format!("rules: [{{backendRefs: [{{{to}}}], filters: [{modifier}]}}]"),
    );
    for (answer, status) in [
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 502),
    ] {
        let tap = Tap::answering(answer).await;
        let world = World::new(&[&yaml::backend("tap", &tap), &route]).await;
        let client = Http2::connect(world.port).await;
        // The server's settings, which allow it, must have come.
        let _ = client.get("example.org", "/").await;
        let request = Request::connect("http://example.org/chat")
            .extension(Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13")
            .body(Body::empty())
            .unwrap();
        let response = client.send(request).await.unwrap();
        assert_eq!(response.status(), status);
        if status == 403 {
            assert_eq!(response.headers()["x-set"], "1");
        } else {
            let said = response.headers()["proxy-status"].to_str().unwrap();
            assert!(said.contains("http_upgrade_failed"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_tunnel_begins_a_session_and_is_not_mirrored() {
    let mirror = daemun_testkit::Backend::start("mirror").await;
    let (to, copy) = (yaml::to("echo"), yaml::to("mirror"));
    let rules = format!(
        "rules: [{{backendRefs: [{{{to}}}], sessionPersistence: {{sessionName: shop}}, \
         filters: [{{type: RequestMirror, requestMirror: {{backendRef: {{{copy}}}}}}}]}}]"
    );
    let objects = [yaml::backend("mirror", &mirror), yaml::route("one", &rules)];
    let world = World::new(&[&objects[0], &objects[1]]).await;
    let mut client = Raw::connect(world.port).await;
    let answer = client.request("GET", "example.org", "/", &UPGRADE).await;
    assert_eq!(answer.status, 101);
    assert!(answer.header("set-cookie").is_some(), "{answer:?}");
    let mut other = Raw::connect(world.port).await;
    assert_eq!(other.get("example.org", "/plain").await.status, 200);
    mirror.until(1).await;
    assert_eq!(mirror.seen()[0].target, "/plain");
}

#[tokio::test]
async fn a_plain_connect_is_refused() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")
        .await;
    let answer = client.answer_to_head().await;
    assert!((400..600).contains(&answer.status), "{answer:?}");
    let client = Http2::connect(world.port).await;
    let request = Request::connect("example.org:443")
        .body(Body::empty())
        .unwrap();
    let answer = client.exchange(request).await;
    assert!(
        answer.as_ref().map_or(true, |answer| answer.status >= 400),
        "{answer:?}"
    );
    assert_eq!(world.backend.count(), 0);
}

#[tokio::test]
async fn a_tunnel_in_which_nothing_passes_ends() {
    let world = World::new(&[
        &yaml::route_all("all", "echo"),
        &yaml::listener_policy("limits: {tunnelIdle: 2s}"),
    ])
    .await;
    let (mut still, mut busy) = (
        Raw::connect(world.port).await,
        Raw::connect(world.port).await,
    );
    for client in [&mut still, &mut busy] {
        let answer = client.request("GET", "example.org", "/", &UPGRADE).await;
        assert_eq!(answer.status, 101);
    }
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        busy.send("once").await;
        assert_eq!(busy.bytes(4).await, b"once");
    }
    assert!(within("its end", still.closed()).await);
}

#[tokio::test]
async fn a_tunnel_outlives_the_request_timeout() {
    let to = yaml::to("echo");
    let rules = format!("rules: [{{backendRefs: [{{{to}}}], timeouts: {{request: 100ms}}}}]");
    let world = World::new(&[&yaml::route("one", &rules)]).await;
    let mut client = Raw::connect(world.port).await;
    assert_eq!(
        client
            .request("GET", "example.org", "/", &UPGRADE)
            .await
            .status,
        101
    );
    tokio::time::sleep(Duration::from_millis(250)).await;
    client.send("still").await;
    assert_eq!(client.bytes(5).await, b"still");
    world.backend.always(Act::Echo);
}
