//! Writing a request: head, framing, chunks (RFC 9112, sections 3, 5, 6 and 7.1).

use bytes::{BufMut as _, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method};
use http_body::Body as _;

use crate::http::replay::RequestBody;
use crate::upstream::head::Plain;

/// How the end of a request's body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is no body.
    None,
    /// By its length; so many bytes are still to come.
    Length(u64),
    /// By chunks.
    Chunked,
}

impl Framing {
    /// A body whose length is known is sent with that length, all others in chunks.
    pub(super) fn of(head: &Plain<'_>, body: &RequestBody) -> Self {
        let expects =
            head.says_empty || matches!(*head.method, Method::POST | Method::PUT | Method::PATCH);
        match body.size_hint().exact() {
            Some(0) | None if body.is_end_stream() => {
                // RFC 9110, section 8.6: a method that is about its content says that there is none.
                if expects { Self::Length(0) } else { Self::None }
            }
            Some(length) => Self::Length(length),
            None => Self::Chunked,
        }
    }
}

/// Writes a request's head.
pub(super) fn head(out: &mut BytesMut, head: &Plain<'_>, framing: Framing) {
    let Plain {
        method,
        target,
        headers,
        says_empty: _, // In the framing.
    } = head;
    let target = target
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let length =
        |name: &http::HeaderName, value: &http::HeaderValue| name.as_str().len() + value.len() + 4;
    let room: usize = headers
        .iter()
        .map(|(name, value)| length(name, value))
        .sum();
    out.reserve(room + method.as_str().len() + target.len() + 64);
    out.put_slice(method.as_str().as_bytes());
    out.put_u8(b' ');
    out.put_slice(target.as_bytes());
    out.put_slice(b" HTTP/1.1\r\n");
    for (name, value) in *headers {
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            line(out, name, value);
        }
    }
    match framing {
        Framing::None => {}
        Framing::Length(length) => {
            out.put_slice(b"content-length: ");
            out.put_slice(itoa::Buffer::new().format(length).as_bytes());
            out.put_slice(b"\r\n");
        }
        Framing::Chunked => out.put_slice(b"transfer-encoding: chunked\r\n"),
    }
    out.put_slice(b"\r\n");
}

fn line(out: &mut BytesMut, name: &http::HeaderName, value: &http::HeaderValue) {
    out.put_slice(name.as_str().as_bytes());
    out.put_slice(b": ");
    out.put_slice(value.as_bytes());
    out.put_slice(b"\r\n");
}

/// Writes the line that begins a chunk.
pub(super) fn chunk_size(out: &mut BytesMut, size: usize) {
    out.extend_from_slice(format!("{size:x}\r\n").as_bytes());
}

/// Writes what ends a body in chunks.
pub(super) fn last_chunk(out: &mut BytesMut, trailers: Option<&HeaderMap>) {
    out.put_slice(b"0\r\n");
    for (name, value) in trailers.into_iter().flatten() {
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            line(out, name, value);
        }
    }
    out.put_slice(b"\r\n");
}
