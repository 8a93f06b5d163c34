//! Where the two ports listen, and how connections to them are served: few at a time, and none
//! for ever.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use daemun_base::tasks::Tasks;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::AbortHandle;

use super::page::Page;

/// Connections at a time to one port. For a further one, one is closed: the oldest of whoever has the most. So neither who
/// holds many, nor who opens many, keeps a probe from its answer.
const CONNECTIONS: usize = 64;

/// How long a connection may stay without a request, or with half of one.
const IDLE: Duration = Duration::from_secs(90);

/// Bytes of a request's head.
const HEAD: usize = 16 * 1024;

/// Where the admin port listens: on this host, and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An address and port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    /// `127.0.0.1:9902`, `[::1]:9902`, `localhost:9902`, `unix:PATH`, or a path that begins with `/`.
    fn from_str(written: &str) -> Result<Self, String> {
        if let Some(path) = written.strip_prefix("unix:") {
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        if written.starts_with('/') {
            return Ok(Self::Unix(PathBuf::from(written)));
        }
        let port = written
            .strip_prefix("localhost:")
            .and_then(|port| port.parse().ok());
        if let Some(port) = port {
            return Ok(Self::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
        }
        written.parse().map(Self::Tcp).map_err(|_| {
            format!(
                "\"{written}\" is no address for the admin port; write an address with a port (127.0.0.1:9902), or the path of a Unix socket (unix:/run/daemun/admin.sock)"
            )
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Why a port could not be opened.
#[derive(Debug)]
pub enum StartError {
    /// The admin port would be open to others than this host.
    NotLoopback(SocketAddr),
    /// The system does not let it.
    Bind {
        /// The address.
        address: Address,
        /// What the system says.
        error: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback(address) => write!(
                f,
                "The admin port cannot listen on {address}: it shows and changes the gateway without asking who wants it, so it is for this host only. Use a loopback address (127.0.0.1:{}) or a Unix socket (unix:PATH).",
                address.port()
            ),
            Self::Bind { address, error } if error.kind() == io::ErrorKind::AddrInUse => {
                write!(
                    f,
                    "{address} is in use by another process; stop it, or choose another address."
                )
            }
            Self::Bind { address, error } => write!(f, "{address} cannot be opened: {error}."),
        }
    }
}

impl std::error::Error for StartError {}

/// Serves a TCP port; tells which one it is.
pub(super) async fn tcp<H, F>(
    address: SocketAddr,
    tasks: &Tasks,
    handler: H,
) -> Result<SocketAddr, StartError>
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Page>> + Send + 'static,
{
    let failed = |error| StartError::Bind {
        address: Address::Tcp(address),
        error,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    tasks.spawn(async move {
        let mut connections = Connections::default();
        loop {
            match listener.accept().await {
                Ok((stream, from)) => connections.serve(stream, Some(from.ip()), handler.clone()),
                Err(error) => pause(&error).await,
            }
        }
    });
    Ok(bound)
}

/// Serves a Unix socket, which nobody but the process's own user can open.
pub(super) fn unix<H, F>(path: &Path, tasks: &Tasks, handler: H) -> Result<(), StartError>
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Page>> + Send + 'static,
{
    let failed = |error| StartError::Bind {
        address: Address::Unix(path.to_path_buf()),
        error,
    };
    let (listener, file) = bind_unix(path).map_err(failed)?;
    tasks.spawn(async move {
        let _file = file;
        let mut connections = Connections::default();
        loop {
            match listener.accept().await {
                Ok((stream, _)) => connections.serve(stream, None, handler.clone()),
                Err(error) => pause(&error).await,
            }
        }
    });
    Ok(())
}

fn bind_unix(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if socket.connect(&address).is_ok() {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    // What nobody answers on was left by a process that ended badly. What is no socket is not ours to remove.
    let left = std::fs::symlink_metadata(path);
    if left.is_ok_and(|left| std::os::unix::fs::FileTypeExt::is_socket(&left.file_type())) {
        std::fs::remove_file(path)?;
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&address)?;
    // Before it listens, so that there is no moment at which others can connect.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let file = SocketFile {
        path: path.to_path_buf(),
        inode: std::fs::symlink_metadata(path)?.ino(),
    };
    socket.listen(128)?;
    socket.set_nonblocking(true)?;
    let listener = UnixListener::from_std(std::os::unix::net::UnixListener::from(socket))?;
    Ok((listener, file))
}

/// The file of a Unix socket; removed at the end, unless another process has put its own there.
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode);
        if ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[derive(Default)]
struct Connections {
    /// They end with the port.
    tasks: Tasks,
    /// Those that are open, and some that have ended; the oldest first.
    open: VecDeque<(Option<IpAddr>, AbortHandle)>,
}

impl Connections {
    fn make_room(&mut self) {
        if self.open.len() < CONNECTIONS {
            return;
        }
        self.open.retain(|(_, task)| !task.is_finished());
        while self.open.len() >= CONNECTIONS {
            let addresses = self.open.iter().map(|(from, _)| from);
            let oldest = spared_least(addresses).and_then(|number| self.open.remove(number));
            if let Some((_, oldest)) = oldest {
                oldest.abort();
            }
        }
    }

    fn serve<S, H, F>(&mut self, stream: S, from: Option<IpAddr>, handler: H)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Page>> + Send + 'static,
    {
        self.make_room();
        let task = self.tasks.spawn(async move {
            let service = service_fn(|request| {
                let answered = handler(request);
                async move { Ok::<_, std::convert::Infallible>(answered.await) }
            });
            // A client that goes away is no news.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(IDLE)
                .max_buf_size(HEAD)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        self.open.push_back((from, task));
    }
}

/// The number of the first of those who are there most often.
fn spared_least<T: Ord>(all: impl Iterator<Item = T>) -> Option<usize> {
    let mut counts: BTreeMap<T, (usize, usize)> = BTreeMap::new();
    for (number, one) in all.enumerate() {
        counts.entry(one).or_insert((0, number)).0 += 1;
    }
    let most = counts
        .into_values()
        .max_by_key(|(count, first)| (*count, Reverse(*first)));
    most.map(|(_, first)| first)
}

async fn pause(error: &io::Error) {
    tracing::warn!("A connection to the health or admin port could not be accepted: {error}.");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Whether an address is this host's own.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::spared_least;

    #[test]
    fn who_has_the_most_gives_way_with_the_oldest() {
        for (all, expected) in [
            ("", None),
            ("a", Some(0)),
            ("abc", Some(0)),
            ("abbb", Some(1)),
            ("abcbca", Some(0)),
            ("kffffffff", Some(1)),
        ] {
            assert_eq!(spared_least(all.chars()), expected, "{all}");
        }
    }
}
