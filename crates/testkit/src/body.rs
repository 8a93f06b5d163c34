//! A body that is fed while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tokio::sync::mpsc;

/// The receiving half, which is sent.
pub struct Body(mpsc::Receiver<io::Result<Frame<Bytes>>>);

/// The feeding half. Dropping it ends the body.
#[derive(Clone)]
pub struct Feed(mpsc::Sender<io::Result<Frame<Bytes>>>);

/// A body and who feeds it. At most one frame waits, so that back-pressure can be felt.
pub fn fed() -> (Feed, Body) {
    let (sender, receiver) = mpsc::channel(1);
    (Feed(sender), Body(receiver))
}

impl Body {
    /// Nothing.
    pub fn empty() -> Self {
        fed().1
    }

    /// All of it at once, but of unknown length.
    pub fn of(bytes: impl Into<Bytes>) -> Self {
        let (feed, body) = fed();
        // There is room for one.
        let _ = feed.0.try_send(Ok(Frame::data(bytes.into())));
        body
    }
}

impl Feed {
    /// Sends a piece. False: nobody wants it any more.
    pub async fn data(&self, bytes: impl Into<Bytes>) -> bool {
        self.0.send(Ok(Frame::data(bytes.into()))).await.is_ok()
    }

    /// Sends trailers.
    pub async fn trailers(&self, trailers: HeaderMap) -> bool {
        self.0.send(Ok(Frame::trailers(trailers))).await.is_ok()
    }

    /// Breaks the body off.
    pub async fn fail(&self) -> bool {
        self.0
            .send(Err(io::Error::other("broken on purpose")))
            .await
            .is_ok()
    }

    /// Waits until nobody wants the body any more.
    pub async fn abandoned(&self) {
        self.0.closed().await;
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_closed() && self.0.is_empty()
    }
}
