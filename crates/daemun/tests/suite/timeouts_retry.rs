//! Time limits, trying again, and what a client hears when a backend fails.

use std::time::{Duration, Instant};

use daemun_testkit::{Act, Backend, Gateway, Raw, Step, Tap, ports, raw, yaml};

use crate::World;

fn ruled(more: &str) -> String {
    let to = yaml::to("echo");
    yaml::route(
        "one",
        &format!("rules: [{{backendRefs: [{{{to}}}], {more}}}]"),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test measures by its own clock"
)]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test]
async fn the_request_timeout_is_504() {
    let world = World::new(&[&ruled("timeouts: {request: 150ms}")]).await;
    world.backend.always(Act::Delay(Duration::from_secs(2)));
    let began = now();
    let answer = raw::get(world.port, "example.org", "/").await;
    let took = began.elapsed();
    assert_eq!(answer.status, 504);
    assert!(
        took >= Duration::from_millis(140) && took < Duration::from_millis(1500),
        "{took:?}"
    );
    assert!(
        answer
            .header("proxy-status")
            .is_some_and(|status| status.contains("http_response_timeout")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn the_timeout_of_one_try_is_504_and_another_try_may_do_better() {
    let retry =
        "timeouts: {request: 5s, backendRequest: 100ms}, retry: {attempts: 1, codes: [504]}";
    let mut world = World::new(&[&ruled("timeouts: {backendRequest: 100ms, request: 1s}")]).await;
    world.backend.always(Act::Delay(Duration::from_secs(2)));
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 504);
    world.reload(&[&ruled(retry)]).await;
    world.backend.always(Act::Echo);
    world.backend.plan([Act::Delay(Duration::from_secs(2))]);
    let before = world.backend.count();
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
    assert_eq!(world.backend.count(), before + 2);
}

#[tokio::test]
async fn zero_means_no_timeout() {
    let world = World::new(&[&ruled("timeouts: {request: 0s, backendRequest: 0s}")]).await;
    world.backend.always(Act::Delay(Duration::from_millis(300)));
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_has_begun_ends_with_the_request_timeout() {
    let world = World::new(&[&ruled("timeouts: {request: 200ms}")]).await;
    world.backend.always(Act::Halves(Duration::from_secs(2)));
    let mut client = Raw::connect(world.port).await;
    client.send(raw::head("GET", "example.org", "/", &[])).await;
    let error = client.try_answer().await.unwrap_err();
    assert_eq!(
        error.kind(),
        std::io::ErrorKind::UnexpectedEof,
        "the body is broken off"
    );
}

#[tokio::test]
async fn an_answer_that_never_pauses_ends_with_the_request_timeout_too() {
    for timeouts in ["{request: 300ms}", "{request: 10s, backendRequest: 300ms}"] {
        let world = World::new(&[&ruled(&format!("timeouts: {timeouts}"))]).await;
        world.backend.always(Act::Bytes(1 << 40));
        let mut client = Raw::connect(world.port).await;
        client.send(raw::head("GET", "example.org", "/", &[])).await;
        let began = now();
        let read = tokio::time::timeout(Duration::from_secs(5), client.rest()).await;
        assert!(read.is_ok(), "{timeouts}: still reading");
        assert!(began.elapsed() >= Duration::from_millis(250), "{timeouts}");
    }
}

#[tokio::test]
async fn the_request_timeout_counts_the_requests_body() {
    let world = World::new(&[&ruled("timeouts: {request: 200ms}")]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 10\r\n\r\nhal")
        .await;
    let began = now();
    assert_eq!(client.answer().await.status, 504);
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(client.closed().await, "what follows would be no request");
}

#[tokio::test]
async fn codes_that_are_listed_are_tried_again_as_often_as_allowed() {
    let world = World::new(&[&ruled(
        "retry: {codes: [500, 503], attempts: 2, backoff: 10ms}",
    )])
    .await;
    world.backend.plan([Act::Status(503), Act::Status(500)]);
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
    assert_eq!(world.backend.count(), 3);
    world.backend.plan([
        Act::Status(503),
        Act::Status(503),
        Act::Status(503),
        Act::Echo,
    ]);
    let answer = raw::get(world.port, "example.org", "/").await;
    assert_eq!(
        (answer.status, answer.backend()),
        (503, Some("echo")),
        "the last answer is passed on"
    );
    assert_eq!(world.backend.count(), 6);
    assert_eq!(
        raw::get(world.port, "example.org", "/").await.status,
        200,
        "the fourth act"
    );
    world.backend.plan([Act::Status(502)]);
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 502);
}

#[tokio::test]
async fn a_body_is_sent_again_if_it_was_small_enough_to_keep() {
    let world = World::new(&[&ruled("retry: {codes: [503], attempts: 1}")]).await;
    for (size, status, tries) in [(1000, 200, 2), (200 * 1024, 503, 1)] {
        let before = world.backend.count();
        world.backend.plan([Act::Status(503)]);
        let body = "b".repeat(size);
        let mut client = Raw::connect(world.port).await;
        client
            .send(format!(
                "PUT / HTTP/1.1\r\nHost: example.org\r\nContent-Length: {size}\r\n\r\n{body}"
            ))
            .await;
        assert_eq!(client.answer().await.status, status, "{size}");
        let seen = &world.backend.seen()[before..];
        assert_eq!(seen.len(), tries, "{size}");
        assert!(seen.iter().all(|seen| seen.body.len() == size));
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_503_and_is_tried_elsewhere() {
    let port = ports::free();
    let closed = ports::free();
    let alive = Backend::start("alive").await;
    let objects = |policy: &str, endpoints: &[&dyn yaml::Listens]| {
        yaml::documents(&[
            &yaml::gateway(port),
            &yaml::backend_with("echo", endpoints, ""),
            &ruled(policy),
        ])
    };
    let mut gateway = Gateway::start(&objects("name: r", &[&closed])).await;
    let answer = raw::get(port, "example.org", "/").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer
            .header("proxy-status")
            .is_some_and(|status| status.contains("connection_refused")),
        "{answer:?}"
    );
    gateway
        .reload(&objects(
            "retry: {attempts: 3, codes: [500]}",
            &[&closed, &alive],
        ))
        .await;
    for _ in 0..12 {
        assert_eq!(raw::get(port, "example.org", "/").await.status, 200);
    }
    gateway
        .reload(&objects("retry: {attempts: 2, codes: [500]}", &[&closed]))
        .await;
    assert!(matches!(
        raw::get(port, "example.org", "/").await.status,
        500 | 503
    ));
}

#[tokio::test]
async fn a_backend_that_breaks_off_before_its_answer_is_502() {
    let world = World::new(&[&ruled("name: r")]).await;
    world.backend.always(Act::Break);
    let answer = raw::get_with(world.port, "example.org", "/", &[]).await;
    assert_eq!(answer.status, 502);
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1\r\n\r\nx")
        .await;
    assert_eq!(client.answer().await.status, 502);
    assert_eq!(
        world
            .backend
            .seen()
            .iter()
            .filter(|seen| seen.method == "POST")
            .count(),
        1,
        "not sent twice"
    );
}

#[tokio::test]
async fn broken_connections_are_tried_again_and_in_the_end_503() {
    let world = World::new(&[&ruled("retry: {attempts: 3}")]).await;
    for (breaks, status, tries) in [(2, 200, 3), (4, 503, 4)] {
        let before = world.backend.count();
        world.backend.plan(std::iter::repeat_n(Act::Break, breaks));
        let mut client = Raw::connect(world.port).await;
        client
            .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1\r\n\r\nx")
            .await;
        let answer = client.answer().await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(world.backend.count() - before, tries);
    }
    let answer = raw::get(world.port, "example.org", "/").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn resets_are_tried_again_without_any_codes_and_in_the_end_503() {
    let port = ports::free();
    let tap = Tap::start(vec![Step::Until(b"\r\n\r\n".to_vec()), Step::Reset]).await;
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("echo", &tap),
        &ruled("retry: {attempts: 3}"),
    ]))
    .await;
    assert_eq!(raw::get(port, "example.org", "/").await.status, 503);
    assert_eq!(tap.connections(), 4);
}

#[tokio::test]
async fn the_times_of_tries_and_of_the_whole_are_504_however_often_it_is_tried() {
    let mut world = World::new(&[&ruled(
        "timeouts: {backendRequest: 100ms, request: 5s}, retry: {attempts: 2}",
    )])
    .await;
    world.backend.always(Act::Delay(Duration::from_secs(2)));
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 504);
    assert_eq!(world.backend.count(), 3);
    world
        .reload(&[&ruled(
            "timeouts: {backendRequest: 100ms, request: 250ms}, retry: {attempts: 50}",
        )])
        .await;
    let began = now();
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 504);
    assert!(began.elapsed() < Duration::from_millis(1500));
    assert!(world.backend.count() <= 6, "{}", world.backend.count());
}

