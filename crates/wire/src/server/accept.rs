//! New connections: TLS first, with the newest certificate, and then gRPC.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use daemun_base::tasks::Tasks;
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::Server;
use tonic::transport::server::Connected;

use super::Serving;
use super::method::Method;
use super::metrics::Counts;
use super::peers::{Guest, Peers};

/// Handshakes at a time; who connects then waits.
const HANDSHAKES: usize = 64;
/// How long one may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a connection may be without the stream of somebody who is believed.
const ALONE: Duration = Duration::from_secs(15);
/// Streams of one connection. A proxy has one.
const STREAMS: u32 = 2;

/// Accepts for as long as the tasks run.
pub(super) fn start(listener: TcpListener, serving: Serving, tasks: &Tasks) {
    let (ready, mut connections) = mpsc::channel(HANDSHAKES);
    let method = Method::new(&serving, tasks);
    tasks.spawn(accept(listener, serving, ready));
    let incoming = stream::poll_fn(move |context| connections.poll_recv(context));
    tasks.spawn(async move {
        let server = Server::builder()
            .max_concurrent_streams(STREAMS)
            .http2_keepalive_interval(Some(Duration::from_secs(20)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)));
        if let Err(error) = server.serve_with_incoming(method, incoming).await {
            tracing::error!("Proxies are not served any more: {error}.");
        }
    });
}

async fn accept(
    listener: TcpListener,
    serving: Serving,
    ready: mpsc::Sender<io::Result<Connection>>,
) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    let peers = Arc::<Peers>::default();
    // They end with this task.
    let tasks = Tasks::default();
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("A proxy's connection could not be accepted: {error}.");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(guest) = peers.arrive(from.ip()) else {
            Counts::add(&serving.publisher.0.counts.turned_away, 1);
            tracing::debug!(%from, "A connection is one too many.");
            continue;
        };
        let Some(config) = serving.tls.borrow().clone() else {
            continue;
        };
        let Ok(place) = Arc::clone(&handshakes).acquire_owned().await else {
            return;
        };
        let acceptor = TlsAcceptor::from(config);
        let ready = ready.clone();
        tasks.spawn(async move {
            let _place = place;
            let _ = stream.set_nodelay(true);
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let connection = Connection {
                        stream,
                        guest,
                        look: Box::pin(sleep(ALONE)),
                    };
                    drop(ready.send(Ok(connection)).await);
                }
                // Probes, scanners, and proxies that believe another authority.
                Ok(Err(error)) => tracing::debug!(%from, "A TLS handshake failed: {error}."),
                Err(_) => tracing::debug!(%from, "A TLS handshake took too long."),
            }
        });
    }
}

/// A connection that has TLS behind it.
struct Connection {
    stream: TlsStream<TcpStream>,
    guest: Arc<Guest>,
    /// When to look whether there is a stream on it.
    look: Pin<Box<Sleep>>,
}

impl Connected for Connection {
    type ConnectInfo = Arc<Guest>;

    fn connect_info(&self) -> Arc<Guest> {
        Arc::clone(&self.guest)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.look.as_mut().poll(context).is_ready() {
            if !self.guest.has_stream() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.look.as_mut().reset(Instant::now() + ALONE);
        }
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, from)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
