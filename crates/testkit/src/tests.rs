//! The kit against itself: clients and backends without a gateway between them.

use std::time::Duration;

use crate::{Act, Authority, Backend, Http2, Raw, Step, Tap, TlsClient, raw};

#[tokio::test]
async fn a_backend_echoes_and_tells() {
    let backend = Backend::start("one").await;
    let mut client = Raw::connect(backend.port()).await;
    client
        .send("POST /a?b HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nContent-Length: 3\r\n\r\nabc")
        .await;
    let answer = client.answer().await;
    assert_eq!(
        (answer.status, answer.text().as_str(), answer.backend()),
        (200, "abc", Some("one"))
    );
    let seen = backend.last();
    assert_eq!(
        (seen.target.as_str(), seen.host.as_str(), seen.header("x-a")),
        ("/a?b", "h", Some("1"))
    );
    assert_eq!(client.get("h", "/again").await.status, 200);
    assert_eq!((backend.count(), backend.connections()), (2, 1));
}

#[tokio::test]
async fn a_backend_does_as_planned() {
    let backend = Backend::start("one").await;
    backend.plan([
        Act::Status(503),
        Act::Trailers,
        Act::BreakInBody,
        Act::Break,
    ]);
    let mut client = Raw::connect(backend.port()).await;
    assert_eq!(client.get("h", "/").await.status, 503);
    let trailers = client
        .request("GET", "h", "/", &[("te", "trailers")])
        .await
        .trailers;
    assert_eq!(trailers, [("grpc-status".to_owned(), "0".to_owned())]);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(client.try_answer().await.is_err());
    let mut client = Raw::connect(backend.port()).await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(client.closed().await);
}

#[tokio::test]
async fn a_backend_speaks_http_2_in_the_clear_and_over_tls() {
    let backend = Backend::start("one").await;
    let answer = Http2::connect(backend.port()).await.get("h", "/").await;
    assert_eq!((answer.status, answer.backend()), (200, Some("one")));
    let authority = Authority::new();
    let clients = Authority::new();
    let identity = authority.issue(&["a.example"]);
    let backend =
        Backend::start_tls("two", &identity, &["h2", "http/1.1"], Some(&clients.pem())).await;
    let client = TlsClient::showing(&authority.pem(), &clients.issue(&[])).offering(&["h2"]);
    let stream = client.connect(backend.port(), "a.example").await.unwrap();
    let answer = Http2::over(stream)
        .await
        .get_from("https", "a.example", "/")
        .await;
    assert_eq!(answer.backend(), Some("two"));
    let seen = backend.last();
    assert_eq!(
        (seen.sni.as_deref(), seen.client_certificates),
        (Some("a.example"), 1)
    );
    let client = TlsClient::showing(&authority.pem(), &clients.issue(&[]));
    let stream = client.connect(backend.port(), "a.example").await.unwrap();
    assert_eq!(
        Raw::over(stream).get("a.example", "/").await.backend(),
        Some("two")
    );
}

#[tokio::test]
async fn a_backend_takes_upgrades() {
    let backend = Backend::start("one").await;
    let mut client = Raw::connect(backend.port()).await;
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    assert_eq!(client.request("GET", "h", "/", &upgrade).await.status, 101);
    client.send("ping").await;
    assert_eq!(client.bytes(4).await, b"ping");
}

#[tokio::test]
async fn a_tap_keeps_every_byte() {
    let tap = Tap::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(raw::get(tap.address.port(), "h", "/x").await.status, 204);
    assert_eq!(tap.all(), "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    let tap = Tap::start(vec![Step::Wait(Duration::from_millis(5)), Step::Close]).await;
    assert!(Raw::connect(tap.address.port()).await.closed().await);
}
