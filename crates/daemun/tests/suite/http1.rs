//! HTTP/1 as clients and backends of all ages speak it.

use std::time::Duration;

use daemun_testkit::{Act, Backend, Gateway, Http2, Raw, Step, Tap, ports, raw, yaml};

use crate::World;

async fn behind(tap: &Tap) -> (u16, Gateway) {
    let port = ports::free();
    let gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("tap", tap),
        &yaml::route_all("one", "tap"),
    ]))
    .await;
    (port, gateway)
}

#[tokio::test]
async fn requests_in_a_pipeline_are_answered_in_order() {
    let world = World::plain(&[]).await;
    world.backend.plan([Act::Delay(Duration::from_millis(100))]);
    let mut client = Raw::connect(world.port).await;
    let one = "POST /1 HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1\r\n\r\na";
    let two = "POST /2 HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n";
    let three = "GET /3 HTTP/1.1\r\nHost: example.org\r\n\r\n";
    client.send([one, two, three].concat()).await;
    for body in ["a", "b", ""] {
        assert_eq!(client.answer().await.text(), body);
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_is_served_and_its_connection_closed() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("GET / HTTP/1.0\r\nHost: example.org\r\n\r\n")
        .await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.backend()), (200, Some("echo")));
    assert_eq!(
        answer.header("transfer-encoding"),
        None,
        "HTTP/1.0 has no chunks"
    );
    assert!(client.closed().await);
}

#[tokio::test]
async fn a_client_that_wants_to_end_is_heard() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    let answer = client
        .request("GET", "example.org", "/", &[("connection", "close")])
        .await;
    assert_eq!(answer.status, 200);
    assert!(client.closed().await);
}

#[tokio::test]
async fn a_client_that_half_closes_gets_its_answer() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Delay(Duration::from_millis(100)));
    let mut client = Raw::connect(world.port).await;
    client.send(raw::head("GET", "example.org", "/", &[])).await;
    client.end().await;
    assert_eq!(client.answer().await.status, 200);
}

/// Waits until the backend's request was given up; how long that took.
async fn given_up(backend: &Backend) -> Duration {
    let began = tokio::time::Instant::now();
    let waiting = async {
        while backend.abandoned() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    daemun_testkit::within("the request to be given up", waiting).await;
    began.elapsed()
}

#[tokio::test]
async fn a_client_that_resets_its_connection_gives_up_its_request() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Hang);
    let mut client = Raw::connect(world.port).await;
    client.send(raw::head("GET", "example.org", "/", &[])).await;
    world.backend.until(1).await;
    let stream = client.into_stream();
    stream.set_zero_linger().expect("a socket");
    drop(stream);
    assert!(given_up(&world.backend).await < Duration::from_secs(4));
}

#[tokio::test]
async fn a_client_that_ends_within_its_body_is_told_so_at_once() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 10\r\n\r\n12345")
        .await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    client.end().await;
    assert_eq!(client.answer().await.status, 400);
}

#[tokio::test]
async fn a_client_that_ends_its_side_waits_for_as_long_as_anything_may_stand_still() {
    let world = World::plain(&[&yaml::listener_policy("limits: {stall: 1s}")]).await;
    world.backend.always(Act::Hang);
    let mut client = Raw::connect(world.port).await;
    client.send(raw::head("GET", "example.org", "/", &[])).await;
    world.backend.until(1).await;
    client.end().await;
    let after = given_up(&world.backend).await;
    assert!(
        after > Duration::from_millis(500) && after < Duration::from_secs(5),
        "{after:?}"
    );
}

#[tokio::test]
async fn a_half_closed_client_gets_all_of_a_body_that_comes_in_pieces() {
    let world = World::plain(&[]).await;
    world
        .backend
        .always(Act::Halves(Duration::from_millis(100)));
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 4\r\n\r\nbody")
        .await;
    client.end().await;
    assert_eq!(client.answer().await.text(), "first,second");
    assert!(client.closed().await);
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_whole() {
    let tap = Tap::start(vec![
        Step::Until(b"\r\n\r\n".to_vec()),
        Step::Send(b"HTTP/1.0 200 OK\r\nX-Old: 1\r\n\r\nuntil the end".to_vec()),
        Step::Close,
    ])
    .await;
    let (port, _gateway) = behind(&tap).await;
    for _ in 0..3 {
        let answer = raw::get(port, "example.org", "/").await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, "until the end")
        );
        assert_eq!(answer.header("x-old"), Some("1"));
    }
    let answer = Http2::connect(port).await.get("example.org", "/").await;
    assert_eq!(answer.body.as_ref(), b"until the end");
}

