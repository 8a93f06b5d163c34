//! Trailers and calls in both directions at once: what gRPC needs of a gateway.

use daemun_testkit::body;
use daemun_testkit::{Act, Backend, Gateway, Http2, Raw, ports, within, yaml};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::BodyExt as _;

use crate::World;

async fn over_http2() -> (Gateway, Backend, u16) {
    let port = ports::free();
    let backend = Backend::start("grpc").await;
    let gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend_with("grpc", &[&backend], "protocol: HTTP2"),
        &yaml::route_all("one", "grpc"),
    ]))
    .await;
    (gateway, backend, port)
}

fn call(body: body::Body) -> Request<body::Body> {
    Request::post("http://example.org/pkg.Service/Method")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(body)
        .expect("a request")
}

#[tokio::test]
async fn a_call_has_its_trailers() {
    let (_gateway, backend, port) = over_http2().await;
    backend.always(Act::Trailers);
    let client = Http2::connect(port).await;
    let answer = client
        .exchange(call(body::Body::of("request")))
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.body.as_ref()),
        (200, b"message".as_slice())
    );
    assert_eq!(answer.trailers.unwrap()["grpc-status"], "0");
    let seen = backend.last();
    assert_eq!(
        (seen.header("te"), seen.header("content-type")),
        (Some("trailers"), Some("application/grpc"))
    );
}

#[tokio::test]
async fn both_sides_speak_at_once_and_a_requests_trailers_pass() {
    let (_gateway, backend, port) = over_http2().await;
    backend.always(Act::Stream);
    let client = Http2::connect(port).await;
    let (feed, sent) = body::fed();
    let response = client.send(call(sent)).await.unwrap();
    let mut back = response.into_body();
    for word in ["one", "two", "three"] {
        assert!(feed.data(word).await);
        let frame = within("the echo", back.frame()).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), word);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x-end", HeaderValue::from_static("1"));
    feed.trailers(trailers).await;
    drop(feed);
    let frame = within("the trailers", back.frame()).await.unwrap().unwrap();
    assert_eq!(frame.into_trailers().unwrap()["x-end"], "1");
    assert!(within("the end", back.frame()).await.is_none());
}

#[tokio::test]
async fn trailers_pass_over_http_1_to_who_wants_them() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Trailers);
    let mut client = Raw::connect(world.port).await;
    let answer = client
        .request(
            "GET",
            "example.org",
            "/",
            &[("te", "trailers"), ("connection", "te")],
        )
        .await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "message"));
    assert_eq!(
        answer.trailers,
        [("grpc-status".to_owned(), "0".to_owned())]
    );
    // An HTTP/2 client in front of the same HTTP/1 backend gets them too.
    let client = Http2::connect(world.port).await;
    let answer = client.exchange(call(body::Body::empty())).await.unwrap();
    assert_eq!(answer.trailers.unwrap()["grpc-status"], "0");
}

#[tokio::test]
async fn trailers_of_a_request_pass_over_http_1() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 42\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.text(), "hi");
    let trailers = world.backend.last().trailers.unwrap_or_default();
    assert_eq!(
        trailers.get("x-sum").map(HeaderValue::as_bytes),
        Some(b"42".as_slice())
    );
}
