//! Listening sockets: binding them, one for each worker, and saying whose a taken port is.
//!
//! The kernel spreads connections over sockets that share a port (`SO_REUSEPORT`); it would also share
//! the port with another process of the same user without a word. So a port is first bound without
//! sharing, which finds that process. Sockets that a service manager hands over are used as they are.
//! Datagrams of one client always come to the same of a port's sockets. What is set on a listening socket holds for the connections it accepts: none needs a call of its own.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::time::Duration;

use daemun_model::names::Transport;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::owner::{self, Owner};
use crate::live::PortKey;

/// Connections that may wait to be accepted, per socket; the kernel's own limit may be lower.
const BACKLOG: i32 = 4096;
/// Bytes of datagrams that may wait to be taken, per socket; the kernel's own limit may be lower.
const DATAGRAMS: usize = 1 << 20;
/// How often a taken port whose owner cannot be seen is looked at again, and after which time.
const PROBES: u32 = 10;
const PROBE_PAUSE: Duration = Duration::from_millis(5);

/// An address and port with its sockets.
#[derive(Debug)]
pub(crate) struct Listening {
    /// What is bound.
    pub(crate) address: SocketAddr,
    /// One for each worker, not blocking; of a socket for datagrams that was handed over, just that one.
    pub(crate) sockets: Vec<Socket>,
}

/// An address that could not be bound.
#[derive(Debug)]
pub(crate) struct BindError {
    /// Which.
    pub(crate) address: SocketAddr,
    /// Of which transport.
    pub(crate) transport: Transport,
    /// Why.
    pub(crate) why: Why,
}

/// Why an address could not be bound.
#[derive(Debug)]
pub(crate) enum Why {
    /// Somebody else listens there.
    Taken(Option<Owner>),
    /// Low ports need a privilege.
    NotPermitted,
    /// No interface has the address.
    NotHere,
    /// Something else.
    Other(io::Error),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            transport,
            why,
        } = self;
        let (port, flag) = match transport {
            Transport::Tcp => (format!("Port {}", address.port()), 't'),
            Transport::Udp => (format!("UDP port {}", address.port()), 'u'),
        };
        match why {
            Why::Taken(Some(owner)) => write!(
                f,
                "{port} ({address}) is taken by process {} ({}). Stop it, or use another port.",
                owner.process, owner.name
            ),
            Why::Taken(None) => write!(
                f,
                "{port} ({address}) is taken by another process, which cannot be seen from here; \
                 \"ss -l{flag}np sport = :{}\" as root shows it.",
                address.port()
            ),
            Why::NotPermitted => write!(
                f,
                "{port} ({address}) cannot be bound without a privilege. Give the process \
                 CAP_NET_BIND_SERVICE, lower net.ipv4.ip_unprivileged_port_start, or use a port from 1024 on."
            ),
            Why::NotHere => write!(
                f,
                "{port} cannot be bound on {}: no interface of this host has that address.",
                address.ip()
            ),
            Why::Other(error) => write!(f, "{port} ({address}) cannot be bound: {error}."),
        }
    }
}

/// Sockets that a service manager opened before this process began (systemd's socket activation).
#[derive(Debug, Default)]
pub(crate) struct Inherited(Vec<Socket>);

impl Inherited {
    /// Takes the sockets that the environment's `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` tell of;
    /// none if they are meant for another process. To be called once, before other files are opened.
    ///
    /// # Errors
    /// A sentence, if the variables make no sense or one of the sockets does not listen for TCP or take datagrams.
    pub(crate) fn take(
        listen_pid: Option<&str>,
        listen_fds: Option<&str>,
        names: Option<&str>,
    ) -> Result<Self, String> {
        let (Some(process), Some(count)) = (listen_pid, listen_fds) else {
            return Ok(Self::default());
        };
        if process.parse() != Ok(std::process::id()) {
            return Ok(Self::default());
        }
        let count: u8 = count
            .parse()
            .map_err(|_| format!("LISTEN_FDS is \"{count}\", which is not a number of sockets"))?;
        let mut names = names.unwrap_or_default().split(':');
        let sockets = (0..count).map(|place| {
            let name = names.next().filter(|name| !name.is_empty());
            own(3 + RawFd::from(place), name.unwrap_or("unknown"))
        });
        sockets.collect::<Result<_, _>>().map(Self)
    }

