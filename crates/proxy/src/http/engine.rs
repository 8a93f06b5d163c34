//! Running a client's connection on the HTTP engine, by either version.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::connection::{ClientIo, Connection, Socket, Wish};
use super::serve;
use crate::upstream::connect::LocalExecutor;

/// Bytes of an HTTP/2 stream's answer that are kept while its client does not read. There are as many times that as
/// streams.
const SEND_BUFFER: usize = 64 * 1024;

/// Begins to run a connection, until it ends.
pub(crate) fn serve<S: Socket>(connection: &Rc<Connection>, stream: S) {
    let worker = Rc::clone(&connection.worker);
    let registered = Registered(Rc::clone(connection));
    let half_closes = !connection.http2 && connection.tls.is_none();
    let stream = ClientIo::new(stream, Arc::clone(&connection.pulse), half_closes);
    let run = {
        let connection = Rc::clone(connection);
        async move {
            let result = if connection.http2 {
                run_http2(&connection, stream).await
            } else {
                run_http1(&connection, stream).await
            };
            if let Err(error) = result {
                connection.worker.metrics.connection_error(&error);
                tracing::debug!(peer = %connection.peer, "A client's connection ended with an error: {error}.");
            }
            drop(registered);
        }
    };
    let task = worker.tasks.spawn(run);
    connection.runs_in(task);
}

/// Takes a connection off the worker's list, however it ends.
struct Registered(Rc<Connection>);

impl Drop for Registered {
    fn drop(&mut self) {
        self.0.worker.forget(self.0.number);
    }
}

async fn run_http1<S: Socket>(
    connection: &Rc<Connection>,
    stream: ClientIo<S>,
) -> hyper::Result<()> {
    let limits = connection.limits();
    let service = service_fn(|request| serve::request(Rc::clone(connection), request));
    let running = http1::Builder::new()
        .max_header_size(limits.header_bytes as usize)
        .max_headers(limits.header_count.into())
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut running = pin!(running);
    let mut told = false;
    poll_fn(|cx| {
        if connection.wish(cx.waker()) == Wish::Close && !told {
            told = true;
            running.as_mut().graceful_shutdown();
        }
        running.as_mut().poll(cx)
    })
    .await
}

async fn run_http2<S: Socket>(
    connection: &Rc<Connection>,
    stream: ClientIo<S>,
) -> hyper::Result<()> {
    let limits = connection.limits();
    let service = service_fn({
        let connection = Rc::clone(connection);
        move |request| serve::request(Rc::clone(&connection), request)
    });
    let running = http2::Builder::new(LocalExecutor(connection.worker.tasks.clone()))
        .max_concurrent_streams(limits.concurrent_streams)
        .max_pending_accept_reset_streams(limits.pending_resets as usize)
        .max_local_error_reset_streams(limits.pending_resets as usize)
        .max_header_list_size(limits.header_bytes)
        .max_send_buf_size(SEND_BUFFER)
        .enable_connect_protocol()
        .serve_connection(TokioIo::new(stream), service);
    let mut running = pin!(running);
    let mut told = false;
    poll_fn(|cx| {
        if connection.wish(cx.waker()) >= Wish::WindDown && !told {
            told = true;
            running.as_mut().graceful_shutdown();
        }
        running.as_mut().poll(cx)
    })
    .await
}
