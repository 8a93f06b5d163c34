//! A client of HTTP/1 that sends the bytes it is given and reads answers by itself.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{fail, within};

/// A connection.
pub struct Raw<S = TcpStream> {
    stream: S,
    unread: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers as they came.
    pub headers: Vec<(String, String)>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
    /// Trailers as they came.
    pub trailers: Vec<(String, String)>,
}

impl Answer {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// All headers of a name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let matching = self
            .headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name));
        matching.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The name of the backend that answered, if one did.
    pub fn backend(&self) -> Option<&str> {
        self.header("x-backend")
    }
}

impl Raw<TcpStream> {
    /// Connects to a port of this host.
    ///
    /// # Panics
    /// If it refuses.
    pub async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("the port is open");
        stream.set_nodelay(true).expect("a TCP connection");
        Self::over(stream)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// Speaks over a connection that stands.
    pub fn over(stream: S) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Sends bytes.
    ///
    /// # Panics
    /// If the connection is broken.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes)
            .await
            .expect("the connection takes what is sent");
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// The connection's.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let send = async {
            self.stream.write_all(bytes.as_ref()).await?;
            self.stream.flush().await
        };
        within("sending", send).await
    }

    /// Says that nothing more will be sent.
    pub async fn end(&mut self) {
        // The other side may have ended already.
        let _ = within("an end", self.stream.shutdown()).await;
    }

    /// Sends a GET and reads its answer.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn get(&mut self, host: &str, target: &str) -> Answer {
        self.request("GET", host, target, &[]).await
    }

    /// Sends a request without a body and reads its answer.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn request(
        &mut self,
        method: &str,
        host: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(head(method, host, target, headers)).await;
        if method == "HEAD" {
            self.answer_to_head().await
        } else {
            self.answer().await
        }
    }

    /// Reads an answer with its body.
    ///
    /// # Panics
    /// If none comes.
    pub async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer")
    }

    /// Reads an answer with its body. The error is what there was instead of it.
    ///
    /// # Errors
    /// `UnexpectedEof` if the connection ends before the answer does.
    pub async fn try_answer(&mut self) -> io::Result<Answer> {
        within("an answer", async {
            let mut answer = self.head().await?;
            self.body(&mut answer).await?;
            Ok(answer)
        })
        .await
    }

    /// Reads the head of an answer, and leaves its body.
    ///
    /// # Panics
    /// If none comes.
    pub async fn answer_to_head(&mut self) -> Answer {
        within("an answer's head", self.head())
            .await
            .expect("an answer's head")
    }

    /// Reads as many bytes.
    ///
    /// # Panics
    /// If they do not come.
    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        within("some bytes", self.take(count))
            .await
            .expect("some bytes")
    }

    /// Reads what comes until the connection ends.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn rest(&mut self) -> Vec<u8> {
        let end = async { while self.more().await.is_ok() {} };
        within("the end of the connection", end).await;
        std::mem::take(&mut self.unread)
    }

    /// Whether the other side has closed the connection, without a byte more.
    pub async fn closed(&mut self) -> bool {
        let wait = std::time::Duration::from_secs(3);
        let more = tokio::time::timeout(wait, self.more()).await;
        matches!(more, Ok(Err(_))) && self.unread.is_empty()
    }

    /// The stream, with nothing read beyond what was asked for.
    ///
    /// # Panics
    /// If more was read.
    pub fn into_stream(self) -> S {
        assert!(
            self.unread.is_empty(),
            "bytes are left over: {:?}",
            self.unread
        );
        self.stream
    }

    async fn head(&mut self) -> io::Result<Answer> {
        loop {
            let (status_line, headers) = self.lines().await?;
            let status = status_line
                .split(' ')
                .nth(1)
                .and_then(|word| word.parse().ok());
            let Some(status) = status else {
                fail(&format!("not a status line: {status_line:?}"))
            };
            // Interim answers, but for the one that is the last.
            if status >= 200 || status == 101 {
                return Ok(Answer {
                    status,
                    headers,
                    body: Vec::new(),
                    trailers: Vec::new(),
                });
            }
        }
    }

    async fn lines(&mut self) -> io::Result<(String, Vec<(String, String)>)> {
        let first = self.line().await?;
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok((first, headers));
            }
            let Some((name, value)) = line.split_once(": ").or_else(|| line.split_once(':')) else {
                fail(&format!("not a header: {line:?}"))
            };
            headers.push((name.to_owned(), value.to_owned()));
        }
    }

    async fn body(&mut self, answer: &mut Answer) -> io::Result<()> {
        if matches!(answer.status, 101 | 204 | 304) {
            return Ok(());
        }
        if answer.header("transfer-encoding").is_some() {
            loop {
                let size = self.line().await?;
                let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
                if size == 0 {
                    break;
                }
                answer.body.extend(self.take(size).await?);
                self.line().await?;
            }
            loop {
                let line = self.line().await?;
                match line.split_once(": ") {
                    None => return Ok(()),
                    Some((name, value)) => {
                        answer.trailers.push((name.to_owned(), value.to_owned()));
                    }
                }
            }
        }
        match answer.header("content-length") {
            Some(length) => {
                let length = length.parse().map_err(io::Error::other)?;
                answer.body = self.take(length).await?;
            }
            None => {
                while self.more().await.is_ok() {}
                answer.body = std::mem::take(&mut self.unread);
            }
        }
        Ok(())
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.take(end + 2).await?;
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.more().await?;
        }
    }

    async fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < count {
            self.more().await?;
        }
        Ok(self.unread.drain(..count).collect())
    }

    async fn more(&mut self) -> io::Result<()> {
        self.unread.reserve(16 * 1024);
        let read = self.stream.read_buf(&mut self.unread).await?;
        if read == 0 {
            let unread = String::from_utf8_lossy(&self.unread).into_owned();
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, unread));
        }
        Ok(())
    }
}

/// The head of a request.
pub fn head(method: &str, host: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

/// Sends one GET on a connection of its own.
///
/// # Panics
/// If no answer comes.
pub async fn get(port: u16, host: &str, target: &str) -> Answer {
    Raw::connect(port).await.get(host, target).await
}

/// Sends one request with headers on a connection of its own.
///
/// # Panics
/// If no answer comes.
pub async fn get_with(port: u16, host: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    Raw::connect(port)
        .await
        .request("GET", host, target, headers)
        .await
}
