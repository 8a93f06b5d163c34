//! A connection's pulse: when bytes last moved on it, and whether its client has ended its side.
//!
//! A request that takes long may have lost its client. Then the connection looks for its end, by one byte that is
//! read before it is asked for: a reset ends the request at once, and so does an end over TLS. In the clear a client
//! may end its side when it has sent its request, and still wait for the answer (a half-close); such a one is given
//! the time for which anything may stand still.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// When bytes last moved on a connection. Written by its own thread only; atomics because a
/// connection's I/O must be `Send` for upgrades.
pub(crate) struct Pulse {
    ticks: Arc<AtomicU32>,
    /// The tick at which bytes last moved.
    pub(super) moved: AtomicU32,
    /// Whether a request's head has begun and not been handed over.
    pub(super) in_head: AtomicBool,
    /// The tick at which that head began.
    pub(super) head_since: AtomicU32,
    /// Whether a request is under way.
    pub(super) in_request: AtomicBool,
    /// The tick at which the last request ended, or [`NEVER`].
    pub(super) rested: AtomicU32,
    /// Whether the last write found the socket full.
    pub(super) blocked: AtomicBool,
    /// The tick at which bytes were last written.
    pub(super) wrote: AtomicU32,
    /// How many requests wait for their client: for its body, or to send it theirs.
    pub(super) waiting: AtomicU32,
    /// The tick at which one of them last began to wait, or ended.
    pub(super) waiting_since: AtomicU32,
    /// Whether the connection has become a tunnel.
    pub(super) tunnels: AtomicBool,
    /// Whether the connection looks for its end.
    pub(super) looks: AtomicBool,
    /// Whether the client has ended its side within its request.
    pub(super) ended: AtomicBool,
    /// Whether what was not sent is not to be sent any more when the connection is dropped.
    resets: Arc<AtomicBool>,
}

/// A tick that does not come.
pub(super) const NEVER: u32 = u32::MAX;

impl Pulse {
    /// A connection's pulse; a head is expected from the beginning.
    pub(crate) fn new(ticks: &Arc<AtomicU32>, resets: &Arc<AtomicBool>) -> Arc<Self> {
        let now = ticks.load(Ordering::Relaxed);
        Arc::new(Self {
            ticks: Arc::clone(ticks),
            moved: AtomicU32::new(now),
            in_head: AtomicBool::new(true),
            head_since: AtomicU32::new(now),
            in_request: AtomicBool::new(false),
            rested: AtomicU32::new(NEVER),
            blocked: AtomicBool::new(false),
            wrote: AtomicU32::new(now),
            waiting: AtomicU32::new(0),
            waiting_since: AtomicU32::new(now),
            tunnels: AtomicBool::new(false),
            looks: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            resets: Arc::clone(resets),
        })
    }

    fn read(&self) {
        let now = self.ticks.load(Ordering::Relaxed);
        self.moved.store(now, Ordering::Relaxed);
        if !self.in_request.load(Ordering::Relaxed) && !self.in_head.load(Ordering::Relaxed) {
            self.in_head.store(true, Ordering::Relaxed);
            self.head_since.store(now, Ordering::Relaxed);
        }
    }

    /// One more request waits for its client, or one less does.
    pub(crate) fn waits(&self, waits: bool) {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let now = if waits {
            waiting + 1
        } else {
            waiting.saturating_sub(1)
        };
        self.waiting.store(now, Ordering::Relaxed);
        let tick = self.ticks.load(Ordering::Relaxed);
        self.waiting_since.store(tick, Ordering::Relaxed);
    }

    /// The connection becomes a tunnel.
    pub(crate) fn tunnels(&self) {
        self.tunnels.store(true, Ordering::Relaxed);
        self.looks_no_more();
    }

    /// Looks no more: the request is over, or became a tunnel.
    pub(super) fn looks_no_more(&self) {
        self.looks.store(false, Ordering::Relaxed);
    }

    fn wrote(&self, full: bool) {
        if !full {
            let now = self.ticks.load(Ordering::Relaxed);
            self.moved.store(now, Ordering::Relaxed);
            self.wrote.store(now, Ordering::Relaxed);
        }
        self.blocked.store(full, Ordering::Relaxed);
    }
}

/// A client's socket, or TLS over it.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// The socket itself.
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A client's socket, or TLS over it, that notes when bytes move.
pub(crate) struct ClientIo<S: Socket> {
    inner: S,
    pulse: Arc<Pulse>,
    /// Whether a client that has ended its side may wait for its answer.
    half_closes: bool,
    /// What was read when the connection looked for its end.
    ahead: Option<u8>,
}

impl<S: Socket> ClientIo<S> {
    pub(crate) fn new(inner: S, pulse: Arc<Pulse>, half_closes: bool) -> Self {
        Self {
            inner,
            pulse,
            half_closes,
            ahead: None,
        }
    }
}

impl<S: Socket> ClientIo<S> {
    /// Looks for the end of the connection. Wakes the task when there is something to be seen.
    fn look(&mut self, cx: &mut Context<'_>) -> std::io::Result<()> {
        if self.ahead.is_some() || self.pulse.ended.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut byte = [0];
        let mut buf = ReadBuf::new(&mut byte);
        let Poll::Ready(read) = Pin::new(&mut self.inner).poll_read(cx, &mut buf) else {
            return Ok(());
        };
        read?;
        match buf.filled() {
            [byte] => {
                self.ahead = Some(*byte);
                // Its client is there. And the engine may have asked for the byte just before, in vain.
                self.pulse.looks_no_more();
                cx.waker().wake_by_ref();
            }
            _ if self.half_closes => self.pulse.ended.store(true, Ordering::Relaxed),
            _ => return Err(std::io::ErrorKind::ConnectionAborted.into()),
        }
        Ok(())
    }
}

impl<S: Socket> Drop for ClientIo<S> {
    fn drop(&mut self) {
        if self.pulse.resets.load(Ordering::Relaxed) {
            // If it does not work, the connection is closed in the ordinary way.
            let _ = self.inner.tcp().set_zero_linger();
        }
    }
}

impl<S: Socket> AsyncRead for ClientIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if buf.remaining() > 0
            && let Some(byte) = self.ahead.take()
        {
            buf.put_slice(&[byte]);
            self.pulse.read();
            return Poll::Ready(Ok(()));
        }
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        if result.is_ready() {
            self.pulse.read();
        }
        result
    }
}

impl<S: Socket> AsyncWrite for ClientIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.pulse.wrote(result.is_pending());
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        // The engine flushes each time it is polled, and reads only when it wants something.
        if self.pulse.looks.load(Ordering::Relaxed) {
            self.look(cx)?;
        }
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.pulse.wrote(result.is_pending());
        result
    }
}
