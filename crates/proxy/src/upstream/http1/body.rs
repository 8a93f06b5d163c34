//! Reading a response's body from its connection, and giving the connection back at its end
//! (RFC 9112, sections 6.3 and 7.1).

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::{Connection, READ, Sending};
use crate::upstream::failure::Broken;
use crate::upstream::kept::Home;

/// The most that is read at once of a body whose length is known.
const MOST_READ: u64 = 64 * 1024;
/// The longest line that begins a chunk.
const LONGEST_LINE: usize = 1024;
/// The longest trailers.
const LONGEST_TRAILERS: usize = 16 * 1024;
const MOST_TRAILERS: usize = 64;

/// What is still to be read of a response.
pub(super) enum Rest {
    /// Nothing.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunks(Chunk),
    /// Everything until the connection is closed.
    UntilClose,
}

/// Where in the chunks the reader is.
#[derive(Clone, Copy)]
pub(super) enum Chunk {
    /// Before a line with a size.
    Size,
    /// In a chunk, so many bytes before its end.
    Data(u64),
    /// Behind a chunk's data, before its line end.
    End,
    /// Behind the last chunk.
    Trailers,
}

impl Rest {
    /// A body in chunks, at its beginning.
    pub(super) fn chunks() -> Self {
        Self::Chunks(Chunk::Size)
    }
}

/// A response's body.
pub(crate) struct Body {
    rest: Rest,
    /// None at the end.
    connection: Option<Box<Connection>>,
    sending: Sending,
    home: Home,
    keep_alive: bool,
    /// The rest of the request could not be sent.
    gave_up: bool,
}

impl Body {
    pub(super) fn new(
        rest: Rest,
        connection: Box<Connection>,
        sending: Sending,
        home: Home,
        keep_alive: bool,
    ) -> Self {
        let mut body = Self {
            rest,
            connection: Some(connection),
            sending,
            home,
            keep_alive,
            gave_up: false,
        };
        if matches!(body.rest, Rest::None) {
            body.finish();
        }
        body
    }

