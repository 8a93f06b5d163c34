//! Real sockets on loopback.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use socket2::SockRef;

use daemun_model::names::Transport;

use super::{BindError, Inherited, Listening, Why};
use crate::live::PortKey;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn bind(
    addresses: &[IpAddr],
    port: u16,
    workers: usize,
    inherited: &Inherited,
) -> Result<Vec<Listening>, BindError> {
    bind_on(Transport::Tcp, addresses, port, (workers, inherited))
}

fn bind_on(
    transport: Transport,
    addresses: &[IpAddr],
    port: u16,
    (workers, inherited): (usize, &Inherited),
) -> Result<Vec<Listening>, BindError> {
    let key = PortKey {
        addresses: addresses.to_vec(),
        port,
        transport,
    };
    super::bind(&key, workers, inherited)
}

#[test]
fn every_worker_gets_a_socket_of_the_same_port() {
    let bound = bind(&[LOOPBACK], 0, 3, &Inherited::default()).unwrap();
    let [listening] = bound.as_slice() else {
        panic!("{bound:?}")
    };
    assert_eq!(listening.sockets.len(), 3);
    assert_ne!(listening.address.port(), 0);
    for socket in &listening.sockets {
        assert_eq!(
            socket.local_addr().unwrap().as_socket(),
            Some(listening.address)
        );
    }
}

#[test]
fn connections_inherit_what_was_set() {
    let bound = bind(&[LOOPBACK], 0, 1, &Inherited::default()).unwrap();
    let _client = TcpStream::connect(bound[0].address).unwrap();
    bound[0].sockets[0].set_nonblocking(false).unwrap();
    let (accepted, _) = bound[0].sockets[0].accept().unwrap();
    let accepted = SockRef::from(&accepted);
    assert!(accepted.tcp_nodelay().unwrap());
    assert!(accepted.keepalive().unwrap());
    assert_eq!(accepted.tcp_keepalive_time().unwrap().as_secs(), 60);
}

#[test]
fn all_addresses_are_both_families() {
    let bound = bind(&[], 0, 1, &Inherited::default()).unwrap();
    let port = bound[0].address.port();
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    if bound[0].address.is_ipv6() {
        TcpStream::connect(("::1", port)).unwrap();
    }
}

#[test]
fn this_process_may_add_an_address_to_a_port_it_has() {
    let first = bind(&[LOOPBACK], 0, 2, &Inherited::default()).unwrap();
    let port = first[0].address.port();
    let all = bind(&[], port, 2, &Inherited::default()).unwrap();
    assert_eq!(all[0].address.port(), port);
}

#[test]
fn another_processs_port_is_an_error_that_names_it() {
    // A child that listens is another process, though it shares its ports as readily as we do.
    let script = "import socket,sys,time\ns=socket.socket()\ns.setsockopt(1,15,1)\ns.bind(('127.0.0.1',0))\ns.listen()\n\
                  print(s.getsockname()[1],flush=True)\ntime.sleep(30)";
    let child = std::process::Command::new("python3")
        .args(["-c", script])
        .stdout(std::process::Stdio::piped())
        .spawn();
    // Without python3 there is nobody to collide with.
    let Ok(mut child) = child else { return };
    let mut line = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    let port: u16 = line.trim().parse().unwrap();
    let error = bind(&[LOOPBACK], port, 2, &Inherited::default()).unwrap_err();
    let text = error.to_string();
    let process = child.id();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(matches!(error.why, Why::Taken(Some(_))), "{error:?}");
    assert!(
        text.starts_with(&format!(
            "Port {port} (127.0.0.1:{port}) is taken by process {process} (python3"
        )),
        "{text}"
    );
}

#[test]
fn an_address_of_another_host_is_said_so() {
    let elsewhere: IpAddr = "192.0.2.1".parse().unwrap();
    let error = bind(&[elsewhere], 8080, 1, &Inherited::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Port 8080 cannot be bound on 192.0.2.1: no interface of this host has that address."
    );
}

#[test]
fn a_handed_over_socket_is_used_for_its_address_and_port() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let inherited = Inherited(vec![socket.into()]);
    let bound = bind(&[LOOPBACK], address.port(), 2, &inherited).unwrap();
    assert_eq!((bound[0].address, bound[0].sockets.len()), (address, 2));
    let all = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
    assert!(
        inherited
            .find(Some(all.ip()), all.port(), Transport::Tcp)
            .is_empty(),
        "another address"
    );
    assert!(
        inherited.find(None, all.port(), Transport::Tcp).is_empty(),
        "not for all addresses"
    );
}

#[test]
fn sockets_for_another_process_are_left_alone() {
    for (process, count) in [(None, Some("1")), (Some("1"), Some("1")), (Some("1"), None)] {
        assert!(Inherited::take(process, count, None).unwrap().0.is_empty());
    }
    let own = std::process::id().to_string();
    assert!(Inherited::take(Some(&own), Some("many"), None).is_err());
    assert!(
        Inherited::take(Some(&own), Some("0"), Some(""))
            .unwrap()
            .0
            .is_empty()
    );
}

#[test]
fn the_same_number_is_another_port_for_datagrams() {
    let first = bind(&[LOOPBACK], 0, 2, &Inherited::default()).unwrap();
    let port = first[0].address.port();
    let nobody = Inherited::default();
    let datagrams = bind_on(Transport::Udp, &[LOOPBACK], port, (2, &nobody)).unwrap();
    assert_eq!(datagrams[0].sockets.len(), 2);
    let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.send_to(b"hello", first[0].address).unwrap();
    drop(datagrams);
    // Whoever has it now is somebody else, who shares as readily as we do.
    let other = std::net::UdpSocket::bind((LOOPBACK, port)).unwrap();
    let error = bind_on(Transport::Udp, &[LOOPBACK], port, (2, &nobody)).map(drop);
    // It is this process, which the kernel keeps apart by address only.
    let text = error.unwrap_err().to_string();
    assert!(
        text.starts_with(&format!("UDP port {port} (127.0.0.1:{port}) is taken")),
        "{text}"
    );
    drop(other);
}

#[test]
fn a_handed_over_socket_for_datagrams_is_one_workers() {
    // An address that no other test has, and a port that is free for TCP as well.
    let address = IpAddr::from([127, 0, 113, 7]);
    let free = std::net::TcpListener::bind((address, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let socket = std::net::UdpSocket::bind((address, port)).unwrap();
    let inherited = Inherited(vec![socket.into()]);
    let bound = bind_on(Transport::Udp, &[address], port, (2, &inherited)).unwrap();
    assert_eq!(bound[0].sockets.len(), 1);
    // TCP has ports of its own.
    let bound = bind(&[address], port, 2, &inherited).unwrap();
    assert_eq!(bound[0].sockets.len(), 2);
}
