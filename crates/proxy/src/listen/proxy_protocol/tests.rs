//! Headers as tables, and the reader on real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Addresses, Beginning, HeaderError, Parsed, V2_SIGNATURE, parse, take_header};

fn header(source: &str, destination: &str, length: usize) -> Parsed {
    let addresses = Addresses {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    };
    Parsed::Header {
        addresses: Some(addresses),
        length,
    }
}

fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = V2_SIGNATURE.to_vec();
    bytes.extend([0x20 | command, family]);
    bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    bytes.extend(body);
    bytes
}

const V4_BODY: &[u8] = &[192, 0, 2, 1, 198, 51, 100, 2, 0xdd, 0xd5, 0x01, 0xbb];

#[test]
fn version_1_is_read_as_the_protocol_writes_it() {
    for (line, expected) in [
        (
            "PROXY TCP4 192.0.2.1 198.51.100.2 56789 443\r\nGET",
            header("192.0.2.1:56789", "198.51.100.2:443", 45),
        ),
        (
            "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n",
            header("[2001:db8::1]:1", "[2001:db8::2]:65535", 44),
        ),
        (
            "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n",
            header("192.0.2.1:1", "[::1]:2", 37),
        ),
        (
            "PROXY UNKNOWN\r\n",
            Parsed::Header {
                addresses: None,
                length: 15,
            },
        ),
        (
            "PROXY UNKNOWN ff 0 what ever\r\n",
            Parsed::Header {
                addresses: None,
                length: 30,
            },
        ),
    ] {
        assert_eq!(parse(line.as_bytes()), expected, "{line:?}");
    }
}

#[test]
fn what_breaks_version_1_is_malformed() {
    for line in [
        "PROXY TCP4 192.0.2.1 198.51.100.2 56789 443\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56789\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56789 443 1\r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.2 56789 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 056 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 +56 443\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.2 1 443\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY TCP5 192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY \r\n",
    ] {
        assert!(
            matches!(parse(line.as_bytes()), Parsed::Malformed(_)),
            "{line:?}"
        );
    }
    let endless = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200]].concat();
    assert!(
        matches!(parse(&endless), Parsed::Malformed(_)),
        "longer than 107 bytes"
    );
    let too_late = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 93], b"\r\n"].concat();
    assert!(
        matches!(parse(&too_late), Parsed::Malformed(_)),
        "109 bytes"
    );
    let longest = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 91], b"\r\n"].concat();
    assert_eq!(
        parse(&longest),
        Parsed::Header {
            addresses: None,
            length: 107
        }
    );
}

#[test]
fn version_2_is_read_with_extensions_and_without_addresses() {
    let v4 = header("192.0.2.1:56789", "198.51.100.2:443", 28);
    assert_eq!(parse(&v2(1, 0x11, V4_BODY)), v4);
    let extended = [V4_BODY, &[0x04, 0, 3, 1, 2, 3]].concat();
    assert_eq!(
        parse(&v2(1, 0x11, &extended)),
        header("192.0.2.1:56789", "198.51.100.2:443", 34)
    );
    let mut v6 = [0; 36];
    (v6[15], v6[31], v6[33], v6[35]) = (1, 2, 80, 81);
    assert_eq!(parse(&v2(1, 0x21, &v6)), header("[::1]:80", "[::2]:81", 52));
    for (command, family, body) in [
        (0, 0x00, &[][..]),
        (0, 0x11, V4_BODY),
        (0, 0x00, &[1, 2, 3]),
        (1, 0x00, &[]),
        (1, 0x31, &[0; 216]),
        (1, 0x12, V4_BODY),
    ] {
        let expected = Parsed::Header {
            addresses: None,
            length: 16 + body.len(),
        };
        assert_eq!(
            parse(&v2(command, family, body)),
            expected,
            "{command} {family:#x}"
        );
    }
}

#[test]
fn what_breaks_version_2_is_malformed() {
    for (command, family, body) in [
        (2, 0x11, V4_BODY),
        (1, 0x41, V4_BODY),
        (1, 0x13, V4_BODY),
        (1, 0x11, &V4_BODY[..11]),
        (1, 0x21, V4_BODY),
        (0, 0x00, &[0; 5000]),
    ] {
        let parsed = parse(&v2(command, family, body));
        assert!(
            matches!(parsed, Parsed::Malformed(_)),
            "{command} {family:#x}"
        );
    }
    let mut version_1 = v2(1, 0x11, V4_BODY);
    version_1[12] = 0x11;
    assert!(matches!(parse(&version_1), Parsed::Malformed(_)));
}

#[test]
fn requests_and_handshakes_are_no_headers() {
    for bytes in [
        "GET / HTTP/1.1\r\n",
        "POST / HTTP/1.1",
        "PRI * HTTP/2.0",
        "PROXYING",
        "\r\nGET /",
        "\u{16}\u{3}\u{1}",
    ] {
        assert_eq!(parse(bytes.as_bytes()), Parsed::None, "{bytes:?}");
    }
    for bytes in ["", "P", "PROXY", "\r\n\r\n"] {
        assert_eq!(
            parse(bytes.as_bytes()),
            Parsed::Need(bytes.len() + 1),
            "{bytes:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), v2: bool) {
        let signature: &[u8] = if v2 { V2_SIGNATURE } else { b"PROXY " };
        let _ = parse(&bytes);
        let _ = parse(&[signature, &bytes].concat());
    }

    #[test]
    fn a_prefix_of_a_header_needs_more(cut in 0_usize..28) {
        prop_assert!(matches!(parse(&v2(1, 0x11, V4_BODY)[..cut]), Parsed::Need(more) if more > cut));
    }
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client, server)
}

