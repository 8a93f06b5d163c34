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
