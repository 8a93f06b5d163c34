//! A response's body as it comes from an endpoint, whichever engine reads it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use super::failure::Broken;
use super::http1;
use super::kept::Stream;

/// A response's body.
pub(crate) enum Received {
    /// From a connection of our own engine; gives the connection back at its end.
    Http1(http1::Body),
    /// From HTTP/2, or from a connection that was to change its protocol and did not. With the stream, whose
    /// place is free again when the body has ended.
    Engine {
        /// The body.
        body: Incoming,
        /// Its place.
        _stream: Option<Stream>,
    },
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut *self {
            Self::Http1(body) => Pin::new(body).poll_frame(cx),
            Self::Engine { body, .. } => Pin::new(body).poll_frame(cx).map_err(Broken::Engine),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(body) => body.is_end_stream(),
            Self::Engine { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(body) => body.size_hint(),
            Self::Engine { body, .. } => body.size_hint(),
        }
    }
}
