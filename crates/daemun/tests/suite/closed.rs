//! A Gateway that is closed serves nothing, from one moment to the next: nobody listens, and what is open ends, of
//! whatever kind. It opens again as if nothing had been.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::future::Future;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use daemun_base::clock;
use daemun_base::tasks::Tasks;
use daemun_model::Snapshot;
use daemun_testkit::body::Body;
use daemun_testkit::gateway::settings;
use daemun_testkit::{Gateway, Http2, Raw, TlsClient, fail, within};
use http::Request;
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::kinds::{Kinds, is_answered, line};

/// As long as it may last until a Gateway that is closed serves nothing.
const AT_ONCE: Duration = Duration::from_secs(2);
const WHY: &str = "Service default/gw has the public address 192.0.2.1, and reach is Private";

fn close(snapshot: &mut Snapshot) {
    Arc::make_mut(&mut snapshot.gateway).closed = Some(WHY.to_owned());
}

/// Waits until every port refuses: when the last one did so.
async fn refuses(world: &Kinds) -> Instant {
    for port in world.for_connections() {
        within("a port that is closed", async {
            while !is_refused(port).await {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
    }
    clock::now()
}

/// Whether nobody listens.
async fn is_refused(port: u16) -> bool {
    let connecting = TcpStream::connect(("127.0.0.1", port)).await;
    connecting.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// What is open, each until it ends: how, and when.
struct Watched {
    tasks: Tasks,
    sender: mpsc::UnboundedSender<(&'static str, Instant)>,
    ended: mpsc::UnboundedReceiver<(&'static str, Instant)>,
    count: usize,
}

impl Watched {
    fn new() -> Self {
        let (sender, ended) = mpsc::unbounded_channel();
        Self {
            tasks: Tasks::default(),
            sender,
            ended,
            count: 0,
        }
    }

    fn until(&mut self, what: &'static str, end: impl Future<Output = ()> + Send + 'static) {
        let sender = self.sender.clone();
        self.count += 1;
        self.tasks.spawn(async move {
            end.await;
            // The test may be over.
            let _ = sender.send((what, clock::now()));
        });
    }

    /// Until no byte comes any more.
    fn stream(&mut self, what: &'static str, mut stream: impl AsyncRead + Send + Unpin + 'static) {
        self.until(what, async move {
            let mut buffer = vec![0; 65_536];
            while stream.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
        });
    }

    /// Opens one of each kind.
    async fn open(&mut self, world: &Kinds) {
        self.open_http1(world).await;
        self.open_http2(world).await;
        self.open_streams(world).await;
    }

    async fn open_http1(&mut self, world: &Kinds) {
        let mut idle = Raw::connect(world.http).await;
        assert_eq!(idle.get("example.org", "/").await.status, 200);
        self.stream("an idle connection", idle.into_stream());
        let silent = Raw::connect(world.http).await;
        self.stream("a connection without a byte", silent.into_stream());
        let mut half = Raw::connect(world.http).await;
        half.send("GET / HTTP/1.1\r\nHost: exam").await;
        self.stream("half a request", half.into_stream());
        let mut waits = Raw::connect(world.http).await;
        waits
            .send("GET /slow HTTP/1.1\r\nHost: example.org\r\n\r\n")
            .await;
        self.stream("a request under way", waits.into_stream());
        let mut sends = Raw::connect(world.http).await;
        sends
            .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 100\r\n\r\nhello")
            .await;
        self.stream("a request whose body is under way", sends.into_stream());
        let mut takes = TcpStream::connect(("127.0.0.1", world.http)).await.unwrap();
        let request = b"GET /large HTTP/1.1\r\nHost: example.org\r\n\r\n";
        takes.write_all(request).await.unwrap();
        takes.read_exact(&mut [0; 10_000]).await.unwrap();
        self.until("an answer that its client takes slowly", async move {
            let mut buffer = vec![0; 10_000];
            while takes.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
        });
        let mut socket = Raw::connect(world.http).await;
        let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
        let answer = socket.request("GET", "example.org", "/", &upgrade).await;
        assert_eq!(answer.status, 101);
        self.stream("a WebSocket", socket.into_stream());
        let client = TlsClient::new(&world.authority.pem());
        let stream = client.connect(world.https, "www.example.org").await;
        let mut idle = Raw::over(stream.unwrap());
        assert_eq!(idle.get("www.example.org", "/").await.status, 200);
        self.stream("an idle connection over TLS", idle.into_stream());
    }

    async fn open_http2(&mut self, world: &Kinds) {
        let client = TlsClient::new(&world.authority.pem()).offering(&["h2"]);
        let stream = client.connect(world.https, "www.example.org").await;
        let https = Http2::over(stream.unwrap()).await;
        assert_eq!(
            https.get_from("https", "www.example.org", "/").await.status,
            200
        );
        self.until("an HTTP/2 connection over TLS", async move {
            while !https.is_closed() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        let http2 = Http2::connect(world.http).await;
        assert_eq!(http2.get("example.org", "/").await.status, 200);
        let request = Request::connect("http://example.org/chat")
            .extension(Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13")
            .body(Body::empty());
        let mut response = http2.send(request.unwrap()).await.unwrap();
        let upgraded = hyper::upgrade::on(&mut response);
        let tunnel = within("the tunnel", upgraded).await.unwrap();
        self.stream("a WebSocket over HTTP/2", TokioIo::new(tunnel));
        self.until("a stream of HTTP/2", async move {
            let request = Request::get("http://example.org/slow").body(Body::empty());
            assert!(http2.exchange(request.unwrap()).await.is_err());
        });
    }

    async fn open_streams(&mut self, world: &Kinds) {
        let mut tcp = TcpStream::connect(("127.0.0.1", world.tcp)).await.unwrap();
        assert_eq!(line(&mut tcp).await.unwrap(), "plain");
        self.stream("a TCP connection", tcp);
        let client = TlsClient::new(&world.authority.pem());
        for (what, port, name) in [
            ("TLS that is passed on", world.sealed, "a.example.org"),
            ("TLS that ends here", world.ended, "b.example.org"),
        ] {
            let mut stream = client.connect(port, name).await.unwrap();
            line(&mut stream).await.unwrap();
            self.stream(what, stream);
        }
        let silent = TcpStream::connect(("127.0.0.1", world.sealed)).await;
        self.stream("a handshake that has not begun", silent.unwrap());
        let socket = world.udp_client().await;
        assert!(is_answered(&socket).await);
        self.until("a flow of datagrams", async move {
            while is_answered(&socket).await {}
        });
    }

    /// How long after a moment the last of them ended.
    async fn ended(mut self, since: Instant) -> Vec<(&'static str, Duration)> {
        let mut all = Vec::new();
        while all.len() < self.count {
            let next = within("the end of what is open", self.ended.recv()).await;
            let (what, when) = next.unwrap();
            all.push((what, when.saturating_duration_since(since)));
        }
        all
    }
}

/// Clients that come again and again, over every kind of connection.
struct Load {
    served: Arc<AtomicUsize>,
    _tasks: Tasks,
}

impl Load {
    fn start(world: &Kinds) -> Self {
        let (served, tasks) = (Arc::<AtomicUsize>::default(), Tasks::default());
        for number in 0..24 {
            let served = Arc::clone(&served);
            let (http, tcp) = (world.http, world.tcp);
            tasks.spawn(async move {
                loop {
                    let done = match number % 3 {
                        0 => one_request(http).await,
                        1 => many_requests(http, &served).await,
                        _ => one_greeting(tcp).await,
                    };
                    match done {
                        Ok(()) => drop(served.fetch_add(1, Ordering::SeqCst)),
                        Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                    }
                }
            });
        }
        Self {
            served,
            _tasks: tasks,
        }
    }

    fn count(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

async fn one_request(port: u16) -> std::io::Result<()> {
    let mut client = Raw::over(TcpStream::connect(("127.0.0.1", port)).await?);
    ask(&mut client).await
}

async fn many_requests(port: u16, served: &AtomicUsize) -> std::io::Result<()> {
    let mut client = Raw::over(TcpStream::connect(("127.0.0.1", port)).await?);
    loop {
        ask(&mut client).await?;
        served.fetch_add(1, Ordering::SeqCst);
    }
}

async fn ask(client: &mut Raw) -> std::io::Result<()> {
    client
        .try_send("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        .await?;
    client.try_answer().await.map(drop)
}

async fn one_greeting(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    line(&mut stream).await?;
    stream.write_all(b"hello\n").await?;
    line(&mut stream).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_open_ends_at_once_and_nobody_listens_under_load() {
    let world = Kinds::new().await;
    let mut gateway = Gateway::start(&world.text()).await;
    world.serves().await;
    let load = Load::start(&world);
    let mut watched = Watched::new();
    watched.open(&world).await;
    within("some load", async {
        while load.count() < 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;

    let since = clock::now();
    gateway.change(close).await;
    let refused = refuses(&world).await.duration_since(since);
    assert!(refused < AT_ONCE, "the last port closed after {refused:?}");
    for (what, after) in watched.ended(since).await {
        assert!(after < AT_ONCE, "{what} ended after {after:?}");
    }
    let served = load.count();
    let seen = world.web.count();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((load.count(), world.web.count()), (served, seen));
    assert!(gateway.applied.listening.is_empty());
    let closed = "daemun_gateway_closed{gateway=\"default/gw\"} 1";
    assert_eq!(gateway.metrics("daemun_gateway_closed{"), [closed]);
    let lines = gateway.metrics("daemun_listener_connections_total");
    for listener in ["tcp", "sealed", "ended", "udp"] {
        let begin = format!(
            "daemun_listener_connections_total{{gateway=\"default/gw\",listener=\"default/gw/{listener}\",reason=\"gateway_closed\"}}"
        );
        assert!(
            lines.iter().any(|it| it.starts_with(&begin)),
            "{listener}: {lines:?}"
        );
    }
    let open = gateway.metrics("daemun_client_connections_open");
    assert_eq!(open, ["daemun_client_connections_open 0"]);

    gateway.change(|_| {}).await;
    world.serves().await;
    within("the load", async {
        while load.count() < served + 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let opened = "daemun_gateway_closed{gateway=\"default/gw\"} 0";
    assert_eq!(gateway.metrics("daemun_gateway_closed{"), [opened]);
}

#[tokio::test]
async fn a_gateway_that_begins_closed_serves_nothing_and_opens() {
    let world = Kinds::new().await;
    let mut gateway = Gateway::start_changed(settings(), &world.text(), close).await;
    assert!(gateway.applied.listening.is_empty());
    for port in world.for_connections() {
        assert!(is_refused(port).await, "{port}");
    }
    let socket = world.udp_client().await;
    assert!(!is_answered(&socket).await);
    // A change that has nothing to do with it.
    gateway.reload(&world.text()).await;
    assert!(is_refused(world.http).await);
    gateway.change(|_| {}).await;
    world.serves().await;
    gateway.change(close).await;
    refuses(&world).await;
    gateway.drain().await;
}

/// Somebody has taken the port meanwhile.
#[tokio::test]
async fn a_port_that_is_taken_when_it_opens_is_bound_as_soon_as_it_is_free() {
    let world = Kinds::new().await;
    let mut gateway = Gateway::start(&world.text()).await;
    let open = Arc::clone(gateway.proxy().configuration());
    gateway.change(close).await;
    refuses(&world).await;
    let other = std::net::TcpListener::bind(("127.0.0.1", world.tcp)).unwrap();
    let applied = gateway.proxy().apply(open).await;
    assert_eq!(applied.not_bound.len(), 1);
    assert_eq!(applied.not_bound[0].listeners[0].name, "tcp");
    drop(other);
    let applied = within("another try", gateway.proxy().follow()).await;
    assert!(applied.not_bound.is_empty());
    world.serves().await;
}

/// A listener that is taken away lets its requests end; when the Gateway is closed, they end with the rest.
#[tokio::test]
async fn what_a_listener_that_is_gone_has_left_ends_too() {
    let world = Kinds::new().await;
    let mut gateway = Gateway::start(&world.text()).await;
    let mut waits = Raw::connect(world.http).await;
    waits
        .send("GET /slow HTTP/1.1\r\nHost: example.org\r\n\r\n")
        .await;
    world.slow.until(1).await;
    let without = world.text().replace(
        &format!("  - {{name: http, port: {}, protocol: HTTP}}\n", world.http),
        "",
    );
    assert_ne!(without, world.text());
    gateway.reload(&without).await;
    let mut stream = waits.into_stream();
    let reading = tokio::time::timeout(Duration::from_millis(300), stream.read_u8());
    assert!(reading.await.is_err(), "its request goes on");
    gateway.change(close).await;
    let end = within("its end", stream.read_u8()).await;
    match end {
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        Ok(byte) => fail(&format!("{byte} came")),
    }
}
