//! A response's body on its way to the client: the backend's, passed through, or one of our own.
//!
//! It carries what ends with it: the connection to the endpoint, the counts of requests in flight, and
//! the trip's record.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;

use crate::http::connection::Busy;
use crate::live::InFlight;
use crate::observe::trip::{BrokenBy, Finished};
use crate::upstream::failure::Broken;
use crate::upstream::received::Received;

/// Why a response ended early. The client sees its connection or stream broken off.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// The backend broke off.
    Backend(Broken),
    /// The request's time was over.
    TimedOut,
}

impl BodyError {
    fn by(&self) -> BrokenBy {
        match self {
            Self::Backend(_) => BrokenBy::Backend,
            Self::TimedOut => BrokenBy::Timeout,
        }
    }
}

impl std::fmt::Display for BodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Backend(error) => write!(f, "the backend broke off its response: {error}"),
            Self::TimedOut => {
                f.write_str("the request's time was over before the response had ended")
            }
        }
    }
}

impl std::error::Error for BodyError {}

/// A response's body, with all that ends when it does.
pub(crate) struct Body {
    kind: Kind,
    /// Recorded when the body is dropped.
    pub(crate) trip: Option<Finished>,
    pub(crate) held: Held,
}

/// What is given up when the response has ended.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) busy: Option<Busy>,
    pub(crate) listener: Option<InFlight>,
}

enum Kind {
    Own(Option<Bytes>),
    Backend(FromBackend),
}

/// A backend's body.
pub(crate) struct FromBackend {
    pub(crate) incoming: Received,
    /// The endpoint's count of requests in flight.
    pub(crate) _in_flight: InFlight,
    /// When the whole request must have ended.
    pub(crate) deadline: Option<Pin<Box<Sleep>>>,
}

impl Body {
    /// No body, or one of our own.
    pub(crate) fn own(bytes: Bytes) -> Self {
        Self {
            kind: Kind::Own((!bytes.is_empty()).then_some(bytes)),
            trip: None,
            held: Held::default(),
        }
    }

    /// A backend's.
    pub(crate) fn backend(body: FromBackend) -> Self {
        Self {
            kind: Kind::Backend(body),
            trip: None,
            held: Held::default(),
        }
    }
}

impl FromBackend {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        // First, or a body that never makes anybody wait would never end.
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(BodyError::TimedOut)));
        }
        let frame = std::task::ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Backend)))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let frame = match &mut this.kind {
            Kind::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Backend(body) => body.poll(cx),
        };
        if let Some(busy) = &this.held.busy {
            // Who asks for the next frame has sent this one.
            busy.waits(matches!(&frame, Poll::Ready(Some(Ok(_)))));
        }
        if let (Poll::Ready(frame), Some(trip)) = (&frame, &mut this.trip) {
            match frame {
                Some(Ok(frame)) => trip.sent(frame.data_ref().map_or(0, Bytes::len)),
                Some(Err(error)) => trip.broken(error.by()),
                None => {}
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Own(bytes) => bytes.is_none(),
            Kind::Backend(body) => body.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Own(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::Backend(body) => body.incoming.size_hint(),
        }
    }
}
