//! HTTP/2: prior knowledge and ALPN, towards clients and towards backends.

use std::time::Duration;

use daemun_testkit::body::Body;
use daemun_testkit::{Act, Authority, Backend, Gateway, Http2, Raw, TlsClient, ports, raw, yaml};
use http::{Request, Version};

use crate::World;

#[tokio::test]
async fn a_plain_listener_speaks_both_versions() {
    let world = World::plain(&[]).await;
    let client = Http2::connect(world.port).await;
    let request = Request::post("http://example.org/a?b")
        .header("x-a", "1")
        .body(Body::of("hello"))
        .unwrap();
    let answer = client.exchange(request).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_ref()),
        (200, b"hello".as_slice())
    );
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
    let seen = &world.backend.seen()[0];
    assert_eq!(
        (seen.version, seen.target.as_str(), seen.host.as_str()),
        (Version::HTTP_11, "/a?b", "example.org")
    );
    assert_eq!(
        (seen.header("x-a"), seen.all("x-forwarded-for")),
        (Some("1"), vec!["127.0.0.1"])
    );
}

#[tokio::test]
async fn a_preface_in_pieces_is_still_one() {
    let world = World::plain(&[]).await;
    let mut client = Raw::connect(world.port).await;
    for piece in [
        "PRI * HT",
        "TP/2.0\r\n\r\nSM\r\n",
        "\r\n\0\0\0\u{4}\0\0\0\0\0",
    ] {
        client.send(piece).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let settings = client.bytes(9).await;
    assert_eq!(settings[3], 4, "the server's settings: {settings:?}");
}

#[tokio::test]
async fn cookies_are_joined_for_http_1() {
    let world = World::plain(&[]).await;
    let client = Http2::connect(world.port).await;
    let request = Request::get("http://example.org/")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Body::empty())
        .unwrap();
    assert_eq!(client.exchange(request).await.unwrap().status, 200);
    assert_eq!(world.backend.last().all("cookie"), ["a=1; b=2"]);
}

#[tokio::test]
async fn a_host_header_that_differs_from_the_authority_is_refused() {
    let world = World::plain(&[]).await;
    let client = Http2::connect(world.port).await;
    let request = Request::get("http://example.org/")
        .header("host", "other.example.org")
        .body(Body::empty())
        .unwrap();
    let answer = client.exchange(request).await.unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(world.backend.count(), 0);
}

#[tokio::test]
async fn many_streams_share_a_connection() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Delay(Duration::from_millis(100)));
    let client = Http2::connect(world.port).await;
    let requests = (0..50).map(|number| {
        let client = client.clone();
        async move {
            client
                .get("example.org", &format!("/{number}"))
                .await
                .status
        }
    });
    let mut set = tokio::task::JoinSet::new();
    for request in requests {
        set.spawn(request);
    }
    let statuses = daemun_testkit::within("50 answers", set.join_all()).await;
    assert!(statuses.iter().all(|status| *status == 200));
    assert_eq!(world.backend.count(), 50);
}

#[tokio::test]
async fn a_backend_that_wants_http_2_gets_it_by_prior_knowledge() {
    let port = ports::free();
    let backend = Backend::start("h2c").await;
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend_with("h2c", &[&backend], "protocol: HTTP2"),
        &yaml::route_all("one", "h2c"),
    ]))
    .await;
    let mut client = Raw::connect(port).await;
    for _ in 0..5 {
        let answer = client
            .request(
                "GET",
                "example.org:81",
                "/x?y",
                &[("connection", "close, x"), ("x", "1")],
            )
            .await;
        assert_eq!(answer.status, 200);
        client = Raw::connect(port).await;
    }
    let seen = backend.last();
    assert_eq!(
        (seen.version, seen.target.as_str(), seen.host.as_str()),
        (Version::HTTP_2, "/x?y", "example.org:81")
    );
    assert_eq!(
        (
            seen.header("connection"),
            seen.header("x"),
            seen.header("host")
        ),
        (None, None, None)
    );
    let answer = Http2::connect(port).await.get("example.org", "/").await;
    assert_eq!(answer.backend(), Some("h2c"));
    assert!(
        backend.connections() <= 2,
        "one for each worker, and {} there were",
        backend.connections()
    );
}

