//! A backend that echoes what it saw, and misbehaves when asked to.
//!
//! It speaks HTTP/1.1, and HTTP/2 by prior knowledge or ALPN. What it does with a request is decided by
//! the next of the acts that were planned, or by what it does always.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use daemun_base::tasks::Tasks;
use http::header::{CONNECTION, HOST, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::body::{self, Body};
use crate::{Identity, tls};

/// What a backend does with a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Reads it whole and answers 200 with its body.
    Echo,
    /// Reads it whole, waits, and answers 200.
    Delay(Duration),
    /// Answers with a status.
    Status(u16),
    /// Answers with a status and headers.
    Headers(u16, Vec<(&'static str, &'static str)>),
    /// Answers 200 with these headers and this body.
    Body(Vec<(&'static str, &'static str)>, Bytes),
    /// Answers 200 with a body of gRPC (with the length of its message before it), and its trailers.
    Grpc(Bytes, Vec<(&'static str, &'static str)>),
    /// Sends every piece of the body back as it comes, and trailers at the end.
    Stream,
    /// Answers as many bytes, without stopping.
    Bytes(usize),
    /// Answers in two halves with a pause between them.
    Halves(Duration),
    /// Answers 200 and a body, then trailers, as gRPC does.
    Trailers,
    /// Closes the connection (HTTP/1) or resets the stream (HTTP/2) without an answer.
    Break,
    /// Breaks off in the middle of the answer's body.
    BreakInBody,
    /// Never answers.
    Hang,
}

/// A request as the backend saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// The request target: path and query, whatever the version.
    pub target: String,
    /// `Host`, or HTTP/2's `:authority`.
    pub host: String,
    /// The version.
    pub version: Version,
    /// The headers.
    pub headers: HeaderMap,
    /// The body. Empty where it was not read before the answer.
    pub body: Bytes,
    /// Trailers, if there were any.
    pub trailers: Option<HeaderMap>,
    /// The number of the connection that it came on, from 0.
    pub connection: usize,
    /// The name that TLS asked for.
    pub sni: Option<String>,
    /// How many certificates the gateway showed.
    pub client_certificates: usize,
}

impl Seen {
    /// The first header of a name, or nothing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All headers of a name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect()
    }
}

/// A backend. It ends when it is dropped.
pub struct Backend {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: Tasks,
}

struct Shared {
    name: HeaderValue,
    seen: Mutex<Vec<Seen>>,
    plan: Mutex<VecDeque<Act>>,
    always: Mutex<Act>,
    connections: AtomicUsize,
    abandoned: AtomicUsize,
    /// Streams at a time on a new connection of HTTP/2.
    streams: AtomicU32,
    retire: Arc<Notify>,
}

impl Backend {
    /// A backend in the clear. Its name comes back in the header `x-backend`.
    pub async fn start(name: &'static str) -> Self {
        Self::listen(name, None).await
    }

    /// A backend behind TLS. With `clients` it wants certificates of that authority.
    pub async fn start_tls(
        name: &'static str,
        identity: &Identity,
        alpn: &[&str],
        clients: Option<&str>,
    ) -> Self {
        let acceptor = TlsAcceptor::from(tls::server(identity, alpn, clients));
        Self::listen(name, Some(acceptor)).await
    }

    async fn listen(name: &'static str, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            name: HeaderValue::from_static(name),
            seen: Mutex::default(),
            plan: Mutex::default(),
            always: Mutex::new(Act::Echo),
            connections: AtomicUsize::new(0),
            abandoned: AtomicUsize::new(0),
            streams: AtomicU32::new(200),
            retire: Arc::default(),
        });
        let tasks = Tasks::default();
        let accepting = accept(listener, acceptor, Arc::clone(&shared));
        tasks.spawn(accepting);
        Self {
            address,
            shared,
            _tasks: tasks,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it does with the next requests, one after the other.
    pub fn plan(&self, acts: impl IntoIterator<Item = Act>) {
        lock(&self.shared.plan).extend(acts);
    }

    /// What it does with requests for which nothing is planned.
    pub fn always(&self, act: Act) {
        *lock(&self.shared.always) = act;
    }

    /// Takes so many streams at a time on connections of HTTP/2 that are made from now on.
    pub fn takes_streams(&self, count: u32) {
        self.shared.streams.store(count, Ordering::Relaxed);
    }

    /// Ends all connections as a server does that is told to: idle ones at once, the others with the
    /// requests that are under way.
    pub fn retire_connections(&self) {
        self.shared.retire.notify_waiters();
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// The only request, or the last one.
    ///
    /// # Panics
    /// If there was none.
    pub fn last(&self) -> Seen {
        lock(&self.shared.seen)
            .last()
            .cloned()
            .expect("the backend saw a request")
    }

    /// Forgets all requests so far. What is kept of a request keeps the bytes that it came with.
    pub fn forget(&self) {
        lock(&self.shared.seen).clear();
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        lock(&self.shared.seen).len()
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many requests that were not answered were given up by who sent them.
    pub fn abandoned(&self) -> usize {
        self.shared.abandoned.load(Ordering::Relaxed)
    }

    /// Waits until there were as many requests.
    ///
    /// # Panics
    /// If they do not come.
    pub async fn until(&self, count: usize) {
        let wait = async {
            while self.count() < count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        crate::within("a request at the backend", wait).await;
    }
}

/// Counts when it is dropped.
struct Abandoned<'a>(&'a AtomicUsize);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // The connections end with the task that owns them.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let number = shared.connections.fetch_add(1, Ordering::Relaxed);
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        connections.spawn(connection(stream, acceptor, shared, number));
        while connections.try_join_next().is_some() {}
    }
}

