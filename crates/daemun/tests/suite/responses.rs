//! What backends answer, well and badly: a client gets all of a sound answer, never half of one that
//! looks whole, and never another request's.

use std::time::Duration;

use daemun_testkit::{Backend, Gateway, Raw, Step, Tap, ports, raw, yaml};

/// A gateway with `/good` before a sound backend, and all else before a tap.
async fn before(tap: &Tap, good: &Backend) -> (u16, Gateway) {
    let port = ports::free();
    let (to_tap, to_good) = (yaml::to("tap"), yaml::to("good"));
    let rules = format!(
        "rules:\n- backendRefs: [{{{to_tap}}}]\n- {{matches: [{{path: {{value: /good}}}}], backendRefs: [{{{to_good}}}]}}"
    );
    let gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("tap", tap),
        &yaml::backend("good", good),
        &yaml::route("one", &rules),
    ]))
    .await;
    (port, gateway)
}

fn answering(parts: &[&[u8]]) -> Vec<Step> {
    let mut steps = vec![Step::Until(b"\r\n\r\n".to_vec())];
    for part in parts {
        steps.push(Step::Send(part.to_vec()));
        steps.push(Step::Wait(Duration::from_millis(2)));
    }
    steps
}

/// Sound answers, and the bodies that clients get.
const SOUND: [(&str, u16, &str); 17] = [
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        200,
        "hello",
    ),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""),
    ("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
    ("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
    (
        "HTTP/1.1 200 All is well\r\ncontent-length:2\r\n\r\nok",
        200,
        "ok",
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length:  2 \r\n\r\nok",
        200,
        "ok",
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        200,
        "ok",
    ),
    (
        "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
        404,
        "no",
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        200,
        "hello",
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n003\r\nllo\r\n0\r\n\r\n",
        200,
        "hello",
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0;c\r\n\r\n",
        200,
        "hello",
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n",
        200,
        "0123456789",
    ),
    (
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        200,
        "ok",
    ),
    (
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        200,
        "ok",
    ),
    ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
    (
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        304,
        "",
    ),
    (
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
        200,
        "ok",
    ),
];

#[tokio::test]
async fn sound_answers_are_passed_on_whole() {
    let good = Backend::start("good").await;
    for (bytes, status, body) in SOUND {
        let tap = Tap::answering(bytes).await;
        let (port, _gateway) = before(&tap, &good).await;
        let mut client = Raw::connect(port).await;
        // Twice, so that what one answer leaves behind shows in the next.
        for _ in 0..2 {
            let answer = client.get("example.org", "/").await;
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (status, body),
                "{bytes:?}"
            );
        }
        assert_eq!(
            client.get("example.org", "/good").await.backend(),
            Some("good")
        );
    }
}

