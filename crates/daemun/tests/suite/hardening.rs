//! What clients must not be able to do: be understood in two ways, use more than they may, or disturb
//! others.

#[path = "hardening/attacks.rs"]
mod attacks;

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use daemun_testkit::body::Body;
use daemun_testkit::{Act, Gateway, Http2, Raw, Tap, ports, raw, yaml};
use http::Request;

use crate::World;

/// Sends bytes on a connection of their own, and says how they were taken, if not with 400 and an end.
async fn not_refused(world: &World, bytes: &[u8]) -> Option<String> {
    let shown = String::from_utf8_lossy(bytes).into_owned();
    let mut client = Raw::connect(world.port).await;
    client.send(bytes).await;
    let answer = match client.try_answer().await {
        Ok(answer) => answer.status.to_string(),
        Err(error) => error.to_string(),
    };
    let ended = client.closed().await;
    (answer != "400" || !ended).then(|| format!("{shown:?}: {answer}, connection ended: {ended}"))
}

#[tokio::test]
async fn what_two_parsers_could_read_in_two_ways_is_refused() {
    let world = World::plain(&[]).await;
    let mut wrong = Vec::new();
    let start = "POST / HTTP/1.1\r\nHost: example.org\r\n";
    for rest in [
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "Content-Length: 5, 6\r\n\r\nhello!",
        "Content-Length: +5\r\n\r\nhello",
        "Content-Length: -5\r\n\r\nhello",
        "Content-Length: 0x5\r\n\r\nhello",
        "Content-Length: 5 5\r\n\r\nhello",
        "Content-Length: \r\n\r\nhello",
        "Content-Length: 99999999999999999999999\r\n\r\nhello",
        "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\n\r\n",
        "Transfer-Encoding:\r\n\r\n0\r\n\r\n",
        "X-A: 1\r\n folded\r\n\r\n",
        "X-A : 1\r\n\r\n",
        "X A: 1\r\n\r\n",
        " X-A: 1\r\n\r\n",
        "X-A\r\n\r\n",
        ": 1\r\n\r\n",
        "X-A: a\0b\r\n\r\n",
        "X-A: a\rb\r\n\r\n",
        "X-\u{1}A: 1\r\n\r\n",
        "Host: example.org\r\n\r\n",
        "Host: other.example.org\r\n\r\n",
    ] {
        wrong.extend(not_refused(&world, format!("{start}{rest}").as_bytes()).await);
    }
    for bytes in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: user@example.org\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: example.org/path\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: example.org:port\r\n\r\n",
        "GET http://other.example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "GET /a\u{1}b HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "GET /a\u{7f} HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "GET example.org HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: example.org\r\n\r\n",
        "GET / HTTP/3.0\r\nHost: example.org\r\n\r\n",
        "GET / http/1.1\r\nHost: example.org\r\n\r\n",
        "GET / HTTP/0.9\r\n\r\n",
    ] {
        wrong.extend(not_refused(&world, bytes.as_bytes()).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.backend.count(), 0, "{:?}", world.backend.seen());
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
}

#[tokio::test]
async fn what_hyper_reads_in_one_way_only_is_written_anew() {
    let tap = Tap::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let port = ports::free();
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("tap", &tap),
        &yaml::route_all("one", "tap"),
    ]))
    .await;
    for bytes in [
        "POST /bare HTTP/1.1\nHost: example.org\nContent-Length: 2\n\nhi",
        "POST /equal HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    ] {
        let mut client = Raw::connect(port).await;
        client.send(bytes).await;
        let answer = client.answer().await;
        assert!(matches!(answer.status, 200 | 400), "{bytes:?}");
    }
    // Transfer-Encoding goes before Content-Length, which is dropped, and the connection ends.
    let mut client = Raw::connect(port).await;
    client
        .send("POST /both HTTP/1.1\r\nHost: example.org\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: example.org\r\n\r\n")
        .await;
    let answer = client.answer().await;
    assert!(matches!(answer.status, 200 | 400), "{answer:?}");
    assert!(client.rest().await.is_empty(), "nothing after it is served");
    let heard = tap.all();
    for head in heard
        .split("\r\n\r\n")
        .filter(|part| part.contains(" HTTP/1.1\r\n"))
    {
        let lower = head.to_ascii_lowercase();
        let lengths = lower.matches("content-length:").count();
        let encodings = lower.matches("transfer-encoding:").count();
        assert!(lengths + encodings <= 1, "{head:?}");
        assert!(!head.replace("\r\n", "").contains(['\n', '\r']), "{head:?}");
    }
    assert!(!heard.contains("smuggled"), "{heard:?}");
}

