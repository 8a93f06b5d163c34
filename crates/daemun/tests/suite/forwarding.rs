//! What the gateway adds to a request and takes away from it, and whom it believes about clients.

use daemun_testkit::{Act, Raw, Seen, raw, yaml};

use crate::World;

async fn seen(world: &World, headers: &[(&str, &str)]) -> Seen {
    let answer = raw::get_with(world.port, "example.org:81", "/", headers).await;
    assert_eq!(answer.status, 200);
    world.backend.last()
}

#[tokio::test]
async fn a_client_is_named_and_its_own_claims_are_replaced() {
    let world = World::plain(&[]).await;
    let lies = [
        ("x-forwarded-for", "192.0.2.1"),
        ("X-Forwarded-For", "192.0.2.2"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "other.example.org"),
        ("x-forwarded-port", "1"),
        ("forwarded", "for=192.0.2.1"),
    ];
    let seen = seen(&world, &lies).await;
    assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.all("x-forwarded-proto"), ["http"]);
    assert_eq!(seen.all("x-forwarded-host"), ["example.org:81"]);
    assert_eq!(
        seen.all("x-forwarded-port"),
        [world.port.to_string().as_str()]
    );
    assert_eq!(seen.header("forwarded"), None);
}

#[tokio::test]
async fn proxies_that_are_trusted_are_believed_up_to_the_first_stranger() {
    let policy = yaml::listener_policy(
        "forwarding: {trustedProxies: {ranges: [127.0.0.0/8, 10.0.0.0/8]}, forwarded: true}",
    );
    let world = World::plain(&[&policy]).await;
    let said = [
        ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
        ("x-forwarded-for", "10.1.2.3"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example.org"),
        ("forwarded", "for=198.51.100.7;proto=https, for=10.1.2.3"),
    ];
    let seen = seen(&world, &said).await;
    let chain = seen.all("x-forwarded-for").join(", ");
    assert!(
        chain.ends_with("198.51.100.7, 10.1.2.3, 127.0.0.1"),
        "{chain}"
    );
    assert_eq!(seen.all("x-forwarded-proto"), ["https"]);
    assert_eq!(seen.all("x-forwarded-host"), ["shop.example.org"]);
    let forwarded = seen.all("forwarded").join(", ");
    assert!(
        forwarded.starts_with("for=198.51.100.7;proto=https, for=10.1.2.3, for=127.0.0.1"),
        "{forwarded}"
    );
}

#[tokio::test]
async fn a_number_of_hops_is_counted_from_the_peer() {
    let policy = yaml::listener_policy("forwarding: {trustedProxies: {hops: 2}}");
    let world = World::plain(&[
        &policy,
        &yaml::backend_policy(
            "echo",
            "balance: {type: ConsistentHash, consistentHash: {type: SourceAddress}}",
        ),
    ])
    .await;
    let seen = seen(
        &world,
        &[
            ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
            ("x-forwarded-proto", "https"),
        ],
    )
    .await;
    let chain = seen.all("x-forwarded-for").join(", ");
    assert!(chain.ends_with("198.51.100.7, 127.0.0.1"), "{chain}");
    assert_eq!(seen.all("x-forwarded-proto"), ["https"]);
}

#[tokio::test]
async fn behind_a_proxy_that_speaks_tls_a_client_is_on_https() {
    let policy = yaml::listener_policy("forwarding: {trustedProxies: {hops: 1}}");
    let route = yaml::route(
        "one",
        &format!(
            "rules:\n- matches: [{{path: {{value: /old}}}}]\n  filters: [{{type: RequestRedirect, requestRedirect: {{path: {{type: ReplaceFullPath, replaceFullPath: /new}}}}}}]\n\
             - backendRefs: [{{{}}}]\n  sessionPersistence: {{sessionName: shop}}",
            yaml::to("echo")
        ),
    );
    let world = World::new(&[&policy, &route]).await;
    let get = async |target, proto| {
        let headers = [("x-forwarded-proto", proto)];
        raw::get_with(world.port, "example.org", target, &headers).await
    };
    let port = world.port;
    for (proto, location, secure) in [
        ("https", "https://example.org/new".to_owned(), true),
        ("http", format!("http://example.org:{port}/new"), false),
    ] {
        let answer = get("/old", proto).await;
        assert_eq!(answer.header("location"), Some(location.as_str()));
        let cookie = get("/", proto)
            .await
            .header("set-cookie")
            .map(str::to_owned);
        assert_eq!(cookie.unwrap().contains("Secure"), secure, "{proto}");
    }
}

#[tokio::test]
async fn hop_by_hop_headers_end_here_both_ways() {
    let world = World::plain(&[]).await;
    let headers = [
        ("connection", "keep-alive, x-hop"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "Basic eA=="),
        ("te", "gzip"),
        ("upgrade", "unknown-protocol"),
        ("x-end", "1"),
    ];
    let seen = seen(&world, &headers[..6]).await;
    for gone in [
        "x-hop",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "connection",
    ] {
        assert_eq!(seen.header(gone), None, "{gone}");
    }
    world.backend.always(Act::Headers(
        200,
        vec![
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-authenticate", "Basic"),
            ("x-end", "1"),
        ],
    ));
    let answer = raw::get(world.port, "example.org", "/").await;
    for gone in ["x-hop", "keep-alive", "proxy-authenticate"] {
        assert_eq!(answer.header(gone), None, "{gone}");
    }
    assert_eq!(answer.header("x-end"), Some("1"));
}

#[tokio::test]
async fn a_request_has_an_id_and_keeps_its_trace() {
    let world = World::plain(&[]).await;
    let one = seen(&world, &[])
        .await
        .header("x-request-id")
        .map(str::to_owned)
        .unwrap();
    let two = seen(&world, &[])
        .await
        .header("x-request-id")
        .map(str::to_owned)
        .unwrap();
    assert!(one.len() >= 16 && one != two, "{one} {two}");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let seen = seen(
        &world,
        &[
            ("x-request-id", "mine-1"),
            ("traceparent", parent),
            ("tracestate", "a=b"),
        ],
    )
    .await;
    assert_eq!(seen.all("x-request-id").len(), 1);
    assert_eq!(
        (seen.header("traceparent"), seen.header("tracestate")),
        (Some(parent), Some("a=b"))
    );
}

#[tokio::test]
async fn an_own_answer_is_told_from_the_backends() {
    let mut world = World::plain(&[]).await;
    world.backend.always(Act::Status(404));
    assert_eq!(
        raw::get(world.port, "example.org", "/")
            .await
            .header("proxy-status"),
        None
    );
    world
        .reload(&[&yaml::listener_policy("proxyStatus: Off")])
        .await;
    let answer = raw::get(world.port, "example.org", "/").await;
    assert_eq!((answer.status, answer.header("proxy-status")), (404, None));
    world
        .reload(&[
            &yaml::listener_policy("proxyStatus: Full"),
            &yaml::route_all("broken", "missing"),
        ])
        .await;
    let answer = raw::get(world.port, "example.org", "/").await;
    assert!(
        answer
            .header("proxy-status")
            .is_some_and(|status| status.contains("details") && status.contains("missing")),
        "{answer:?}"
    );
    assert_eq!(answer.status, 500);
    assert!(!answer.text().is_empty(), "a short body says what is wrong");
    let closed = daemun_testkit::ports::free();
    world
        .reload(&[
            &yaml::listener_policy("proxyStatus: Full"),
            &yaml::backend("down", &closed),
            &yaml::route_all("lost", "down"),
        ])
        .await;
    let answer = raw::get(world.port, "example.org", "/").await;
    let status = answer.header("proxy-status").unwrap();
    for part in [
        "connection_refused",
        "HTTPRoute default/lost, rule 1",
        "/down",
    ] {
        assert!(status.contains(part), "{part}: {status}");
    }
    assert!(!answer.text().contains("lost"), "{answer:?}");
}

#[tokio::test]
async fn the_absolute_form_is_understood_and_sent_on_in_origin_form() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("GET http://example.org/a/../b?c HTTP/1.1\r\nHost: example.org\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 200);
    let seen = world.backend.last();
    assert_eq!(
        (seen.target.as_str(), seen.host.as_str()),
        ("/b?c", "example.org")
    );
}

const TRUSTS: &str = "forwarding: {proxyProtocol: {trusted: [127.0.0.1/32]}}";
const STRANGER: &str = "forwarding: {proxyProtocol: {trusted: [10.0.0.0/8]}}";

fn version_2() -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([
        0x21, 0x11, 0, 12, 192, 0, 2, 9, 198, 51, 100, 2, 0x30, 0x39, 0x1f, 0x90,
    ]);
    header
}