#[tokio::test]
async fn over_tls_alpn_decides_on_both_sides() {
    let port = ports::free();
    let authority = Authority::new();
    let identity = authority.issue(&["in.example.org"]);
    let backends = [
        Backend::start_tls("both", &identity, &["h2", "http/1.1"], None).await,
        Backend::start_tls("one", &identity, &["http/1.1"], None).await,
        Backend::start_tls("silent", &identity, &[], None).await,
    ];
    let tls = "tls: {hostname: in.example.org, caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]}";
    let mut objects = vec![
        yaml::gateway_of(&format!(
            "- {{name: https, port: {port}, protocol: HTTPS, tls: {{certificateRefs: [{{name: cert}}]}}}}"
        )),
        yaml::secret("cert", &authority.issue(&["example.org"])),
        yaml::authority("ca", &authority.pem()),
    ];
    let mut rules = String::from("rules:");
    for (name, backend) in ["both", "one", "silent"].iter().zip(&backends) {
        objects.push(yaml::backend_with(name, &[backend], tls));
        let to = yaml::to(name);
        rules +=
            &format!("\n- {{matches: [{{path: {{value: /{name}}}}}], backendRefs: [{{{to}}}]}}");
    }
    objects.push(yaml::route("one", &rules));
    let objects: Vec<_> = objects.iter().map(String::as_str).collect();
    let _gateway = Gateway::start(&yaml::documents(&objects)).await;
    for offered in ["h2", "http/1.1"] {
        let client = TlsClient::new(&authority.pem()).offering(&[offered]);
        let stream = client.connect(port, "example.org").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(offered.as_bytes()));
        if offered == "h2" {
            let client = Http2::over(stream).await;
            for name in ["both", "one", "silent"] {
                assert_eq!(
                    client
                        .get_from("https", "example.org", &format!("/{name}"))
                        .await
                        .backend(),
                    Some(name)
                );
            }
        } else {
            let mut client = Raw::over(stream);
            for name in ["both", "one", "silent"] {
                assert_eq!(
                    client
                        .get("example.org", &format!("/{name}"))
                        .await
                        .backend(),
                    Some(name)
                );
            }
        }
    }
    let version = |place: usize| backends[place].last().version;
    assert_eq!(
        (version(0), version(1), version(2)),
        (Version::HTTP_2, Version::HTTP_11, Version::HTTP_11)
    );
    assert_eq!(backends[0].last().sni.as_deref(), Some("in.example.org"));
    assert_eq!(
        backends[0].last().header("x-forwarded-proto"),
        Some("https")
    );
}

#[tokio::test]
async fn a_client_that_resets_its_stream_ends_the_backends_request() {
    let world = World::plain(&[]).await;
    world.backend.always(Act::Bytes(usize::MAX));
    let client = Http2::connect(world.port).await;
    for _ in 0..20 {
        let request = Request::get("http://example.org/")
            .body(Body::empty())
            .unwrap();
        let response = client.send(request).await.unwrap();
        drop(response);
    }
    world.backend.always(Act::Echo);
    assert_eq!(client.get("example.org", "/").await.status, 200);
}

#[tokio::test]
async fn a_services_app_protocol_decides_what_is_spoken() {
    let authority = Authority::new();
    let port = ports::free();
    let backend = Backend::start("echo").await;
    let secure = Backend::start_tls(
        "secure",
        &authority.issue(&["in.example.org"]),
        &["h2", "http/1.1"],
        None,
    )
    .await;
    let objects = yaml::fill(
        &yaml::documents(&[
            "apiVersion: v1\nkind: Service\nmetadata: {name: svc}\nspec:\n  ports:\n  \
             - {name: h2c, port: 1, appProtocol: kubernetes.io/h2c}\n  - {name: ws, port: 2, appProtocol: kubernetes.io/ws}\n  \
             - {name: wss, port: 3, appProtocol: kubernetes.io/wss}\n  - {name: none, port: 4}",
            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: svc-1, labels: {kubernetes.io/service-name: svc}}\n\
             addressType: IPv4\nendpoints: [{addresses: [127.0.0.1], conditions: {ready: true}}]\nports:\n\
             - {name: h2c, port: $plain}\n- {name: ws, port: $plain}\n- {name: wss, port: $secure}\n- {name: none, port: $plain}",
            "apiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: {name: policy}\nspec:\n  \
             targetRefs: [{group: '', kind: Service, name: svc, sectionName: wss}]\n  \
             validation: {hostname: in.example.org, caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]}",
            &yaml::authority("ca", &authority.pem()),
            &yaml::gateway(port),
            &yaml::route(
                "one",
                "rules:\n- {matches: [{path: {value: /h2c}}], backendRefs: [{name: svc, port: 1}]}\n\
                 - {matches: [{path: {value: /ws}}], backendRefs: [{name: svc, port: 2}]}\n\
                 - {matches: [{path: {value: /wss}}], backendRefs: [{name: svc, port: 3}]}\n\
                 - {matches: [{path: {value: /none}}], backendRefs: [{name: svc, port: 4}]}",
            ),
        ]),
        &[("plain", &backend.port()), ("secure", &secure.port())],
    );
    let _gateway = Gateway::start(&objects).await;
    for (path, of, version) in [
        ("/h2c", &backend, Version::HTTP_2),
        ("/ws", &backend, Version::HTTP_11),
        ("/wss", &secure, Version::HTTP_11),
        ("/none", &backend, Version::HTTP_11),
    ] {
        assert_eq!(
            raw::get(port, "example.org", path).await.status,
            200,
            "{path}"
        );
        let seen = of.last();
        assert_eq!((seen.target.as_str(), seen.version), (path, version));
    }
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    let mut client = Raw::connect(port).await;
    let answer = client.request("GET", "example.org", "/wss", &upgrade).await;
    assert_eq!((answer.status, answer.backend()), (101, Some("secure")));
    client.send("ping").await;
    assert_eq!(client.bytes(4).await, b"ping");
}
