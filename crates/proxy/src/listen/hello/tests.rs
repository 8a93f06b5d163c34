//! ClientHellos as TLS libraries write them, taken apart and put together wrongly, over real sockets.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::{CLIENT_HELLO, HANDSHAKE, Hello, read, server_name};
use crate::listen::handshake::HandshakeError;
use crate::pki;

/// What a client sends first that asks for a name.
fn hello(name: &str) -> Vec<u8> {
    let config = rustls::ClientConfig::builder_with_provider(pki::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let name = rustls_pki_types::ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(config.into(), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

/// The message of a hello in one record.
fn message(record: &[u8]) -> &[u8] {
    &record[5..]
}

fn records(message: &[u8], length: usize) -> Vec<u8> {
    let chunks = message.chunks(length);
    chunks
        .flat_map(|chunk| {
            let length = u16::try_from(chunk.len()).unwrap().to_be_bytes();
            let mut record = vec![HANDSHAKE, 3, 1, length[0], length[1]];
            record.extend(chunk);
            record
        })
        .collect()
}

/// A message with these extensions.
fn with_extensions(extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let mut all = Vec::new();
    for (kind, body) in extensions {
        all.extend(kind.to_be_bytes());
        all.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        all.extend(*body);
    }
    let mut message = vec![3, 3];
    message.extend([7; 32]);
    message.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
    message.extend(u16::try_from(all.len()).unwrap().to_be_bytes());
    message.extend(all);
    message
}

fn names(names: &[(u8, &[u8])]) -> Vec<u8> {
    let mut list = Vec::new();
    for (kind, name) in names {
        list.push(*kind);
        list.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
        list.extend(*name);
    }
    let mut extension = u16::try_from(list.len()).unwrap().to_be_bytes().to_vec();
    extension.extend(list);
    extension
}

async fn read_of(sent: Vec<Vec<u8>>, limit: Duration) -> Result<Hello, HandshakeError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = async {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.set_nodelay(true).unwrap();
        for piece in sent {
            client.write_all(&piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        client
    };
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream, Instant::now() + limit).await
    };
    let (_client, read) = tokio::join!(client, server);
    read
}

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_hello_is_read_however_it_comes() {
    let whole = hello("Shop.Example.com");
    let in_records = records(message(&whole), 7);
    for (bytes, length) in [(&whole, 10_000), (&whole, 100), (&in_records, 3)] {
        let pieces = bytes.chunks(length).map(<[u8]>::to_vec).collect();
        let read = read_of(pieces, LONG).await.unwrap();
        assert_eq!(read.server_name.as_deref(), Some("shop.example.com"));
        assert_eq!(&read.bytes, bytes);
    }
}

#[tokio::test]
async fn nothing_beyond_the_hello_is_taken() {
    let mut bytes = hello("a.example");
    let length = bytes.len();
    bytes.extend(b"what comes after");
    assert_eq!(
        read_of(vec![bytes], LONG).await.unwrap().bytes.len(),
        length
    );
}

#[tokio::test]
async fn what_is_no_hello_is_said_so() {
    let other_message = records(&[2, 0, 0, 1, 0], 100);
    let too_long = records(&[CLIENT_HELLO, 1, 0, 0], 100);
    let broken_off = {
        let mut bytes = records(&[CLIENT_HELLO, 0, 1, 0], 100);
        bytes.extend([23, 3, 3, 0, 1, 0]);
        bytes
    };
    for (sent, label) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "not_tls"),
        (vec![0x80, 0x2e, 1, 3, 1], "not_tls"),
        (vec![HANDSHAKE, 3, 1, 0, 0], "not_tls"),
        (vec![HANDSHAKE, 3, 1, 0xff, 0xff], "not_tls"),
        (other_message, "client"),
        (too_long, "client"),
        (broken_off, "client"),
        (records(&vec![1; 200_000], 1), "client"),
    ] {
        let error = read_of(vec![sent.clone()], LONG).await.unwrap_err();
        assert_eq!(error.label(), label, "{error} {:?}", &sent[..5]);
    }
}

#[tokio::test]
async fn a_slow_client_is_given_up() {
    let start = hello("a.example")[..50].to_vec();
    let error = read_of(vec![start], Duration::from_millis(20)).await;
    assert_eq!(error.unwrap_err().label(), "timeout");
}

#[test]
fn names_are_read_and_doubtful_ones_refused() {
    let asks = |list: &[(u8, &[u8])]| server_name(&with_extensions(&[(0, &names(list))]));
    assert_eq!(asks(&[(0, b"A.example")]), Ok(Some("a.example".to_owned())));
    assert_eq!(asks(&[(0, b"10.0.0.1")]), Ok(None));
    assert_eq!(server_name(&with_extensions(&[])), Ok(None));
    assert_eq!(server_name(&with_extensions(&[(10, b"xy")])), Ok(None));
    // Before extensions.
    assert_eq!(server_name(&with_extensions(&[])[..41]), Ok(None));
    for refused in [
        asks(&[]),
        asks(&[(0, b"")]),
        asks(&[(1, b"a.example")]),
        asks(&[(0, b"a.example"), (0, b"b.example")]),
        asks(&[(0, "ä.example".as_bytes())]),
        asks(&[(0, b"a..example")]),
        asks(&[(0, b"a.example\0")]),
        server_name(&with_extensions(&[
            (0, &names(&[(0, b"a.example")])),
            (0, &names(&[(0, b"b.example")])),
        ])),
        server_name(&with_extensions(&[(0, &[0, 9])])),
        server_name(&[&with_extensions(&[])[..], &[0]].concat()),
        server_name(&[3; 20]),
    ] {
        assert!(refused.is_err(), "{refused:?}");
    }
}

#[test]
fn a_hello_that_breaks_off_anywhere_is_an_error() {
    let record = hello("a.example");
    let message = &message(&record)[4..];
    assert_eq!(server_name(message), Ok(Some("a.example".to_owned())));
    let read: Vec<_> = (0..message.len())
        .map(|end| server_name(&message[..end]))
        .filter(Result::is_ok)
        .collect();
    // Once it is whole: before the extensions, which older ones do without.
    assert_eq!(read, [Ok(None)]);
}
