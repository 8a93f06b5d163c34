//! Datagrams as the system gives and takes them: many at once, each with the address that it was sent to, so that
//! the answer comes from there.

use std::cell::RefCell;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;

use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, send,
    sendmsg,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Datagrams that are taken at once.
const BATCH: usize = 16;
/// Bytes that a datagram has at most.
pub(super) const LARGEST: usize = 0xffff;

/// Neither waiting nor signals.
const FLAGS: MsgFlags = MsgFlags::MSG_DONTWAIT.union(MsgFlags::MSG_NOSIGNAL);

/// A worker's room for datagrams, which is made when the first one comes.
#[derive(Default)]
pub(crate) struct Room(RefCell<Vec<Box<[u8]>>>);

/// What the system tells about a socket's datagrams. Each socket has its own, because those of the two families
/// differ in length.
pub(super) struct Heads(RefCell<MultiHeaders<SockaddrStorage>>);

/// A datagram that came.
pub(super) struct Datagram<'a> {
    /// Who sent it. On a socket for both families IPv4 is mapped into IPv6.
    pub(super) from: SocketAddr,
    /// To which of the host's addresses.
    pub(super) to: Local,
    pub(super) bytes: &'a [u8],
}

/// One of the host's addresses, as it is told to the system when an answer is to come from there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Local {
    /// IPv4, in the network's order.
    V4([u8; 4]),
    /// IPv6, or IPv4 that is mapped into it; with the interface, where the address has a meaning only there.
    V6([u8; 16], u32),
    /// It is not known, and the system chooses one.
    Unknown,
}

impl Heads {
    pub(super) fn new() -> Self {
        let destination = nix::cmsg_space!(libc::in6_pktinfo);
        Self(RefCell::new(MultiHeaders::preallocate(
            BATCH,
            Some(destination),
        )))
    }
}

/// Takes as many datagrams as there are, up to a number; gives how many.
///
/// # Errors
/// The system's; there is none at this moment.
pub(super) fn receive(
    socket: &UdpSocket,
    heads: &Heads,
    room: &Room,
    mut each: impl FnMut(Datagram<'_>),
) -> io::Result<usize> {
    let mut heads = heads.0.borrow_mut();
    let mut room = room.0.borrow_mut();
    room.resize_with(BATCH, || vec![0; LARGEST].into_boxed_slice());
    socket.try_io(Interest::READABLE, || {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> = room
            .iter_mut()
            .map(|bytes| [IoSliceMut::new(bytes)])
            .collect();
        let fd = socket.as_raw_fd();
        let came = recvmmsg(fd, &mut heads, slices.iter_mut(), FLAGS, None)?;
        let mut count = 0;
        for message in came {
            count += 1;
            let Some(from) = message.address.as_ref().and_then(address) else {
                continue;
            };
            let to = message.cmsgs().map_or(Local::Unknown, |mut told| {
                told.find_map(|one| destination(&one))
                    .unwrap_or(Local::Unknown)
            });
            // One without bytes is a datagram, too.
            let bytes = message.iovs().next().unwrap_or_default();
            each(Datagram { from, to, bytes });
        }
        Ok(count)
    })
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let version_4 = storage.as_sockaddr_in().map(|it| SocketAddr::from(*it));
    version_4.or_else(|| storage.as_sockaddr_in6().map(|it| SocketAddr::from(*it)))
}

fn destination(told: &ControlMessageOwned) -> Option<Local> {
    match told {
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            Some(Local::V4(info.ipi_spec_dst.s_addr.to_ne_bytes()))
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => {
            let address = info.ipi6_addr.s6_addr;
            let only_there = IpAddr::from(address).is_ipv6()
                && std::net::Ipv6Addr::from(address).is_unicast_link_local();
            let interface = if only_there { info.ipi6_ifindex } else { 0 };
            Some(Local::V6(address, interface))
        }
        _ => None,
    }
}

/// Sends a datagram to a client, from the address that the client has asked.
///
/// # Errors
/// The system's. It takes the datagram or not, and nothing is waited for.
pub(super) fn answer(
    socket: &UdpSocket,
    (from, to): (Local, SocketAddr),
    bytes: &[u8],
) -> io::Result<()> {
    let (fd, to, slices) = (
        socket.as_raw_fd(),
        SockaddrStorage::from(to),
        [IoSlice::new(bytes)],
    );
    let sent = match from {
        Local::V4(address) => {
            let address = libc::in_addr {
                s_addr: u32::from_ne_bytes(address),
            };
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: address,
                ipi_addr: address,
            };
            let told = [ControlMessage::Ipv4PacketInfo(&info)];
            sendmsg(fd, &slices, &told, FLAGS, Some(&to))
        }
        Local::V6(address, interface) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr { s6_addr: address },
                ipi6_ifindex: interface,
            };
            let told = [ControlMessage::Ipv6PacketInfo(&info)];
            sendmsg(fd, &slices, &told, FLAGS, Some(&to))
        }
        Local::Unknown => sendmsg(fd, &slices, &[], FLAGS, Some(&to)),
    };
    sent.map(drop).map_err(io::Error::from)
}

/// Sends a datagram over a socket that is connected.
///
/// # Errors
/// The system's; also what the network has told about datagrams before this one, which is then not sent.
pub(super) fn forward(socket: &UdpSocket, bytes: &[u8]) -> io::Result<()> {
    send(socket.as_raw_fd(), bytes, FLAGS)
        .map(drop)
        .map_err(io::Error::from)
}
