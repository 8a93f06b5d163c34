//! A client of HTTP/2.

use std::io;

use bytes::Bytes;
use daemun_base::tasks::Tasks;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::body::Body;
use crate::within;

/// A connection. Cloning gives another handle to it.
#[derive(Clone)]
pub struct Http2 {
    sender: http2::SendRequest<Body>,
    _tasks: Tasks,
}

/// An answer with all of its body.
#[derive(Debug)]
pub struct Http2Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The trailers, if there were any.
    pub trailers: Option<HeaderMap>,
}

impl Http2Answer {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The name of the backend that answered, if one did.
    pub fn backend(&self) -> Option<&str> {
        self.header("x-backend")
    }
}

impl Http2 {
    /// Connects to a port of this host, with prior knowledge.
    ///
    /// # Panics
    /// If it refuses.
    pub async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("the port is open");
        stream.set_nodelay(true).expect("a TCP connection");
        Self::over(stream).await
    }

    /// Speaks over a connection that stands.
    ///
    /// # Panics
    /// If the other side does not speak HTTP/2.
    pub async fn over<S>(stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let made = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (sender, connection) = within("an HTTP/2 connection", made).await.expect("HTTP/2");
        let tasks = Tasks::default();
        tasks.spawn(async move {
            // How it ended shows in the requests.
            let _ = connection.await;
        });
        Self {
            sender,
            _tasks: tasks,
        }
    }

    /// Sends a request, and gives the answer's head with its body to be read.
    ///
    /// # Errors
    /// The connection's or the stream's.
    pub async fn send(&self, request: Request<Body>) -> hyper::Result<Response<Incoming>> {
        let mut sender = self.sender.clone();
        within("an answer", async {
            sender.ready().await?;
            sender.send_request(request).await
        })
        .await
    }

    /// Sends a request and reads its whole answer.
    ///
    /// # Errors
    /// The connection's or the stream's.
    pub async fn exchange(&self, request: Request<Body>) -> io::Result<Http2Answer> {
        let (head, body) = self
            .send(request)
            .await
            .map_err(io::Error::other)?
            .into_parts();
        let collected = within("a body", body.collect())
            .await
            .map_err(io::Error::other)?;
        let trailers = collected.trailers().cloned();
        Ok(Http2Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: collected.to_bytes(),
            trailers,
        })
    }

    /// Sends a GET.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn get(&self, host: &str, path: &str) -> Http2Answer {
        self.get_from("http", host, path).await
    }

    /// Sends a GET, naming the scheme.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn get_from(&self, scheme: &str, host: &str, path: &str) -> Http2Answer {
        let request = Request::get(format!("{scheme}://{host}{path}")).body(Body::empty());
        self.exchange(request.expect("a request"))
            .await
            .expect("an answer")
    }

    /// Whether the connection has ended or is about to (GOAWAY).
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}
