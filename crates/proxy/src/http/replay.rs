//! A request's body on its way to the backend: counted, bounded, and, where it may be needed again,
//! kept.
//!
//! A body that is neither tried again nor mirrored passes through untouched.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::Notify;

use super::connection::Pulse;
use super::forward;
use crate::observe::trip::Counted;

/// Why a body could not be passed on.
#[derive(Debug)]
pub(crate) enum RequestBodyError {
    /// The client broke off, or what it sent is malformed.
    Client(hyper::Error),
    /// It is longer than the listener allows.
    TooLarge,
    /// It was needed again and is longer than what is kept.
    NotKept,
}

impl std::fmt::Display for RequestBodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Client(error) => {
                write!(f, "the client's body ended early or is malformed: {error}")
            }
            Self::TooLarge => f.write_str("the body is longer than the listener allows"),
            Self::NotKept => f.write_str("the body is too long to be sent again"),
        }
    }
}

impl std::error::Error for RequestBodyError {}

/// A body as a connection to a backend sends it.
pub(crate) enum RequestBody {
    /// None.
    Empty,
    /// The client's, shared with who counts it and who may need it again.
    Shared {
        /// The body.
        source: Rc<Source>,
        /// How many of the kept frames this copy has sent.
        position: usize,
    },
}

/// A client's body.
pub(crate) struct Source {
    state: RefCell<State>,
    size_hint: SizeHint,
    /// Bytes of it that have come.
    pub(crate) received: Cell<u64>,
    /// Whether a piece of it went to a backend.
    passed: Cell<bool>,
    /// What went wrong, as who asks later sees it.
    pub(crate) failed: Cell<Option<Fault>>,
    most: u64,
    keep: Cell<u32>,
    ended: Notify,
    /// The client's connection, which is to know when it is waited for.
    pulse: Option<Arc<Pulse>>,
    waiting: Cell<bool>,
    answered: Cell<bool>,
}

/// Whose fault it was that a body did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The client's.
    Client,
    /// It is too large.
    TooLarge,
}

struct State {
    /// None for a body that was kept whole before.
    incoming: Option<Incoming>,
    /// What was read before it was asked for, by who must see the body before it goes to a backend.
    ahead: VecDeque<Frame<Bytes>>,
    kept: Vec<Bytes>,
    kept_bytes: u64,
    /// Too much came, or trailers: nothing is kept any more.
    overflown: bool,
    ended: bool,
}

impl State {
    /// Whether all that came was passed on, and no more will come.
    fn is_at_end(&self) -> bool {
        self.ended && self.ahead.is_empty()
    }
}

impl Counted for Source {
    fn counted(&self) -> u64 {
        self.received.get()
    }
}

impl Source {
    /// A client's body. `most`: bytes that the listener allows.
    pub(crate) fn new(incoming: Incoming, most: Option<u64>, pulse: &Arc<Pulse>) -> Rc<Self> {
        Rc::new(Self {
            size_hint: incoming.size_hint(),
            state: RefCell::new(State {
                ended: incoming.is_end_stream(),
                incoming: Some(incoming),
                ahead: VecDeque::new(),
                kept: Vec::new(),
                kept_bytes: 0,
                overflown: true,
            }),
            received: Cell::new(0),
            passed: Cell::new(false),
            failed: Cell::new(None),
            most: most.unwrap_or(u64::MAX),
            keep: Cell::new(0),
            ended: Notify::new(),
            pulse: Some(Arc::clone(pulse)),
            waiting: Cell::new(false),
            answered: Cell::new(false),
        })
    }

    /// Keeps so many bytes, so that they can be sent again; to be said before the body is sent.
    pub(crate) fn keep(&self, bytes: u32) {
        self.keep.set(bytes);
        self.state.borrow_mut().overflown = bytes == 0;
    }

