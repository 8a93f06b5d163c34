//! TLSRoutes: TLS is told apart by the name that it asks for, and passed on as it is, or ended at the gateway.

use std::io::ErrorKind;
use std::time::Duration;

use daemun_testkit::{Authority, Backend, Echo, Gateway, Raw, TlsClient, ports, tls, within, yaml};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What speaks TLS itself, and answers to any name.
async fn sealed(name: &str, authority: &Authority) -> Echo {
    let identity = authority.issue(&[
        "*.example.org",
        "*.a.example.org",
        "a.example.org",
        "apex.example.org",
    ]);
    Echo::start_tls(
        name,
        tls::server(&identity, &["mqtt", "h2", "http/1.1"], None),
    )
    .await
}

fn route(name: &str, backend: &str, hostnames: &str) -> String {
    let references = format!("{{{}}}", yaml::to(backend));
    let spec = format!("hostnames: [{hostnames}]");
    yaml::stream_route("TLSRoute", name, &references, &spec)
}

fn listener(name: &str, port: u16, hostname: &str, mode: &str) -> String {
    format!(
        "- {{name: {name}, port: {port}, protocol: TLS, hostname: \"{hostname}\", tls: {{{mode}}}}}\n"
    )
}

const PASSES: &str = "mode: Passthrough";
const ENDS: &str = "mode: Terminate, certificateRefs: [{name: cert}]";

async fn line<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let reading = async {
        let mut read = Vec::new();
        while read.last() != Some(&b'\n') {
            read.push(stream.read_u8().await.expect("a line"));
        }
        String::from_utf8_lossy(&read).trim_end().to_owned()
    };
    within("a line", reading).await
}

async fn asks<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, what: &str) -> String {
    let sent = format!("{what}\n");
    stream.write_all(sent.as_bytes()).await.expect("it stands");
    stream.flush().await.expect("it stands");
    line(stream).await
}

/// Who answers a client that asks for a name, or how it was refused.
async fn greeted(client: &TlsClient, port: u16, name: &str) -> Result<String, ErrorKind> {
    let stream = client.connect(port, name).await;
    let mut stream = stream.map_err(|error| error.kind())?;
    Ok(line(&mut stream).await)
}

/// What comes back to bytes that are sent; an error if it is a reset.
async fn answer_to(port: u16, bytes: &[u8]) -> Result<Vec<u8>, ErrorKind> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await;
    let mut stream = stream.map_err(|error| error.kind())?;
    let mut back = Vec::new();
    // A part may be refused before all is sent.
    let _ = stream.write_all(bytes).await;
    within("the end", stream.read_to_end(&mut back))
        .await
        .map(|_| back)
        .map_err(|error| error.kind())
}

#[tokio::test]
async fn what_is_passed_on_is_the_clients_own_tls() {
    let (port, authority) = (ports::free(), Authority::new());
    let echo = sealed("sealed", &authority).await;
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&listener("tls", port, "", PASSES)),
        &yaml::backend("echo", &echo),
        &route("all", "echo", "\"*.example.org\""),
    ]))
    .await;
    let client = TlsClient::new(&authority.pem()).offering(&["h2"]);
    let mut stream = client.connect(port, "Shop.example.org").await.unwrap();
    assert_eq!(line(&mut stream).await, "sealed");
    assert_eq!(asks(&mut stream, "hello").await, "hello");
    let asked = &echo.asked()[0];
    assert_eq!(asked.name.as_deref(), Some("shop.example.org"));
    assert_eq!(asked.protocol.as_deref(), Some("h2"));
    // Half-closed, and large: the rest still comes.
    let sent = vec![b'x'; 3_000_000];
    let (mut reading, mut writing) = tokio::io::split(stream);
    let write = async {
        writing.write_all(&sent).await.unwrap();
        writing.shutdown().await.unwrap();
    };
    let mut back = Vec::new();
    within("the echo", async {
        tokio::join!(write, reading.read_to_end(&mut back)).1
    })
    .await
    .unwrap();
    assert_eq!(back.len(), sent.len());
}

