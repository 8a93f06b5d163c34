//! The first message of TLS, read without answering it: which name a client asks for, before it is settled who
//! answers.
//!
//! What is read here is passed on as it is, or handed to the TLS library. It takes more than that library does:
//! whether a backend can make something of a client's offer is not the gateway's to say. Of an encrypted
//! ClientHello (ECH) the outer name counts, which is the one that is meant for whoever looks.

use std::io;

use rustls::server::{Accepted, Acceptor};
use rustls_pki_types::DnsName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::handshake::{HandshakeError, read_error};

/// Bytes of a ClientHello, as TLS libraries take them at most.
const MOST: usize = 0xffff;
/// The same with the heads of its records, which may be many.
const MOST_WITH_RECORDS: usize = 2 * MOST;
/// Bytes of a record (RFC 8446, section 5.1).
const MOST_IN_RECORD: usize = 1 << 14;

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;

/// A ClientHello.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    /// As it came, with its records, and not a byte more.
    pub(crate) bytes: Vec<u8>,
    /// The name that is asked for, lower case.
    pub(crate) server_name: Option<String>,
}

/// Reads a client's first message.
///
/// # Errors
/// It does not come, or is none. The client was told nothing.
pub(crate) async fn read(
    stream: &mut TcpStream,
    deadline: Instant,
) -> Result<Hello, HandshakeError> {
    let reading = timeout_at(deadline, read_records(stream));
    reading.await.map_err(|_| HandshakeError::TimedOut)?
}

async fn read_records(stream: &mut TcpStream) -> Result<Hello, HandshakeError> {
    let broken = |how: &str| HandshakeError::Client(format!("the ClientHello is malformed: {how}"));
    let mut bytes = Vec::with_capacity(2048);
    let mut message = Vec::new();
    loop {
        let head = bytes.len();
        read_more(stream, &mut bytes, 5).await?;
        let length = record_length(&bytes[head..], head == 0)?;
        if bytes.len() + length > MOST_WITH_RECORDS {
            return Err(broken("it is longer than 65535 bytes"));
        }
        let body = bytes.len();
        read_more(stream, &mut bytes, length).await?;
        message.extend_from_slice(&bytes[body..]);
        let Some((head, rest)) = message.split_first_chunk::<4>() else {
            continue;
        };
        let [kind, high, middle, low] = *head;
        if kind != CLIENT_HELLO {
            return Err(broken("it is another message"));
        }
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        if length > MOST {
            return Err(broken("it is longer than 65535 bytes"));
        }
        if let Some(hello) = rest.get(..length) {
            let server_name = server_name(hello).map_err(broken)?;
            return Ok(Hello { bytes, server_name });
        }
    }
}

async fn read_more(
    stream: &mut TcpStream,
    bytes: &mut Vec<u8>,
    count: usize,
) -> Result<(), HandshakeError> {
    let from = bytes.len();
    bytes.resize(from + count, 0);
    let read = stream.read_exact(&mut bytes[from..]).await;
    read.map(drop).map_err(|_| HandshakeError::Closed)
}

/// The length of a record that is part of a ClientHello.
fn record_length(head: &[u8], first: bool) -> Result<usize, HandshakeError> {
    let &[kind, major, _, high, low] = head else {
        return Err(HandshakeError::NotTls);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if kind == HANDSHAKE && major == 3 && (1..=MOST_IN_RECORD).contains(&length) {
        return Ok(length);
    }
    Err(match first {
        true => HandshakeError::NotTls,
        false => HandshakeError::Client("the ClientHello breaks off within a record".to_owned()),
    })
}

/// The name that a ClientHello asks for (RFC 6066, section 3), lower case; none if it asks for none, or for an
/// address. `message` is what follows the message's own head.
///
/// # Errors
/// How the message is malformed. A name that could be read in two ways is.
pub fn server_name(message: &[u8]) -> Result<Option<String>, &'static str> {
    let mut hello = Fields(message);
    // The version, and random bytes.
    hello.take(2 + 32)?;
    // The session, the cipher suites, the compression methods.
    let session = hello.u8()?;
    hello.take(session)?;
    let suites = hello.u16()?;
    hello.take(suites)?;
    let methods = hello.u8()?;
    hello.take(methods)?;
    if hello.0.is_empty() {
        // Older than extensions.
        return Ok(None);
    }
    let length = hello.u16()?;
    let mut extensions = Fields(hello.take(length)?);
    if !hello.0.is_empty() {
        return Err("bytes follow its extensions");
    }
    let mut found = None;
    while !extensions.0.is_empty() {
        let kind = extensions.u16()?;
        let length = extensions.u16()?;
        let body = extensions.take(length)?;
        if usize::from(SERVER_NAME) == kind {
            if found.is_some() {
                return Err("it asks for a name twice");
            }
            found = Some(host_name(body)?);
        }
    }
    Ok(found.flatten())
}

fn host_name(extension: &[u8]) -> Result<Option<String>, &'static str> {
    let mut extension = Fields(extension);
    let length = extension.u16()?;
    let mut list = Fields(extension.take(length)?);
    if !extension.0.is_empty() || list.0.is_empty() {
        return Err("its list of names is not one");
    }
    let kind = list.u8()?;
    let length = list.u16()?;
    let name = list.take(length)?;
    if !list.0.is_empty() || kind != usize::from(HOST_NAME) {
        return Err("it asks for more than one name, or for one that is no hostname");
    }
    let name = std::str::from_utf8(name).map_err(|_| "its name is not ASCII")?;
    if name.parse::<std::net::IpAddr>().is_ok() {
        return Ok(None);
    }
    let name = DnsName::try_from(name).map_err(|_| "its name is not a hostname")?;
    Ok(Some(name.as_ref().to_ascii_lowercase()))
}

/// Bytes that are taken one field after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or("a field is longer than what is left")?;
        self.0 = rest;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<usize, &'static str> {
        Ok(self.take(1)?.iter().fold(0, |_, byte| usize::from(*byte)))
    }

    fn u16(&mut self) -> Result<usize, &'static str> {
        let bytes = self.take(2)?.iter();
        Ok(bytes.fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }
}

impl Hello {
    /// Hands the message to the TLS library.
    ///
    /// # Errors
    /// It makes nothing of it, and the client was told why.
    pub(super) async fn accepted(
        &self,
        stream: &mut TcpStream,
        deadline: Instant,
    ) -> Result<Accepted, HandshakeError> {
        let mut acceptor = Acceptor::default();
        let mut rest = self.bytes.as_slice();
        while !rest.is_empty() {
            let read = acceptor.read_tls(&mut rest);
            read.map_err(|error| HandshakeError::Client(error.to_string()))?;
            let (error, mut alert) = match acceptor.accept() {
                Ok(None) => continue,
                Ok(Some(accepted)) => return Ok(accepted),
                Err(refused) => refused,
            };
            let mut told = Vec::new();
            // Writing to memory does not fail, and a client that is gone need not be told.
            let _ = alert.write_all(&mut told);
            let _ = timeout_at(deadline, stream.write_all(&told)).await;
            return Err(read_error(&io::Error::new(
                io::ErrorKind::InvalidData,
                error,
            )));
        }
        Err(HandshakeError::Client(
            "the ClientHello cannot be read".to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests;
