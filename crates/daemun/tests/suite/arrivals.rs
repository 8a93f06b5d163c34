//! Connections as they arrive: whose they are, by PROXY protocol or by the peer, whether clients may come from there,
//! and what is no client at all.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::clock;
use daemun_model::Snapshot;
use daemun_model::listener::Listener;
use daemun_model::policy::forwarding::ProxyProtocol;
use daemun_model::policy::sources::SourceRanges;
use daemun_testkit::gateway::settings;
use daemun_testkit::{Gateway, Raw, TlsClient, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use crate::kinds::{Kinds, is_answered, line};

/// Does something to each listener.
fn each(change: impl Fn(&mut Listener) + Send + 'static) -> impl Fn(&mut Snapshot) + Send {
    move |snapshot| {
        let listeners: Vec<_> = snapshot.listeners.values().cloned().collect();
        for mut listener in listeners {
            change(Arc::make_mut(&mut listener));
            snapshot.listeners.insert(listener.key.clone(), listener);
        }
    }
}

fn proxies(listener: &mut Listener, trusted: &str) {
    listener.forwarding.proxy_protocol = Some(ProxyProtocol {
        trusted: vec![trusted.parse().unwrap()],
    });
}

fn sources(listener: &mut Listener, allowed: &[&str]) {
    let allowed = allowed.iter().map(|range| range.parse().unwrap());
    listener.sources = Some(SourceRanges {
        allowed: allowed.collect(),
    });
}

fn version_1(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 198.51.100.2 12345 443\r\n").into_bytes()
}

fn version_2(command: u8, client: [u8; 4]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([0x20 | command, 0x11, 0, 12]);
    header.extend(client);
    header.extend([198, 51, 100, 2, 0x30, 0x39, 0x1f, 0x90]);
    header
}

/// Connects from an address of this host, and sends something first.
async fn connect(from: &str, port: u16, first: &[u8]) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await?;
    stream.write_all(first).await?;
    Ok(stream)
}

/// What serves a connection on each of the ports that take them, after its first bytes; or how it was refused.
async fn served(world: &Kinds, from: &str, first: &[u8]) -> Vec<Result<String, ErrorKind>> {
    let kind = |error: std::io::Error| match error.kind() {
        // It depends on what was on the way when the reset came.
        ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => ErrorKind::ConnectionReset,
        kind => kind,
    };
    let http = async {
        let mut client = Raw::over(connect(from, world.http, first).await?);
        let request = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
        client.try_send(request).await?;
        client.try_answer().await?;
        Ok(world.web.last().all("x-forwarded-for").join(", "))
    };
    let client = TlsClient::new(&world.authority.pem());
    let https = async {
        let stream = connect(from, world.https, first).await?;
        let mut client = Raw::over(client.over(stream, "www.example.org").await?);
        let request = "GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n";
        client.try_send(request).await?;
        client.try_answer().await?;
        Ok(world.web.last().all("x-forwarded-for").join(", "))
    };
    let tcp = async { line(&mut connect(from, world.tcp, first).await?).await };
    let sealed = async {
        let stream = connect(from, world.sealed, first).await?;
        line(&mut client.over(stream, "a.example.org").await?).await
    };
    let ended = async {
        let stream = connect(from, world.ended, first).await?;
        line(&mut client.over(stream, "b.example.org").await?).await
    };
    let all = [
        http.await,
        https.await,
        tcp.await,
        sealed.await,
        ended.await,
    ];
    all.map(|one| one.map_err(kind)).into()
}

/// Nobody was served.
fn refused() -> Vec<Result<String, ErrorKind>> {
    vec![Err(ErrorKind::ConnectionReset); 5]
}

/// All were, as this client.
fn served_as(client: &str) -> Vec<Result<String, ErrorKind>> {
    let all = [client, client, "plain", "sealed", "plain"];
    all.iter().map(|text| Ok((*text).to_owned())).collect()
}

