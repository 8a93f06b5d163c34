//! UDPRoutes: each client's datagrams go through a flow of its own, and answers come from where was asked.

use std::net::SocketAddr;
use std::time::Duration;

use daemun_proxy::Settings;
use daemun_testkit::gateway::settings;
use daemun_testkit::{Echo, Gateway, UdpEcho, fail, ports, within, yaml};
use tokio::io::AsyncReadExt as _;
use tokio::net::UdpSocket;

fn listeners(port: u16) -> String {
    yaml::gateway_of(&format!("- {{name: udp, port: {port}, protocol: UDP}}"))
}

fn to(name: &str, weight: u32) -> String {
    format!("{{{}, weight: {weight}}}", yaml::to(name))
}

fn text(port: u16, endpoints: &[&dyn yaml::Listens], more: &[&str]) -> String {
    let own = [
        listeners(port),
        yaml::backend_with("echo", endpoints, ""),
        yaml::stream_route("UDPRoute", "all", &to("echo", 1), ""),
    ];
    let own = own.iter().map(String::as_str);
    yaml::documents(&own.chain(more.iter().copied()).collect::<Vec<_>>())
}

/// A client: its socket takes answers from the address that it asks only.
async fn client(address: &str, port: u16) -> UdpSocket {
    let any = if address.contains(':') {
        "[::1]:0"
    } else {
        "127.0.0.1:0"
    };
    let socket = UdpSocket::bind(any).await.expect("a port");
    let connected = socket.connect((address, port)).await;
    connected.expect("an address of this host");
    socket
}

/// Asks until there is an answer: datagrams may be lost.
async fn asks(client: &UdpSocket, what: &[u8]) -> Vec<u8> {
    within("an answer", async {
        loop {
            if let Some(answer) = asks_once(client, what).await {
                return answer;
            }
        }
    })
    .await
}

async fn asks_once(client: &UdpSocket, what: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 65_536];
    client.send(what).await.ok()?;
    let received = tokio::time::timeout(Duration::from_millis(300), client.recv(&mut buffer));
    let bytes = received.await.ok()?.ok()?;
    buffer.truncate(bytes);
    Some(buffer)
}

/// From where a backend has heard something.
fn from(echo: &UdpEcho, what: &[u8]) -> Vec<SocketAddr> {
    let heard = echo.heard();
    let mut from: Vec<_> = heard
        .iter()
        .filter(|(_, bytes)| bytes == what)
        .map(|(from, _)| *from)
        .collect();
    from.dedup();
    from
}

#[tokio::test]
async fn answers_come_from_the_address_that_was_asked() {
    let (port, echo) = (ports::free(), UdpEcho::start("echo").await);
    // On all addresses, of both families.
    let everywhere =
        listeners(port).replace("  addresses: [{type: IPAddress, value: 127.0.0.1}]\n", "");
    let _gateway =
        Gateway::start(&text(port, &[&echo], &[]).replace(&listeners(port), &everywhere)).await;
    for address in ["127.0.0.1", "127.0.0.2", "127.4.5.6", "::1"] {
        let client = client(address, port).await;
        assert_eq!(asks(&client, b"hello").await, b"echo hello", "{address}");
    }
    // One socket of a client that asks two addresses: two flows, and each answer from its own.
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for address in ["127.0.0.1", "127.0.0.2"] {
        let to: SocketAddr = format!("{address}:{port}").parse().unwrap();
        socket.send_to(address.as_bytes(), to).await.unwrap();
        let mut buffer = [0; 64];
        let (bytes, from) = within("an answer", socket.recv_from(&mut buffer))
            .await
            .unwrap();
        assert_eq!(from, to);
        assert_eq!(&buffer[..bytes], format!("echo {address}").as_bytes());
    }
}

#[tokio::test]
async fn each_client_has_a_flow_and_it_lasts() {
    let (port, echo) = (ports::free(), UdpEcho::start("echo").await);
    let gateway = Gateway::start(&text(port, &[&echo], &[])).await;
    let (one, two) = (
        client("127.0.0.1", port).await,
        client("127.0.0.1", port).await,
    );
    for _ in 0..5 {
        assert_eq!(asks(&one, b"one").await, b"echo one");
        assert_eq!(asks(&two, b"two").await, b"echo two");
    }
    let (one, two) = (from(&echo, b"one"), from(&echo, b"two"));
    assert_eq!((one.len(), two.len()), (1, 1));
    assert_ne!(one, two);
    let open = gateway.metrics("daemun_listener_connections_open");
    assert!(open[0].ends_with(" 2"), "{open:?}");
}