    /// Bytes of the body, if its sender has said how many.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.size_hint.exact()
    }

    /// The answer has begun: from now on nobody waits for the rest of the body.
    pub(crate) fn answer_has_begun(&self) {
        self.answered.set(true);
        self.wait(false);
    }

    fn wait(&self, waits: bool) {
        let waits = waits && !self.answered.get();
        if let Some(pulse) = self
            .pulse
            .as_ref()
            .filter(|_| self.waiting.replace(waits) != waits)
        {
            pulse.waits(waits);
        }
    }

    /// A body that was kept whole, as a source of its own.
    pub(crate) fn kept(frames: Vec<Bytes>) -> Rc<Self> {
        let kept_bytes = frames.iter().map(|frame| frame.len() as u64).sum();
        Rc::new(Self {
            size_hint: SizeHint::with_exact(kept_bytes),
            state: RefCell::new(State {
                incoming: None,
                ahead: VecDeque::new(),
                kept: frames,
                kept_bytes,
                overflown: false,
                ended: true,
            }),
            received: Cell::new(kept_bytes),
            passed: Cell::new(false),
            failed: Cell::new(None),
            most: u64::MAX,
            keep: Cell::new(u32::MAX),
            ended: Notify::new(),
            pulse: None,
            waiting: Cell::new(false),
            answered: Cell::new(false),
        })
    }

    /// The body from its beginning, for one try.
    pub(crate) fn body(self: &Rc<Self>) -> RequestBody {
        RequestBody::Shared {
            source: Rc::clone(self),
            position: 0,
        }
    }

    /// Whether it can be sent from its beginning.
    pub(crate) fn is_replayable(&self) -> bool {
        let state = self.state.borrow();
        self.failed.get().is_none() && (!state.overflown || !self.passed.get())
    }

    /// Waits for the end of the body, and gives it if all of it was kept.
    pub(crate) async fn whole(&self) -> Option<Vec<Bytes>> {
        loop {
            let ended = self.ended.notified();
            {
                let state = self.state.borrow();
                if state.overflown || self.failed.get().is_some() {
                    return None;
                }
                if state.is_at_end() {
                    return Some(state.kept.clone());
                }
            }
            ended.await;
        }
    }

    fn poll(
        &self,
        position: &mut usize,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let mut state = self.state.borrow_mut();
        if *position < state.kept.len() {
            let bytes = state.kept[*position].clone();
            *position += 1;
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if state.overflown && *position == 0 && self.passed.get() && self.keep.get() > 0 {
            return Poll::Ready(Some(Err(RequestBodyError::NotKept)));
        }
        let frame = match state.ahead.pop_front() {
            Some(frame) => frame,
            None => match std::task::ready!(self.receive(&mut state, cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => frame,
            },
        };
        self.passed.set(true);
        if let Some(data) = frame.data_ref() {
            self.remember(&mut state, data, position);
        } else {
            state.overflown = true;
        }
        if state.is_at_end() {
            self.ended.notify_waiters();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    /// The next piece from the client.
    fn receive(
        &self,
        state: &mut State,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let Some(incoming) = state.incoming.as_mut().filter(|_| !state.ended) else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(incoming).poll_frame(cx);
        self.wait(polled.is_pending());
        let frame = match std::task::ready!(polled) {
            None => {
                self.end(state);
                return Poll::Ready(None);
            }
            Some(Err(error)) => {
                self.fail(Fault::Client);
                return Poll::Ready(Some(Err(RequestBodyError::Client(error))));
            }
            Some(Ok(frame)) => frame,
        };
        if let Some(data) = frame.data_ref() {
            self.received.set(self.received.get() + data.len() as u64);
            if self.received.get() > self.most {
                self.fail(Fault::TooLarge);
                return Poll::Ready(Some(Err(RequestBodyError::TooLarge)));
            }
        }
        let frame = match frame.into_trailers() {
            Ok(mut trailers) => {
                forward::clean_trailers(&mut trailers);
                Frame::trailers(trailers)
            }
            Err(frame) => frame,
        };
        if state.incoming.as_ref().is_none_or(Incoming::is_end_stream) {
            self.end(state);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    /// Reads the whole body before it is sent, and gives a copy of it.
    ///
    /// # Errors
    /// It is longer than `most`, or breaks off.
    pub(crate) async fn read_ahead(&self, most: usize) -> Result<Bytes, Fault> {
        if self.size_hint.lower() > most as u64 {
            return Err(Fault::TooLarge);
        }
        let mut copy = BytesMut::new();
        // What another filter has read is there.
        for data in self.state.borrow().ahead.iter().filter_map(Frame::data_ref) {
            copy.extend_from_slice(data);
        }
        loop {
            let next = std::future::poll_fn(|cx| self.receive(&mut self.state.borrow_mut(), cx));
            match next.await {
                None => break,
                Some(Err(_)) => return Err(self.failed.get().unwrap_or(Fault::Client)),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        copy.extend_from_slice(data);
                    }
                    self.state.borrow_mut().ahead.push_back(frame);
                }
            }
            if copy.len() > most {
                break;
            }
        }
        match copy.len() > most {
            true => Err(Fault::TooLarge),
            false => Ok(copy.freeze()),
        }
    }

    fn fail(&self, fault: Fault) {
        self.failed.set(Some(fault));
        self.ended.notify_waiters();
    }

    fn remember(&self, state: &mut State, data: &Bytes, position: &mut usize) {
        if state.overflown {
            // Not the beginning any more: this copy is the only one there will be.
            *position = usize::MAX;
            return;
        }
        if state.kept_bytes + data.len() as u64 > u64::from(self.keep.get()) {
            state.overflown = true;
            state.kept = Vec::new();
            *position = usize::MAX;
            self.ended.notify_waiters();
            return;
        }
        state.kept_bytes += data.len() as u64;
        state.kept.push(data.clone());
        *position = state.kept.len();
    }

    fn end(&self, state: &mut State) {
        state.ended = true;
        self.ended.notify_waiters();
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.wait(false);
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Shared { source, position } => source.poll(position, cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Shared { source, position } => {
                let state = source.state.borrow();
                state.is_at_end() && *position >= state.kept.len()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Shared {
                source,
                position: 0,
            } => source.size_hint,
            Self::Shared { .. } => SizeHint::default(),
        }
    }
}