async fn taken(parts: &[&[u8]], believed: bool) -> (Result<Beginning, HeaderError>, Vec<u8>) {
    let (mut client, mut server) = pair().await;
    client.set_nodelay(true).unwrap();
    let send = async {
        for part in parts {
            client.write_all(part).await.unwrap();
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        client.shutdown().await.unwrap();
    };
    let read = take_header(&mut server, believed, Duration::from_millis(400));
    let ((), result) = tokio::join!(send, read);
    let mut rest = Vec::new();
    if result.is_ok() {
        server.read_to_end(&mut rest).await.unwrap();
    }
    (result, rest)
}

fn source(beginning: &Result<Beginning, HeaderError>) -> Option<SocketAddr> {
    match beginning {
        Ok(Beginning::Header(addresses)) => Some(addresses.source),
        _ => None,
    }
}

#[tokio::test]
async fn the_bytes_after_a_header_stay_in_the_socket() {
    let whole = [v2(1, 0x11, V4_BODY), b"GET / HTTP/1.1\r\n".to_vec()].concat();
    let client: SocketAddr = "192.0.2.1:56789".parse().unwrap();
    for cuts in [vec![whole.len()], vec![5, 14, 20], vec![28], vec![30]] {
        let mut parts = Vec::new();
        let mut start = 0;
        for cut in cuts.into_iter().chain([whole.len()]) {
            parts.push(&whole[start..cut]);
            start = cut;
        }
        let (addresses, rest) = taken(&parts, true).await;
        assert_eq!(source(&addresses), Some(client));
        assert_eq!(rest, b"GET / HTTP/1.1\r\n");
    }
    let line: [&[u8]; 4] = [
        b"PRO",
        b"XY TCP4 192.0.2.1 198.51",
        b".100.2 56789 443\r",
        b"\nGET /",
    ];
    let (addresses, rest) = taken(&line, true).await;
    assert_eq!(source(&addresses), Some(client));
    assert_eq!(rest, b"GET /");
}

#[tokio::test]
async fn without_a_header_the_peer_is_the_client() {
    let (addresses, rest) = taken(&[b"P", b"OST / HTTP/1.1"], true).await;
    assert_eq!(
        (addresses, rest.as_slice()),
        (Ok(Beginning::Other), b"POST / HTTP/1.1".as_slice())
    );
    let (addresses, rest) = taken(&[b"PROXY UNKNOWN\r\nGET /"], true).await;
    assert_eq!(
        (addresses, rest.as_slice()),
        (Ok(Beginning::OwnConnection), b"GET /".as_slice())
    );
    let (addresses, _) = taken(&[b"GET / HTTP/1.1"], false).await;
    assert_eq!(addresses, Ok(Beginning::Other));
}

#[tokio::test]
async fn an_untrusted_peers_header_is_refused() {
    for bytes in [
        b"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n".to_vec(),
        v2(0, 0, &[]),
        b"PROXY nonsense\r\n".to_vec(),
    ] {
        let (addresses, _) = taken(&[&bytes], false).await;
        assert_eq!(addresses, Err(HeaderError::Untrusted));
    }
}

#[tokio::test]
async fn half_a_header_ends_by_time_or_by_its_sender() {
    // What never became a header is for whoever reads next.
    let (addresses, rest) = taken(&[&V2_SIGNATURE[..7]], true).await;
    assert_eq!(
        (addresses, rest.as_slice()),
        (Ok(Beginning::Other), &V2_SIGNATURE[..7])
    );
    let limit = Duration::from_millis(100);
    for (bytes, error) in [
        (b"PROXY TC".as_slice(), HeaderError::TimedOut),
        // It may be anything yet, and is still there.
        (b"PROX", HeaderError::Silent),
        (b"", HeaderError::Silent),
    ] {
        let (mut client, mut server) = pair().await;
        client.write_all(bytes).await.unwrap();
        let half = take_header(&mut server, true, limit).await;
        assert_eq!(half, Err(error), "{bytes:?}");
    }
    let (addresses, _) = taken(&[b"PROXY TCP4 192"], true).await;
    assert_eq!(addresses, Err(HeaderError::Closed));
    let (addresses, _) = taken(&[b"PROXY TCP9 1 2 3 4\r\n"], true).await;
    assert!(matches!(addresses, Err(HeaderError::Malformed(_))));
}

#[tokio::test]
async fn an_end_without_a_byte_is_nothing() {
    for resets in [false, true] {
        let (client, mut server) = pair().await;
        if resets {
            client.set_zero_linger().unwrap();
        }
        drop(client);
        let nothing = take_header(&mut server, true, Duration::from_secs(5)).await;
        assert_eq!(nothing, Ok(Beginning::Nothing));
    }
}
