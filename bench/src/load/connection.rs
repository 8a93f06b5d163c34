//! One connection of the load: a request goes out, its answer is recognised.
//!
//! Answers state their length (the backend's do, and no proxy here changes that); anything else is an
//! error that ends the run, since a latency of a wrong answer means nothing.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use memchr::memmem;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::Failure;

/// What came back for one request.
pub(crate) struct Answer {
    /// When the request fell due.
    pub(crate) due: Instant,
    pub(crate) status: u16,
}

pub(crate) struct Connection {
    transport: Transport,
    received: Vec<u8>,
    due: Option<Instant>,
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// TLS 1.3 with one suite and one curve, so that every proxy does the same work.
pub(crate) fn tls(certificate: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256];
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(fs::read(certificate)?))?;
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Connection {
    /// Connects, and completes the TLS handshake when there is one.
    pub(crate) fn open(
        address: SocketAddr,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Self, Failure> {
        let mut stream = TcpStream::connect(address)
            .map_err(|error| format!("No connection to {address}: {error}."))?;
        stream.set_nodelay(true)?;
        let transport = match tls {
            None => Transport::Plain(stream),
            Some(config) => {
                let name = ServerName::try_from("bench.test")?;
                let mut session = ClientConnection::new(Arc::clone(config), name)?;
                while session.is_handshaking() {
                    session.complete_io(&mut stream)?;
                }
                Transport::Tls(Box::new(StreamOwned::new(session, stream)))
            }
        };
        let connection = Self {
            transport,
            received: Vec::new(),
            due: None,
        };
        connection.socket().set_nonblocking(true)?;
        Ok(connection)
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        match &self.transport {
            Transport::Plain(stream) => stream,
            Transport::Tls(stream) => &stream.sock,
        }
    }

    /// Sends one request. The socket is idle, so that it takes a head at once.
    pub(crate) fn send(&mut self, request: &[u8], due: Instant) -> std::io::Result<()> {
        self.due = Some(due);
        match &mut self.transport {
            Transport::Plain(stream) => stream.write_all(request),
            Transport::Tls(stream) => {
                stream.write_all(request)?;
                stream.flush()
            }
        }
    }

    /// Reads what is there; the answer when it is complete.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> Result<Option<Answer>, Failure> {
        loop {
            let read = match &mut self.transport {
                Transport::Plain(stream) => stream.read(buffer),
                Transport::Tls(stream) => stream.read(buffer),
            };
            match read {
                Ok(0) => return Err("The proxy closed a connection that was in use.".into()),
                Ok(length) => self.received.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            if let Some((status, length)) = whole(&self.received)? {
                self.received.drain(..length);
                let due = self
                    .due
                    .take()
                    .ok_or("The proxy sent an answer nobody asked for.")?;
                return Ok(Some(Answer { due, status }));
            }
        }
    }
}

/// The status and the length of the answer in `bytes`, once all of it is there.
fn whole(bytes: &[u8]) -> Result<Option<(u16, usize)>, Failure> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end])?;
    let status = head
        .split(' ')
        .nth(1)
        .ok_or("The answer has no status.")?
        .parse()?;
    let body: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .ok_or("The answer does not state its length.")?
        .1
        .trim()
        .parse()?;
    let length = end + 4 + body;
    Ok((bytes.len() >= length).then_some((status, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is_there() {
        let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nabcHTTP";
        assert_eq!(whole(answer).unwrap(), Some((404, answer.len() - 4)));
        assert_eq!(whole(&answer[..answer.len() - 5]).unwrap(), None);
        assert_eq!(whole(b"HTTP/1.1 200 OK\r\n").unwrap(), None);
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