#[tokio::test]
async fn datagrams_pass_whole_whatever_their_size() {
    let (port, echo) = (ports::free(), UdpEcho::start("echo").await);
    let _gateway = Gateway::start(&text(port, &[&echo], &[])).await;
    let client = client("127.0.0.1", port).await;
    for size in [0, 1, 1472, 1473, 9000, 65_000] {
        let sent = vec![b'x'; size];
        let answer = asks(&client, &sent).await;
        assert_eq!(answer.len(), size + "echo ".len());
    }
    // Many at once, from one client: none is lost on loopback as long as the buffers hold them.
    for number in 0..100_u32 {
        client.send(&number.to_be_bytes()).await.unwrap();
    }
    let mut buffer = [0; 64];
    for _ in 0..100 {
        within("an answer", client.recv(&mut buffer)).await.unwrap();
    }
}

#[tokio::test]
async fn a_flow_that_rests_is_forgotten() {
    let (port, echo) = (ports::free(), UdpEcho::start("echo").await);
    let policy = yaml::listener_policy("limits: {idle: 1s}");
    let gateway = Gateway::start(&text(port, &[&echo], &[&policy])).await;
    let (rests, talks) = (
        client("127.0.0.1", port).await,
        client("127.0.0.1", port).await,
    );
    assert_eq!(asks(&rests, b"rests").await, b"echo rests");
    within("its end", async {
        loop {
            assert_eq!(asks(&talks, b"talks").await, b"echo talks");
            let lines = gateway.metrics("daemun_listener_connections_total");
            if lines
                .iter()
                .any(|line| line.ends_with("reason=\"idle\"} 1"))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    assert_eq!(asks(&rests, b"rests").await, b"echo rests");
    assert_eq!(from(&echo, b"rests").len(), 2, "a new flow");
    assert_eq!(from(&echo, b"talks").len(), 1, "the same flow");
}

#[tokio::test]
async fn a_refusing_endpoint_is_left_and_the_first_datagram_is_not_lost() {
    let (port, dead) = (ports::free(), ports::free());
    let echo = UdpEcho::start("echo").await;
    let policy = yaml::backend_policy("echo", "balance: {type: RoundRobin}");
    let gateway = Gateway::start(&text(port, &[&dead, &echo], &[&policy])).await;
    for _ in 0..10 {
        let client = client("127.0.0.1", port).await;
        let mut buffer = [0; 64];
        client.send(b"once").await.unwrap();
        let bytes = within("an answer", client.recv(&mut buffer)).await.unwrap();
        assert_eq!(&buffer[..bytes], b"echo once");
    }
    let retries = gateway.metrics("daemun_backend_retries_total");
    assert_eq!(retries.len(), 1, "it was tried: {retries:?}");
}

#[tokio::test]
async fn where_all_refuse_a_flow_ends_and_the_next_datagram_begins_another() {
    let (port, dead) = (ports::free(), ports::free());
    let gateway = Gateway::start(&text(port, &[&dead], &[])).await;
    let client = client("127.0.0.1", port).await;
    within("the refusal", async {
        loop {
            assert_eq!(asks_once(&client, b"hello").await, None);
            let lines = gateway.metrics("daemun_listener_connections_total");
            if lines.iter().any(|line| line.contains("reason=\"refused\"")) {
                return;
            }
        }
    })
    .await;
    let server = UdpSocket::bind(("127.0.0.1", dead)).await.unwrap();
    let answers = async {
        let mut buffer = [0; 64];
        loop {
            let (_, from) = server.recv_from(&mut buffer).await.unwrap();
            server.send_to(b"there", from).await.unwrap();
        }
    };
    tokio::select! {
        answer = asks(&client, b"hello") => assert_eq!(answer, b"there"),
        () = answers => {}
    }
}

#[tokio::test]
async fn flows_go_by_weight_and_a_share_for_nobody_is_dropped() {
    let port = ports::free();
    let (one, never) = (UdpEcho::start("one").await, UdpEcho::start("never").await);
    let shares = [to("one", 1), to("never", 0), to("missing", 1)].join(",");
    let gateway = Gateway::start(&yaml::documents(&[
        &listeners(port),
        &yaml::backend("one", &one),
        &yaml::backend("never", &never),
        &yaml::stream_route("UDPRoute", "all", &shares, ""),
    ]))
    .await;
    for number in 0..100_u32 {
        let client = client("127.0.0.1", port).await;
        client.send(&number.to_be_bytes()).await.unwrap();
    }
    let dropped = within("all to be settled", async {
        loop {
            let lines = gateway.metrics("daemun_datagrams_dropped_total{reason=\"unserved\"}");
            let dropped: usize = lines
                .first()
                .and_then(|line| line.split(' ').next_back()?.parse().ok())
                .unwrap_or_default();
            if dropped + one.heard().len() == 100 {
                return dropped;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert!((20..80).contains(&dropped), "{dropped}");
    assert_eq!(never.heard(), []);
}

#[tokio::test]
async fn a_flow_stays_as_long_as_the_configuration_has_it() {
    let port = ports::free();
    let (one, two) = (UdpEcho::start("one").await, UdpEcho::start("two").await);
    let three = UdpEcho::start("three").await;
    let mut gateway = Gateway::start(&text(port, &[&one, &two], &[])).await;
    let client = client("127.0.0.1", port).await;
    let answer = asks(&client, b"hello").await;
    let (its, other) = if answer == b"one hello" {
        (&one, &two)
    } else {
        (&two, &one)
    };
    // One more endpoint, and one more policy: nothing that concerns the flow.
    let more = yaml::listener_policy("limits: {idle: 30s}");
    gateway
        .reload(&text(port, &[&three, &one, &two], &[&more]))
        .await;
    for _ in 0..5 {
        assert_eq!(asks(&client, b"hello").await, answer);
    }
    assert_eq!(from(its, b"hello").len(), 1, "the same flow");
    // Its endpoint is gone.
    gateway.reload(&text(port, &[&three, other], &[])).await;
    assert_ne!(asks(&client, b"hello").await, answer);
    // Its route is gone.
    gateway.reload(&listeners(port)).await;
    assert_eq!(asks_once(&client, b"hello").await, None);
    let lines = gateway.metrics("daemun_listener_connections_total");
    assert!(
        lines[0].ends_with("reason=\"reconfigured\"} 2"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn of_too_many_flows_the_one_that_rested_longest_goes() {
    let (port, echo) = (ports::free(), UdpEcho::start("echo").await);
    let policy = yaml::listener_policy("limits: {connections: 2}");
    let settings = Settings {
        workers: 1,
        ..settings()
    };
    let gateway = Gateway::start_with(settings, &text(port, &[&echo], &[&policy])).await;
    let (one, two) = (
        client("127.0.0.1", port).await,
        client("127.0.0.1", port).await,
    );
    let three = client("127.0.0.1", port).await;
    assert_eq!(asks(&one, b"one").await, b"echo one");
    assert_eq!(asks(&two, b"two").await, b"echo two");
    // So much later that the clock of flows has noticed.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(asks(&one, b"one").await, b"echo one");
    assert_eq!(asks(&three, b"three").await, b"echo three");
    assert_eq!(asks(&one, b"one").await, b"echo one");
    assert_eq!(from(&echo, b"one").len(), 1);
    let lines = gateway.metrics("daemun_listener_connections_total");
    assert!(lines[0].ends_with("reason=\"evicted\"} 1"), "{lines:?}");
    assert_eq!(asks(&two, b"two").await, b"echo two");
    assert_eq!(from(&echo, b"two").len(), 2, "a new flow");
}

#[tokio::test]
async fn the_same_number_serves_tcp_and_udp() {
    let port = ports::free();
    let (udp, tcp) = (UdpEcho::start("udp").await, Echo::start("tcp").await);
    let both = yaml::gateway_of(&format!(
        "- {{name: udp, port: {port}, protocol: UDP}}\n- {{name: tcp, port: {port}, protocol: TCP}}"
    ));
    let mut gateway = Gateway::start(&yaml::documents(&[
        &both,
        &yaml::backend("udp", &udp),
        &yaml::backend("tcp", &tcp),
        &yaml::stream_route("UDPRoute", "udp", &to("udp", 1), ""),
        &yaml::stream_route("TCPRoute", "tcp", &to("tcp", 1), ""),
    ]))
    .await;
    let asking = client("127.0.0.1", port).await;
    assert_eq!(asks(&asking, b"hello").await, b"udp hello");
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    let mut greeting = [0; 4];
    within("a greeting", stream.read_exact(&mut greeting))
        .await
        .unwrap();
    assert_eq!(&greeting, b"tcp\n");
    assert_eq!(gateway.applied.listening.len(), 2);
    // One of them goes, and comes back.
    gateway.reload(&listeners(port)).await;
    assert_eq!(asks_once(&asking, b"hello").await, None);
    gateway.reload(&text(port, &[&udp], &[])).await;
    assert_eq!(asks(&asking, b"hello").await, b"udp hello");
}

#[tokio::test]
async fn talks_go_on_while_the_process_ends_and_nobody_new_is_let_in() {
    let (port, echo) = (ports::free(), UdpEcho::start("echo").await);
    let settings = Settings {
        drain_grace: Duration::from_secs(4),
        ..settings()
    };
    let gateway = Gateway::start_with(settings, &text(port, &[&echo], &[])).await;
    let (talks, late) = (
        client("127.0.0.1", port).await,
        client("127.0.0.1", port).await,
    );
    assert_eq!(asks(&talks, b"early").await, b"echo early");
    let ended = std::cell::Cell::new(false);
    let drain = async {
        gateway.drain().await;
        ended.set(true);
    };
    let clients = async {
        for round in 0..3 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(asks(&talks, b"talk").await, b"echo talk");
            if ended.get() {
                fail(&format!("it ended in round {round}"));
            }
        }
        assert_eq!(asks_once(&late, b"late").await, None);
        assert_eq!(from(&echo, b"late"), []);
    };
    // Once nobody talks any more, it does not wait for the grace to be over.
    let begun = tokio::time::Instant::now();
    within("the end", Box::pin(async { tokio::join!(drain, clients) })).await;
    assert!(begun.elapsed() < Duration::from_secs(9));
}
