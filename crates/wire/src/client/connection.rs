//! One connection to one replica: TLS, the token, and frames both ways. What they mean is for
//! [`replicas`](super::replicas).

use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use daemun_base::causes::because;
use futures_util::stream;
use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::transport::Endpoint;
use tonic::{Request, Status, Streaming};
use tower_service::Service;

use super::Settings;
use super::replicas::{Event, Told};
use crate::codec::{LARGEST, PATH, Raw};
use crate::frame::{self, Answer, FromProxy, OLDEST_PROTOCOL, PROTOCOL, ToProxy};
use crate::tls;

/// How long it may take to connect, and to be believed.
const CONNECT: Duration = Duration::from_secs(10);
/// How long nothing may be heard: the controller asks every five seconds whether somebody is there.
const QUIET: Duration = Duration::from_secs(20);
/// The first pause before connecting again; it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Where frames go out. It never waits, so that the two ends cannot wait for each other: what a proxy says is
/// little, or was asked for.
#[derive(Clone)]
pub(super) struct Outgoing(mpsc::UnboundedSender<Bytes>);

impl Outgoing {
    /// Sends a frame. That the other end is gone, the connection says.
    pub(super) fn send(&self, frame: &FromProxy) {
        match frame::write(frame) {
            Ok(bytes) => drop(self.0.send(bytes)),
            Err(why) => tracing::error!("The controller is not told something: {why}."),
        }
    }
}

/// What one connection needs.
pub(super) struct Connection {
    /// The replica.
    pub(super) address: SocketAddr,
    /// Files and names.
    pub(super) settings: Arc<Settings>,
    /// Where it tells what happens.
    pub(super) events: mpsc::Sender<Told>,
    /// The proxy's answers.
    pub(super) answers: watch::Receiver<Answer>,
    /// Whether the replica has said hello since it was connected.
    pub(super) greeted: bool,
    /// The protocol that it speaks, as far as it has said so.
    pub(super) protocol: u32,
}

