//! The way of the bytes through a load balancer that is a proxy: it stands outside of the nodes, takes connections to
//! its address, and passes them on to a port of a node, with a PROXY header before them where that is asked for.
//!
//! Addresses that are said to lead straight to the proxies (`ipMode: VIP`, no header) are not carried here: kube-proxy
//! does that. It answers its own cluster's calls to such an address also where a load balancer is in front, as in a
//! real cloud, and then nothing of this is passed.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a node's port has to take a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a version 2 header begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Where load balancers stand: outside of the nodes' network namespace, on the other end of its way out.
#[derive(Clone, Debug)]
pub struct Stand {
    /// The device that has the load balancers' addresses.
    pub device: String,
    /// The address by which the nodes reach it.
    pub gateway: Ipv4Addr,
    /// The nodes' network namespace.
    pub inside: String,
}

/// One load balancer's traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Where connections come to.
    pub(super) address: Ipv4Addr,
    /// The node.
    pub(super) node: IpAddr,
    /// Each port, and the node's port behind it; none is behind one whose node lets nothing in.
    pub(super) ports: Vec<(u16, Option<u16>)>,
    /// The version of the header.
    pub(super) header: Option<u8>,
    /// Whether nodes and pods have to come here as well, since nobody answers for it among them.
    pub(super) from_inside: bool,
}

/// What is carried for each Service, and what carries it.
type Carried = BTreeMap<String, (Wanted, Vec<JoinHandle<()>>)>;

/// All load balancers that are proxies.
pub(super) struct Carrier {
    stand: Stand,
    carried: Mutex<Carried>,
}

impl Carrier {
    pub(super) fn new(stand: Stand) -> Self {
        Self {
            stand,
            carried: Mutex::default(),
        }
    }

