//! TCPRoutes: bytes go both ways as they come, to one of a route's backends, and what cannot be served is reset.

use std::io::ErrorKind;
use std::time::Duration;

use daemun_proxy::{Settings, access_log};
use daemun_testkit::gateway::settings;
use daemun_testkit::{Authority, Echo, Gateway, Step, Tap, fail, ports, tls, within, yaml};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn listeners(port: u16) -> String {
    yaml::gateway_of(&format!("- {{name: tcp, port: {port}, protocol: TCP}}"))
}

/// A reference with a weight.
fn weighted(name: &str, weight: u32) -> String {
    format!("{{{}, weight: {weight}}}", yaml::to(name))
}

/// A gateway's text with one TCP listener, the Backend `echo`, the route `all` to it, and more.
fn text(port: u16, echo: &dyn yaml::Listens, more: &[&str]) -> String {
    let own = [
        listeners(port),
        yaml::backend("echo", echo),
        yaml::stream_route("TCPRoute", "all", &weighted("echo", 1), ""),
    ];
    let own = own.iter().map(String::as_str);
    yaml::documents(&own.chain(more.iter().copied()).collect::<Vec<_>>())
}

async fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("the port is open")
}

/// Reads one line.
async fn line(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut read = Vec::new();
    let reading = async {
        while read.last() != Some(&b'\n') {
            read.push(stream.read_u8().await?);
        }
        Ok(String::from_utf8_lossy(&read).trim_end().to_owned())
    };
    within("a line", reading).await
}

/// Sends a line, and reads one back.
async fn asks(stream: &mut TcpStream, what: &str) -> String {
    stream
        .write_all(format!("{what}\n").as_bytes())
        .await
        .expect("the connection stands");
    line(stream).await.expect("an answer")
}