#[tokio::test]
async fn broken_chunks_never_look_whole_to_the_backend() {
    for chunks in [
        "5\r\nhello\r\nzz\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5\r\nhelloX\n0\r\n\r\n",
        "-1\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        "5 5\r\nhello\r\n0\r\n\r\n",
    ] {
        let world = World::plain(&[]).await;
        let mut client = Raw::connect(world.port).await;
        let head = "POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.send(format!("{head}{chunks}")).await;
        let answer = client.try_answer().await;
        assert!(
            answer.as_ref().map_or(true, |answer| answer.status >= 400),
            "{chunks:?}: {answer:?}"
        );
        assert_eq!(world.backend.count(), 0, "{chunks:?}: the body never ended");
    }
}

#[tokio::test]
async fn heads_have_limits() {
    let policy = yaml::listener_policy(
        "limits: {headerBytes: 8192, headerCount: 20, targetBytes: 200, bodyBytes: 1000}",
    );
    let world = World::plain(&[&policy]).await;
    let many = (0..30).fold(String::new(), |mut text, number| {
        let _ = write!(text, "X-{number}: 1\r\n");
        text
    });
    let request = |rest: &str| format!("GET / HTTP/1.1\r\nHost: example.org\r\n{rest}\r\n");
    let large = format!("X-A: {}\r\n", "a".repeat(10_000));
    let target = format!(
        "GET /{} HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "a".repeat(300)
    );
    for (bytes, status) in [(request(&many), 431), (request(&large), 431), (target, 414)] {
        let mut client = Raw::connect(world.port).await;
        client.send(&bytes).await;
        assert_eq!(client.answer().await.status, status, "{}", &bytes[..40]);
    }
    let body = "b".repeat(2000);
    let announced =
        format!("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2000\r\n\r\n{body}");
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n{body}\r\n0\r\n\r\n"
    );
    for bytes in [announced, chunked] {
        let mut client = Raw::connect(world.port).await;
        client.send(&bytes).await;
        assert_eq!(client.answer().await.status, 413);
    }
    assert_eq!(world.backend.count(), 0);
    let small = "POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\nhi";
    let mut client = Raw::connect(world.port).await;
    client.send(small).await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn the_limits_hold_for_http_2_too() {
    let policy = yaml::listener_policy(
        "limits: {headerBytes: 8192, headerCount: 20, targetBytes: 200, bodyBytes: 1000}",
    );
    let world = World::plain(&[&policy]).await;
    let client = Http2::connect(world.port).await;
    let uri = "http://example.org/";
    let mut many = Request::get(uri);
    for number in 0..30 {
        many = many.header(format!("x-{number}"), "1");
    }
    let large = Request::get(uri).header("x-a", "a".repeat(10_000));
    for request in [many, large] {
        let answer = client.exchange(request.body(Body::empty()).unwrap()).await;
        // A head that is too large for the connection's own limit is refused by the engine.
        assert!(
            answer.as_ref().map_or(true, |answer| answer.status == 431),
            "{answer:?}"
        );
    }
    let client = Http2::connect(world.port).await;
    let target = format!("http://example.org/{}", "a".repeat(300));
    let answer = client
        .exchange(Request::get(target).body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status, 414);
    let body = Body::of(Bytes::from(vec![b'b'; 2000]));
    let answer = client
        .exchange(Request::post(uri).body(body).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status, 413);
    assert_eq!(world.backend.count(), 0);
    assert_eq!(client.get("example.org", "/").await.status, 200);
}