    /// Carries what is wanted of a load balancer from now on, or nothing any more.
    pub(super) async fn carry(&self, owner: &str, wanted: Option<Wanted>) {
        let before = {
            let mut carried = self.lock();
            match carried.get(owner) {
                Some((same, _)) if Some(same) == wanted.as_ref() => return,
                Some(_) => carried.remove(owner),
                None => None,
            }
        };
        if let Some((before, tasks)) = before {
            for task in tasks {
                task.abort();
                // It listens until it has ended, which is no error of its own.
                let _ = task.await;
            }
            self.leave(&before);
        }
        let Some(wanted) = wanted else { return };
        let listeners = match self.listen(&wanted).await {
            Ok(listeners) => listeners,
            Err(why) => {
                tracing::warn!("{} carries nothing: {why}.", wanted.address);
                return;
            }
        };
        let serve = |(listener, behind)| {
            let way = Arc::new(wanted.clone());
            spawn(serve(listener, way, behind))
        };
        let tasks = listeners.into_iter().map(serve).collect();
        self.lock().insert(owner.to_owned(), (wanted, tasks));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Carried> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn listen(&self, wanted: &Wanted) -> Result<Vec<(TcpListener, Option<u16>)>, String> {
        let Stand {
            device,
            gateway,
            inside,
        } = &self.stand;
        let address = format!("{}/32", wanted.address);
        ip(&["address", "replace", &address, "dev", device])?;
        if wanted.from_inside {
            let gateway = gateway.to_string();
            ip(&[
                "-n", inside, "route", "replace", &address, "via", &gateway, "proto", "99",
            ])?;
        }
        let mut listeners = Vec::new();
        for (port, behind) in &wanted.ports {
            let at = SocketAddr::from((wanted.address, *port));
            let listener = TcpListener::bind(at).await;
            let listener =
                listener.map_err(|error| format!("{at} cannot be listened at: {error}"))?;
            listeners.push((listener, *behind));
        }
        Ok(listeners)
    }

    /// Takes the address away again.
    fn leave(&self, carried: &Wanted) {
        let Stand { device, inside, .. } = &self.stand;
        let address = format!("{}/32", carried.address);
        let mut done = ip(&["address", "delete", &address, "dev", device]);
        if carried.from_inside {
            done = done.and(ip(&["-n", inside, "route", "delete", &address]));
        }
        if let Err(why) = done {
            tracing::warn!("{} is left behind: {why}.", carried.address);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output();
    let output = output.map_err(|error| format!("ip cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {}: {}", arguments.join(" "), said.trim()))
}

async fn serve(listener: TcpListener, way: Arc<Wanted>, behind: Option<u16>) {
    loop {
        match listener.accept().await {
            Ok((caller, from)) => {
                let way = Arc::clone(&way);
                spawn(async move {
                    // Whoever hangs up is nobody's matter here.
                    let _ = pass(caller, from, &way, behind).await;
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Passes one connection on. Where nothing is behind it, it is closed.
async fn pass(
    mut caller: TcpStream,
    from: SocketAddr,
    way: &Wanted,
    behind: Option<u16>,
) -> std::io::Result<()> {
    let Some(behind) = behind else { return Ok(()) };
    let to = caller.local_addr()?;
    let mut node = timeout(PATIENCE, TcpStream::connect((way.node, behind))).await??;
    if let Some(header) = way.header.and_then(|version| header(version, from, to)) {
        node.write_all(&header).await?;
    }
    copy_bidirectional(&mut caller, &mut node).await.map(drop)
}

/// A PROXY header for a connection between two IPv4 addresses.
pub(super) fn header(version: u8, from: SocketAddr, to: SocketAddr) -> Option<Vec<u8>> {
    let (IpAddr::V4(source), IpAddr::V4(target)) = (from.ip(), to.ip()) else {
        return None;
    };
    if version == 1 {
        let line = format!(
            "PROXY TCP4 {source} {target} {} {}\r\n",
            from.port(),
            to.port()
        );
        return Some(line.into_bytes());
    }
    let mut header = SIGNATURE.to_vec();
    // Version 2, a connection that is passed on; TCP over IPv4; twelve bytes of addresses follow.
    header.extend([0x21, 0x11, 0, 12]);
    header.extend(source.octets());
    header.extend(target.octets());
    header.extend(from.port().to_be_bytes());
    header.extend(to.port().to_be_bytes());
    Some(header)
}

/// Runs on its own: a load balancer's task is ended with the load balancer, a connection's ends with the connection.
#[expect(
    clippy::disallowed_methods,
    reason = "the lab's cloud ends its load balancers' tasks by itself"
)]
fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::{Wanted, header, pass};

    #[test]
    fn headers_are_as_the_protocol_has_them() {
        let from: SocketAddr = "127.0.0.7:4711".parse().unwrap();
        let to: SocketAddr = "198.18.128.1:80".parse().unwrap();
        let line = b"PROXY TCP4 127.0.0.7 198.18.128.1 4711 80\r\n".to_vec();
        assert_eq!(header(1, from, to), Some(line));
        let binary = header(2, from, to).unwrap();
        assert_eq!(binary.len(), 28);
        assert_eq!(binary[..16], *b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c");
        assert_eq!(binary[16..24], [127, 0, 0, 7, 198, 18, 128, 1]);
        assert_eq!(binary[24..], [0x12, 0x67, 0, 80]);
        assert_eq!(header(1, "[::1]:1".parse().unwrap(), to), None);
    }

    #[tokio::test]
    async fn what_is_said_comes_through_behind_a_header() {
        let node = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let outside = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, port) = (outside.local_addr().unwrap(), node.local_addr().unwrap());
        let way = Wanted {
            address: "127.0.0.1".parse().unwrap(),
            node: port.ip(),
            ports: Vec::new(),
            header: Some(1),
            from_inside: false,
        };
        let behind = Some(port.port());
        let mut caller = TcpStream::connect(at).await.unwrap();
        let (taken, from) = outside.accept().await.unwrap();
        let passed = super::spawn(async move { pass(taken, from, &way, behind).await });
        caller.write_all(b"hello").await.unwrap();
        caller.shutdown().await.unwrap();
        let mut seen = String::new();
        let (mut taken, _) = node.accept().await.unwrap();
        taken.read_to_string(&mut seen).await.unwrap();
        let line = format!(
            "PROXY TCP4 127.0.0.1 127.0.0.1 {} {}\r\nhello",
            from.port(),
            at.port()
        );
        assert_eq!(seen, line);
        drop(taken);
        passed.await.unwrap().unwrap();
    }
}
