//! One side of a connection: a socket, or TLS over one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{client, server};

/// A side.
pub(crate) enum Side {
    /// As it comes.
    Plain(TcpStream),
    /// TLS that ends here.
    OfClient(Box<server::TlsStream<TcpStream>>),
    /// TLS that begins here.
    OfBackend(Box<client::TlsStream<TcpStream>>),
}

impl Side {
    /// Ends it at once: what was not sent is lost, and the peer sees that.
    pub(crate) fn reset(self) {
        let tcp = match &self {
            Self::Plain(tcp) => tcp,
            Self::OfClient(tls) => tls.get_ref().0,
            Self::OfBackend(tls) => tls.get_ref().0,
        };
        super::refuse(tcp);
    }
}

/// Does the same with whichever it is.
macro_rules! each {
    ($side:expr, $inner:ident => $does:expr) => {
        match $side.get_mut() {
            Side::Plain($inner) => {
                let $inner = Pin::new($inner);
                $does
            }
            Side::OfClient($inner) => {
                let $inner = Pin::new(&mut **$inner);
                $does
            }
            Side::OfBackend($inner) => {
                let $inner = Pin::new(&mut **$inner);
                $does
            }
        }
    };
}

impl AsyncRead for Side {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, inner => inner.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Side {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, inner => inner.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, inner => inner.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, inner => inner.poll_shutdown(cx))
    }
}