#[tokio::test]
async fn where_an_answer_is_cut_makes_no_difference() {
    let good = Backend::start("good").await;
    for (bytes, status, body) in [SOUND[0], SOUND[11], SOUND[13]] {
        let bytes = bytes.as_bytes();
        let scripts = (1..bytes.len()).map(|cut| answering(&[&bytes[..cut], &bytes[cut..]]));
        let mut scripts: Vec<_> = scripts.collect();
        for script in &mut scripts {
            // A connection for each cut.
            script.push(Step::Close);
        }
        let count = scripts.len();
        let tap = Tap::start_each(scripts).await;
        let (port, _gateway) = before(&tap, &good).await;
        for cut in 1..=count {
            let answer = raw::get(port, "example.org", "/").await;
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (status, body),
                "cut at {cut}"
            );
        }
    }
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_502() {
    let good = Backend::start("good").await;
    for bytes in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked, x\r\nContent-Length: x\r\n\r\nok",
        "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/9 200 OK\r\n\r\n",
        "ICY 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX-A: a\rb\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let tap = Tap::answering(bytes).await;
        let (port, _gateway) = before(&tap, &good).await;
        let mut client = Raw::connect(port).await;
        let answer = client.get("example.org", "/").await;
        assert_eq!(answer.status, 502, "{bytes:?}: {answer:?}");
        assert_eq!(
            client.get("example.org", "/good").await.backend(),
            Some("good"),
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn a_head_without_an_end_is_given_up() {
    let good = Backend::start("good").await;
    let endless = format!(
        "HTTP/1.1 200 OK\r\n{}",
        "X-A: 1234567890\r\n".repeat(200_000)
    );
    let one = format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\n", "a".repeat(3 << 20));
    for bytes in [endless, one] {
        let tap = Tap::start(answering(&[bytes.as_bytes()])).await;
        let (port, _gateway) = before(&tap, &good).await;
        let answer = raw::get(port, "example.org", "/").await;
        assert_eq!(answer.status, 502, "{}…", &bytes[..40]);
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_short_does_not_look_whole() {
    let good = Backend::start("good").await;
    for bytes in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n",
    ] {
        let mut steps = answering(&[bytes.as_bytes()]);
        steps.push(Step::Close);
        let tap = Tap::start(steps).await;
        let (port, _gateway) = before(&tap, &good).await;
        let mut client = Raw::connect(port).await;
        client.send(raw::head("GET", "example.org", "/", &[])).await;
        let answer = client.try_answer().await;
        let whole = answer.as_ref().is_ok_and(|answer| answer.status == 200);
        assert!(!whole, "{bytes:?}: {answer:?}");
        // An HTTP/2 client is told by a reset.
        let http2 = daemun_testkit::Http2::connect(port).await;
        let request =
            http::Request::get("http://example.org/").body(daemun_testkit::body::Body::empty());
        let answer = http2.exchange(request.unwrap()).await;
        let whole = answer.as_ref().is_ok_and(|answer| answer.status == 200);
        assert!(!whole, "{bytes:?}: {answer:?}");
        assert_eq!(
            http2.get("example.org", "/good").await.backend(),
            Some("good")
        );
    }
}

#[tokio::test]
async fn head_and_bodiless_answers_leave_nothing_behind() {
    let good = Backend::start("good").await;
    // A backend that sends a body where there must be none.
    for (method, bytes) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"),
        (
            "GET",
            "HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nforged",
        ),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nforged",
        ),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Forged\r\nContent-Length: 0\r\n\r\n",
        ),
    ] {
        let tap = Tap::answering(bytes).await;
        let (port, _gateway) = before(&tap, &good).await;
        let mut client = Raw::connect(port).await;
        for _ in 0..3 {
            let answer = client.request(method, "example.org", "/", &[]).await;
            assert!(
                matches!(answer.status, 200 | 204 | 304),
                "{bytes:?}: {answer:?}"
            );
            assert!(!answer.text().contains("forged"), "{bytes:?}");
        }
        assert_eq!(
            client.get("example.org", "/good").await.backend(),
            Some("good")
        );
    }
}

/// Numbers that look random and are always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap_or_default()
    }
}

const PIECES: [&str; 16] = [
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    "0",
    "\0",
    "chunked",
    "HTTP/1.1 200 OK\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "ffffffff\r\n",
    "X: y\r\n z\r\n",
];

#[tokio::test]
async fn no_change_of_an_answer_disturbs_another_request() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let scripts = (0..600).map(|_| {
        let (base, _, _) = SOUND[numbers.below(SOUND.len())];
        let mut bytes = base.as_bytes().to_vec();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len() + 1);
            let until = (at + numbers.below(6)).min(bytes.len());
            if numbers.below(3) == 0 {
                drop(bytes.drain(at..until));
            } else {
                let piece = PIECES[numbers.below(PIECES.len())].bytes();
                drop(bytes.splice(at..at, piece));
            }
        }
        let mut steps = answering(&[&bytes]);
        steps.push(Step::Close);
        steps
    });
    let tap = Tap::start_each(scripts.collect()).await;
    let good = Backend::start("good").await;
    let (port, _gateway) = before(&tap, &good).await;
    let mut client = Raw::connect(port).await;
    let mut broken = 0;
    for round in 0..600 {
        client.send(raw::head("GET", "example.org", "/", &[])).await;
        if client.try_answer().await.is_err() {
            broken += 1;
            client = Raw::connect(port).await;
        }
        client
            .send(raw::head("GET", "example.org", "/good", &[]))
            .await;
        let answer = match client.try_answer().await {
            Ok(answer) => answer,
            // The answer before it may have ended the connection.
            Err(_) => {
                client = Raw::connect(port).await;
                client.get("example.org", "/good").await
            }
        };
        assert_eq!(
            (answer.status, answer.backend()),
            (200, Some("good")),
            "{round}: {answer:?}"
        );
    }
    assert!(
        broken > 10,
        "{broken} answers were broken off: too few to mean much"
    );
}

