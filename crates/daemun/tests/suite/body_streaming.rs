//! Bodies pass through as they come, with constant memory and with back-pressure.

use std::time::Duration;

use daemun_testkit::body;
use daemun_testkit::{Act, Http2, Raw, raw};
use http::Request;

use crate::World;

#[tokio::test]
async fn the_first_half_of_an_answer_does_not_wait_for_the_second() {
    let world = World::plain(&[]).await;
    world
        .backend
        .always(Act::Halves(Duration::from_millis(600)));
    let mut client = Raw::connect(world.port).await;
    client.send(raw::head("GET", "example.org", "/", &[])).await;
    let early = tokio::time::timeout(Duration::from_millis(400), async {
        let answer = client.answer_to_head().await;
        assert_eq!(answer.status, 200);
        client.bytes(b"6\r\nfirst,\r\n".len()).await
    });
    assert_eq!(
        early.await.expect("before the second half is sent"),
        b"6\r\nfirst,\r\n"
    );
    assert_eq!(
        client.bytes(b"6\r\nsecond\r\n0\r\n\r\n".len()).await,
        b"6\r\nsecond\r\n0\r\n\r\n"
    );
}

#[tokio::test]
async fn request_and_answer_stream_at_the_same_time() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Stream);
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    client.send("3\r\none\r\n").await;
    assert_eq!(client.answer_to_head().await.status, 200);
    assert_eq!(client.bytes(8).await, b"3\r\none\r\n");
    client.send("3\r\ntwo\r\n").await;
    assert_eq!(client.bytes(8).await, b"3\r\ntwo\r\n");
    client.send("0\r\n\r\n").await;
    assert_eq!(client.bytes(5).await, b"0\r\n\r\n");
}

#[tokio::test]
async fn large_bodies_pass_both_ways() {
    let world = World::plain(&[]).await;
    let size = 32 << 20;
    let mut client = Raw::connect(world.port).await;
    client
        .send(format!(
            "POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: {size}\r\n\r\n"
        ))
        .await;
    let piece = vec![b'p'; 1 << 20];
    for _ in 0..size / piece.len() {
        client.send(&piece).await;
    }
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.body.len()), (200, size));
    assert!(answer.body.iter().all(|byte| *byte == b'p'));
}

#[tokio::test]
async fn a_content_length_stays_one() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nhello")
        .await;
    assert_eq!(client.answer().await.status, 200);
    let seen = world.backend.last();
    assert_eq!(
        (
            seen.header("content-length"),
            seen.header("transfer-encoding")
        ),
        (Some("5"), None)
    );
    client.send("POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    let seen = world.backend.last();
    assert_eq!(
        (
            seen.header("content-length"),
            seen.header("transfer-encoding")
        ),
        (None, Some("chunked"))
    );
    client
        .send("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 200);
    let seen = world.backend.last();
    assert_eq!(
        (
            seen.header("content-length"),
            seen.header("transfer-encoding")
        ),
        (None, None)
    );
}

#[tokio::test]
async fn head_and_empty_answers_have_no_body() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    assert_eq!(
        client.request("HEAD", "example.org", "/", &[]).await.status,
        200
    );
    for status in [204, 304] {
        world.backend.plan([Act::Status(status)]);
        assert_eq!(client.get("example.org", "/").await.status, status);
    }
    assert_eq!(client.get("example.org", "/").await.status, 200);
}

#[tokio::test]
async fn who_waits_for_100_continue_gets_it() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    client.send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n").await;
    let told = client.bytes(b"HTTP/1.1 100 Continue\r\n\r\n".len()).await;
    assert_eq!(told, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hi").await;
    assert_eq!(client.answer().await.text(), "hi");
}

/// How many bytes this process holds, by the kernel's account.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = status
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("a number of pages") * 4096
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_the_backend_back() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Bytes(usize::MAX));
    let before = resident();
    let mut stalled = Vec::new();
    for _ in 0..4 {
        let mut client = Raw::connect(world.port).await;
        client.send(raw::head("GET", "example.org", "/", &[])).await;
        assert_eq!(client.answer_to_head().await.status, 200);
        stalled.push(client);
    }
    let client = Http2::connect(world.port).await;
    let request = Request::get("http://example.org/")
        .body(body::Body::empty())
        .unwrap();
    let response = client.send(request).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 200 << 20, "{grown} bytes more");
    drop(response);
}

#[tokio::test]
async fn a_backend_that_does_not_read_holds_the_client_back() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Hang);
    let client = Http2::connect(world.port).await;
    let (feed, sent) = body::fed();
    let request = Request::post("http://example.org/").body(sent).unwrap();
    let pending = tokio::time::timeout(Duration::from_millis(600), client.send(request));
    let pour = async {
        let mut poured = 0_usize;
        let piece = vec![b'p'; 64 * 1024];
        while let Ok(true) =
            tokio::time::timeout(Duration::from_millis(400), feed.data(piece.clone())).await
        {
            poured += piece.len();
            if poured > 512 << 20 {
                break;
            }
        }
        poured
    };
    let (_, poured) = tokio::join!(pending, pour);
    assert!(
        poured < 64 << 20,
        "{poured} bytes were taken though nobody read them"
    );
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_is_passed_on() {
    let tap = daemun_testkit::Tap::start(vec![
        daemun_testkit::Step::Until(b"\r\n\r\n".to_vec()),
        daemun_testkit::Step::Send(
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno".to_vec(),
        ),
    ])
    .await;
    let world = World::new(&[
        &daemun_testkit::yaml::backend("tap", &tap),
        &daemun_testkit::yaml::route_all("one", "tap"),
    ])
    .await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1000000\r\n\r\nbegin")
        .await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text().as_str()), (403, "no"));
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_backends_request() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Bytes(usize::MAX));
    let mut client = Raw::connect(world.port).await;
    client.send(raw::head("GET", "example.org", "/", &[])).await;
    assert_eq!(client.answer_to_head().await.status, 200);
    client.bytes(1000).await;
    drop(client);
    world.backend.always(Act::Echo);
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
}