#[tokio::test]
async fn the_most_specific_listener_and_then_route_take_a_name() {
    let (port, authority) = (ports::free(), Authority::new());
    let mut text = vec![
        yaml::gateway_of(
            &[
                listener("any", port, "*.example.org", PASSES),
                listener("a", port, "*.a.example.org", PASSES),
                listener("one", port, "one.a.example.org", PASSES),
            ]
            .concat(),
        ),
        route("wide", "wide", "\"*.example.org\""),
        route("narrow", "narrow", "\"*.a.example.org\""),
        route("exact", "exact", "two.a.example.org, apex.example.org"),
    ];
    let mut echoes = Vec::new();
    for name in ["wide", "narrow", "exact"] {
        let echo = sealed(name, &authority).await;
        text.push(yaml::backend(name, &echo));
        echoes.push(echo);
    }
    let text: Vec<&str> = text.iter().map(String::as_str).collect();
    let _gateway = Gateway::start(&yaml::documents(&text)).await;
    let client = TlsClient::new(&authority.pem());
    for (name, backend) in [
        ("shop.example.org", Ok("wide")),
        // On the listener `any`, by the most specific of its routes.
        ("apex.example.org", Ok("exact")),
        // On the listener `a`: all three routes have it there.
        ("x.a.example.org", Ok("narrow")),
        ("two.a.example.org", Ok("exact")),
        ("one.a.example.org", Ok("narrow")),
        // A wildcard has no apex, and this one belongs to `any`.
        ("a.example.org", Ok("wide")),
        ("example.org", Err(())),
        ("shop.other", Err(())),
    ] {
        let got = greeted(&client, port, name).await;
        assert_eq!(got.as_deref().map_err(|_| ()), backend, "{name}");
    }
}

#[tokio::test]
async fn tls_ends_here_and_the_backend_gets_what_was_inside() {
    let (port, authority) = (ports::free(), Authority::new());
    let plain = Echo::start("plain").await;
    let gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&listener("tls", port, "*.example.org", ENDS)),
        &yaml::secret("cert", &authority.issue(&["*.example.org"])),
        &yaml::backend("echo", &plain),
        &route("all", "echo", "shop.example.org"),
    ]))
    .await;
    let client = TlsClient::new(&authority.pem());
    // One protocol is agreed on, because the client will speak it; of several none.
    for (offered, agreed) in [
        (&["mqtt"][..], Some(&b"mqtt"[..])),
        (&["h2", "http/1.1"], None),
        (&[], None),
    ] {
        let client = client.clone().offering(offered);
        let mut stream = client.connect(port, "shop.example.org").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed);
        assert_eq!(line(&mut stream).await, "plain");
        assert_eq!(asks(&mut stream, "hello").await, "hello");
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
    }
    // Nobody has the name: refused before a handshake.
    let error = client.connect(port, "other.example.org").await.unwrap_err();
    assert!(is_refusal(error.kind()), "{error:?}");
    let lines = gateway.metrics("daemun_listener_connections_total");
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with("reason=\"closed\"} 3"))
    );
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with("reason=\"no_route\"} 1"))
    );
}

/// The ends that the conformance suite takes for a refusal; an alert is none of them.
fn is_refusal(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof)
}

#[tokio::test]
async fn passing_ending_and_https_share_a_port() {
    let (port, authority) = (ports::free(), Authority::new());
    let own = Authority::new();
    let (sealed, plain) = (
        sealed("sealed", &authority).await,
        Echo::start("plain").await,
    );
    let web = Backend::start("web").await;
    let https = format!(
        "- {{name: https, port: {port}, protocol: HTTPS, hostname: web.example.org, tls: {{certificateRefs: [{{name: cert}}]}}}}\n"
    );
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(
            &[
                listener("passes", port, "passes.example.org", PASSES),
                listener("ends", port, "ends.example.org", ENDS),
                https,
            ]
            .concat(),
        ),
        &yaml::secret("cert", &own.issue(&["*.example.org"])),
        &yaml::backend("sealed", &sealed),
        &yaml::backend("plain", &plain),
        &yaml::backend("web", &web),
        &route("passes", "sealed", "passes.example.org"),
        &route("ends", "plain", "ends.example.org"),
        &yaml::route_all("web", "web"),
    ]))
    .await;
    let (theirs, ours) = (TlsClient::new(&authority.pem()), TlsClient::new(&own.pem()));
    assert_eq!(
        greeted(&theirs, port, "passes.example.org")
            .await
            .as_deref(),
        Ok("sealed")
    );
    assert_eq!(
        greeted(&ours, port, "ends.example.org").await.as_deref(),
        Ok("plain")
    );
    let stream = ours.connect(port, "web.example.org").await.unwrap();
    let answer = Raw::over(stream).get("web.example.org", "/").await;
    assert_eq!((answer.status, answer.backend()), (200, Some("web")));
    // A name whose TLS is passed on is not this connection's.
    let stream = ours.connect(port, "web.example.org").await.unwrap();
    let answer = Raw::over(stream).get("passes.example.org", "/").await;
    assert_eq!(answer.status, 421);
    assert!(
        answer.text().contains("for another host name"),
        "{answer:?}"
    );
    let error = ours.connect(port, "other.example.org").await.unwrap_err();
    assert!(is_refusal(error.kind()), "{error:?}");
}

