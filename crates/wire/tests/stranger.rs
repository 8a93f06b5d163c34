//! Whoever speaks the wire and is no proxy of Daemun's: it gets what is its own, says no more than it is asked, and
//! keeps nobody from anything. And proxies of a version too far off, by what such a version said.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use daemun_base::tasks::Tasks;
use daemun_testkit::wire::{Controller, Files, Localhost};
use daemun_testkit::{Authority, within, yaml};
use daemun_wire::answer::{Phase, Refused};
use daemun_wire::client::Client;
use daemun_wire::codec::{PATH, Raw};
use daemun_wire::commit::Piece;
use daemun_wire::frame::{self, Answer, FromProxy, ToProxy};
use daemun_wire::tls;
use futures_util::{Stream, StreamExt as _, stream};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tonic::client::Grpc;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};

/// What a proxy of a version that spoke another protocol said first.
const FOREIGN: &str = "81a548656c6c6f82a776657273696f6ea5302e302e39a870726f746f636f6c00";

/// A stream of somebody's own.
struct Speaker {
    outgoing: mpsc::UnboundedSender<Bytes>,
    incoming: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, Status>>>>,
}

impl Speaker {
    async fn connect(address: SocketAddr, authority: &Authority, token: &str) -> Self {
        let config = tls::client(authority.pem().as_bytes()).unwrap();
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = tls::SERVER_NAME.try_into().unwrap();
        let secure = TlsConnector::from(config).connect(name, tcp).await.unwrap();
        let mut once = Some(TokioIo::new(secure));
        let endpoint = Endpoint::from_static("http://controller");
        let connector = tower_service_fn(move |_| {
            let taken = once.take().ok_or(std::io::ErrorKind::NotConnected);
            std::future::ready(taken.map_err(std::io::Error::from))
        });
        let channel = endpoint.connect_with_connector(connector).await.unwrap();
        let (outgoing, mut frames) = mpsc::unbounded_channel();
        let mut request = Request::new(stream::poll_fn(move |context| frames.poll_recv(context)));
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        let mut grpc = Grpc::new(channel);
        grpc.ready().await.unwrap();
        let path = PATH.parse().unwrap();
        let response = grpc.streaming(request, path, Raw).await;
        let incoming = match response {
            Ok(response) => response.into_inner().boxed_local(),
            Err(status) => stream::iter([Err(status)]).boxed_local(),
        };
        Self { outgoing, incoming }
    }

    fn say(&self, frame: &FromProxy) {
        // It may have been ended.
        let _ = self.outgoing.send(frame::write(frame).unwrap());
    }

    fn hello(&self) {
        self.say(&FromProxy::Hello {
            version: "1".to_owned(),
            protocol: frame::PROTOCOL,
        });
    }

    /// How the stream ends.
    async fn end(&mut self) -> Status {
        let end = async {
            loop {
                match self.incoming.next().await {
                    Some(Ok(_)) => {}
                    Some(Err(status)) => return status,
                    None => return Status::ok("it just ended"),
                }
            }
        };
        within("the end of the stream", end).await
    }

    /// Waits until somebody says hello.
    async fn greeted(&mut self) {
        let hello = async {
            while let Some(Ok(bytes)) = self.incoming.next().await {
                if let Ok(ToProxy::Hello { .. }) = frame::read(&bytes) {
                    return;
                }
            }
            daemun_testkit::fail("nobody said hello")
        };
        within("a hello", hello).await;
    }
}

/// A service of a function.
fn tower_service_fn<F>(function: F) -> OfFunction<F> {
    OfFunction(function)
}

struct OfFunction<F>(F);

impl<F, R, T, E> tower_service::Service<http::Uri> for OfFunction<F>
where
    F: FnMut(http::Uri) -> R,
    R: std::future::Future<Output = Result<T, E>>,
{
    type Response = T;
    type Error = E;
    type Future = R;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: http::Uri) -> R {
        self.0(uri)
    }
}

fn answer(phase: Phase, refused: Vec<Refused>) -> FromProxy {
    FromProxy::Answer(Answer {
        phase,
        generation: Some(1),
        root: None,
        refused,
        reached: None,
    })
}

async fn controller() -> (Authority, Controller) {
    let authority = Authority::new();
    let mut controller = Controller::start(&authority).await;
    controller.publish(&yaml::gateway(8080));
    (authority, controller)
}

#[tokio::test]
async fn what_nobody_asked_for_ends_the_stream() {
    let (authority, controller) = controller().await;
    let piece = |last| Piece {
        bytes: Bytes::from_static(b"something"),
        last,
    };
    let again: Vec<_> = (0..4)
        .map(|_| FromProxy::Subscribe { root: None })
        .collect();
    for (says, code) in [
        (vec![FromProxy::Have(piece(false))], Code::InvalidArgument),
        (vec![FromProxy::Have(piece(true))], Code::InvalidArgument),
        (again, Code::ResourceExhausted),
    ] {
        let mut speaker = Speaker::connect(controller.address, &authority, "default/gw/pod").await;
        speaker.hello();
        speaker.greeted().await;
        says.iter().for_each(|frame| speaker.say(frame));
        let status = speaker.end().await;
        assert_eq!(status.code(), code, "{says:?}: {status:?}");
    }
}

