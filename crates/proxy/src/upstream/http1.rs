//! HTTP/1.1 towards endpoints: an engine of our own for requests that do not change their protocol.
//!
//! A connection belongs to one exchange at a time and is polled by the request itself: there is no task
//! and no channel between a request and its bytes. The head is written from the headers as they are,
//! framing is ours (RFC 9112, section 6), and a response that could be read in two ways is refused.
//! Upgrades and HTTP/2 are the other engine's (`connect`).

mod body;
mod encode;
mod head;

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, Method, Response};
use http_body::Body as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

pub(crate) use body::Body;
use encode::Framing;

use crate::http::replay::RequestBody;
use crate::upstream::failure::Broken;
use crate::upstream::head::Plain;
use crate::upstream::kept::{Home, Open};

/// How much is read at once where nothing else is known.
const READ: usize = 8 * 1024;
/// The longest head of a response.
const LONGEST_HEAD: usize = 256 * 1024;
/// The most interim responses (1xx) to one request: enough for a backend that says once a second for a
/// quarter of an hour that it is still at work, and an end for one that says nothing else.
const MOST_INTERIM: u32 = 1000;
/// A body's beginning that is sent together with the head, in one write.
const WITH_HEAD: usize = 16 * 1024;

/// A connection to an endpoint.
pub(crate) struct Connection {
    stream: Stream,
    /// What was read and not yet used.
    read: BytesMut,
    /// What is to be written next.
    out: BytesMut,
    /// Interim responses (1xx) to this request.
    interim: u32,
    _open: Open,
}

/// The bytes' way.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl Stream {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // A socket has no buffer of its own.
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }
}

impl Connection {
    /// A new connection.
    pub(crate) fn new(stream: Stream, open: Open) -> Self {
        Self {
            stream,
            read: BytesMut::new(),
            out: BytesMut::new(),
            interim: 0,
            _open: open,
        }
    }

    /// Whether an idle connection can carry a request: its endpoint has neither closed it nor said
    /// anything unasked.
    pub(crate) fn is_usable(&self) -> bool {
        let socket = self.stream.socket();
        let mut context = Context::from_waker(Waker::noop());
        if socket.poll_read_ready(&mut context).is_pending() {
            return true;
        }
        // Ready is what it was last time too, if the last read took just what there was.
        let read = socket.try_read(&mut [0]);
        matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends a request and waits for the head of its response. The response's body has the connection,
    /// and gives it `home` when it has ended.
    ///
    /// # Errors
    /// Why there is no response. The connection is closed then.
    pub(crate) async fn exchange(
        mut self: Box<Self>,
        head: &Plain<'_>,
        body: RequestBody,
        home: Home,
    ) -> Result<Response<Body>, Broken> {
        let framing = Framing::of(head, &body);
        encode::head(&mut self.out, head, framing);
        let mut sending = Sending {
            body,
            framing,
            chunk: Bytes::new(),
            ended: framing == Framing::None,
        };
        let mut sent = false;
        self.interim = 0;
        let received = poll_fn(|cx| {
            if !sent {
                match sending.poll(&mut self, cx) {
                    Poll::Pending => {}
                    Poll::Ready(Err(Broken::RequestBody(error))) => {
                        return Poll::Ready(Err(Broken::RequestBody(error)));
                    }
                    // A backend may answer and close before it has read everything.
                    Poll::Ready(Ok(()) | Err(_)) => sent = true,
                }
            }
            self.poll_head(cx, head.method)
        })
        .await?;
        Ok(received.into_response(self, sending, home))
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        method: &Method,
    ) -> Poll<Result<head::Received, Broken>> {
        loop {
            if !self.read.is_empty() {
                match head::parse(&mut self.read, method)? {
                    head::Parsed::Final(received) => return Poll::Ready(Ok(received)),
                    head::Parsed::Interim if self.interim < MOST_INTERIM => {
                        self.interim += 1;
                        continue;
                    }
                    head::Parsed::Interim => {
                        let why = "it has more interim responses than anyone needs";
                        return Poll::Ready(Err(Broken::Malformed(why)));
                    }
                    head::Parsed::Partial if self.read.len() > LONGEST_HEAD => {
                        return Poll::Ready(Err(Broken::Malformed("its head is too long")));
                    }
                    head::Parsed::Partial => {}
                }
            }
            if std::task::ready!(self.poll_more(cx, READ))? == 0 {
                let nothing = self.read.is_empty();
                return Poll::Ready(Err(if nothing {
                    Broken::Closed
                } else {
                    Broken::Truncated
                }));
            }
        }
    }

    /// Reads more, if there is more; gives how much, 0 at the end.
    fn poll_more(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<Result<usize, Broken>> {
        self.read.reserve(room);
        let read = tokio_util::io::poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.read);
        read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
                if self.read.is_empty() =>
            {
                Broken::Closed
            }
            _ => Broken::Io(error),
        })
    }
}