#[tokio::test]
async fn what_reaches_nobody_is_reset_and_told_nothing() {
    let (port, authority) = (ports::free(), Authority::new());
    let echo = sealed("sealed", &authority).await;
    let client = TlsClient::new(&authority.pem());
    let half = format!("{{{}}}, {{{}}}", yaml::to("echo"), yaml::to("missing"));
    let gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&listener("tls", port, "*.example.org", PASSES)),
        &yaml::listener_policy("limits: {handshake: 1s}"),
        &yaml::backend("echo", &echo),
        &yaml::backend("nobody", &ports::free()),
        &route("nobody", "nobody", "nobody.example.org"),
        &route("missing", "missing", "missing.example.org"),
        &yaml::stream_route("TLSRoute", "half", &half, "hostnames: [half.example.org]"),
    ]))
    .await;
    for name in [
        "nobody.example.org",
        "missing.example.org",
        "none.example.org",
        "other.org",
    ] {
        let error = client.connect(port, name).await.unwrap_err();
        assert!(is_refusal(error.kind()), "{name}: {error:?}");
    }
    let mut served = 0;
    for _ in 0..60 {
        match greeted(&client, port, "half.example.org").await {
            Ok(name) => {
                assert_eq!(name, "sealed");
                served += 1;
            }
            Err(kind) => assert!(is_refusal(kind)),
        }
    }
    assert!((8..52).contains(&served), "{served}");
    let nameless = client.clone().nameless();
    assert!(is_refusal(
        nameless
            .connect(port, "half.example.org")
            .await
            .unwrap_err()
            .kind()
    ));
    for garbage in [
        &b"GET / HTTP/1.1\r\nhost: half.example.org\r\n\r\n"[..],
        &[0; 100],
        &[22, 3, 1, 0, 5, 1, 0, 0, 1, 0],
        // Whole, and not a hello.
        &[22, 3, 1, 0, 4, 2, 0, 0, 0],
        // Begun, and never ended: the time for it is over.
        &[22, 3, 1, 1, 0, 1],
    ] {
        let back = answer_to(port, garbage).await;
        assert!(
            matches!(&back, Err(ErrorKind::ConnectionReset)) || back == Ok(Vec::new()),
            "{garbage:?}: {back:?}"
        );
    }
    let failed = gateway.metrics("daemun_tls_handshakes_failed_total");
    for reason in ["not_tls", "client", "timeout", "unrecognized_name"] {
        assert!(
            failed.iter().any(|line| line.contains(reason)),
            "{reason}: {failed:?}"
        );
    }
}

#[tokio::test]
async fn a_hello_in_many_pieces_is_put_together() {
    let (port, authority) = (ports::free(), Authority::new());
    let echo = sealed("sealed", &authority).await;
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&listener("tls", port, "", PASSES)),
        &yaml::backend("echo", &echo),
        &route("all", "echo", "\"*.example.org\""),
    ]))
    .await;
    // Between client and gateway stands one that sends on byte by byte.
    let slow = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let through = slow.local_addr().unwrap().port();
    let forwarding = async {
        let (mut near, _) = slow.accept().await.unwrap();
        let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        far.set_nodelay(true).unwrap();
        let mut buffer = vec![0; 4096];
        let hello = near.read(&mut buffer).await.unwrap();
        for byte in &buffer[..hello] {
            far.write_all(&[*byte]).await.unwrap();
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    };
    let client = TlsClient::new(&authority.pem());
    let name = within("an answer", async {
        tokio::select! {
            name = greeted(&client, through, "shop.example.org") => name,
            () = forwarding => Err(ErrorKind::Other),
        }
    })
    .await;
    assert_eq!(name.as_deref(), Ok("sealed"));
}

#[tokio::test]
async fn tls_on_both_sides_with_the_protocol_that_was_agreed_on() {
    let (port, authority) = (ports::free(), Authority::new());
    let echo = sealed("sealed", &authority).await;
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&listener("tls", port, "", ENDS)),
        &yaml::secret("cert", &authority.issue(&["front.example.org"])),
        &yaml::authority("authority", &authority.pem()),
        &yaml::backend_with(
            "echo",
            &[&echo],
            "tls: {hostname: back.example.org, caCertificateRefs: [{group: \"\", kind: ConfigMap, name: authority}]}",
        ),
        &route("all", "echo", "front.example.org"),
    ]))
    .await;
    let client = TlsClient::new(&authority.pem()).offering(&["mqtt"]);
    let mut stream = client.connect(port, "front.example.org").await.unwrap();
    assert_eq!(line(&mut stream).await, "sealed");
    assert_eq!(asks(&mut stream, "hello").await, "hello");
    let asked = &echo.asked()[0];
    assert_eq!(asked.name.as_deref(), Some("back.example.org"));
    assert_eq!(asked.protocol.as_deref(), Some("mqtt"));
}