#[tokio::test]
async fn what_is_no_http_from_a_backend_is_502() {
    for answer in [
        "garbage\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 99999 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\r\n\r\n",
    ] {
        let tap = Tap::answering(answer).await;
        let port = ports::free();
        let _gateway = Gateway::start(&yaml::documents(&[
            &yaml::gateway(port),
            &yaml::backend("tap", &tap),
            &yaml::route_all("one", "tap"),
        ]))
        .await;
        let heard = raw::get(port, "example.org", "/").await;
        assert_eq!(heard.status, 502, "{answer:?}: {heard:?}");
        assert!(heard.header("proxy-status").is_some(), "{heard:?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_broken_for_the_client_too() {
    let world = World::new(&[&ruled("name: r")]).await;
    world.backend.always(Act::BreakInBody);
    let mut client = Raw::connect(world.port).await;
    client.send(raw::head("GET", "example.org", "/", &[])).await;
    assert!(
        client.try_answer().await.is_err(),
        "not an answer that looks whole"
    );
    let tap = Tap::start(vec![
        Step::Until(b"\r\n\r\n".to_vec()),
        Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec()),
        Step::Wait(Duration::from_millis(20)),
        Step::Reset,
    ])
    .await;
    let mut world = world;
    world
        .reload(&[&yaml::backend("tap", &tap), &yaml::route_all("one", "tap")])
        .await;
    let mut client = Raw::connect(world.port).await;
    client.send(raw::head("GET", "example.org", "/", &[])).await;
    assert!(client.try_answer().await.is_err());
}

#[tokio::test]
async fn an_idle_connection_that_the_backend_closed_costs_nobody_a_request() {
    // The backend closes each connection a moment after its first answer, without announcing it.
    let tap = Tap::start(vec![
        Step::Until(b"\r\n\r\n".to_vec()),
        Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
        Step::Until(b"\r\n\r\n".to_vec()),
        Step::Close,
    ])
    .await;
    let port = ports::free();
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("tap", &tap),
        &yaml::route_all("one", "tap"),
    ]))
    .await;
    let mut client = Raw::connect(port).await;
    for round in 0..10 {
        assert_eq!(client.get("example.org", "/").await.status, 200, "{round}");
    }
}

#[tokio::test]
async fn a_slow_connect_is_given_up() {
    // Nobody answers at this address (TEST-NET-1); where there is no route, it is refused at once.
    let port = ports::free();
    let backend = "apiVersion: gateway.daemun.dev/v1alpha1\nkind: Backend\nmetadata: {name: far}\nspec:\n  endpoints: [{address: 192.0.2.1, port: 80}]";
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        backend,
        &yaml::backend_policy("far", "connections: {connect: 200ms}"),
        &yaml::route_all("one", "far"),
    ]))
    .await;
    let began = now();
    let answer = raw::get(port, "example.org", "/").await;
    assert!(matches!(answer.status, 503 | 504), "{answer:?}");
    assert!(began.elapsed() < Duration::from_secs(4));
}