#[tokio::test]
async fn the_rest_of_a_request_goes_on_while_the_answer_comes() {
    let good = Backend::start("good").await;
    // A backend that answers while it reads, and will close the connection afterwards, still wants it all.
    for connection in ["keep-alive", "close"] {
        let begin = format!(
            "HTTP/1.1 200 OK\r\nConnection: {connection}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n"
        );
        let tap = Tap::start(vec![
            Step::Until(b"first".to_vec()),
            Step::Send(begin.into_bytes()),
            Step::Until(b"second".to_vec()),
            Step::Send(b"3\r\nend\r\n0\r\n\r\n".to_vec()),
        ])
        .await;
        let (port, _gateway) = before(&tap, &good).await;
        let mut client = Raw::connect(port).await;
        client
            .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 11\r\n\r\nfirst")
            .await;
        assert_eq!(client.answer_to_head().await.status, 200);
        assert_eq!(client.bytes(10).await, b"5\r\nbegin\r\n");
        client.send("second").await;
        assert_eq!(
            client.bytes(13).await,
            b"3\r\nend\r\n0\r\n\r\n",
            "{connection}"
        );
    }
}

/// A frame of HTTP/2 as it goes over the wire.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short payload");
    [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
}

/// A backend's connection of HTTP/2: settings, then the answer 200 to the first request.
fn first_of_http2() -> Vec<Step> {
    vec![
        Step::Until(b"SM\r\n\r\n".to_vec()),
        Step::Send([frame(4, 0, 0, &[]), frame(4, 1, 0, &[])].concat()),
        Step::Wait(Duration::from_millis(60)),
        Step::Send(frame(1, 5, 1, &[0x88])),
    ]
}

#[tokio::test]
async fn a_stream_that_was_not_processed_is_sent_again() {
    let good = Backend::start("good").await;
    // GOAWAY whose last stream is the first one; RST_STREAM with REFUSED_STREAM; a close without a word.
    let goaway = frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    let refused = frame(3, 0, 3, &[0, 0, 0, 7]);
    for (name, last) in [
        ("GOAWAY", goaway),
        ("REFUSED_STREAM", refused),
        ("a close", Vec::new()),
    ] {
        let mut script = first_of_http2();
        script.extend([
            Step::Wait(Duration::from_millis(200)),
            Step::Send(last.clone()),
            Step::Wait(Duration::from_millis(20)),
        ]);
        if name == "REFUSED_STREAM" {
            // It may come again on the same connection.
            script.push(Step::Send(frame(1, 5, 5, &[0x88])));
            script.push(Step::Wait(Duration::from_millis(100)));
        }
        script.push(Step::Close);
        let tap = Tap::start_each(vec![
            script,
            first_of_http2(),
            first_of_http2(),
            first_of_http2(),
        ])
        .await;
        let port = ports::free();
        let settings = daemun_proxy::Settings {
            workers: 1,
            ..daemun_testkit::gateway::settings()
        };
        let _gateway = Gateway::start_with(
            settings,
            &yaml::documents(&[
                &yaml::gateway(port),
                &yaml::backend_with("tap", &[&tap], "protocol: HTTP2"),
                &yaml::backend("good", &good),
                &yaml::route_all("one", "tap"),
            ]),
        )
        .await;
        let mut client = Raw::connect(port).await;
        assert_eq!(client.get("example.org", "/1").await.status, 200, "{name}");
        assert_eq!(client.get("example.org", "/2").await.status, 200, "{name}");
    }
}
