//! Passing bytes both ways until both sides are done.
//!
//! A worker has one large buffer for all of its connections. What is read into it is written on at once; only what
//! the other side does not take yet is kept with the connection, and then nothing more is read from this side. So
//! an idle connection costs no buffer, and a slow one at most as much as the buffer holds, each way.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::side::Side;
use crate::observe::ends::End;
use crate::running::Running;
use crate::worker::Worker;

/// Passes bytes until both sides are done, or one breaks off, or the connection is to end. `first` goes to the
/// backend before all else. When one side breaks off, so does the gateway with the other.
pub(super) async fn relay(
    worker: &Rc<Worker>,
    running: &Running,
    (mut client, mut backend): (Side, Side),
    first: Vec<u8>,
) -> End {
    let mut up = Way::new(first);
    let mut down = Way::new(Vec::new());
    let end = poll_fn(|cx| {
        if let Some(end) = running.wish(cx.waker()) {
            return Poll::Ready(end);
        }
        let tick = worker.tick();
        let mut buffer = worker.buffer.borrow();
        up.pump(cx, (&mut client, &mut backend), &mut buffer, |bytes| {
            running.received(bytes, tick);
        });
        down.pump(cx, (&mut backend, &mut client), &mut buffer, |bytes| {
            running.sent(bytes, tick);
        });
        match (&up.state, &down.state) {
            (State::Unreadable, _) => Poll::Ready(End::ClientReset),
            (_, State::Unreadable) => Poll::Ready(End::BackendReset),
            (State::Done, State::Done) => Poll::Ready(End::Closed),
            (State::Unwritable, State::Done | State::Unwritable) => Poll::Ready(End::BackendReset),
            (State::Done, State::Unwritable) => Poll::Ready(End::ClientReset),
            // What a side that takes nothing more has still sent is worth having.
            (State::Open | State::Ended, _) | (_, State::Open | State::Ended) => Poll::Pending,
        }
    })
    .await;
    match end {
        End::ClientReset | End::BackendReset | End::GatewayClosed | End::SourceNotAllowed => {
            client.reset();
            backend.reset();
        }
        _ => {}
    }
    end
}

/// One of the two ways.
struct Way {
    state: State,
    /// What was read and not written yet, from `taken` on.
    kept: Vec<u8>,
    taken: usize,
    /// Whether something that was written may wait within TLS.
    unflushed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Bytes may come.
    Open,
    /// No more will come; the other side is not told yet.
    Ended,
    /// The other side was told.
    Done,
    /// The reading end broke.
    Unreadable,
    /// The writing end broke.
    Unwritable,
}

impl Way {
    fn new(kept: Vec<u8>) -> Self {
        Self {
            state: State::Open,
            kept,
            taken: 0,
            unflushed: false,
        }
    }

    /// Passes on what there is, until one of the two sides must be waited for.
    fn pump(
        &mut self,
        cx: &mut Context<'_>,
        (from, to): (&mut Side, &mut Side),
        buffer: &mut [u8],
        mut moved: impl FnMut(usize),
    ) {
        loop {
            let step = match self.state {
                State::Done | State::Unreadable | State::Unwritable => return,
                _ if !self.kept.is_empty() => self.write_kept(cx, to, &mut moved),
                State::Open => self.read(cx, (&mut *from, &mut *to), buffer, &mut moved),
                State::Ended => self.end(cx, to),
            };
            if step.is_pending() {
                return;
            }
        }
    }

    fn write_kept(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut Side,
        moved: &mut impl FnMut(usize),
    ) -> Poll<()> {
        match ready!(Pin::new(to).poll_write(cx, &self.kept[self.taken..])) {
            Ok(0) | Err(_) => self.state = State::Unwritable,
            Ok(bytes) => {
                moved(bytes);
                self.unflushed = true;
                self.taken += bytes;
                if self.taken == self.kept.len() {
                    (self.kept, self.taken) = (Vec::new(), 0);
                }
            }
        }
        Poll::Ready(())
    }

    fn read(
        &mut self,
        cx: &mut Context<'_>,
        (from, to): (&mut Side, &mut Side),
        buffer: &mut [u8],
        moved: &mut impl FnMut(usize),
    ) -> Poll<()> {
        let mut into = ReadBuf::new(buffer);
        let read = match Pin::new(from).poll_read(cx, &mut into) {
            Poll::Ready(read) => read,
            Poll::Pending => {
                // Nothing follows, so what TLS holds back must go out now.
                if self.unflushed {
                    match ready!(Pin::new(to).poll_flush(cx)) {
                        Ok(()) => self.unflushed = false,
                        Err(_) => self.state = State::Unwritable,
                    }
                }
                return Poll::Pending;
            }
        };
        match read {
            Ok(()) if into.filled().is_empty() => self.state = State::Ended,
            Ok(()) => self.write(cx, to, into.filled(), moved),
            // A peer that closes its connection without closing TLS is common, and has said all that it wanted.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.state = State::Ended,
            Err(_) => self.state = State::Unreadable,
        }
        Poll::Ready(())
    }

    fn write(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut Side,
        bytes: &[u8],
        moved: &mut impl FnMut(usize),
    ) {
        let written = match Pin::new(to).poll_write(cx, bytes) {
            Poll::Pending => 0,
            Poll::Ready(Ok(written)) if written > 0 => written,
            Poll::Ready(_) => {
                self.state = State::Unwritable;
                return;
            }
        };
        moved(written);
        self.unflushed = true;
        if written < bytes.len() {
            self.kept.extend_from_slice(&bytes[written..]);
        }
    }

    fn end(&mut self, cx: &mut Context<'_>, to: &mut Side) -> Poll<()> {
        // A side that is gone need not be told.
        let _ = ready!(Pin::new(to).poll_shutdown(cx));
        self.state = State::Done;
        Poll::Ready(())
    }
}