#[tokio::test]
async fn a_backend_that_closes_is_asked_on_a_new_connection() {
    let tap = Tap::start(vec![
        Step::Until(b"\r\n\r\n".to_vec()),
        Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".to_vec()),
        Step::Close,
    ])
    .await;
    let (port, _gateway) = behind(&tap).await;
    let mut client = Raw::connect(port).await;
    for _ in 0..5 {
        let answer = client.get("example.org", "/").await;
        assert_eq!(answer.text(), "ok");
        assert_eq!(
            answer.header("connection"),
            None,
            "the client's connection stays"
        );
    }
    assert_eq!(tap.connections(), 5);
}

#[tokio::test]
async fn interim_answers_end_at_the_gateway() {
    let tap = Tap::start(vec![
        Step::Until(b"\r\n\r\n".to_vec()),
        Step::Send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n".to_vec()),
        Step::Wait(Duration::from_millis(20)),
        Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()),
    ])
    .await;
    let (port, _gateway) = behind(&tap).await;
    let answer = raw::get(port, "example.org", "/").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    assert_eq!(answer.header("link"), None);
}

#[tokio::test]
async fn lengths_of_answers_without_a_body_are_kept() {
    let tap =
        Tap::answering("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: \"a\"\r\n\r\n").await;
    let (port, _gateway) = behind(&tap).await;
    let mut client = Raw::connect(port).await;
    for _ in 0..2 {
        let answer = client.request("HEAD", "example.org", "/", &[]).await;
        assert_eq!(answer.header("content-length"), Some("1234"));
        assert_eq!(answer.header("etag"), Some("\"a\""));
    }
    let tap = Tap::answering("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n").await;
    let (port, _gateway) = behind(&tap).await;
    let mut client = Raw::connect(port).await;
    for _ in 0..2 {
        let answer = client.get("example.org", "/").await;
        assert_eq!((answer.status, answer.header("etag")), (304, Some("\"a\"")));
    }
}

#[tokio::test]
async fn bytes_after_an_answer_are_nobody_elses_answer() {
    // Two answers to one request: the second must not be taken for the next request's.
    let tap = Tap::start(vec![
        Step::Until(b"\r\n\r\n".to_vec()),
        Step::Send(
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmineHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
                .to_vec(),
        ),
    ])
    .await;
    let (port, _gateway) = behind(&tap).await;
    for _ in 0..6 {
        let answer = raw::get(port, "example.org", "/").await;
        assert_eq!(answer.text(), "mine", "{answer:?}");
    }
}

#[tokio::test]
async fn values_pass_as_they_are() {
    let world = World::plain(&[]).await;
    let headers = [
        ("X-Empty", ""),
        ("X-Spaces", "a  b\tc"),
        ("X-Latin", "caf\u{e9}"),
        ("X-Quoted", "\"a, b\"; c=\"d\\\"\""),
        ("Accept", "text/html;q=0.9, */*"),
    ];
    assert_eq!(
        raw::get_with(world.port, "example.org", "/", &headers)
            .await
            .status,
        200
    );
    let seen = world.backend.last();
    for (name, value) in headers {
        let got = seen
            .headers
            .get(name)
            .map(|value| value.as_bytes().to_vec());
        assert_eq!(got, Some(value.as_bytes().to_vec()), "{name}");
    }
    let many: Vec<(&str, &str)> = (0..40).map(|_| ("x-many", "v")).collect();
    raw::get_with(world.port, "example.org", "/", &many).await;
    assert_eq!(world.backend.last().all("x-many").len(), 40);
}

#[tokio::test]
async fn options_for_the_server_as_a_whole_is_answered() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("OPTIONS * HTTP/1.1\r\nHost: example.org\r\n\r\n")
        .await;
    let answer = client.answer().await;
    assert!((200..500).contains(&answer.status), "{answer:?}");
}

#[tokio::test]
async fn methods_of_ones_own_pass() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    for method in ["PROPFIND", "PATCH", "DELETE", "M-SEARCH", "get"] {
        assert_eq!(
            client.request(method, "example.org", "/", &[]).await.status,
            200
        );
        assert_eq!(world.backend.last().method.as_str(), method);
    }
}
