//! A backend below HTTP: keeps every byte that it is sent, and does what it was told step by step.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daemun_base::tasks::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::strict;

/// What it does on each connection, one step after the other; then it only reads.
#[derive(Clone, Debug)]
pub enum Step {
    /// Reads until these bytes have come.
    Until(Vec<u8>),
    /// Sends bytes.
    Send(Vec<u8>),
    /// Waits.
    Wait(Duration),
    /// Closes the connection.
    Close,
    /// Breaks the connection off (RST).
    Reset,
}

/// A backend. It ends when it is dropped.
pub struct Tap {
    /// Where it listens.
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<AtomicUsize>,
    _tasks: Tasks,
}

impl Tap {
    /// Answers each request's head with the same bytes, on every connection, again and again.
    pub async fn answering(answer: &str) -> Self {
        let round = [
            Step::Until(b"\r\n\r\n".to_vec()),
            Step::Send(answer.as_bytes().to_vec()),
        ];
        Self::start(round.iter().cycle().take(64).cloned().collect()).await
    }

    /// Does the steps on every connection.
    ///
    /// # Panics
    /// If there is no port left.
    pub async fn start(steps: Vec<Step>) -> Self {
        Self::start_each(vec![steps]).await
    }

    /// Does the first steps on the first connection, the next on the second, and so on, over and over.
    ///
    /// # Panics
    /// If there is no port left, or there are no steps.
    pub async fn start_each(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let tasks = Tasks::default();
        let (kept, count) = (Arc::clone(&heard), Arc::clone(&connections));
        tasks.spawn(async move {
            // The connections end with the task that owns them.
            let mut running = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let number = count.fetch_add(1, Ordering::Relaxed);
                lock(&kept).push(Vec::new());
                let connection = Connection {
                    stream,
                    heard: Arc::clone(&kept),
                    number,
                };
                running.spawn(connection.run(scripts[number % scripts.len()].clone()));
                while running.try_join_next().is_some() {}
            }
        });
        Self {
            address,
            heard,
            connections,
            _tasks: tasks,
        }
    }

    /// All bytes that came, connection by connection.
    pub fn heard(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard
            .iter()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    /// All bytes that came, put together.
    pub fn all(&self) -> String {
        self.heard().concat()
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// A backend that reads strictly and answers every request with 200 and no body. What it cannot read
/// without a doubt, it keeps.
pub struct Strict {
    /// Where it listens.
    pub address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    _tasks: Tasks,
}

#[derive(Default)]
struct Kept {
    requests: Vec<strict::Request>,
    doubts: Vec<strict::Doubt>,
}

impl Strict {
    /// Starts it.
    ///
    /// # Panics
    /// If there is no port left.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let tasks = Tasks::default();
        let keep = Arc::clone(&kept);
        tasks.spawn(async move {
            // The connections end with the task that owns them.
            let mut running = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                running.spawn(read_strictly(stream, Arc::clone(&keep)));
                while running.try_join_next().is_some() {}
            }
        });
        Self {
            address,
            kept,
            _tasks: tasks,
        }
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<strict::Request> {
        lock(&self.kept).requests.clone()
    }

    /// All that was doubtful so far.
    pub fn doubts(&self) -> Vec<strict::Doubt> {
        lock(&self.kept).doubts.clone()
    }
}

async fn read_strictly(mut stream: TcpStream, kept: Arc<Mutex<Kept>>) {
    let mut bytes = Vec::new();
    loop {
        match strict::read(&bytes) {
            Err(doubt) => {
                lock(&kept).doubts.push(doubt);
                return;
            }
            Ok(Some((request, length))) => {
                bytes.drain(..length);
                lock(&kept).requests.push(request);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                if stream.write_all(answer).await.is_err() {
                    return;
                }
            }
            Ok(None) => match stream.read_buf(&mut bytes).await {
                Ok(read) if read > 0 => {}
                _ => return,
            },
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Connection {
    stream: TcpStream,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    number: usize,
}

impl Connection {
    async fn run(mut self, steps: Vec<Step>) {
        let mut waiting = Vec::new();
        for step in steps {
            match step {
                Step::Until(end) => {
                    while !contains(&waiting, &end) {
                        match self.read().await {
                            Some(bytes) => waiting.extend(bytes),
                            None => return,
                        }
                    }
                    let at = position(&waiting, &end).unwrap_or_default() + end.len();
                    waiting.drain(..at);
                }
                Step::Send(bytes) => {
                    if self.stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Wait(time) => tokio::time::sleep(time).await,
                Step::Close => return,
                Step::Reset => {
                    let _ = self.stream.set_zero_linger();
                    return;
                }
            }
        }
        while self.read().await.is_some() {}
    }

    async fn read(&mut self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 16 * 1024];
        let read = self
            .stream
            .read(&mut buffer)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        buffer.truncate(read);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard[self.number].extend_from_slice(&buffer);
        Some(buffer)
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    position(bytes, wanted).is_some()
}