    /// Those for an address and port; for all addresses, those that have no particular one.
    fn find(
        &self,
        address: Option<IpAddr>,
        port: u16,
        transport: Transport,
    ) -> Vec<(&Socket, SocketAddr)> {
        let known = self
            .0
            .iter()
            .filter(|socket| socket.r#type().ok() == Some(kind(transport)))
            .filter_map(|socket| Some((socket, socket.local_addr().ok()?.as_socket()?)));
        known
            .filter(|(_, local)| local.port() == port)
            .filter(|(_, local)| match address {
                Some(address) => local.ip() == address,
                None => local.ip().is_unspecified(),
            })
            .collect()
    }
}

fn kind(transport: Transport) -> Type {
    match transport {
        Transport::Tcp => Type::STREAM,
        Transport::Udp => Type::DGRAM,
    }
}

fn own(number: RawFd, name: &str) -> Result<Socket, String> {
    #[expect(
        unsafe_code,
        reason = "systemd hands sockets over as numbers; nothing else in this process owns them"
    )]
    // SAFETY: LISTEN_PID is this process, so the service manager opened this number for it, and this is
    // the only place that takes it.
    let socket = Socket::from(unsafe { OwnedFd::from_raw_fd(number) });
    let transport = match socket.protocol().ok().flatten() {
        Some(Protocol::TCP) if socket.is_listener().unwrap_or(false) => Transport::Tcp,
        Some(Protocol::UDP) => Transport::Udp,
        _ => {
            return Err(format!(
                "the socket \"{name}\" (number {number}) that the service manager handed over neither listens for TCP nor takes datagrams of UDP"
            ));
        }
    };
    let prepared = prepare(&socket, transport).and_then(|()| socket.set_cloexec(true));
    prepared.map_err(|error| format!("the socket \"{name}\" cannot be used: {error}"))?;
    Ok(socket)
}

/// Binds a port on these addresses, or on all of both families if there are none. Port 0 lets the
/// kernel choose one.
///
/// # Errors
/// The first address that could not be bound, and why; what was bound before is closed.
pub(crate) fn bind(
    key: &PortKey,
    workers: usize,
    inherited: &Inherited,
) -> Result<Vec<Listening>, BindError> {
    let PortKey {
        addresses,
        port,
        transport,
    } = key;
    let (port, transport) = (*port, *transport);
    if addresses.is_empty() {
        return bind_all(port, transport, workers, inherited);
    }
    let bound = addresses.iter().map(|address| {
        let found = inherited.find(Some(*address), port, transport);
        match found.first() {
            Some((socket, local)) => share(socket, (*local, transport), workers),
            None => bind_one((SocketAddr::new(*address, port), transport), workers),
        }
    });
    bound.collect()
}

fn bind_all(
    port: u16,
    transport: Transport,
    workers: usize,
    inherited: &Inherited,
) -> Result<Vec<Listening>, BindError> {
    let found = inherited.find(None, port, transport);
    if !found.is_empty() {
        let shared = found
            .iter()
            .map(|(socket, local)| share(socket, (*local, transport), workers));
        return shared.collect();
    }
    let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match bind_one((both, transport), workers) {
        Err(BindError { why, .. }) if lacks_ipv6(&why) => {
            let version_4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
            bind_one((version_4, transport), workers).map(|listening| vec![listening])
        }
        bound => bound.map(|listening| vec![listening]),
    }
}

fn lacks_ipv6(why: &Why) -> bool {
    match why {
        Why::NotHere => true,
        Why::Other(error) => {
            error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
        }
        Why::Taken(_) | Why::NotPermitted => false,
    }
}