/// A request on its way out.
struct Sending {
    body: RequestBody,
    framing: Framing,
    /// What is written after `Connection::out`.
    chunk: Bytes,
    /// The body has come to its end; what is left is in `out` and `chunk`.
    ended: bool,
}

impl Sending {
    /// Whether everything was written.
    fn is_done(&self, connection: &Connection) -> bool {
        self.ended && self.chunk.is_empty() && connection.out.is_empty()
    }

    /// Writes as much as goes: the head, with the beginning of the body if that is there.
    fn poll(
        &mut self,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        loop {
            let waits = !self.ended
                && self.chunk.is_empty()
                && self.poll_chunk(connection, cx)?.is_pending();
            std::task::ready!(self.poll_write(connection, cx))?;
            if self.is_done(connection) {
                return connection.stream.poll_flush(cx).map_err(Broken::Io);
            }
            if waits {
                // What is there is on its way; the body's waker is set.
                return connection
                    .stream
                    .poll_flush(cx)
                    .map_err(Broken::Io)
                    .map(|_| Ok(()))
                    .and_pending();
            }
        }
    }

    fn poll_write(
        &mut self,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        while !connection.out.is_empty() {
            let written = std::task::ready!(connection.stream.poll_write(cx, &connection.out))
                .map_err(Broken::Io)?;
            if written == 0 {
                return Poll::Ready(Err(Broken::Closed));
            }
            connection.out.advance(written);
        }
        while !self.chunk.is_empty() {
            let written = std::task::ready!(connection.stream.poll_write(cx, &self.chunk))
                .map_err(Broken::Io)?;
            if written == 0 {
                return Poll::Ready(Err(Broken::Closed));
            }
            self.chunk.advance(written);
            if self.chunk.is_empty() && self.framing == Framing::Chunked {
                connection.out.extend_from_slice(b"\r\n");
                return self.poll_write(connection, cx);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes the next piece of the body.
    fn poll_chunk(
        &mut self,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Result<Poll<()>, Broken> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => return Ok(Poll::Pending),
            Poll::Ready(None) => {
                self.end(connection, None)?;
                return Ok(Poll::Ready(()));
            }
            Poll::Ready(Some(frame)) => frame.map_err(Broken::RequestBody)?,
        };
        match frame.into_data() {
            Ok(data) if data.is_empty() => {}
            Ok(data) => self.data(connection, data)?,
            Err(frame) => self.end(connection, frame.into_trailers().ok().as_ref())?,
        }
        if !self.ended && self.body.is_end_stream() {
            self.end(connection, None)?;
        }
        Ok(Poll::Ready(()))
    }

    fn data(&mut self, connection: &mut Connection, data: Bytes) -> Result<(), Broken> {
        if let Framing::Length(left) = &mut self.framing {
            let length = data.len() as u64;
            *left = left.checked_sub(length).ok_or(Broken::Malformed(
                "the request's body is longer than announced",
            ))?;
        }
        if self.framing == Framing::Chunked {
            encode::chunk_size(&mut connection.out, data.len());
        }
        if connection.out.len() + data.len() <= WITH_HEAD {
            connection.out.extend_from_slice(&data);
            if self.framing == Framing::Chunked {
                connection.out.extend_from_slice(b"\r\n");
            }
        } else {
            self.chunk = data;
        }
        Ok(())
    }

    fn end(
        &mut self,
        connection: &mut Connection,
        trailers: Option<&HeaderMap>,
    ) -> Result<(), Broken> {
        self.ended = true;
        match self.framing {
            Framing::None | Framing::Length(0) => Ok(()),
            Framing::Length(_) => Err(Broken::Malformed(
                "the request's body is shorter than announced",
            )),
            Framing::Chunked => {
                if self.chunk.is_empty() {
                    encode::last_chunk(&mut connection.out, trailers);
                    return Ok(());
                }
                // The last piece is still to be written, and what ends it comes behind it.
                let mut tail = BytesMut::from(&self.chunk[..]);
                tail.extend_from_slice(b"\r\n");
                encode::last_chunk(&mut tail, trailers);
                connection.out.extend_from_slice(&tail);
                self.chunk = Bytes::new();
                Ok(())
            }
        }
    }
}

trait AndPending<T> {
    /// The error if there is one, else not ready yet.
    fn and_pending(self) -> Poll<T>;
}

impl<T, E> AndPending<Result<T, E>> for Poll<Result<T, E>> {
    fn and_pending(self) -> Poll<Result<T, E>> {
        match self {
            Self::Ready(Err(error)) => Poll::Ready(Err(error)),
            Self::Ready(Ok(_)) | Self::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests;
