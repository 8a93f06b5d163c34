//! Attacks that have worked on gateways: another protocol spoken behind the gateway's back, trailers and
//! look-alike names that say what only a checked head may say, clients that hold what they do not take, and
//! backends that never come to their answer.

use std::time::Duration;

use daemun_testkit::{Act, Backend, Gateway, Raw, Step, Tap, ports, raw, yaml};

use super::{HEADERS, PREFACE, frame};
use crate::World;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A gateway in front of a backend that keeps every byte.
async fn tapped(tap: &Tap, more: &[&str]) -> (Gateway, u16) {
    let port = ports::free();
    let own = [
        yaml::gateway(port),
        yaml::backend("tap", tap),
        yaml::route_all("one", "tap"),
    ];
    let objects: Vec<&str> = own.iter().map(String::as_str).collect();
    let gateway = Gateway::start(&yaml::documents(&[&objects, more].concat())).await;
    (gateway, port)
}

#[tokio::test]
async fn a_backend_is_never_asked_for_another_http() {
    let tap = Tap::answering(OK).await;
    let (_gateway, port) = tapped(&tap, &[]).await;
    let asking = |protocol: &str| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\nUpgrade: {protocol}\r\n\r\n"
        )
    };
    for protocol in ["h2c", "H2C", "h2c,", "websocket, h2c", ", h2c", "HTTP/2.0"] {
        let mut client = Raw::connect(port).await;
        client.send(asking(protocol)).await;
        assert_eq!(client.answer().await.status, 200, "{protocol}");
    }
    let heard = tap.all().to_ascii_lowercase();
    assert!(!heard.contains("upgrade"), "{heard}");
    assert!(!heard.contains("http2-settings"), "{heard}");
    let mut client = Raw::connect(port).await;
    client.send(asking("websocket")).await;
    let _ = client.answer().await;
    assert!(
        tap.all().contains("upgrade: websocket"),
        "the others do pass"
    );
}

#[tokio::test]
async fn trailers_do_not_say_what_only_a_head_may_say() {
    let tap = Tap::start(vec![
        Step::Until(b"x-last: 1\r\n\r\n".to_vec()),
        Step::Send(OK.into()),
    ])
    .await;
    let (_gateway, port) = tapped(&tap, &[]).await;
    let mut client = Raw::connect(port).await;
    client
        .send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\
             Host: evil\r\nX-Forwarded-For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX_Forwarded_Proto: https\r\n\
             X-Request-Id: forged-by-hand\r\nAuthorization: forged\r\nCookie: forged=1\r\nContent-Length: 666\r\n\
             Transfer-Encoding: forged\r\nConnection: forged\r\nX-Last: 1\r\n\r\n",
        )
        .await;
    assert_eq!(client.answer().await.status, 200);
    let heard = tap.all();
    let (_, trailers) = heard.split_once("\r\n0\r\n").expect("a last chunk");
    assert_eq!(trailers, "x-last: 1\r\n\r\n");
}

#[tokio::test]
async fn names_that_servers_take_for_forwarding_headers_go_too() {
    let world = World::plain(&[]).await;
    let headers = [
        ("X_Forwarded_For", "6.6.6.6"),
        ("X-Forwarded_Proto", "https"),
        ("x_real_ip", "6.6.6.6"),
        ("X_Forwarding", "stays"),
    ];
    let answer = raw::get_with(world.port, "example.org", "/", &headers).await;
    assert_eq!(answer.status, 200);
    let seen = world.backend.last();
    for (name, _) in &headers[..3] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("x_forwarding"), Some("stays"));
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
}

const PING: &[u8] = b"8 bytes.";

/// Sends pings until the connection ends, and says how long that took.
async fn pinged(client: &mut Raw) -> Duration {
    let begin = tokio::time::Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        if client.try_send(&frame(6, 0, 0, PING)).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    begin.elapsed()
}

