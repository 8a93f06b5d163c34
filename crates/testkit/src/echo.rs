//! Backends below HTTP that say who they are and send back what they get: over TCP, TLS and UDP.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use daemun_base::tasks::Tasks;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

use crate::yaml::Listens;

/// A backend for connections: says its name in a line, before it has got anything, then sends everything back until
/// the other side has nothing more to say. It ends when it is dropped.
pub struct Echo {
    /// Where it listens.
    pub address: SocketAddr,
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<Asked>>>,
    _tasks: Tasks,
}

/// What TLS told the backend of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The name.
    pub name: Option<String>,
    /// The protocol that was agreed on.
    pub protocol: Option<String>,
    /// How many certificates it showed.
    pub certificates: usize,
}

impl Echo {
    /// Over TCP.
    ///
    /// # Panics
    /// If there is no port left.
    pub async fn start(name: &str) -> Self {
        Self::start_as(name, None).await
    }

    /// Over TLS.
    ///
    /// # Panics
    /// If there is no port left.
    pub async fn start_tls(name: &str, config: Arc<ServerConfig>) -> Self {
        Self::start_as(name, Some(TlsAcceptor::from(config))).await
    }

    async fn start_as(name: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let echo = Self {
            address: listener.local_addr().expect("an address"),
            begun: Arc::default(),
            ended: Arc::default(),
            asked: Arc::default(),
            _tasks: Tasks::default(),
        };
        let (begun, ended) = (Arc::clone(&echo.begun), Arc::clone(&echo.ended));
        let (asked, greeting) = (Arc::clone(&echo.asked), format!("{name}\n"));
        let tasks = echo._tasks.clone();
        echo._tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                begun.fetch_add(1, Ordering::SeqCst);
                let (ended, asked) = (Arc::clone(&ended), Arc::clone(&asked));
                let (greeting, tls) = (greeting.clone(), tls.clone());
                tasks.spawn(async move {
                    // A client that goes away is none of its business.
                    let _ = match tls {
                        None => serve(stream, &greeting).await,
                        Some(tls) => serve_tls(&tls, stream, (&greeting, &asked)).await,
                    };
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        echo
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// How many of them have ended.
    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    /// What TLS told of each connection.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Listens for Echo {
    fn port(&self) -> u16 {
        self.address.port()
    }
}

async fn serve_tls(
    tls: &TlsAcceptor,
    stream: TcpStream,
    (greeting, asked): (&str, &Mutex<Vec<Asked>>),
) -> std::io::Result<()> {
    let stream = tls.accept(stream).await?;
    let connection = stream.get_ref().1;
    let protocol = connection.alpn_protocol();
    let one = Asked {
        name: connection.server_name().map(str::to_owned),
        protocol: protocol.map(|name| String::from_utf8_lossy(name).into_owned()),
        certificates: connection.peer_certificates().map_or(0, <[_]>::len),
    };
    asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(one);
    serve(stream, greeting).await
}

async fn serve<S>(mut stream: S, greeting: &str) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(greeting.as_bytes()).await?;
    stream.flush().await?;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let bytes = stream.read(&mut buffer).await?;
        if bytes == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(&buffer[..bytes]).await?;
        stream.flush().await?;
    }
}

/// Datagrams, and from where each came.
pub type Heard = Vec<(SocketAddr, Vec<u8>)>;

/// A backend for datagrams: answers each with its name, a space and what it got. It ends when it is dropped.
pub struct UdpEcho {
    /// Where it listens.
    pub address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    silent: Arc<AtomicBool>,
    _tasks: Tasks,
}

impl UdpEcho {
    /// Starts.
    ///
    /// # Panics
    /// If there is no port left.
    pub async fn start(name: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let echo = Self {
            address: socket.local_addr().expect("an address"),
            heard: Arc::default(),
            silent: Arc::default(),
            _tasks: Tasks::default(),
        };
        let (heard, silent) = (Arc::clone(&echo.heard), Arc::clone(&echo.silent));
        let greeting = format!("{name} ");
        echo._tasks.spawn(async move {
            let mut buffer = vec![0; 65_536];
            // The network's refusals concern a client that is gone.
            loop {
                let Ok((bytes, from)) = socket.recv_from(&mut buffer).await else {
                    continue;
                };
                let got = buffer[..bytes].to_vec();
                let answer = [greeting.as_bytes(), &got].concat();
                heard
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((from, got));
                if !silent.load(Ordering::SeqCst) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        echo
    }

    /// What it got, and from where.
    pub fn heard(&self) -> Heard {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Answers no more.
    pub fn be_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }
}

impl Listens for UdpEcho {
    fn port(&self) -> u16 {
        self.address.port()
    }
}
