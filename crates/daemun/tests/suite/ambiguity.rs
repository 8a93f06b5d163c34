//! Whatever a client sends, a backend can read what reaches it in one way only. Requests that are on
//! the edge are changed at random places, always in the same way from run to run.

use std::time::Duration;

use daemun_testkit::{Gateway, Raw, Strict, ports, raw, yaml};

const BASES: [&str; 9] = [
    "GET / HTTP/1.1\r\nHost: example.org\r\nX-A: 1\r\n\r\n",
    "GET http://example.org/a/../b?c#d HTTP/1.1\r\nHost: example.org\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nhello",
    "POST /p HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "POST /p HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n5;a=b\r\nhello\r\n0\r\nx-t: 1\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: example.org\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: example.org\r\n\r\n",
    "GET /w HTTP/1.1\r\nHost: example.org\r\nConnection: Upgrade, X-A\r\nUpgrade: websocket\r\nX-A: 1\r\n\r\n",
    "PUT /e HTTP/1.1\r\nHost: example.org\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
];

const PIECES: [&str; 24] = [
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    ",",
    "0",
    "\0",
    "\u{7f}",
    "%00",
    "//",
    "\r\n ",
    "chunked",
    "Host: b\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding : chunked\r\n",
    "transfer-encoding:\u{b}chunked\r\n",
    "Content-Length: 0x3\r\n",
    "Connection: Content-Length\r\n",
    "Connection: Host\r\n",
    "HTTP/1.0",
    "X: y\r\n z\r\n",
];

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

fn changed(numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = BASES[numbers.below(BASES.len())].as_bytes().to_vec();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(bytes.len() + 1);
        let until = (at + numbers.below(6)).min(bytes.len());
        match numbers.below(4) {
            0 => drop(bytes.drain(at..until)),
            1 => {
                let again = bytes[at..until].to_vec();
                drop(bytes.splice(at..at, again));
            }
            _ => {
                let piece = PIECES[numbers.below(PIECES.len())].bytes();
                drop(bytes.splice(at..at, piece));
            }
        }
    }
    if numbers.below(3) == 0 {
        bytes.extend_from_slice(BASES[numbers.below(BASES.len())].as_bytes());
    }
    bytes
}

#[tokio::test]
async fn no_change_of_a_request_makes_a_backend_doubt() {
    let port = ports::free();
    let (plain, second) = (Strict::start().await, ports::free());
    let listeners = format!(
        "- {{name: one, port: {port}, protocol: HTTP}}\n- {{name: two, port: {second}, protocol: HTTP}}"
    );
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&listeners),
        &yaml::backend("strict", &plain),
        &yaml::route_all("one", "strict"),
    ]))
    .await;
    let mut good = Raw::connect(second).await;
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for round in 0..1500 {
        let bytes = changed(&mut numbers);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let mut client = Raw::connect(port).await;
        // It may be refused before all of it is sent.
        let _ = client.try_send(&bytes).await;
        client.end().await;
        let answers = tokio::time::timeout(Duration::from_secs(5), client.rest()).await;
        assert!(
            answers.is_ok(),
            "{round}: the connection does not end after {shown:?}"
        );
        let doubts = plain.doubts();
        assert!(
            doubts.is_empty(),
            "{round}: {shown:?} made the backend doubt: {doubts:?}"
        );
        if round % 100 == 0 {
            assert_eq!(
                good.get("example.org", "/good").await.status,
                200,
                "{round}"
            );
        }
    }
    let requests = plain.requests();
    assert!(
        requests.len() > 200,
        "{} were served: too few to mean much",
        requests.len()
    );
    assert_eq!(raw::get(port, "example.org", "/").await.status, 200);
}

/// A frame of HTTP/2 as it goes over the wire.
fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("a small frame")
        .to_be_bytes();
    let stream: &[u8] = if kind == 4 { &[0; 4] } else { &[0, 0, 0, 1] };
    [&length[1..], &[kind, flags], stream, payload].concat()
}

/// Literal fields without Huffman coding (RFC 7541, 6.2.2).
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| {
        let length = u8::try_from(text.len()).expect("a short text");
        [&[length], text.as_bytes()].concat()
    };
    let field = |(name, value): &(&str, &str)| [vec![0], text(name), text(value)].concat();
    fields.iter().flat_map(field).collect()
}

#[tokio::test]
async fn heads_over_http_2_make_no_backend_doubt() {
    let port = ports::free();
    let backend = Strict::start().await;
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("strict", &backend),
        &yaml::route_all("one", "strict"),
    ]))
    .await;
    let usual = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "example.org"),
        (":path", "/"),
    ];
    let with = |name: &str, value: &str| {
        let mut head: Vec<(String, String)> = usual
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        match head.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value.to_owned(),
            None => head.push((name.to_owned(), value.to_owned())),
        }
        head
    };
    let mut served = 0;
    for (name, value) in [
        ("x-a", "fine"),
        (":path", "/a b"),
        (":path", "/a\r\nx-b: c"),
        (":path", "/a HTTP/1.1\r\nHost: b\r\n\r\nGET /c"),
        (":path", ""),
        (":path", "*"),
        (":path", "a"),
        (":path", "http://b/"),
        (":path", "//b/c"),
        (":path", "/a#b"),
        (":path", "/a?b#c d"),
        (":path", "/\u{e9}"),
        (":path", "/a\tb"),
        (":method", "GET / HTTP/1.1\r\nx-b: c\r\n\r\nGET"),
        (":method", "G T"),
        (":method", ""),
        (":authority", "a b"),
        (":authority", "a\r\nx-b: c"),
        (":authority", "user@a"),
        (":authority", ""),
        (":authority", "a/b"),
        (":scheme", "ftp"),
        (":scheme", "a b"),
        ("host", "other.example.org"),
        ("content-length", "3"),
        ("content-length", "1000"),
        ("content-length", "+5"),
        ("content-length", "5, 5"),
        ("transfer-encoding", "chunked"),
        ("te", "chunked"),
        ("connection", "content-length"),
        ("upgrade", "websocket"),
        ("trailer", "content-length"),
        ("expect", "100-continue"),
        ("x-a", "a\r\n\r\nGET /b HTTP/1.1"),
        ("x-a", "a\nb"),
        ("x-a", "a\0"),
        ("x-a ", "b"),
        ("x-a:", "b"),
        ("x-a\r\nx-b", "c"),
        ("", "b"),
        ("X-A", "b"),
    ] {
        let head = with(name, value);
        let head: Vec<(&str, &str)> = head
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut client = Raw::connect(port).await;
        let settings = frame(4, 0, &[]);
        let bytes = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            settings,
            frame(1, 4, &fields(&head)),
            frame(0, 0, b"hel"),
            frame(0, 1, b"lo"),
        ];
        client.send(bytes.concat()).await;
        tokio::time::sleep(Duration::from_millis(25)).await;
        let doubts = backend.doubts();
        assert!(
            doubts.is_empty(),
            "{name:?}: {value:?} made the backend doubt: {doubts:?}"
        );
        let requests = backend.requests();
        for request in &requests[served..] {
            // A body that turns out longer than announced is cut, as all that was announced has come.
            let sound = b"hello".starts_with(&request.body);
            assert!(sound, "{name:?}: {value:?} gave {request:?}");
        }
        served = requests.len();
    }
    assert!(served > 0, "the first is fine");
}