#[tokio::test]
async fn connections_are_shared_by_weight() {
    let (port, authority) = (ports::free(), Authority::new());
    let mut text = vec![yaml::gateway_of(&listener("tls", port, "", PASSES))];
    let mut echoes = Vec::new();
    for name in ["one", "two", "never"] {
        let echo = sealed(name, &authority).await;
        text.push(yaml::backend(name, &echo));
        echoes.push(echo);
    }
    let shares = [("one", 3), ("two", 1), ("never", 0), ("missing", 4)];
    let shares = shares.map(|(name, weight)| format!("{{{}, weight: {weight}}}", yaml::to(name)));
    let names = "hostnames: [\"*.example.org\"]";
    text.push(yaml::stream_route(
        "TLSRoute",
        "all",
        &shares.join(","),
        names,
    ));
    let text: Vec<&str> = text.iter().map(String::as_str).collect();
    let _gateway = Gateway::start(&yaml::documents(&text)).await;
    let client = TlsClient::new(&authority.pem());
    let mut counts = [0_u32; 3];
    for _ in 0..400 {
        match greeted(&client, port, "shop.example.org").await.as_deref() {
            Ok("one") => counts[0] += 1,
            Ok("two") => counts[1] += 1,
            Err(_) => counts[2] += 1,
            other => panic!("{other:?}"),
        }
    }
    // 150, 50 and 200 are the middle; what is beyond comes once in millions of runs.
    assert!((100..205).contains(&counts[0]), "{counts:?}");
    assert!((20..90).contains(&counts[1]), "{counts:?}");
    assert!((145..255).contains(&counts[2]), "{counts:?}");
    assert_eq!(echoes[2].connections(), 0);
}

#[tokio::test]
async fn where_tls_ends_a_policy_puts_tls_before_the_service() {
    let (port, authority) = (ports::free(), Authority::new());
    let echo = sealed("sealed", &authority).await;
    let objects = |hostname: &str| {
        let names = "hostnames: [front.example.org]";
        yaml::documents(&[
            &yaml::gateway_of(&listener("tls", port, "", ENDS)),
            &yaml::secret("cert", &authority.issue(&["front.example.org"])),
            &yaml::authority("ca", &authority.pem()),
            &yaml::secured_service("svc", &echo, hostname),
            &yaml::stream_route("TLSRoute", "all", "{name: svc, port: 443}", names),
        ])
    };
    let mut gateway = Gateway::start(&objects("back.example.org")).await;
    let client = TlsClient::new(&authority.pem());
    let mut stream = client.connect(port, "front.example.org").await.unwrap();
    assert_eq!(line(&mut stream).await, "sealed");
    assert_eq!(asks(&mut stream, "hello").await, "hello");
    assert_eq!(echo.asked()[0].name.as_deref(), Some("back.example.org"));
    // A certificate for another name is not believed, and nothing is sent in the clear.
    gateway.reload(&objects("back.example.com")).await;
    let mut stream = client.connect(port, "front.example.org").await.unwrap();
    let read = within("the end", stream.read_u8()).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn a_policy_that_cannot_be_used_does_not_close_what_is_passed_on_as_it_is() {
    let (passes, ends, authority) = (ports::free(), ports::free(), Authority::new());
    let echo = sealed("sealed", &authority).await;
    // Its authority, the ConfigMap `ca`, is missing.
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(
            &[
                listener("passes", passes, "", PASSES),
                listener("ends", ends, "", ENDS),
            ]
            .concat(),
        ),
        &yaml::secret("cert", &authority.issue(&["*.example.org"])),
        &yaml::secured_service("echo", &echo, "a.example.org"),
        &yaml::stream_route(
            "TLSRoute",
            "all",
            "{name: echo, port: 443}",
            "hostnames: [\"*.example.org\"]",
        ),
    ]))
    .await;
    let client = TlsClient::new(&authority.pem());
    let name = "shop.example.org";
    assert_eq!(
        greeted(&client, passes, name).await.as_deref(),
        Ok("sealed")
    );
    // Where the gateway would have to speak TLS itself, nothing is sent in the clear.
    assert!(greeted(&client, ends, name).await.is_err());
    assert_eq!(echo.asked().len(), 1);
}