impl Connection {
    /// Connects again and again, until it is ended.
    pub(super) async fn run(mut self) {
        let (mut pause, mut said) = (FIRST_PAUSE, String::new());
        loop {
            match self.connect().await {
                Ok((outgoing, frames)) => {
                    (self.greeted, self.protocol) = (false, OLDEST_PROTOCOL);
                    let why = self.speak(outgoing, frames).await;
                    let _ = self.events.send((self.address, Event::Gone)).await;
                    if self.greeted {
                        (pause, said) = (FIRST_PAUSE, String::new());
                        tracing::info!("The controller at {} is gone: {why}.", self.address);
                    } else if why != said {
                        // It has spoken with nobody: it is of another version, or has nothing to give yet.
                        tracing::error!(
                            "The controller at {} does not speak with this proxy: {why}. It is tried again and again.",
                            self.address
                        );
                        said = why;
                    }
                }
                Err(why) if why != said => {
                    tracing::warn!(
                        "The controller at {} cannot be reached: {why}. It is tried again and again.",
                        self.address
                    );
                    said = why;
                }
                // It was said.
                Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    async fn connect(&self) -> Result<(Outgoing, Streaming<Bytes>), String> {
        let late = |_| format!("it did not come about within {CONNECT:?}");
        timeout(CONNECT, self.open()).await.map_err(late)?
    }

    async fn open(&self) -> Result<(Outgoing, Streaming<Bytes>), String> {
        let authorities = read(&self.settings.authorities).await?;
        let token = read(&self.settings.token).await?;
        let bearer = format!("Bearer {}", String::from_utf8_lossy(&token).trim());
        let mut bearer: MetadataValue<_> = bearer
            .parse()
            .map_err(|_| format!("{} is no token", self.settings.token.display()))?;
        bearer.set_sensitive(true);
        let io = self.secure(&authorities).await?;
        let endpoint = Endpoint::from_shared(format!("http://{}", tls::SERVER_NAME))
            .map_err(|error| error.to_string())?
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(10))
            .keep_alive_while_idle(true);
        let channel = endpoint.connect_with_connector(Once(Some(io))).await;
        let channel = channel.map_err(|error| because(&error))?;

        let (sender, mut receiver) = mpsc::unbounded_channel();
        let outgoing = Outgoing(sender);
        let hello = FromProxy::Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL,
        };
        outgoing.send(&hello);
        let mut request = Request::new(stream::poll_fn(move |context| receiver.poll_recv(context)));
        request.metadata_mut().insert("authorization", bearer);
        let mut grpc = Grpc::new(channel).max_decoding_message_size(LARGEST);
        grpc.ready().await.map_err(|error| because(&error))?;
        let path = PathAndQuery::from_static(PATH);
        let response = grpc.streaming(request, path, Raw).await;
        let response = response.map_err(|status| spoken(&status))?;
        Ok((outgoing, response.into_inner()))
    }

    async fn secure(&self, authorities: &[u8]) -> Result<TlsStream<TcpStream>, String> {
        let file = self.settings.authorities.display();
        let config = tls::client(authorities).map_err(|why| format!("{file}: {why}"))?;
        let stream = TcpStream::connect(self.address).await;
        let stream = stream.map_err(|error| error.to_string())?;
        let _ = stream.set_nodelay(true);
        let name = ServerName::try_from(tls::SERVER_NAME).map_err(|error| error.to_string())?;
        let connected = TlsConnector::from(config).connect(name, stream).await;
        connected.map_err(|error| format!("its certificate is not believed ({error})"))
    }

    /// Passes frames on, both ways; gives the reason why it ended.
    async fn speak(&mut self, outgoing: Outgoing, mut frames: Streaming<Bytes>) -> String {
        self.answers.mark_changed();
        loop {
            tokio::select! {
                received = timeout(QUIET, frames.message()) => {
                    let heard = match received {
                        Err(_) => return format!("nothing was heard of it for {QUIET:?}"),
                        Ok(Ok(None)) => return "it ended the stream".to_owned(),
                        Ok(Err(status)) => return spoken(&status),
                        Ok(Ok(Some(bytes))) => self.heard(&bytes, &outgoing).await,
                    };
                    if let Err(why) = heard {
                        return why;
                    }
                }
                changed = self.answers.changed() => {
                    if changed.is_err() {
                        return "the proxy is ending".to_owned();
                    }
                    let answer = self.answers.borrow_and_update().clone();
                    outgoing.send(&FromProxy::Answer(answer.in_protocol(self.protocol)));
                }
            }
        }
    }

    async fn heard(&mut self, bytes: &Bytes, outgoing: &Outgoing) -> Result<(), String> {
        let event = match frame::read(bytes)? {
            ToProxy::Ping => {
                outgoing.send(&FromProxy::Pong);
                return Ok(());
            }
            ToProxy::Hello { version, protocol } => {
                if protocol < OLDEST_PROTOCOL {
                    return Err(format!(
                        "version {version} of it speaks protocol {protocol}, and this proxy ({}) {OLDEST_PROTOCOL} to {PROTOCOL}; bring both to within one minor version of each other",
                        env!("CARGO_PKG_VERSION")
                    ));
                }
                self.greeted = true;
                self.protocol = protocol;
                if protocol > OLDEST_PROTOCOL {
                    // It was told only what the oldest can read.
                    self.answers.mark_changed();
                }
                tracing::info!(
                    "The controller at {} (version {version}) is connected.",
                    self.address
                );
                Event::Ready(outgoing.clone())
            }
            ToProxy::Tell => Event::Tell,
            ToProxy::Commit(piece) => Event::Commit(piece),
        };
        let ending = |_| "the proxy is ending".to_owned();
        self.events
            .send((self.address, event))
            .await
            .map_err(ending)
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, String> {
    let read = tokio::fs::read(path).await;
    read.map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// What the other end says about why.
fn spoken(status: &Status) -> String {
    if status.message().is_empty() {
        status.code().description().to_owned()
    } else {
        status.message().to_owned()
    }
}

/// Gives the connection that was made, once: whether there is another one is not for the channel to decide.
struct Once(Option<TlsStream<TcpStream>>);

impl Service<Uri> for Once {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Ready<Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let taken = self.0.take().map(TokioIo::new);
        ready(taken.ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}
