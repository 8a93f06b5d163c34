//! Exchanges with a scripted endpoint over a real socket.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Connection, Stream};
use crate::http::replay::{RequestBody, Source};
use crate::upstream::failure::Broken;
use crate::upstream::head::Plain;
use crate::upstream::kept::{Home, Open, Pool};

/// What came of an exchange.
struct Outcome {
    sent: Vec<u8>,
    received: Result<(u16, HeaderMap, Vec<u8>, Option<HeaderMap>), Broken>,
    kept: bool,
}

/// One exchange with an endpoint that reads the request's head, then writes these pieces, and, if told
/// to, closes.
fn exchange(method: &Method, body: Option<Vec<Bytes>>, pieces: &[&[u8]], close: bool) -> Outcome {
    let runtime = tokio::runtime::LocalRuntime::new().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut endpoint, _) = listener.accept().await.unwrap();
        let pool = Pool::keeping(1);
        let connection = Box::new(Connection::new(Stream::Plain(stream), Open::count(&pool)));
        let headers = HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("h"))]);
        let target = Uri::from_static("/a?b");
        let head = Plain {
            method,
            target: &target,
            says_empty: false,
            headers: &headers,
        };
        let request = body.map_or(RequestBody::Empty, |frames| Source::kept(frames).body());
        let scripted = async {
            let mut sent = vec![0; 4096];
            let length = endpoint.read(&mut sent).await.unwrap();
            sent.truncate(length);
            for piece in pieces {
                endpoint.write_all(piece).await.unwrap();
                endpoint.flush().await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            if close {
                endpoint.shutdown().await.unwrap();
            }
            (sent, endpoint)
        };
        let home = Home::new(&pool, &Arc::default());
        let received = async {
            let response = connection.exchange(&head, request, home).await?;
            let (parts, mut body) = response.into_parts();
            let (mut bytes, mut trailers) = (Vec::new(), None);
            while let Some(frame) = body.frame().await {
                match frame?.into_data() {
                    Ok(data) => bytes.extend_from_slice(&data),
                    Err(frame) => trailers = frame.into_trailers().ok(),
                }
            }
            Ok((parts.status.as_u16(), parts.headers, bytes, trailers))
        };
        let (received, (sent, _endpoint)) = tokio::join!(received, scripted);
        Outcome {
            sent,
            received,
            kept: pool
                .idle
                .borrow()
                .iter()
                .any(|idle| idle.connection.is_usable()),
        }
    })
}

fn get(pieces: &[&[u8]]) -> Outcome {
    exchange(&Method::GET, None, pieces, false)
}

#[test]
fn a_request_without_a_body_is_written_as_it_is() {
    let outcome = get(&[b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"]);
    assert_eq!(outcome.sent, b"GET /a?b HTTP/1.1\r\nhost: h\r\n\r\n");
    let (status, _, body, _) = outcome.received.unwrap();
    assert_eq!((status, &body[..]), (200, &b"hi"[..]));
    assert!(outcome.kept, "the connection can be used again");
}

#[test]
fn bodies_are_framed_by_length_or_in_chunks() {
    let answer: &[&[u8]] = &[b"HTTP/1.1 204 No Content\r\n\r\n"];
    let known = exchange(
        &Method::POST,
        Some(vec![Bytes::from_static(b"abc")]),
        answer,
        false,
    );
    assert_eq!(
        known.sent,
        b"POST /a?b HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc"
    );
    assert!(known.kept);
    let none = exchange(&Method::POST, None, answer, false);
    assert_eq!(
        none.sent,
        b"POST /a?b HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n"
    );
}

#[test]
fn responses_are_read_however_they_are_cut() {
    let whole: &[u8] =
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        3;x=y\r\nabc\r\n2\r\nde\r\n0\r\ngrpc-status: 0\r\n\r\n";
    for cut in [1, 20, 26, 60, 75, 80, 84, 90, whole.len() - 1] {
        let outcome = get(&[&whole[..cut], &whole[cut..]]);
        let (status, _, body, trailers) = outcome.received.unwrap();
        assert_eq!((status, &body[..]), (200, &b"abcde"[..]), "cut at {cut}");
        assert_eq!(trailers.unwrap()["grpc-status"], "0", "cut at {cut}");
        assert!(outcome.kept, "cut at {cut}");
    }
}

#[test]
fn a_connection_is_used_again_however_its_last_read_ended() {
    for size in [1, 8_000, 8_192, 16_384, 20_000, 65_536, 200_000] {
        let mut response =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n").into_bytes();
        response.resize(response.len() + size, b'x');
        let outcome = get(&[&response]);
        let (_, _, body, _) = outcome.received.unwrap();
        assert_eq!(body.len(), size);
        assert!(outcome.kept, "{size} bytes");
    }
}

#[test]
fn a_connection_is_kept_only_if_nothing_speaks_against_it() {
    for (response, close, body, kept) in [
        (
            &b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"[..],
            false,
            "",
            true,
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            false,
            "",
            false,
        ),
        (
            b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na",
            false,
            "a",
            false,
        ),
        (
            b"HTTP/1.1 200 OK\r\n\r\nall of it",
            true,
            "all of it",
            false,
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab",
            false,
            "a",
            false,
        ),
        (
            b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
            false,
            "",
            true,
        ),
    ] {
        let outcome = exchange(&Method::GET, None, &[response], close);
        let text = String::from_utf8_lossy(response).into_owned();
        let (_, _, received, _) = outcome.received.unwrap();
        assert_eq!(received, body.as_bytes(), "{text}");
        assert_eq!(outcome.kept, kept, "{text}");
    }
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    for response in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length : 1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\nab\n0\n\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
    ] {
        let outcome = get(&[response]);
        let text = String::from_utf8_lossy(response).into_owned();
        let received = outcome.received;
        assert!(matches!(received, Err(Broken::Malformed(_))), "{text}: {:?}", received.map(|one| one.0));
        assert!(!outcome.kept, "{text}");
    }
}

#[test]
fn an_end_that_comes_early_is_told_apart() {
    let nothing = exchange(&Method::GET, None, &[], true);
    assert!(matches!(nothing.received, Err(Broken::Closed)));
    for response in [
        &b"HTTP/1.1 200"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab",
    ] {
        let outcome = exchange(&Method::GET, None, &[response], true);
        assert!(
            matches!(outcome.received, Err(Broken::Truncated)),
            "{}",
            String::from_utf8_lossy(response)
        );
    }
}

#[test]
fn a_long_body_is_sent_while_the_answer_comes() {
    let frames: Vec<Bytes> = (0..64)
        .map(|_| Bytes::from(vec![b'x'; 64 * 1024]))
        .collect();
    let early: &[&[u8]] = &[b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig"];
    let outcome = exchange(&Method::POST, Some(frames), early, false);
    let (status, _, body, _) = outcome.received.unwrap();
    assert_eq!((status, &body[..]), (413, &b"big"[..]));
    assert!(!outcome.kept, "the rest of the request is still on its way");
}