fn count(gateway: &Gateway, name: &str) -> u64 {
    let lines = gateway.metrics(name);
    let numbers = lines.iter().filter_map(|line| line.rsplit(' ').next());
    numbers.map(|number| number.parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn a_header_is_accepted_and_not_demanded_on_listeners_of_every_kind() {
    let world = Kinds::new().await;
    let trust = each(|listener| proxies(listener, "127.0.0.0/8"));
    let gateway = Gateway::start_changed(settings(), &world.text(), trust).await;
    for header in [version_1("192.0.2.9"), version_2(1, [192, 0, 2, 9])] {
        let served = served(&world, "127.0.0.1", &header).await;
        assert_eq!(served, served_as("192.0.2.9"));
    }
    let direct = served_as("127.0.0.1");
    assert_eq!(served(&world, "127.0.0.1", b"").await, direct);
    for unknown in [b"PROXY UNKNOWN\r\n".to_vec(), version_2(0, [192, 0, 2, 9])] {
        assert_eq!(served(&world, "127.0.0.1", &unknown).await, direct);
    }
    assert_eq!(count(&gateway, "daemun_proxy_protocol_refused_total"), 0);
}

#[tokio::test]
async fn clients_may_come_from_where_it_is_allowed_by_the_address_that_is_believed() {
    let world = Kinds::new().await;
    let only = each(|listener| {
        proxies(listener, "127.0.0.1/32");
        sources(listener, &["192.0.2.0/24", "127.0.0.2/32"]);
    });
    let gateway = Gateway::start_changed(settings(), &world.text(), only).await;
    let not_allowed = || count(&gateway, "daemun_client_connections_not_allowed_total");
    for header in [version_1("192.0.2.9"), version_2(1, [192, 0, 2, 9])] {
        let served = served(&world, "127.0.0.1", &header).await;
        assert_eq!(served, served_as("192.0.2.9"));
    }
    assert_eq!(
        served(&world, "127.0.0.2", b"").await,
        served_as("127.0.0.2")
    );
    assert_eq!(not_allowed(), 0);
    let seen = (world.web.count(), world.plain.connections());
    let strangers = [version_1("198.51.100.7"), version_2(1, [10, 0, 0, 1])];
    for header in &strangers {
        assert_eq!(served(&world, "127.0.0.1", header).await, refused());
    }
    // Without a header it is the peer that counts, whoever that is.
    assert_eq!(served(&world, "127.0.0.1", b"").await, refused());
    assert_eq!(served(&world, "127.0.0.3", b"").await, refused());
    // A header from who is not believed makes nobody another.
    assert_eq!(
        served(&world, "127.0.0.3", &version_1("192.0.2.9")).await,
        refused()
    );
    assert_eq!(not_allowed(), 25);
    assert_eq!(seen, (world.web.count(), world.plain.connections()));

    let datagram = async |from: &str| {
        let socket = UdpSocket::bind(format!("{from}:0")).await.unwrap();
        socket.connect(("127.0.0.1", world.udp)).await.unwrap();
        is_answered(&socket).await
    };
    assert!(datagram("127.0.0.2").await);
    assert!(!datagram("127.0.0.3").await);
    let dropped = gateway.metrics("daemun_datagrams_dropped_total");
    assert_eq!(
        dropped,
        ["daemun_datagrams_dropped_total{reason=\"source_not_allowed\"} 1"]
    );
}

#[tokio::test]
async fn what_is_open_ends_when_clients_may_not_come_from_there_any_more() {
    let world = Kinds::new().await;
    let mut gateway = Gateway::start(&world.text()).await;
    let mut open = Vec::new();
    for from in ["127.0.0.1", "127.0.0.2"] {
        let mut http = Raw::over(connect(from, world.http, b"").await.unwrap());
        assert_eq!(http.get("example.org", "/").await.status, 200);
        let mut socket = Raw::over(connect(from, world.http, b"").await.unwrap());
        let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
        let answer = socket.request("GET", "example.org", "/", &upgrade).await;
        assert_eq!(answer.status, 101);
        let mut tcp = connect(from, world.tcp, b"").await.unwrap();
        assert_eq!(line(&mut tcp).await.unwrap(), "plain");
        open.push([http.into_stream(), socket.into_stream(), tcp]);
    }
    let flow = world.udp_client().await;
    assert!(is_answered(&flow).await);
    let since = clock::now();
    gateway
        .change(each(|it| sources(it, &["127.0.0.2/32"])))
        .await;
    let [not_allowed, allowed] = open.try_into().unwrap();
    for mut stream in not_allowed {
        let end = within("its end", stream.read_u8()).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    assert!(since.elapsed() < Duration::from_secs(2));
    assert!(!is_answered(&flow).await);
    let [http, socket, mut tcp] = allowed;
    assert_eq!(Raw::over(http).get("example.org", "/").await.status, 200);
    let mut socket = Raw::over(socket);
    socket.send("still").await;
    assert_eq!(socket.bytes(5).await, b"still");
    tcp.write_all(b"here\n").await.unwrap();
    assert_eq!(line(&mut tcp).await.unwrap(), "here");
    // Nobody at all.
    gateway
        .change(each(|listener| sources(listener, &[])))
        .await;
    assert_eq!(served(&world, "127.0.0.2", b"").await, refused());
}

/// Load balancers look whether somebody is there, in ways of their own. None of them is a failure, and no backend
/// hears of it.
#[tokio::test]
async fn health_checks_are_no_errors() {
    let world = Kinds::new().await;
    for restricted in [false, true] {
        let front = each(move |listener| {
            proxies(listener, "127.0.0.0/8");
            if restricted {
                sources(listener, &["192.0.2.0/24"]);
            }
        });
        let gateway = Gateway::start_changed(settings(), &world.text(), front).await;
        let greeted = world.plain.connections();
        let mut checks = 0;
        for port in world.for_connections() {
            for first in [
                &b""[..],
                b"PROXY UNKNOWN\r\n",
                b"PROXY UNKNOWN 1 2 3\r\n",
                &version_2(0, [0; 4]),
            ] {
                for resets in [false, true] {
                    let mut stream = connect("127.0.0.1", port, first).await.unwrap();
                    if resets {
                        // A header that is taken back with the connection may not have been read.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        stream.set_zero_linger().unwrap();
                        drop(stream);
                    } else {
                        stream.shutdown().await.unwrap();
                        let mut rest = Vec::new();
                        within("its end", stream.read_to_end(&mut rest))
                            .await
                            .unwrap();
                        assert!(rest.is_empty(), "{rest:?}");
                    }
                    checks += 1;
                }
            }
        }
        within("all to be counted", async {
            while count(&gateway, "daemun_client_connections_unused_total") < checks {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        for name in [
            "daemun_proxy_protocol_refused_total",
            "daemun_tls_handshakes_failed_total",
            "daemun_client_connection_errors_total",
            "daemun_client_connections_not_allowed_total",
            "daemun_accept_errors_total",
            "daemun_listener_connections_total",
            "daemun_client_connections_open",
        ] {
            assert_eq!(count(&gateway, name), 0, "{name}");
        }
        assert_eq!(world.plain.connections(), greeted);
    }
}

#[tokio::test]
async fn nobody_waits_for_a_header_that_does_not_count_and_for_no_other_for_long() {
    let world = Kinds::new().await;
    let trust = each(|listener| proxies(listener, "127.0.0.1/32"));
    let gateway = Gateway::start_changed(settings(), &world.text(), trust).await;
    let greeted = async |from: &str, first: &[u8]| {
        let since = clock::now();
        let mut stream = connect(from, world.tcp, first).await.unwrap();
        assert_eq!(line(&mut stream).await.unwrap(), "plain");
        (stream, since.elapsed())
    };
    // Who speaks first, comes with a header, or cannot have one does not wait.
    let header = version_1("192.0.2.9");
    for (from, first) in [
        ("127.0.0.1", &b"hello\n"[..]),
        ("127.0.0.1", &header),
        ("127.0.0.2", b""),
    ] {
        let (_, took) = greeted(from, first).await;
        assert!(took < Duration::from_millis(700), "{from}: {took:?}");
    }
    // Who may have one and waits for the backend, or has said too little, waits a second.
    for first in [&b""[..], b"P"] {
        let (mut stream, took) = greeted("127.0.0.1", first).await;
        let about = Duration::from_millis(900)..Duration::from_millis(3000);
        assert!(about.contains(&took), "{took:?}");
        stream.write_all(b"hi\n").await.unwrap();
        let said = format!("{}hi", String::from_utf8_lossy(first));
        assert_eq!(line(&mut stream).await.unwrap(), said, "nothing is lost");
    }
    // What does not count is bytes, on a TCP listener, and is refused where it can be nothing else.
    let (mut stream, _) = greeted("127.0.0.2", &header).await;
    let back = line(&mut stream).await.unwrap();
    assert_eq!(
        format!("{back}\n").into_bytes(),
        [&header[..header.len() - 2], b"\n"].concat()
    );
    let served = served(&world, "127.0.0.2", &header).await;
    let refused = |one: &&Result<String, ErrorKind>| **one == Err(ErrorKind::ConnectionReset);
    assert_eq!(served.iter().filter(refused).count(), 4, "{served:?}");
    assert_eq!(count(&gateway, "daemun_proxy_protocol_refused_total"), 4);
}