#[tokio::test]
async fn slow_clients_are_given_up() {
    let policy = yaml::listener_policy("limits: {headerRead: 1s, idle: 1s, stall: 1s}");
    let world = World::plain(&[&policy]).await;
    let told = |rest: &[u8], name: &str| {
        let text = String::from_utf8_lossy(rest).into_owned();
        // To a client of HTTP/2 its settings are told.
        let beginnings = ["HTTP/1.1 408", "HTTP/1.1 400", "\0"];
        let told = text.is_empty() || beginnings.iter().any(|start| text.starts_with(start));
        assert!(told, "{name}: {text}");
    };
    let ended = async |bytes: &str, name: &str| {
        let mut client = Raw::connect(world.port).await;
        client.send(bytes).await;
        let rest = tokio::time::timeout(Duration::from_secs(6), client.rest()).await;
        match rest {
            Ok(rest) => told(&rest, name),
            Err(_) => daemun_testkit::fail(&format!("{name}: the connection is still open")),
        }
    };
    let idle = async {
        let mut client = Raw::connect(world.port).await;
        assert_eq!(client.get("example.org", "/").await.status, 200);
        told(&client.rest().await, "idle");
    };
    let trickle = async {
        let mut client = Raw::connect(world.port).await;
        client
            .send("GET / HTTP/1.1\r\nHost: example.org\r\nX: ")
            .await;
        for _ in 0..60 {
            if client.try_send("x").await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        daemun_testkit::fail("a head that trickles is taken for ever");
    };
    tokio::join!(
        ended("", "silent"),
        ended("GET / HTTP/1.1\r\nHost: exam", "half a head"),
        ended("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "a preface"),
        ended(
            "POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 10\r\n\r\nhal",
            "half a body"
        ),
        idle,
        trickle,
    );
}

#[tokio::test]
async fn too_many_requests_are_told_to_come_back() {
    let world = World::plain(&[&yaml::listener_policy("limits: {requests: 2}")]).await;
    world.backend.always(Act::Delay(Duration::from_millis(400)));
    let client = Http2::connect(world.port).await;
    let answers = tokio::join!(
        client.get("example.org", "/1"),
        client.get("example.org", "/2"),
        async {
            world.backend.until(2).await;
            raw::get(world.port, "example.org", "/3").await
        }
    );
    assert_eq!(
        (answers.0.status, answers.1.status, answers.2.status),
        (200, 200, 503)
    );
    assert!(answers.2.header("retry-after").is_some(), "{:?}", answers.2);
    assert_eq!(
        raw::get(world.port, "example.org", "/").await.status,
        200,
        "there is room again"
    );
}

#[tokio::test]
async fn too_many_connections_are_refused_and_room_comes_back() {
    let world = World::plain(&[&yaml::listener_policy("limits: {connections: 3}")]).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut client = Raw::connect(world.port).await;
        assert_eq!(client.get("example.org", "/").await.status, 200);
        held.push(client);
    }
    let mut refused = Raw::connect(world.port).await;
    let _ = refused
        .try_send("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        .await;
    if let Ok(answer) = refused.try_answer().await {
        assert_eq!(answer.status, 503);
        assert!(answer.header("retry-after").is_some());
    }
    held.pop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
    assert_eq!(world.backend.count(), 4);
}

/// A frame of HTTP/2 as it goes over the wire.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("a small frame")
        .to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// GET, http, /, and `:authority: a` in HPACK.
const HEADERS: &[u8] = &[0x82, 0x86, 0x84, 0x41, 0x01, b'a'];

#[tokio::test]
async fn rapid_resets_end_the_connection_and_nobody_elses() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Hang);
    let mut client = Raw::connect(world.port).await;
    client.send([PREFACE, &frame(4, 0, 0, &[])].concat()).await;
    let mut ended = false;
    for number in 0..2000_u32 {
        let stream = number * 2 + 1;
        let bytes = [
            frame(1, 5, stream, HEADERS),
            frame(3, 0, stream, &[0, 0, 0, 8]),
        ]
        .concat();
        if client.try_send(&bytes).await.is_err() {
            ended = true;
            break;
        }
    }
    let rest = client.rest();
    let rest = tokio::time::timeout(Duration::from_secs(5), rest).await;
    assert!(ended || rest.is_ok(), "the connection is ended");
    assert!(world.backend.count() < 1000, "{}", world.backend.count());
    world.backend.always(Act::Echo);
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
}

