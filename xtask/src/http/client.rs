//! One HTTP/1.1 connection that is used again and again: what it says of a request is its status, or why there is none.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any answer takes here.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client of one address.
pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client that has not connected yet.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
        }
    }

    /// The status of a GET. After an error, the next request goes over a new connection.
    pub(crate) fn get(&mut self, host: &str, path: &str) -> Result<u16, String> {
        let done = self.exchange(host, path);
        if done.is_err() {
            self.stream = None;
        }
        done.map_err(|error| format!("GET http://{host}{path} at {}: {error}", self.address))
    }

    fn exchange(&mut self, host: &str, path: &str) -> std::io::Result<u16> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                self.stream.insert(BufReader::new(stream))
            }
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes())?;
        let Head {
            status,
            body,
            closes,
        } = Head::read(stream)?;
        match body {
            Body::Length(length) => {
                let read = std::io::copy(&mut stream.take(length), &mut std::io::sink())?;
                if read < length {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
            }
            Body::Chunked => skip_chunks(stream)?,
        }
        if closes {
            self.stream = None;
        }
        Ok(status)
    }
}

struct Head {
    status: u16,
    body: Body,
    closes: bool,
}

enum Body {
    Length(u64),
    Chunked,
}

impl Head {
    fn read(stream: &mut impl BufRead) -> std::io::Result<Self> {
        let invalid = |line: &str| {
            std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("not HTTP: {line:?}"),
            )
        };
        let first = line(stream)?;
        let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
        let mut head = Self {
            status: status.ok_or_else(|| invalid(&first))?,
            body: Body::Length(0),
            closes: false,
        };
        loop {
            let field = line(stream)?.to_ascii_lowercase();
            let Some((name, value)) = field.split_once(':') else {
                return if field.is_empty() {
                    Ok(head)
                } else {
                    Err(invalid(&field))
                };
            };
            match (name, value.trim()) {
                ("content-length", value) => {
                    head.body = Body::Length(value.parse().map_err(|_| invalid(&field))?);
                }
                ("transfer-encoding", "chunked") => head.body = Body::Chunked,
                ("connection", "close") => head.closes = true,
                _ => {}
            }
        }
    }
}

fn line(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

fn skip_chunks(stream: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let size = line(stream)?;
        let size = u64::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
        std::io::copy(&mut stream.take(size), &mut std::io::sink())?;
        // After the last chunk come trailers, which are not sent here, and an empty line, as after each.
        line(stream)?;
        if size == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::Client;

    #[test]
    fn one_connection_carries_answers_of_both_framings() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in [
                "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                "HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            ] {
                let mut seen = [0; 1024];
                let length = stream.read(&mut seen).unwrap();
                assert!(seen[..length].ends_with(b"\r\n\r\n"));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let mut client = Client::new(address);
        let statuses = [(); 3].map(|()| client.get("a.test", "/").unwrap());
        assert_eq!(statuses, [404, 200, 503]);
        server.join().unwrap();
        assert!(client.get("a.test", "/").is_err());
    }
}