/// The same socket for every worker: the kernel's queue is one, and whoever is free takes from it. Datagrams of one
/// client would come to several workers then, so their socket is one worker's.
fn share(
    socket: &Socket,
    (address, transport): (SocketAddr, Transport),
    workers: usize,
) -> Result<Listening, BindError> {
    let workers = match transport {
        Transport::Tcp => workers.max(1),
        Transport::Udp => 1,
    };
    let copies = (0..workers).map(|_| socket.try_clone());
    let sockets = copies
        .collect::<io::Result<_>>()
        .map_err(|error| BindError {
            address,
            transport,
            why: Why::Other(error),
        })?;
    Ok(Listening { address, sockets })
}

fn bind_one(
    (address, transport): (SocketAddr, Transport),
    workers: usize,
) -> Result<Listening, BindError> {
    let failed = |error: io::Error| BindError {
        address,
        transport,
        why: why(error, address.port(), transport),
    };
    // Port 0 takes one that nobody has.
    if address.port() != 0 {
        probe(address, transport).map_err(failed)?;
    }
    let first = open(address, transport, true).map_err(failed)?;
    let local = first.local_addr().map_err(failed)?;
    let local = local.as_socket().unwrap_or(address);
    let mut sockets = vec![first];
    for _ in 1..workers {
        sockets.push(open(local, transport, true).map_err(failed)?);
    }
    for socket in &sockets {
        match transport {
            Transport::Tcp => socket.listen(BACKLOG).map_err(failed)?,
            Transport::Udp => {}
        }
    }
    Ok(Listening {
        address: local,
        sockets,
    })
}

/// Finds out whether another process has the port, by binding it for a moment without sharing it.
fn probe(address: SocketAddr, transport: Transport) -> io::Result<()> {
    let mut looks = 0;
    loop {
        let Err(error) = open(address, transport, false) else {
            return Ok(());
        };
        if error.kind() != io::ErrorKind::AddrInUse {
            return Err(error);
        }
        match owner::of_port(address.port(), transport) {
            // On other addresses: the kernel keeps them apart.
            Some(owner) if owner.process == std::process::id() => return Ok(()),
            Some(_) => return Err(error),
            // Nobody can be seen. It may be a socket that this process is just closing.
            None if looks < PROBES => looks += 1,
            None => return Err(error),
        }
        std::thread::sleep(PROBE_PAUSE);
    }
}

fn open(address: SocketAddr, transport: Transport, shared: bool) -> io::Result<Socket> {
    let protocol = match transport {
        Transport::Tcp => Protocol::TCP,
        Transport::Udp => Protocol::UDP,
    };
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, kind(transport), Some(protocol))?;
    if address.is_ipv6() {
        // One socket takes both families if it is for all addresses.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // For UDP it would mean to share.
    socket.set_reuse_address(transport == Transport::Tcp)?;
    socket.set_reuse_port(shared)?;
    prepare(&socket, transport)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// What accepted connections inherit on Linux: no waiting for full packets, and dead peers are noticed. Of datagrams
/// the address that they were sent to is told.
fn prepare(socket: &Socket, transport: Transport) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    match transport {
        Transport::Tcp => {
            let keepalive = TcpKeepalive::new()
                .with_time(Duration::from_secs(60))
                .with_interval(Duration::from_secs(15))
                .with_retries(4);
            socket.set_tcp_nodelay(true)?;
            socket.set_tcp_keepalive(&keepalive)
        }
        Transport::Udp => {
            socket.set_recv_buffer_size(DATAGRAMS)?;
            tell_destinations(socket)
        }
    }
}

/// Asks the system to tell to which address datagrams were sent.
fn tell_destinations(socket: &Socket) -> io::Result<()> {
    let set = if socket.domain()? == Domain::IPV6 {
        setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)
    } else {
        setsockopt(socket, sockopt::Ipv4PacketInfo, &true)
    };
    set.map_err(io::Error::from)
}

fn why(error: io::Error, port: u16, transport: Transport) -> Why {
    match error.kind() {
        io::ErrorKind::AddrInUse => Why::Taken(owner::of_port(port, transport)),
        io::ErrorKind::PermissionDenied => Why::NotPermitted,
        io::ErrorKind::AddrNotAvailable => Why::NotHere,
        _ => Why::Other(error),
    }
}

#[cfg(test)]
mod tests;