#[tokio::test]
async fn an_http_2_client_that_gives_no_leave_to_send_is_given_up() {
    let policy = yaml::listener_policy("limits: {stall: 1s}");
    let world = World::plain(&[&policy]).await;
    world.backend.always(Act::Bytes(1_000_000));
    let mut client = Raw::connect(world.port).await;
    // SETTINGS_INITIAL_WINDOW_SIZE is 0, and no window is ever opened.
    let settings = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    client
        .send([PREFACE, &settings, &frame(1, 5, 1, HEADERS)].concat())
        .await;
    let lasted = pinged(&mut client).await;
    assert!(lasted < Duration::from_secs(8), "{lasted:?}");
}

#[tokio::test]
async fn pings_are_no_beginning_of_a_request_and_do_not_keep_a_connection() {
    let policy = yaml::listener_policy("limits: {headerRead: 1s, idle: 3s, stall: 1s}");
    let world = World::plain(&[&policy]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send([PREFACE, &frame(4, 0, 0, &[]), &frame(1, 5, 1, HEADERS)].concat())
        .await;
    world.backend.until(1).await;
    let lasted = pinged(&mut client).await;
    // The clock of connections counts seconds.
    assert!(lasted > Duration::from_millis(2500), "{lasted:?}");
    assert!(lasted < Duration::from_secs(8), "{lasted:?}");
    // GOAWAY with NO_ERROR: the client knows which requests it may send again.
    let rest = client.rest().await;
    let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0];
    let told = rest
        .windows(17)
        .any(|bytes| bytes.starts_with(&goaway) && bytes.ends_with(&[0; 4]));
    assert!(told, "{rest:?}");
}

#[tokio::test]
async fn a_backend_that_only_says_that_it_will_answer_is_given_up() {
    let interim = "HTTP/1.1 102 Processing\r\n\r\n";
    for (count, status) in [(500, 200), (5000, 502)] {
        let tap = Tap::start(vec![
            Step::Until(b"\r\n\r\n".to_vec()),
            Step::Send(interim.repeat(count).into()),
            Step::Send(OK.into()),
        ])
        .await;
        let (_gateway, port) = tapped(&tap, &[]).await;
        assert_eq!(raw::get(port, "a", "/").await.status, status, "{count}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_takes_nothing_from_others_on_the_same_connection() {
    let backend = Backend::start("h2").await;
    backend.always(Act::Bytes(50_000_000));
    let port = ports::free();
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend_with("h2", &[&backend], "protocol: HTTP2"),
        &yaml::route_all("one", "h2"),
    ]))
    .await;
    // Several, so that every worker has one of them.
    let mut greedy = Vec::new();
    for _ in 0..6 {
        let mut client = Raw::connect(port).await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        greedy.push(client);
    }
    backend.until(6).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    backend.always(Act::Bytes(200_000));
    for _ in 0..6 {
        let asked = raw::get(port, "a", "/");
        let answer = tokio::time::timeout(Duration::from_secs(5), asked).await;
        assert_eq!(answer.map(|answer| answer.body.len()), Ok(200_000));
    }
}

#[tokio::test]
async fn requests_that_never_end_leave_room_for_others_on_an_http_2_backend() {
    let backend = Backend::start("h2").await;
    backend.takes_streams(100);
    backend.always(Act::Hang);
    let port = ports::free();
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend_with("h2", &[&backend], "protocol: HTTP2"),
        &yaml::route_all("one", "h2"),
    ]))
    .await;
    // More than one connection to the backend takes, on both workers.
    let mut hanging = Vec::new();
    for _ in 0..300 {
        let mut client = Raw::connect(port).await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        hanging.push(client);
    }
    backend.until(300).await;
    backend.always(Act::Echo);
    for _ in 0..6 {
        assert_eq!(raw::get(port, "a", "/").await.status, 200);
    }
    assert!(backend.connections() < 10, "{}", backend.connections());
}
