//! Reading a response's head, and how its body ends (RFC 9112, sections 4 to 6.3).

use std::mem::MaybeUninit;

use bytes::{Buf as _, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use smallvec::SmallVec;

use super::body::{Body, Rest};
use super::{Connection, Sending};
use crate::upstream::failure::Broken;
use crate::upstream::kept::Home;

/// The most headers a response may have.
const MOST_HEADERS: usize = 128;

/// What was found at the beginning of what was read.
pub(super) enum Parsed {
    /// Not a whole head yet.
    Partial,
    /// A 1xx response, which was taken off.
    Interim,
    /// A response's head, which was taken off.
    Final(Received),
}

/// A response's head.
pub(super) struct Received {
    status: StatusCode,
    headers: HeaderMap,
    rest: Rest,
    keep_alive: bool,
}

impl Received {
    pub(super) fn into_response(
        self,
        connection: Box<Connection>,
        sending: Sending,
        home: Home,
    ) -> Response<Body> {
        let body = Body::new(self.rest, connection, sending, home, self.keep_alive);
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Takes a head off the beginning of what was read.
pub(super) fn parse(read: &mut BytesMut, method: &Method) -> Result<Parsed, Broken> {
    let mut lines = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut response, read, &mut lines)
        .map_err(|error| match error {
            httparse::Error::TooManyHeaders => Broken::Malformed("it has too many headers"),
            httparse::Error::HeaderName => {
                Broken::Malformed("a header's name has a character that none can have")
            }
            httparse::Error::HeaderValue => {
                Broken::Malformed("a header's value has a character that none can have")
            }
            _ => Broken::Malformed("its first line is not that of an HTTP/1 response"),
        })?;
    let httparse::Status::Complete(length) = parsed else {
        return Ok(Parsed::Partial);
    };
    let status = response
        .code
        .and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.ok_or(Broken::Malformed("its status is none"))?;
    let minor = response.version.unwrap_or(1);
    if status.is_informational() {
        // 101 comes only to those who asked, on connections of the other engine.
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Broken::Malformed("it changes the protocol unasked"));
        }
        read.advance(length);
        return Ok(Parsed::Interim);
    }
    let start = read.as_ptr().addr();
    let mut found: SmallVec<[(HeaderName, usize, usize); 24]> = SmallVec::new();
    for header in response.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes())
            .map_err(|_| Broken::Malformed("a header's name has a character that none can have"))?;
        found.push((
            name,
            header.value.as_ptr().addr().wrapping_sub(start),
            header.value.len(),
        ));
    }
    let bytes = read.split_to(length).freeze();
    let mut headers = HeaderMap::with_capacity(found.len());
    let mut about = About::default();
    for (name, at, length) in found {
        // An empty value has no place of its own.
        let value = if length == 0 {
            bytes::Bytes::new()
        } else {
            bytes.slice(at..at + length)
        };
        let value = HeaderValue::from_maybe_shared(value).map_err(|_| {
            Broken::Malformed("a header's value has a character that none can have")
        })?;
        about.note(&name, &value)?;
        headers.append(name, value);
    }
    let rest = about.rest(method, status)?;
    let keep_alive = minor == 1 && !about.close && !matches!(rest, Rest::UntilClose);
    Ok(Parsed::Final(Received {
        status,
        headers,
        rest,
        keep_alive,
    }))
}

/// What headers say about the message itself.
#[derive(Default)]
struct About {
    length: Option<u64>,
    chunked: bool,
    close: bool,
}

impl About {
    fn note(&mut self, name: &HeaderName, value: &HeaderValue) -> Result<(), Broken> {
        if *name == CONTENT_LENGTH {
            let length = digits(value.as_bytes())
                .ok_or(Broken::Malformed("its Content-Length is no number"))?;
            if self.length.is_some_and(|known| known != length) {
                return Err(Broken::Malformed("it has two different lengths"));
            }
            self.length = Some(length);
        } else if *name == TRANSFER_ENCODING {
            if self.chunked
                || !value
                    .as_bytes()
                    .trim_ascii()
                    .eq_ignore_ascii_case(b"chunked")
            {
                return Err(Broken::Malformed(
                    "its Transfer-Encoding is not exactly chunked",
                ));
            }
            self.chunked = true;
        } else if *name == CONNECTION {
            let mut tokens = value.as_bytes().split(|byte| *byte == b',');
            self.close |= tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"close"));
        }
        Ok(())
    }

    fn rest(&self, method: &Method, status: StatusCode) -> Result<Rest, Broken> {
        if self.chunked && self.length.is_some() {
            return Err(Broken::Malformed("it has both a length and chunks"));
        }
        let none = *method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        Ok(match self.length {
            _ if none => Rest::None,
            _ if self.chunked => Rest::chunks(),
            Some(0) => Rest::None,
            Some(length) => Rest::Length(length),
            None => Rest::UntilClose,
        })
    }
}

fn digits(bytes: &[u8]) -> Option<u64> {
    let digit = |byte: &u8| byte.is_ascii_digit();
    if bytes.is_empty() || !bytes.iter().all(digit) {
        return None;
    }
    bytes.iter().try_fold(0_u64, |sum, byte| {
        sum.checked_mul(10)?.checked_add(u64::from(byte - b'0'))
    })
}