#[tokio::test]
async fn proxy_protocol_names_the_client_if_the_peer_is_trusted() {
    let world = World::plain(&[&yaml::listener_policy(TRUSTS)]).await;
    for header in [
        b"PROXY TCP4 192.0.2.9 198.51.100.2 12345 8080\r\n".to_vec(),
        version_2(),
    ] {
        for pause in [false, true] {
            let mut client = Raw::connect(world.port).await;
            if pause {
                client.send(&header[..8]).await;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                client.send(&header[8..]).await;
            } else {
                client.send(&header).await;
            }
            assert_eq!(client.get("example.org", "/").await.status, 200);
            let seen = world.backend.last();
            assert_eq!(seen.all("x-forwarded-for"), ["192.0.2.9"]);
        }
    }
    assert_eq!(
        raw::get(world.port, "example.org", "/").await.status,
        200,
        "no header: the peer is the client"
    );
    assert_eq!(world.backend.last().all("x-forwarded-for"), ["127.0.0.1"]);
}

#[tokio::test]
async fn proxy_protocol_from_a_stranger_or_malformed_reaches_nobody() {
    for (policy, header) in [
        (
            STRANGER,
            b"PROXY TCP4 192.0.2.9 198.51.100.2 12345 8080\r\n".to_vec(),
        ),
        (STRANGER, version_2()),
        (TRUSTS, b"PROXY TCP4 192.0.2.9\r\n".to_vec()),
        (
            "forwarding: {}",
            b"PROXY TCP4 192.0.2.9 198.51.100.2 12345 8080\r\n".to_vec(),
        ),
        ("forwarding: {}", version_2()),
    ] {
        let world = World::plain(&[&yaml::listener_policy(policy)]).await;
        let mut client = Raw::connect(world.port).await;
        client.send(&header).await;
        // The connection may be closed before the request is written.
        let _ = client
            .try_send("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
            .await;
        if let Ok(answer) = client.try_answer().await {
            assert_eq!(answer.status, 400, "{policy}");
        }
        assert_eq!(world.backend.count(), 0, "{policy}");
    }
}

#[tokio::test]
async fn an_ipv4_client_of_a_dual_stack_socket_is_an_ipv4_client() {
    let port = daemun_testkit::ports::free();
    let backend = daemun_testkit::Backend::start("echo").await;
    // Without addresses, the gateway listens on all of both families.
    let everywhere =
        yaml::gateway(port).replace("  addresses: [{type: IPAddress, value: 127.0.0.1}]\n", "");
    assert!(!everywhere.contains("addresses"));
    let _gateway = daemun_testkit::Gateway::start(&yaml::documents(&[
        &everywhere,
        &yaml::backend("echo", &backend),
        &yaml::route_all("all", "echo"),
        &yaml::listener_policy(
            "forwarding: {forwarded: true, trustedProxies: {ranges: [127.0.0.0/8]}}",
        ),
    ]))
    .await;
    let headers = [("x-forwarded-for", "192.0.2.9")];
    assert_eq!(
        raw::get_with(port, "example.org", "/", &headers)
            .await
            .status,
        200
    );
    let seen = backend.last();
    assert_eq!(
        seen.all("x-forwarded-for").join(", "),
        "192.0.2.9, 127.0.0.1"
    );
    assert!(
        seen.header("forwarded")
            .is_some_and(|value| value.starts_with("for=192.0.2.9, for=127.0.0.1;")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn trailers_say_nothing_about_routing_or_framing() {
    let world = World::plain(&[]).await;
    let forbidden = [
        ("host", "b"),
        ("content-length", "7"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("authorization", "Basic eA=="),
        ("cookie", "a=b"),
        ("x-forwarded-for", "192.0.2.1"),
        ("forwarded", "for=192.0.2.1"),
    ];
    let lines: String = forbidden
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let mut client = Raw::connect(world.port).await;
    client
        .send(format!(
            "POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 42\r\n{lines}\r\n"
        ))
        .await;
    let answer = client.answer().await;
    // To refuse them is as good as to drop them.
    if answer.status == 200 {
        let trailers = world.backend.last().trailers.unwrap_or_default();
        for (name, _) in forbidden {
            assert_eq!(trailers.get(name), None, "{name}");
        }
    } else {
        assert_eq!((answer.status, world.backend.count()), (400, 0));
    }
}