/// The name of the backend that a new connection gets, or how it was refused.
async fn greeted(port: u16) -> Result<String, ErrorKind> {
    let greeting = async {
        // A reset may be there before the client has looked.
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        line(&mut stream).await
    };
    greeting.await.map_err(|error| error.kind())
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    within(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn bytes_pass_both_ways_and_each_way_ends_by_itself() {
    let (port, echo) = (ports::free(), Echo::start("echo").await);
    let _gateway = Gateway::start(&text(port, &echo, &[])).await;
    let mut client = connect(port).await;
    // The backend speaks first.
    assert_eq!(line(&mut client).await.unwrap(), "echo");
    assert_eq!(asks(&mut client, "hello").await, "hello");
    // More than any buffer on the way, while nothing is read; then not a byte more, and the answer still comes.
    let sent: Vec<u8> = (0..8_000_000_u32)
        .map(|byte| byte.to_le_bytes()[0])
        .collect();
    let (mut reading, mut writing) = client.split();
    let write = async {
        writing.write_all(&sent).await.unwrap();
        writing.shutdown().await.unwrap();
    };
    let mut back = Vec::new();
    let (_, read) = within("the echo", async {
        tokio::join!(write, reading.read_to_end(&mut back))
    })
    .await;
    read.unwrap();
    assert!(back == sent, "{} of {} bytes", back.len(), sent.len());
}

#[tokio::test]
async fn connections_go_by_weight_and_those_for_an_invalid_backend_are_reset() {
    let port = ports::free();
    let (one, two, never) = (
        Echo::start("one").await,
        Echo::start("two").await,
        Echo::start("never").await,
    );
    let shares = [("one", 3), ("two", 2), ("never", 0), ("missing", 5)];
    let shares = shares
        .map(|(name, weight)| weighted(name, weight))
        .join(",");
    let gateway = Gateway::start(&yaml::documents(&[
        &listeners(port),
        &yaml::backend("one", &one),
        &yaml::backend("two", &two),
        &yaml::backend("never", &never),
        &yaml::stream_route("TCPRoute", "all", &shares, ""),
    ]))
    .await;
    let mut counts = [0_u32; 3];
    for _ in 0..400 {
        match greeted(port).await.as_deref() {
            Ok("one") => counts[0] += 1,
            Ok("two") => counts[1] += 1,
            Err(ErrorKind::ConnectionReset) => counts[2] += 1,
            other => fail(&format!("{other:?}")),
        }
    }
    // 120, 80 and 200 are the middle; what is beyond comes once in millions of runs.
    let [one, two, refused] = counts;
    assert!((70..170).contains(&one), "{counts:?}");
    assert!((40..130).contains(&two), "{counts:?}");
    assert!((145..255).contains(&refused), "{counts:?}");
    assert_eq!(never.connections(), 0);
    let lines = gateway.metrics("daemun_listener_connections_total");
    assert!(
        lines.contains(&format!(
            "daemun_listener_connections_total{{gateway=\"default/gw\",listener=\"default/gw/tcp\",reason=\"invalid_backend\"}} {refused}"
        )),
        "{lines:?}"
    );
}

#[tokio::test]
async fn the_oldest_route_of_a_listener_serves() {
    let port = ports::free();
    let (old, new) = (Echo::start("old").await, Echo::start("new").await);
    let made = |name: &str, day: u32| {
        yaml::stream_route("TCPRoute", name, &weighted(name, 1), "").replace(
            &format!("metadata: {{name: {name}}}"),
            &format!(
                "metadata: {{name: {name}, creationTimestamp: \"2026-11-{day:02}T00:00:00Z\"}}"
            ),
        )
    };
    let documents = |old_route: &str| {
        yaml::documents(&[
            &listeners(port),
            &yaml::backend("old", &old),
            &yaml::backend("new", &new),
            &made("new", 2),
            old_route,
        ])
    };
    let mut gateway = Gateway::start(&documents(&made("old", 1))).await;
    for _ in 0..20 {
        assert_eq!(greeted(port).await.as_deref(), Ok("old"));
    }
    gateway.reload(&documents("")).await;
    assert_eq!(greeted(port).await.as_deref(), Ok("new"));
}

#[tokio::test]
async fn a_change_ends_no_connection_and_new_ones_follow_it() {
    let port = ports::free();
    let (echo, other) = (Echo::start("echo").await, Echo::start("other").await);
    let mut gateway = Gateway::start(&text(port, &echo, &[])).await;
    let mut early = connect(port).await;
    assert_eq!(line(&mut early).await.unwrap(), "echo");
    gateway.reload(&text(port, &other, &[])).await;
    assert_eq!(greeted(port).await.as_deref(), Ok("other"));
    // No route: refused.
    gateway.reload(&listeners(port)).await;
    assert_eq!(greeted(port).await, Err(ErrorKind::ConnectionReset));
    assert_eq!(asks(&mut early, "still there").await, "still there");
    // No listener: nobody listens.
    let elsewhere = ports::free();
    gateway.reload(&text(elsewhere, &echo, &[])).await;
    until("the port to be closed", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_err()
    })
    .await;
    assert_eq!(asks(&mut early, "and now").await, "and now");
    assert_eq!(greeted(elsewhere).await.as_deref(), Ok("echo"));
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_passed_over() {
    let (port, dead) = (ports::free(), ports::free());
    let (one, two) = (Echo::start("one").await, Echo::start("two").await);
    let gateway = Gateway::start(&yaml::documents(&[
        &listeners(port),
        &yaml::backend_with("echo", &[&dead, &one, &two], ""),
        &yaml::backend_policy("echo", "balance: {type: RoundRobin}"),
        &yaml::stream_route("TCPRoute", "all", &weighted("echo", 1), ""),
    ]))
    .await;
    for _ in 0..30 {
        greeted(port).await.unwrap();
    }
    assert_eq!(one.connections() + two.connections(), 30);
    assert!(one.connections() > 0 && two.connections() > 0);
    let failed = gateway.metrics("daemun_backend_connect_failures_total");
    assert_eq!(failed.len(), 1, "it was tried: {failed:?}");
}

#[tokio::test]
async fn who_breaks_off_breaks_both_sides_off() {
    let port = ports::free();
    let tap = Tap::start(vec![
        Step::Send(b"tap\n".to_vec()),
        Step::Until(b"go\n".to_vec()),
        Step::Reset,
    ])
    .await;
    let gateway = Gateway::start(&text(port, &tap, &[])).await;
    let mut client = connect(port).await;
    assert_eq!(line(&mut client).await.unwrap(), "tap");
    client.write_all(b"go\n").await.unwrap();
    let error = line(&mut client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    let mut client = connect(port).await;
    assert_eq!(line(&mut client).await.unwrap(), "tap");
    client.set_zero_linger().unwrap();
    drop(client);
    let counted = |reason: &str| {
        let lines = gateway.metrics("daemun_listener_connections_total");
        lines
            .iter()
            .any(|line| line.ends_with(&format!("reason=\"{reason}\"}} 1")))
    };
    until("both to be counted", || {
        counted("backend_reset") && counted("client_reset")
    })
    .await;
}

#[tokio::test]
async fn idle_connections_end_and_others_do_not() {
    let (port, echo) = (ports::free(), Echo::start("echo").await);
    let policy = yaml::listener_policy("limits: {idle: 1s}");
    let gateway = Gateway::start(&text(port, &echo, &[&policy])).await;
    let (mut idle, mut busy) = (connect(port).await, connect(port).await);
    assert_eq!(line(&mut idle).await.unwrap(), "echo");
    assert_eq!(line(&mut busy).await.unwrap(), "echo");
    let ended = async { idle.read_u8().await.unwrap_err().kind() };
    let talks = async {
        loop {
            assert_eq!(asks(&mut busy, "ping").await, "ping");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let kind = within("the idle connection's end", async {
        tokio::select! {
            kind = ended => kind,
            () = talks => fail("it never ends"),
        }
    })
    .await;
    assert_eq!(kind, ErrorKind::UnexpectedEof);
    assert_eq!(asks(&mut busy, "still").await, "still");
    let lines = gateway.metrics("daemun_listener_connections_total");
    assert!(lines[0].ends_with("reason=\"idle\"} 1"), "{lines:?}");
}

/// A client that does not read stops the backend: what is on the way is bounded by the kernel's buffers and one of
/// ours.
#[tokio::test]
async fn a_client_that_does_not_read_stops_the_backend() {
    let port = ports::free();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend_port = listener.local_addr().unwrap().port();
    let gateway = Gateway::start(&text(port, &backend_port, &[])).await;
    let mut client = connect(port).await;
    let (mut backend, _) = listener.accept().await.unwrap();
    let mut sent = 0_usize;
    let chunk = vec![7; 64 * 1024];
    while let Ok(wrote) =
        tokio::time::timeout(Duration::from_millis(500), backend.write(&chunk)).await
    {
        sent += wrote.unwrap();
        assert!(sent < 64 << 20, "nothing holds it up");
    }
    drop(backend);
    let mut back = Vec::new();
    within("the rest", client.read_to_end(&mut back))
        .await
        .unwrap();
    assert_eq!(back.len(), sent);
    assert!(back.iter().all(|byte| *byte == 7));
    until("its bytes to be counted", || {
        let lines = gateway.metrics("daemun_backend_connection_sent_bytes_total");
        lines.iter().any(|line| line.ends_with(&format!(" {sent}")))
    })
    .await;
}

#[tokio::test]
async fn thousands_of_short_connections_leave_nothing_behind() {
    let (port, echo) = (ports::free(), Echo::start("echo").await);
    let gateway = Gateway::start(&text(port, &echo, &[])).await;
    let one = || async {
        let mut client = connect(port).await;
        assert_eq!(line(&mut client).await.unwrap(), "echo");
        client.shutdown().await.unwrap();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
    };
    for _ in 0..60 {
        let round = [(); 5].map(|()| async {
            for _ in 0..10 {
                one().await;
            }
        });
        let [a, b, c, d, e] = round;
        tokio::join!(a, b, c, d, e);
    }
    until("all to have ended", || echo.ended() == 3000).await;
    let open = gateway.metrics("daemun_listener_connections_open");
    assert!(open[0].ends_with(" 0"), "{open:?}");
    let ended = gateway.metrics("daemun_listener_connections_total");
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert!(ended[0].ends_with("reason=\"closed\"} 3000"), "{ended:?}");
    assert!(gateway.metrics("daemun_client_connections_open")[0].ends_with(" 0"));
}

#[tokio::test]
async fn no_more_connections_than_the_listener_allows() {
    let (port, echo) = (ports::free(), Echo::start("echo").await);
    let policy = yaml::listener_policy("limits: {connections: 2}");
    let _gateway = Gateway::start(&text(port, &echo, &[&policy])).await;
    let (mut one, mut two) = (connect(port).await, connect(port).await);
    assert_eq!(line(&mut one).await.unwrap(), "echo");
    assert_eq!(line(&mut two).await.unwrap(), "echo");
    assert_eq!(greeted(port).await, Err(ErrorKind::ConnectionReset));
    drop(one);
    until("its end", || echo.ended() == 1).await;
    let again = within("room for another one", async {
        loop {
            if let Ok(name) = greeted(port).await {
                return name;
            }
        }
    });
    assert_eq!(again.await, "echo");
}

#[tokio::test]
async fn towards_the_backend_tls_and_a_certificate_of_the_gateways_own() {
    let (port, authority) = (ports::free(), Authority::new());
    let identity = authority.issue(&["db.example"]);
    let server = tls::server(&identity, &[], Some(&authority.pem()));
    let echo = Echo::start_tls("sealed", server).await;
    let gateway = |name: &str| {
        yaml::documents(&[
            &yaml::gateway_with(
                &format!("- {{name: tcp, port: {port}, protocol: TCP}}"),
                "tls: {backend: {clientCertificateRef: {name: own}}}",
            ),
            &yaml::secret("own", &authority.issue(&["gateway.example"])),
            &yaml::authority("authority", &authority.pem()),
            &yaml::backend_with(
                "echo",
                &[&echo],
                &format!(
                    "tls: {{hostname: {name}, caCertificateRefs: [{{group: \"\", kind: ConfigMap, name: authority}}]}}"
                ),
            ),
            &yaml::stream_route("TCPRoute", "all", &weighted("echo", 1), ""),
        ])
    };
    let mut running = Gateway::start(&gateway("db.example")).await;
    let mut client = connect(port).await;
    assert_eq!(line(&mut client).await.unwrap(), "sealed");
    assert_eq!(asks(&mut client, "in the clear").await, "in the clear");
    client.shutdown().await.unwrap();
    assert!(client.read_u8().await.is_err(), "it ends");
    let asked = &echo.asked()[0];
    assert_eq!(asked.name.as_deref(), Some("db.example"));
    assert_eq!((asked.protocol.clone(), asked.certificates), (None, 1));
    // A certificate for another name is not believed, and nothing is sent in the clear.
    running.reload(&gateway("other.example")).await;
    assert_eq!(greeted(port).await, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_policy_puts_tls_between_the_gateway_and_a_service() {
    let (port, authority) = (ports::free(), Authority::new());
    let server = tls::server(&authority.issue(&["db.example"]), &[], None);
    let echo = Echo::start_tls("sealed", server).await;
    let objects = |hostname: &str| {
        yaml::documents(&[
            &listeners(port),
            &yaml::authority("ca", &authority.pem()),
            &yaml::secured_service("svc", &echo, hostname),
            &yaml::stream_route("TCPRoute", "all", "{name: svc, port: 443}", ""),
        ])
    };
    let mut running = Gateway::start(&objects("db.example")).await;
    let mut client = connect(port).await;
    assert_eq!(line(&mut client).await.unwrap(), "sealed");
    assert_eq!(asks(&mut client, "in the clear").await, "in the clear");
    assert_eq!(echo.asked()[0].name.as_deref(), Some("db.example"));
    running.reload(&objects("other.example")).await;
    assert_eq!(greeted(port).await, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn lines_and_numbers_tell_of_connections_and_proxy_protocol_of_clients() {
    let (port, echo) = (ports::free(), Echo::start("echo").await);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("access.log");
    let log = access_log::Settings {
        destination: access_log::Destination::File(file.clone()),
        format: "{client} {protocol} {reason} {bytes_in} {bytes_out} {answered_by} {listener} {route} {rule} {backend} {tries} {status}"
            .parse()
            .unwrap(),
        ..access_log::Settings::default()
    };
    let settings = Settings {
        access_log: Some(log),
        ..settings()
    };
    let policy = yaml::listener_policy("forwarding: {proxyProtocol: {trusted: [127.0.0.0/8]}}");
    let mut gateway = Gateway::start_with(settings, &text(port, &echo, &[&policy])).await;
    let mut client = connect(port).await;
    let header = b"PROXY TCP4 192.0.2.7 198.51.100.2 56789 443\r\nhello\n";
    client.write_all(header).await.unwrap();
    assert_eq!(line(&mut client).await.unwrap(), "echo");
    assert_eq!(line(&mut client).await.unwrap(), "hello");
    client.shutdown().await.unwrap();
    assert!(client.read_u8().await.is_err(), "it ends");
    gateway
        .reload(&yaml::documents(&[&listeners(port), &policy]))
        .await;
    let mut client = connect(port).await;
    client.write_all(b"what nobody takes\n").await.unwrap();
    assert!(line(&mut client).await.is_err(), "refused");
    let backend = format!("Backend default/echo:{}", echo.address.port());
    let expected = [
        "127.0.0.1 TCP no_route 0 0 gateway default/gw/tcp - - - 0 -".to_owned(),
        format!(
            "192.0.2.7 TCP closed 6 11 backend default/gw/tcp TCPRoute default/all 1 {backend} 1 -"
        ),
    ];
    until("both lines", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.lines().count() == 2)
    })
    .await;
    let text = std::fs::read_to_string(&file).unwrap();
    // Two workers, and no order between them.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, expected);
    let bytes = gateway.metrics("daemun_listener_connection_received_bytes_total");
    assert!(bytes[0].ends_with(" 6"), "{bytes:?}");
}

/// Where the backend speaks first, nothing tells whether there will be a header, but that none comes.
#[tokio::test]
async fn a_client_that_waits_for_the_backend_is_served_without_a_proxy_protocol_header() {
    let (port, echo) = (ports::free(), Echo::start("echo").await);
    let policy = yaml::listener_policy(
        "limits: {headerRead: 300ms}\nforwarding: {proxyProtocol: {trusted: [127.0.0.0/8]}}",
    );
    let _gateway = Gateway::start(&text(port, &echo, &[&policy])).await;
    assert_eq!(greeted(port).await.as_deref(), Ok("echo"));
    // Half a header is neither one nor none.
    let mut half = connect(port).await;
    half.write_all(b"PROXY TCP4 ").await.unwrap();
    assert!(line(&mut half).await.is_err(), "refused");
}

#[tokio::test]
async fn connections_end_by_themselves_within_the_grace_or_are_cut_after_it() {
    let (port, echo) = (ports::free(), Echo::start("echo").await);
    let settings = Settings {
        drain_delay: Duration::from_millis(600),
        drain_grace: Duration::from_millis(1500),
        ..settings()
    };
    let gateway = Gateway::start_with(settings, &text(port, &echo, &[])).await;
    let mut ends = connect(port).await;
    let mut stays = connect(port).await;
    assert_eq!(line(&mut ends).await.unwrap(), "echo");
    assert_eq!(line(&mut stays).await.unwrap(), "echo");
    let clients = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        // New ones are still accepted.
        assert_eq!(greeted(port).await.as_deref(), Ok("echo"));
        tokio::time::sleep(Duration::from_millis(900)).await;
        // Not any more; but those that there are go on.
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
        assert_eq!(asks(&mut ends, "bye").await, "bye");
        ends.shutdown().await.unwrap();
        assert!(ends.read_u8().await.is_err(), "it ends");
        assert_eq!(asks(&mut stays, "still").await, "still");
        assert!(stays.read_u8().await.is_err(), "cut");
    };
    tokio::join!(clients, gateway.drain());
}
