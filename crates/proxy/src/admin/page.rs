//! What is answered: short texts, and long ones that are written piece by piece while they are sent.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body::Frame;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Bytes of a piece.
const PIECE: usize = 16 * 1024;

/// How long a client may take to read a piece.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plain text.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// JSON.
pub(super) const JSON: &str = "application/json";

/// An answer's body.
pub(super) enum Page {
    /// All of it; none once it is sent.
    Whole(Option<Bytes>),
    /// Pieces as they are written.
    Pieces(mpsc::Receiver<Result<Bytes, io::Error>>),
}

impl http_body::Body for Page {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = match self.get_mut() {
            Self::Whole(bytes) => bytes.take().map(Ok),
            Self::Pieces(pieces) => ready!(pieces.poll_recv(context)),
        };
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Whole(bytes) => http_body::SizeHint::with_exact(
                bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
            ),
            Self::Pieces(_) => http_body::SizeHint::default(),
        }
    }
}

/// A short answer.
pub(super) fn whole(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Page> {
    let body = body.into();
    respond(
        status,
        kind,
        Page::Whole((!body.is_empty()).then_some(body)),
    )
}

/// A sentence.
pub(super) fn say(status: StatusCode, sentence: impl fmt::Display) -> Response<Page> {
    whole(status, TEXT, format!("{sentence}\n"))
}

/// Another method is needed.
pub(super) fn not_allowed(allowed: &'static str) -> Response<Page> {
    let sentence = format!("This page takes {allowed} only.");
    let mut response = say(StatusCode::METHOD_NOT_ALLOWED, sentence);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// A long answer, which is written on a thread of its own and never held as a whole. If the writing fails, or
/// the client does not read, the connection is closed, so that nobody takes the half for the whole.
pub(super) fn pieces(
    kind: &'static str,
    write: impl FnOnce(&mut Pieces) -> io::Result<()> + Send + 'static,
) -> Response<Page> {
    let (sender, receiver) = mpsc::channel(2);
    let mut pieces = Pieces {
        sender,
        runtime: Handle::current(),
        filled: BytesMut::new(),
    };
    daemun_base::tasks::blocking(move || {
        let written = write(&mut pieces).and_then(|()| pieces.send());
        if let Err(error) = written {
            let _ = pieces.give(Err(error));
        }
    });
    respond(StatusCode::OK, kind, Page::Pieces(receiver))
}

fn respond(status: StatusCode, kind: &'static str, page: Page) -> Response<Page> {
    let mut response = Response::new(page);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        http::header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Where a long answer is written to.
pub(super) struct Pieces {
    sender: mpsc::Sender<Result<Bytes, io::Error>>,
    runtime: Handle,
    filled: BytesMut,
}

impl Pieces {
    fn send(&mut self) -> io::Result<()> {
        let piece = self.filled.split().freeze();
        if piece.is_empty() {
            return Ok(());
        }
        self.give(Ok(piece))
    }

    fn give(&self, piece: Result<Bytes, io::Error>) -> io::Result<()> {
        let waited = async { tokio::time::timeout(PATIENCE, self.sender.send(piece)).await };
        match self.runtime.block_on(waited) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.filled.extend_from_slice(bytes);
        if self.filled.len() >= PIECE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Pieces {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        io::Write::write_all(self, text.as_bytes()).map_err(|_| fmt::Error)
    }
}