#[tokio::test]
async fn endless_continuations_end_the_connection() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    client.send([PREFACE, &frame(4, 0, 0, &[])].concat()).await;
    // HEADERS without END_HEADERS, then CONTINUATION for ever: `x: …` as literals.
    client.send(frame(1, 1, 1, HEADERS)).await;
    let literal = [&[0x00, 0x01, b'x', 0x64][..], &[b'y'; 100]].concat();
    let mut ended = false;
    for _ in 0..5000 {
        if client
            .try_send(frame(9, 0, 1, &literal.repeat(20)))
            .await
            .is_err()
        {
            ended = true;
            break;
        }
    }
    let rest = tokio::time::timeout(Duration::from_secs(5), client.rest()).await;
    assert!(ended || rest.is_ok(), "the connection is ended");
    assert_eq!(world.backend.count(), 0);
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
}

#[tokio::test]
async fn http_2_heads_are_as_strict_as_http_1_heads() {
    let world = World::plain(&[]).await;
    // Literal fields without indexing, of one-byte lengths.
    let field = |name: &str, value: &str| {
        let length = |text: &str| u8::try_from(text.len()).unwrap();
        [
            &[0, length(name)],
            name.as_bytes(),
            &[length(value)],
            value.as_bytes(),
        ]
        .concat()
    };
    for fields in [
        field("transfer-encoding", "chunked"),
        field("connection", "keep-alive"),
        field("keep-alive", "timeout=5"),
        field("host", "other.example.org"),
        field("X-Upper", "1"),
        field("x-a", "a\r\nx-b: 1"),
        field("x-a", "a\0b"),
        field("x a", "1"),
        [field("content-length", "5"), field("content-length", "6")].concat(),
        field("content-length", "5x"),
        field("te", "gzip"),
    ] {
        let mut client = Raw::connect(world.port).await;
        let head = [HEADERS, &fields].concat();
        client
            .send([PREFACE, &frame(4, 0, 0, &[]), &frame(1, 5, 1, &head)].concat())
            .await;
        // Whatever is said, it is no answer of the backend's.
        tokio::time::sleep(Duration::from_millis(30)).await;
        let shown = String::from_utf8_lossy(&fields).into_owned();
        let harmless = world
            .backend
            .seen()
            .iter()
            .all(|seen| seen.header("te").is_none() && shown.contains("te"));
        assert!(
            world.backend.count() == 0 || harmless,
            "{shown:?}: {:?}",
            world.backend.seen()
        );
    }
}

#[tokio::test]
async fn one_clients_garbage_is_nobody_elses_trouble() {
    let world = World::plain(&[]).await;
    let mut good = Raw::connect(world.port).await;
    for round in 0..50_u8 {
        let mut bad = Raw::connect(world.port).await;
        let garbage: Vec<u8> = (0..200)
            .map(|place: u8| place.wrapping_mul(round).wrapping_add(7))
            .collect();
        let _ = bad.try_send(&garbage).await;
        assert_eq!(good.get("example.org", "/").await.status, 200);
    }
}