/// What a connection adds to what is seen of each request on it.
#[derive(Clone, Default)]
struct Origin {
    number: usize,
    sni: Option<String>,
    client_certificates: usize,
}

async fn connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    number: usize,
) {
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = acceptor else {
        let http2 = has_preface(&stream).await;
        let origin = Origin {
            number,
            ..Origin::default()
        };
        return serve(stream, http2, shared, origin).await;
    };
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let session = stream.get_ref().1;
    let origin = Origin {
        number,
        sni: session.server_name().map(str::to_owned),
        client_certificates: session.peer_certificates().map_or(0, <[_]>::len),
    };
    let http2 = session.alpn_protocol() == Some(b"h2");
    serve(stream, http2, shared, origin).await;
}

async fn has_preface(stream: &TcpStream) -> bool {
    let mut first = [0; 4];
    loop {
        match stream.peek(&mut first).await {
            Ok(4) => return first == *b"PRI ",
            Ok(seen) if seen > 0 => tokio::time::sleep(Duration::from_millis(1)).await,
            _ => return false,
        }
    }
}

async fn serve<S>(stream: S, http2: bool, shared: Arc<Shared>, origin: Origin)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (retire, streams) = (
        Arc::clone(&shared.retire),
        shared.streams.load(Ordering::Relaxed),
    );
    let service = service_fn(move |request| answer(Arc::clone(&shared), origin.clone(), request));
    let stream = TokioIo::new(stream);
    let mut retired = pin!(retire.notified());
    // How a connection ends is the gateway's business.
    if http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .enable_connect_protocol()
            .max_concurrent_streams(streams);
        let mut connection = pin!(builder.serve_connection(stream, service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = retired.as_mut() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    } else {
        let builder = http1::Builder::new();
        let connection = builder.serve_connection(stream, service).with_upgrades();
        let mut connection = pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            () = retired.as_mut() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

async fn answer(
    shared: Arc<Shared>,
    origin: Origin,
    mut request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let planned = lock(&shared.plan).pop_front();
    let act = planned.unwrap_or_else(|| lock(&shared.always).clone());
    let upgrade = request.headers().get(UPGRADE).cloned();
    let connect = request.method() == Method::CONNECT;
    let on_upgrade = (upgrade.is_some() || connect).then(|| hyper::upgrade::on(&mut request));
    let mut seen = Seen::of(&request, origin);
    if let Some(on_upgrade) = on_upgrade {
        lock(&shared.seen).push(seen);
        return Ok(upgraded(&shared, upgrade, on_upgrade));
    }
    if matches!(act, Act::Stream) {
        lock(&shared.seen).push(seen);
        return Ok(shared.response(StatusCode::OK, streamed(request.into_body())));
    }
    if matches!(act, Act::Hang | Act::Break) {
        lock(&shared.seen).push(seen);
        return match act {
            Act::Hang => {
                let _abandoned = Abandoned(&shared.abandoned);
                std::future::pending().await
            }
            _ => Err(io::Error::other("broken on purpose")),
        };
    }
    let collected = request
        .into_body()
        .collect()
        .await
        .map_err(io::Error::other)?;
    seen.trailers = collected.trailers().cloned();
    seen.body = collected.to_bytes();
    let body = seen.body.clone();
    lock(&shared.seen).push(seen);
    Ok(shared.act(act, body).await)
}

impl Seen {
    fn of(request: &Request<Incoming>, origin: Origin) -> Self {
        let headers = request.headers().clone();
        let host = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .map(str::to_owned);
        let authority = request.uri().authority().map(ToString::to_string);
        let target = request
            .uri()
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        Self {
            method: request.method().clone(),
            target,
            host: authority.or(host).unwrap_or_default(),
            version: request.version(),
            headers,
            body: Bytes::new(),
            trailers: None,
            connection: origin.number,
            sni: origin.sni,
            client_certificates: origin.client_certificates,
        }
    }
}

fn lines(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect()
}

impl Shared {
    async fn act(&self, act: Act, body: Bytes) -> Response<Body> {
        let ok = |body| self.response(StatusCode::OK, body);
        match act {
            Act::Echo => ok(Body::of(body)),
            Act::Delay(time) => {
                tokio::time::sleep(time).await;
                ok(Body::of(body))
            }
            Act::Status(status) => self.status(status, &[]),
            Act::Headers(status, headers) => self.status(status, &headers),
            Act::Body(headers, body) => {
                let mut response = ok(Body::of(body));
                response.headers_mut().extend(lines(&headers));
                response
            }
            Act::Grpc(message, trailers) => {
                let mut response = ok(script(move |feed| async move {
                    feed.data(message).await;
                    feed.trailers(lines(&trailers)).await;
                }));
                let grpc = [("content-type", "application/grpc")];
                response.headers_mut().extend(lines(&grpc));
                response
            }
            Act::Bytes(count) => ok(many(count)),
            Act::Halves(pause) => ok(script(move |feed| async move {
                feed.data("first,").await;
                tokio::time::sleep(pause).await;
                feed.data("second").await;
            })),
            Act::Trailers => {
                let mut response = ok(script(|feed| async move {
                    feed.data("message").await;
                    let mut trailers = HeaderMap::new();
                    trailers.insert("grpc-status", HeaderValue::from_static("0"));
                    feed.trailers(trailers).await;
                }));
                response
                    .headers_mut()
                    .insert("trailer", HeaderValue::from_static("grpc-status"));
                response
            }
            Act::BreakInBody => ok(script(|feed| async move {
                feed.data("first,").await;
                tokio::time::sleep(Duration::from_millis(50)).await;
                feed.fail().await;
            })),
            // Dealt with before the body was read.
            Act::Stream | Act::Break | Act::Hang => ok(Body::empty()),
        }
    }

    fn response(&self, status: StatusCode, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert("x-backend", self.name.clone());
        response
    }

    fn status(&self, status: u16, headers: &[(&'static str, &'static str)]) -> Response<Body> {
        let status = StatusCode::from_u16(status).expect("a status");
        let mut response = self.response(status, Body::empty());
        for (name, value) in headers {
            let name = HeaderName::from_static(name);
            response
                .headers_mut()
                .append(name, HeaderValue::from_static(value));
        }
        response
    }
}

fn upgraded(
    shared: &Shared,
    upgrade: Option<HeaderValue>,
    on_upgrade: hyper::upgrade::OnUpgrade,
) -> Response<Body> {
    detach(async move {
        let Ok(upgraded) = on_upgrade.await else {
            return;
        };
        let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    });
    let Some(upgrade) = upgrade else {
        return shared.response(StatusCode::OK, Body::empty());
    };
    let mut response = shared.response(StatusCode::SWITCHING_PROTOCOLS, Body::empty());
    response.headers_mut().insert(UPGRADE, upgrade);
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("upgrade"));
    response
}

fn streamed(mut incoming: Incoming) -> Body {
    script(|feed| async move {
        while let Some(frame) = incoming.frame().await {
            let Ok(frame) = frame else { return };
            let wanted = match frame.into_data() {
                Ok(data) => feed.data(data).await,
                Err(frame) => match frame.into_trailers() {
                    Ok(trailers) => feed.trailers(trailers).await,
                    Err(_) => true,
                },
            };
            if !wanted {
                return;
            }
        }
    })
}

fn many(count: usize) -> Body {
    script(move |feed| async move {
        let piece = Bytes::from_static(&[b'x'; 16 * 1024]);
        let mut left = count;
        while left > 0 {
            let size = left.min(piece.len());
            if !feed.data(piece.slice(..size)).await {
                return;
            }
            left -= size;
        }
    })
}

fn script<F>(play: impl FnOnce(body::Feed) -> F) -> Body
where
    F: Future<Output = ()> + Send + 'static,
{
    let (feed, body) = body::fed();
    detach(play(feed));
    body
}

/// Runs on its own; it ends when the other side of its connection does.
#[expect(
    clippy::disallowed_methods,
    reason = "ends with the body or connection that it feeds"
)]
fn detach(future: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(future);
}