    /// Gives the connection back, if another request can go over it.
    fn finish(&mut self) {
        self.rest = Rest::None;
        let Some(connection) = self.connection.take() else {
            return;
        };
        if self.keep_alive && connection.read.is_empty() && self.sending.is_done(&connection) {
            self.home.keep(connection);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            let Some(connection) = &mut self.connection else {
                return Poll::Ready(None);
            };
            if !self.gave_up && !self.sending.is_done(connection) {
                // The backend answers before it has everything. Whether it wants the rest is its business.
                if let Poll::Ready(Err(_)) = self.sending.poll(connection, cx) {
                    self.gave_up = true;
                }
            }
            let step = match &mut self.rest {
                Rest::None => Step::End,
                Rest::Length(left) => length(left, connection),
                Rest::UntilClose => everything(connection),
                Rest::Chunks(chunk) => chunks(chunk, connection)?,
            };
            match step {
                Step::Data(data) => {
                    if matches!(self.rest, Rest::Length(0)) {
                        self.finish();
                    }
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Step::End => {
                    self.finish();
                    return Poll::Ready(None);
                }
                Step::Trailers(trailers) => {
                    self.finish();
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                Step::More(room) => {
                    if std::task::ready!(connection.poll_more(cx, room))? > 0 {
                        continue;
                    }
                    self.connection = None;
                    if matches!(self.rest, Rest::UntilClose) {
                        self.rest = Rest::None;
                        return Poll::Ready(None);
                    }
                    return Poll::Ready(Some(Err(Broken::Truncated)));
                }
            }
        }
    }
}

enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    End,
    /// So much room for what is read next.
    More(usize),
}

/// Room for what is left and a byte more: a read that fills its room leaves the socket looking as if
/// there were more to read.
fn room(left: u64) -> usize {
    let room = left.saturating_add(1).min(MOST_READ);
    usize::try_from(room).unwrap_or(READ).max(READ)
}

fn length(left: &mut u64, connection: &mut Connection) -> Step {
    if connection.read.is_empty() {
        return Step::More(room(*left));
    }
    Step::Data(take(left, connection))
}

fn take(left: &mut u64, connection: &mut Connection) -> Bytes {
    let here = connection.read.len();
    let size = usize::try_from(*left).map_or(here, |left| left.min(here));
    *left -= size as u64;
    connection.read.split_to(size).freeze()
}

fn everything(connection: &mut Connection) -> Step {
    if connection.read.is_empty() {
        Step::More(READ)
    } else {
        Step::Data(connection.read.split().freeze())
    }
}

fn chunks(chunk: &mut Chunk, connection: &mut Connection) -> Result<Step, Broken> {
    loop {
        match chunk {
            Chunk::Size => match size_line(connection)? {
                None => return Ok(Step::More(READ)),
                Some(0) => *chunk = Chunk::Trailers,
                Some(size) => *chunk = Chunk::Data(size),
            },
            Chunk::Data(left) => {
                if connection.read.is_empty() {
                    return Ok(Step::More(room(*left)));
                }
                let data = take(left, connection);
                if *left == 0 {
                    *chunk = Chunk::End;
                }
                return Ok(Step::Data(data));
            }
            Chunk::End => match &connection.read[..] {
                [b'\r', b'\n', ..] => {
                    connection.read.advance(2);
                    *chunk = Chunk::Size;
                }
                [] | [b'\r'] => return Ok(Step::More(READ)),
                _ => return Err(Broken::Malformed("a chunk does not end where it should")),
            },
            Chunk::Trailers => return trailers(connection),
        }
    }
}

/// `chunk-size [ chunk-ext ] CRLF`. Extensions mean nothing to us and are passed over.
fn size_line(connection: &mut Connection) -> Result<Option<u64>, Broken> {
    let bad = Broken::Malformed("a chunk's size is none");
    let Some(end) = memchr::memchr(b'\n', &connection.read) else {
        return if connection.read.len() > LONGEST_LINE {
            Err(bad)
        } else {
            Ok(None)
        };
    };
    let line = &connection.read[..end];
    let (Some(line), true) = (line.strip_suffix(b"\r"), end <= LONGEST_LINE) else {
        return Err(bad);
    };
    let (digits, extension) = match memchr::memchr(b';', line) {
        Some(at) => (line[..at].trim_ascii_end(), &line[at..]),
        None => (line, &[][..]),
    };
    let clean = extension
        .iter()
        .all(|byte| *byte == b'\t' || (b' '..=b'~').contains(byte));
    if digits.is_empty() || digits.len() > 16 || !digits.iter().all(u8::is_ascii_hexdigit) || !clean
    {
        return Err(bad);
    }
    let text = std::str::from_utf8(digits).unwrap_or_default();
    let size = u64::from_str_radix(text, 16).map_err(|_| bad)?;
    connection.read.advance(end + 1);
    Ok(Some(size))
}

fn trailers(connection: &mut Connection) -> Result<Step, Broken> {
    let mut lines = [httparse::EMPTY_HEADER; MOST_TRAILERS];
    let parsed = httparse::parse_headers(&connection.read, &mut lines);
    let (length, found) = match parsed {
        Ok(httparse::Status::Complete(parsed)) => parsed,
        Ok(httparse::Status::Partial) if connection.read.len() <= LONGEST_TRAILERS => {
            return Ok(Step::More(READ));
        }
        Ok(httparse::Status::Partial) | Err(_) => {
            return Err(Broken::Malformed("its trailers are none"));
        }
    };
    let mut trailers = HeaderMap::with_capacity(found.len());
    for line in found {
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let value = HeaderValue::from_bytes(line.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(Broken::Malformed("its trailers are none"));
        };
        trailers.append(name, value);
    }
    connection.read.advance(length);
    Ok(if trailers.is_empty() {
        Step::End
    } else {
        Step::Trailers(trailers)
    })
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let polled = self.poll(cx);
        if let Poll::Ready(Some(Err(_))) = &polled {
            // Nothing that comes behind a broken body can be believed.
            self.connection = None;
            self.rest = Rest::None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.rest, Rest::None)
    }

    fn size_hint(&self) -> SizeHint {
        match self.rest {
            Rest::None => SizeHint::with_exact(0),
            Rest::Length(left) => SizeHint::with_exact(left),
            Rest::Chunks(_) | Rest::UntilClose => SizeHint::default(),
        }
    }
}