#[tokio::test]
async fn half_a_preface_and_an_end_is_no_burden() {
    let world = World::plain(&[]).await;
    for start in ["P", "PRI * HTTP/2.0\r\n"] {
        let mut client = Raw::connect(world.port).await;
        client.send(start).await;
        client.end().await;
        let ended = tokio::time::timeout(Duration::from_secs(2), client.rest()).await;
        assert!(ended.is_ok(), "{start:?}: nothing more can come");
    }
}

/// Sends the same bytes after a preface, again and again, until the connection ends or there were enough.
async fn flood(port: u16, bytes: &[u8], times: usize) {
    let mut client = Raw::connect(port).await;
    client.send([PREFACE, &frame(4, 0, 0, &[])].concat()).await;
    let flooding = async {
        for _ in 0..times {
            if client.try_send(bytes).await.is_err() {
                return;
            }
        }
    };
    // A gateway that stops reading is as good as one that ends the connection.
    let _ = tokio::time::timeout(Duration::from_secs(2), flooding).await;
}

#[tokio::test]
async fn floods_over_http_2_are_nobody_elses_trouble() {
    let world = World::plain(&[]).await;
    let request = frame(1, 5, 1, HEADERS);
    for (name, bytes) in [
        ("PING", frame(6, 0, 0, &[1; 8])),
        ("SETTINGS", frame(4, 0, 0, &[0, 3, 0, 0, 0, 100])),
        (
            "empty DATA",
            [request.clone(), frame(0, 0, 1, &[])].concat(),
        ),
        ("WINDOW_UPDATE", frame(8, 0, 0, &[0, 0, 0, 1])),
        ("WINDOW_UPDATE of nothing", frame(8, 0, 0, &[0; 4])),
        ("window overflow", frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff])),
        ("PRIORITY", frame(2, 0, 3, &[0, 0, 0, 0, 16])),
        ("unknown frames", frame(0xfe, 0, 0, &[0; 100])),
        ("a frame too large", frame(0, 0, 1, &[0; 20_000])),
        ("RST of nothing", frame(3, 0, 99, &[0, 0, 0, 8])),
        ("PUSH_PROMISE", frame(5, 4, 1, &[0, 0, 0, 2, 0x82])),
        ("an even stream", frame(1, 5, 2, HEADERS)),
        ("the same stream", request),
        ("broken HPACK", frame(1, 5, 1, &[0xff; 20])),
        ("GOAWAY", frame(7, 0, 0, &[0; 8])),
    ] {
        flood(world.port, &bytes.repeat(50), 200).await;
        let answer = raw::get(world.port, "example.org", "/").await;
        assert_eq!(answer.status, 200, "after {name}");
    }
}

#[tokio::test]
async fn garbage_frames_are_nobody_elses_trouble() {
    let world = World::plain(&[]).await;
    let mut state = 0x9e37_79b9_u32;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    for round in 0..150 {
        let mut client = Raw::connect(world.port).await;
        let mut bytes = [PREFACE, &frame(4, 0, 0, &[])].concat();
        for _ in 0..20 {
            let kind = u8::try_from(next() % 11).unwrap();
            let flags = u8::try_from(next() % 256).unwrap();
            let length = usize::try_from(next() % 40).unwrap();
            let payload: Vec<u8> = (0..length).map(|_| next().to_be_bytes()[0]).collect();
            let payload = if kind == 1 && next() % 2 == 0 {
                HEADERS.to_vec()
            } else {
                payload
            };
            bytes.extend(frame(kind, flags, next() % 8, &payload));
        }
        let _ = client.try_send(&bytes).await;
        client.end().await;
        let ended = tokio::time::timeout(Duration::from_secs(5), client.rest()).await;
        assert!(ended.is_ok(), "{round}: the connection does not end");
        if round % 25 == 0 {
            assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
        }
    }
}