#[tokio::test]
async fn an_answer_says_no_more_than_is_of_use() {
    let (authority, controller) = controller().await;
    let speaker = Speaker::connect(controller.address, &authority, "default/gw/pod").await;
    speaker.say(&FromProxy::Hello {
        version: "9".repeat(1000),
        protocol: frame::PROTOCOL,
    });
    let mut refused: Vec<Refused> = (0..100)
        .map(|number| Refused {
            what: format!("HTTPRoute n/{number}"),
            why: "ä".repeat(2000),
        })
        .collect();
    refused.push(Refused {
        what: "listener default/gw/web".to_owned(),
        why: "its port is taken".to_owned(),
    });
    speaker.say(&answer(Phase::Ready, refused));
    controller
        .until("it is bounded", |proxies| {
            proxies.iter().any(|proxy| {
                proxy.version.len() < 100
                    && proxy.refused.len() == 64
                    && proxy.refused[0].what == "listener default/gw/web"
                    && proxy.refused.iter().all(|it| it.why.len() < 1100)
            })
        })
        .await;
    // However often it changes its mind, what counts is what it said last.
    for _ in 0..200 {
        speaker.say(&answer(Phase::Starting, Vec::new()));
        speaker.say(&answer(Phase::Ready, Vec::new()));
    }
    speaker.say(&answer(Phase::Draining, Vec::new()));
    controller
        .until("the last counts", |proxies| {
            proxies[0].phase == Phase::Draining
        })
        .await;
}

#[tokio::test]
async fn a_proxy_has_few_streams_and_none_once_its_pod_is_gone() {
    let (authority, controller) = controller().await;
    let mut speakers = Vec::new();
    for _ in 0..3 {
        let mut speaker = Speaker::connect(controller.address, &authority, "default/gw/pod").await;
        speaker.hello();
        speaker.greeted().await;
        speakers.push(speaker);
    }
    let status = speakers[0].end().await;
    assert!(status.message().contains("anew"), "{status:?}");

    let proxy = {
        let proxies = controller.publisher.proxies();
        let proxies = proxies.borrow();
        proxies.by_gateway.values().next().unwrap()[0].proxy.clone()
    };
    controller.publisher.end(&proxy, "its pod is gone");
    for speaker in &mut speakers[1..] {
        assert_eq!(speaker.end().await.message(), "its pod is gone");
    }
    controller.until("nobody is there", <[_]>::is_empty).await;
}

#[tokio::test]
async fn a_proxy_of_a_version_too_far_off_is_named() {
    let (authority, controller) = controller().await;
    let mut speaker = Speaker::connect(controller.address, &authority, "default/gw/pod").await;
    let byte = |at: usize| u8::from_str_radix(&FOREIGN[at..at + 2], 16).unwrap();
    let hello: Bytes = (0..FOREIGN.len()).step_by(2).map(byte).collect();
    speaker.outgoing.send(hello).unwrap();
    let status = speaker.end().await;
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("version 0.0.9 speaks protocol 0"));
    drop(speaker);
    controller
        .until("it is named after it has gone", |proxies| {
            let why = proxies.first().and_then(|proxy| proxy.foreign.as_deref());
            why.is_some_and(|why| why.contains("within one minor version"))
        })
        .await;

    // The pod comes back with the right version.
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let tasks = Tasks::default();
    let settings = files.settings(controller.address);
    let _client = Client::start(settings, std::sync::Arc::new(Localhost), &tasks);
    controller
        .until("it is spoken with", |proxies| {
            proxies.len() == 1 && proxies[0].foreign.is_none()
        })
        .await;
}

#[tokio::test]
async fn a_connection_on_which_nobody_proves_who_he_is_ends() {
    let (authority, controller) = controller().await;
    // Without TLS, and with it.
    let silent = TcpStream::connect(controller.address).await.unwrap();
    let config = tls::client(authority.pem().as_bytes()).unwrap();
    let tcp = TcpStream::connect(controller.address).await.unwrap();
    let name = tls::SERVER_NAME.try_into().unwrap();
    let mut secure = TlsConnector::from(config).connect(name, tcp).await.unwrap();
    let mut buffer = [0; 1024];
    let ends = async {
        silent.readable().await.unwrap();
        while tokio::io::AsyncReadExt::read(&mut secure, &mut buffer)
            .await
            .is_ok_and(|read| read > 0)
        {}
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), ends).await;
    assert!(ended.is_ok(), "both are ended");
    let proxies = controller.publisher.proxies();
    assert!(proxies.borrow().by_gateway.is_empty());
}
