//! Making a connection to an endpoint: TCP, TLS if the backend has it, and the HTTP engine's handshake.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use daemun_base::tasks::LocalTasks;
use daemun_model::backend::BackendProtocol;
use hyper::client::conn::http2;
use hyper::rt::{Executor, Read, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::live::{BackendLive, EndpointLive};
use crate::upstream::failure::ConnectError;
use crate::upstream::http1::{self, Stream};
use crate::upstream::kept::{self, Made, Open};
use crate::upstream::tls;
use crate::worker::Worker;

/// Bytes of one HTTP/2 answer that are taken from a backend before its client has taken them.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The same for all answers of a connection, which belong to many clients: so many that clients who do not
/// read never use it up, and take nothing from the others. Streams and their windows are what bounds it.
const CONNECTION_WINDOW: u32 = 1 << 30;

/// Runs the HTTP engine's tasks on the worker's own thread.
#[derive(Clone)]
pub(crate) struct LocalExecutor(pub(crate) LocalTasks);

impl<F: Future<Output = ()> + 'static> Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

/// Which version of HTTP a connection is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speak {
    /// The backend's.
    Any,
    /// HTTP/1.1, because the connection will change its protocol.
    Http1,
}

/// Connects to an endpoint. The connection's task holds `open` until it ends.
///
/// # Errors
/// What failed. There is no time limit here; the caller has one.
pub(crate) async fn connect(
    worker: &Rc<Worker>,
    backend: &BackendLive,
    endpoint: &EndpointLive,
    (open, speak): (Open, Speak),
) -> Result<Made, ConnectError> {
    worker.metrics.upstream_connecting(&backend.series);
    let result = connect_uncounted(worker, backend, endpoint, (open, speak)).await;
    if result.is_err() {
        worker.metrics.upstream_connect_failed(&backend.series);
    }
    result
}

async fn connect_uncounted(
    worker: &Rc<Worker>,
    backend: &BackendLive,
    endpoint: &EndpointLive,
    (open, speak): (Open, Speak),
) -> Result<Made, ConnectError> {
    let tcp = TcpStream::connect(endpoint.address)
        .await
        .map_err(ConnectError::Tcp)?;
    tcp.set_nodelay(true).map_err(ConnectError::Tcp)?;
    match &backend.tls {
        None => {
            let http2 = backend.protocol == BackendProtocol::Http2;
            match speak {
                Speak::Any if http2 => http2_handshake(worker, TokioIo::new(tcp), open).await,
                Speak::Any => Ok(Made::Http1(Box::new(http1::Connection::new(
                    Stream::Plain(tcp),
                    open,
                )))),
                Speak::Http1 => upgradable(worker, TokioIo::new(tcp), open).await,
            }
        }
        Some(settings) => {
            let config = match speak {
                Speak::Any => &settings.config,
                Speak::Http1 => &settings.upgradable,
            };
            let deadline = tokio::time::Instant::now() + backend.connections.connect;
            let connecting = tls::connect(tcp, Arc::clone(config), settings.name.clone(), deadline);
            let stream = connecting.await.map_err(ConnectError::Tls)?;
            match speak {
                Speak::Any if tls::is_http2(&stream) => {
                    http2_handshake(worker, TokioIo::new(stream), open).await
                }
                Speak::Any => Ok(Made::Http1(Box::new(http1::Connection::new(
                    Stream::Tls(Box::new(stream)),
                    open,
                )))),
                Speak::Http1 => upgradable(worker, TokioIo::new(stream), open).await,
            }
        }
    }
}

async fn http2_handshake<S: Read + Write + Unpin + Send + 'static>(
    worker: &Rc<Worker>,
    stream: S,
    open: Open,
) -> Result<Made, ConnectError> {
    let (sender, connection) = http2::Builder::new(LocalExecutor(worker.tasks.clone()))
        // The others wait until the backend has said how many it takes.
        .initial_max_send_streams(1)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .handshake(stream)
        .await
        .map_err(ConnectError::Http)?;
    worker.tasks.spawn(async move {
        let _open = open;
        // How it ended is told to the requests that were on it.
        let _ = connection.await;
    });
    Ok(Made::Http2(kept::Stream::first(sender, worker.tick())))
}

/// A connection of the engine that can hand it over after a change of protocol.
async fn upgradable<S: Read + Write + Unpin + Send + 'static>(
    worker: &Rc<Worker>,
    stream: S,
    open: Open,
) -> Result<Made, ConnectError> {
    let handshake = hyper::client::conn::http1::handshake(stream);
    let (sender, connection) = handshake.await.map_err(ConnectError::Http)?;
    worker.tasks.spawn(async move {
        let _open = open;
        let _ = connection.with_upgrades().await;
    });
    Ok(Made::Upgradable(sender))
}
