//! HTTPS listeners: names, certificates, versions, clients' certificates, and TLS towards backends.

use std::time::Duration;

use daemun_testkit::{
    Act, Authority, Backend, Gateway, Http2, Identity, Raw, TlsClient, ports, raw, yaml,
};

struct Tls {
    port: u16,
    backend: Backend,
    gateway: Gateway,
    authority: Authority,
}

const NAMES: [&str; 6] = [
    "example.org",
    "*.example.org",
    "second-example.org",
    "unknown-example.org",
    "*.wildcard.org",
    "www.example.org",
];

impl Tls {
    /// `listeners` may use `$port`, and the Secret `cert`, which has all of `NAMES`.
    async fn start(listeners: &str, more_spec: &str, more: &[&str]) -> Self {
        let authority = Authority::new();
        let port = ports::free();
        let backend = Backend::start("echo").await;
        let text = Self::yaml(
            port,
            &backend,
            &authority.issue(&NAMES),
            (listeners, more_spec),
            more,
        );
        let gateway = Gateway::start(&text).await;
        Self {
            port,
            backend,
            gateway,
            authority,
        }
    }

    fn yaml(
        port: u16,
        backend: &Backend,
        identity: &Identity,
        (listeners, spec): (&str, &str),
        more: &[&str],
    ) -> String {
        let gateway = yaml::gateway_with(&yaml::fill(listeners, &[("port", &port)]), spec);
        let own = [
            gateway,
            yaml::secret("cert", identity),
            yaml::backend("echo", backend),
            yaml::route_all("all", "echo"),
        ];
        let own = own.iter().map(String::as_str);
        yaml::documents(&own.chain(more.iter().copied()).collect::<Vec<_>>())
    }

    fn client(&self) -> TlsClient {
        TlsClient::new(&self.authority.pem())
    }
}

const ONE: &str =
    "- {name: https, port: $port, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}";

#[tokio::test]
async fn an_https_listener_serves_and_tells_the_backend_so() {
    let world = Tls::start(ONE, "", &[]).await;
    let stream = world
        .client()
        .connect(world.port, "www.example.org")
        .await
        .unwrap();
    let answer = Raw::over(stream).get("www.example.org", "/").await;
    assert_eq!((answer.status, answer.backend()), (200, Some("echo")));
    let seen = world.backend.last();
    assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
    assert_eq!(
        seen.header("x-forwarded-port"),
        Some(world.port.to_string().as_str())
    );
}

#[tokio::test]
async fn plain_http_on_an_https_port_reaches_nobody() {
    let world = Tls::start(ONE, "", &[]).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send(raw::head("GET", "www.example.org", "/", &[]))
        .await;
    assert!(
        client
            .try_answer()
            .await
            .map_or(true, |answer| answer.status == 400)
    );
    assert_eq!(world.backend.count(), 0);
    assert!(
        world
            .client()
            .connect(world.port, "www.example.org")
            .await
            .is_ok()
    );
}

/// The matrix of gateway-api's `HTTPRouteHTTPSListenerDetectMisdirectedRequests`.
#[tokio::test]
async fn a_request_for_another_listeners_name_is_misdirected() {
    let listener = |name: &str, hostname: &str| {
        format!(
            "- {{name: {name}, port: $port, protocol: HTTPS{hostname}, tls: {{certificateRefs: [{{name: cert}}]}}}}"
        )
    };
    let listeners = [
        listener("any", ""),
        listener("second", ", hostname: second-example.org"),
        listener("wildcard", ", hostname: '*.wildcard.org'"),
        listener("fourth", ", hostname: fourth-example.wildcard.org"),
    ];
    let authority = Authority::new();
    let port = ports::free();
    let backend = Backend::start("echo").await;
    let route = |name: &str, section: &str, hostname: &str| {
        let to = yaml::to("echo");
        yaml::route_to(
            name,
            &format!("{{name: gw, sectionName: {section}}}"),
            &format!("hostnames: ['{hostname}']\nrules: [{{backendRefs: [{{{to}}}]}}]"),
        )
    };
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&yaml::fill(&listeners.join("\n"), &[("port", &port)])),
        &yaml::secret("cert", &authority.issue(&NAMES)),
        &yaml::backend("echo", &backend),
        &route("any", "any", "example.org"),
        &route("second", "second", "second-example.org"),
        &route("wildcard", "wildcard", "*.wildcard.org"),
        &route("fourth", "fourth", "fourth-example.wildcard.org"),
    ]))
    .await;
    for (sni, host, status) in [
        ("example.org", "example.org", 200),
        ("example.org", "second-example.org", 421),
        ("example.org", "unknown-example.org", 404),
        ("second-example.org", "second-example.org", 200),
        ("second-example.org", "example.org", 421),
        ("second-example.org", "unknown-example.org", 421),
        (
            "third-example.wildcard.org",
            "third-example.wildcard.org",
            200,
        ),
        (
            "third-example.wildcard.org",
            "fith-example.wildcard.org",
            200,
        ),
        (
            "third-example.wildcard.org",
            "fourth-example.wildcard.org",
            421,
        ),
        ("third-example.wildcard.org", "second-example.org", 421),
        ("third-example.wildcard.org", "unknown-example.org", 421),
        (
            "fourth-example.wildcard.org",
            "fourth-example.wildcard.org",
            200,
        ),
        (
            "fourth-example.wildcard.org",
            "fith-example.wildcard.org",
            421,
        ),
        ("unknown-example.org", "example.org", 200),
        ("unknown-example.org", "unknown-example.org", 404),
    ] {
        let client = TlsClient::new(&authority.pem()).offering(&["h2"]);
        let http2 = Http2::over(client.connect(port, sni).await.unwrap()).await;
        assert_eq!(
            http2.get_from("https", host, "/").await.status,
            status,
            "{sni} {host}, HTTP/2"
        );
        let client = TlsClient::new(&authority.pem());
        let mut http1 = Raw::over(client.connect(port, sni).await.unwrap());
        assert_eq!(
            http1.get(host, "/").await.status,
            status,
            "{sni} {host}, HTTP/1.1"
        );
    }
}

#[tokio::test]
async fn a_name_that_no_listener_has_is_refused_in_the_handshake() {
    let listener = "- {name: https, port: $port, protocol: HTTPS, hostname: www.example.org, tls: {certificateRefs: [{name: cert}]}}";
    let world = Tls::start(listener, "", &[]).await;
    assert!(
        world
            .client()
            .connect(world.port, "www.example.org")
            .await
            .is_ok()
    );
    let error = world
        .client()
        .connect(world.port, "second-example.org")
        .await
        .unwrap_err();
    assert!(
        error.to_string().to_ascii_lowercase().contains("unrecogni"),
        "{error}"
    );
    assert!(
        world
            .client()
            .nameless()
            .connect(world.port, "www.example.org")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn each_name_gets_its_certificate() {
    let own = Authority::new();
    let other = Authority::new();
    let port = ports::free();
    let backend = Backend::start("echo").await;
    let listener = format!(
        "- {{name: https, port: {port}, protocol: HTTPS, tls: {{certificateRefs: [{{name: one}}, {{name: two}}]}}}}"
    );
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&listener),
        &yaml::secret("one", &own.issue(&["*.example.org"])),
        &yaml::secret("two", &other.issue(&["www.example.org", "example.com"])),
        &yaml::backend("echo", &backend),
        &yaml::route_all("all", "echo"),
    ]))
    .await;
    for (name, authority) in [
        ("shop.example.org", &own),
        ("www.example.org", &other),
        ("example.com", &other),
    ] {
        let client = TlsClient::new(&authority.pem());
        assert!(client.connect(port, name).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn versions_can_be_bounded() {
    use rustls::version::{TLS12, TLS13};
    for (policy, with_12, with_13) in [
        ("tls: {}", true, true),
        ("tls: {minVersion: '1.3'}", false, true),
        ("tls: {maxVersion: '1.2'}", true, false),
    ] {
        let world = Tls::start(ONE, "", &[&yaml::listener_policy(policy)]).await;
        for (version, works) in [(&TLS12, with_12), (&TLS13, with_13)] {
            let client = TlsClient::speaking(&world.authority.pem(), &[version]);
            let connected = client.connect(world.port, "www.example.org").await;
            assert_eq!(connected.is_ok(), works, "{policy} {version:?}");
        }
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_live_and_connections_stay() {
    let mut world = Tls::start(ONE, "", &[]).await;
    let mut old = Raw::over(
        world
            .client()
            .connect(world.port, "www.example.org")
            .await
            .unwrap(),
    );
    let renewed = Authority::new();
    let text = Tls::yaml(
        world.port,
        &world.backend,
        &renewed.issue(&NAMES),
        (ONE, ""),
        &[],
    );
    world.gateway.reload(&text).await;
    assert_eq!(old.get("www.example.org", "/").await.status, 200);
    assert!(
        world
            .client()
            .connect(world.port, "www.example.org")
            .await
            .is_err()
    );
    let client = TlsClient::new(&renewed.pem());
    assert!(client.connect(world.port, "www.example.org").await.is_ok());
}

fn frontend(mode: &str) -> String {
    format!(
        "tls: {{frontend: {{default: {{validation: {{mode: {mode}, caCertificateRefs: [{{group: '', kind: ConfigMap, name: clients}}]}}}}}}}}"
    )
}

/// Whether a request over a new connection is answered.
async fn served(client: &TlsClient, port: u16) -> bool {
    let Ok(stream) = client.connect(port, "www.example.org").await else {
        return false;
    };
    let mut client = Raw::over(stream);
    // In TLS 1.3 a client learns only afterwards that its certificate was refused.
    if client
        .try_send(raw::head("GET", "www.example.org", "/", &[]))
        .await
        .is_err()
    {
        return false;
    }
    client
        .try_answer()
        .await
        .is_ok_and(|answer| answer.status == 200)
}

#[tokio::test]
async fn only_clients_with_a_valid_certificate_are_served() {
    let (clients, strangers) = (Authority::new(), Authority::new());
    let world = Tls::start(
        ONE,
        &frontend("AllowValidOnly"),
        &[&yaml::authority("clients", &clients.pem())],
    )
    .await;
    let showing = |identity: &Identity| TlsClient::showing(&world.authority.pem(), identity);
    for (client, expected) in [
        (showing(&clients.issue(&[])), true),
        (showing(&strangers.issue(&[])), false),
        (showing(&clients.issue_expired(&[])), false),
        (world.client(), false),
    ] {
        assert_eq!(served(&client, world.port).await, expected);
    }
    assert_eq!(world.backend.count(), 1);
}

#[tokio::test]
async fn insecure_fallback_serves_everyone() {
    let (clients, strangers) = (Authority::new(), Authority::new());
    let world = Tls::start(
        ONE,
        &frontend("AllowInsecureFallback"),
        &[&yaml::authority("clients", &clients.pem())],
    )
    .await;
    let showing = |identity: &Identity| TlsClient::showing(&world.authority.pem(), identity);
    for client in [
        showing(&clients.issue(&[])),
        showing(&strangers.issue(&[])),
        world.client(),
    ] {
        assert!(served(&client, world.port).await);
    }
}

#[tokio::test]
async fn a_port_has_its_own_validation() {
    let (clients, others) = (Authority::new(), Authority::new());
    let other = ports::free();
    let listeners = format!(
        "{ONE}\n- {{name: other, port: {other}, protocol: HTTPS, tls: {{certificateRefs: [{{name: cert}}]}}}}"
    );
    let spec = format!(
        "tls:\n  frontend:\n    default: {{validation: {{caCertificateRefs: [{{group: '', kind: ConfigMap, name: clients}}]}}}}\n    \
         perPort: [{{port: {other}, tls: {{validation: {{caCertificateRefs: [{{group: '', kind: ConfigMap, name: others}}]}}}}}}]"
    );
    let world = Tls::start(
        &listeners,
        &spec,
        &[
            &yaml::authority("clients", &clients.pem()),
            &yaml::authority("others", &others.pem()),
        ],
    )
    .await;
    for (identity, on_default, on_other) in [
        (clients.issue(&[]), true, false),
        (others.issue(&[]), false, true),
    ] {
        let client = TlsClient::showing(&world.authority.pem(), &identity);
        assert_eq!(served(&client, world.port).await, on_default);
        assert_eq!(served(&client, other).await, on_other);
    }
}

#[tokio::test]
async fn one_port_may_be_open_and_another_closed() {
    let clients = Authority::new();
    let open = ports::free();
    let listeners = format!(
        "{ONE}\n- {{name: open, port: {open}, protocol: HTTPS, tls: {{certificateRefs: [{{name: cert}}]}}}}"
    );
    let asked = "caCertificateRefs: [{group: '', kind: ConfigMap, name: clients}]";
    let spec = format!(
        "tls:\n  frontend:\n    default: {{validation: {{{asked}}}}}\n    \
         perPort: [{{port: {open}, tls: {{validation: {{mode: AllowInsecureFallback, {asked}}}}}}}]"
    );
    let more = yaml::authority("clients", &clients.pem());
    let world = Tls::start(&listeners, &spec, &[&more]).await;
    let known = TlsClient::showing(&world.authority.pem(), &clients.issue(&[]));
    for (client, closed) in [(known, true), (world.client(), false)] {
        assert_eq!(served(&client, world.port).await, closed);
        assert!(served(&client, open).await);
    }
}

#[tokio::test]
async fn a_session_from_before_does_not_pass_a_new_validation() {
    let clients = Authority::new();
    let mut world = Tls::start(ONE, "", &[]).await;
    let identity = world.authority.issue(&NAMES);
    let anonymous = world.client();
    for _ in 0..2 {
        assert!(served(&anonymous, world.port).await);
    }
    let mut open = Raw::over(
        anonymous
            .connect(world.port, "www.example.org")
            .await
            .unwrap(),
    );
    assert_eq!(open.get("www.example.org", "/").await.status, 200);
    let spec = frontend("AllowValidOnly");
    let text = Tls::yaml(
        world.port,
        &world.backend,
        &identity,
        (ONE, &spec),
        &[&yaml::authority("clients", &clients.pem())],
    );
    world.gateway.reload(&text).await;
    assert!(
        !served(&anonymous, world.port).await,
        "no ticket opens the door"
    );
    let _ = open
        .try_send(raw::head("GET", "www.example.org", "/", &[]))
        .await;
    let answer = open.try_answer().await;
    assert!(
        answer.as_ref().map_or(true, |answer| answer.status >= 400),
        "nor a connection from before: {answer:?}"
    );
}

/// The statuses for a backend policy's variants.
async fn with_policy(
    validation: &str,
    names: &[&str],
    shows: bool,
) -> (u16, Option<daemun_testkit::Seen>) {
    let (authority, gateways) = (Authority::new(), Authority::new());
    let port = ports::free();
    let wanted = shows.then(|| gateways.pem());
    let backend = Backend::start_tls(
        "tls",
        &authority.issue(names),
        &["http/1.1"],
        wanted.as_deref(),
    )
    .await;
    let service = yaml::fill(
        &yaml::documents(&[
            "apiVersion: v1\nkind: Service\nmetadata: {name: svc}\nspec:\n  ports: [{name: web, port: 443}]",
            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: svc-1, labels: {kubernetes.io/service-name: svc}}\n\
             addressType: IPv4\nports: [{name: web, port: $port}]\nendpoints: [{addresses: [127.0.0.1], conditions: {ready: true}}]",
            "apiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: {name: policy}\nspec:\n  \
             targetRefs: [{group: '', kind: Service, name: svc}]\n  validation: {$validation}",
        ]),
        &[("port", &backend.port()), ("validation", &validation)],
    );
    let spec = "tls: {backend: {clientCertificateRef: {name: own}}}";
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_with(
            &format!("- {{name: http, port: {port}, protocol: HTTP}}"),
            spec,
        ),
        &yaml::secret("own", &gateways.issue(&["gateway"])),
        &service,
        &yaml::authority("ca", &authority.pem()),
        &yaml::authority("mismatch", &Authority::new().pem()),
        &yaml::route("one", "rules: [{backendRefs: [{name: svc, port: 443}]}]"),
    ]))
    .await;
    let status = raw::get(port, "www.example.org", "/").await.status;
    (status, backend.seen().last().cloned())
}

#[tokio::test]
async fn a_backends_identity_is_judged() {
    let names = [
        "abc.example.com",
        "spiffe://abc.example.com/test-identity",
        "*",
    ];
    let ca = "caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]";
    let mismatch = "caCertificateRefs: [{group: '', kind: ConfigMap, name: mismatch}]";
    for (validation, served) in [
        (format!("{ca}, hostname: abc.example.com"), true),
        (format!("{ca}, hostname: other.example.com"), false),
        (format!("{mismatch}, hostname: abc.example.com"), false),
        (
            "wellKnownCACertificates: System, hostname: abc.example.com".to_owned(),
            false,
        ),
        (
            format!(
                "{ca}, hostname: x.example.com, subjectAltNames: [{{type: Hostname, hostname: abc.example.com}}]"
            ),
            true,
        ),
        (
            format!(
                "{ca}, hostname: x.example.com, subjectAltNames: [{{type: URI, uri: 'spiffe://abc.example.com/test-identity'}}]"
            ),
            true,
        ),
        (
            format!(
                "{ca}, hostname: abc.example.com, subjectAltNames: [{{type: Hostname, hostname: other.example.com}}]"
            ),
            false,
        ),
    ] {
        let (status, seen) = with_policy(&validation, &names, false).await;
        if served {
            assert_eq!(status, 200, "{validation}");
            let hostname = if validation.contains("hostname: x.") {
                "x.example.com"
            } else {
                "abc.example.com"
            };
            let seen = seen.unwrap();
            assert_eq!(seen.sni.as_deref(), Some(hostname));
            assert_eq!(seen.host, "www.example.org");
        } else {
            assert!(matches!(status, 500 | 502 | 503), "{validation}: {status}");
            assert!(seen.is_none());
        }
    }
}

#[tokio::test]
async fn the_gateway_shows_its_certificate_to_backends_that_ask() {
    let validation =
        "caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}], hostname: abc.example.com";
    let (status, seen) = with_policy(validation, &["abc.example.com"], true).await;
    assert_eq!((status, seen.unwrap().client_certificates), (200, 1));
}

#[tokio::test]
async fn a_backend_policy_that_cannot_be_resolved_sends_nothing_in_the_clear() {
    let validation = "caCertificateRefs: [{group: '', kind: ConfigMap, name: missing}], hostname: abc.example.com";
    let (status, seen) = with_policy(validation, &["abc.example.com"], false).await;
    assert!((500..=503).contains(&status), "{status}");
    assert!(seen.is_none());
}

#[tokio::test]
async fn an_expired_backend_certificate_is_not_believed() {
    let authority = Authority::new();
    let port = ports::free();
    let backend = Backend::start_tls(
        "tls",
        &authority.issue_expired(&["abc.example.com"]),
        &["http/1.1"],
        None,
    )
    .await;
    let tls = "tls: {hostname: abc.example.com, caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]}";
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::authority("ca", &authority.pem()),
        &yaml::backend_with("tls", &[&backend], tls),
        &yaml::route_all("one", "tls"),
    ]))
    .await;
    let answer = raw::get(port, "example.org", "/").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer
            .header("proxy-status")
            .is_some_and(|status| status.contains("tls_certificate_error")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_is_given_up() {
    let world = Tls::start(
        ONE,
        "",
        &[&yaml::listener_policy("limits: {handshake: 300ms}")],
    )
    .await;
    for start in [&b""[..], &[22, 3, 1, 2, 0, 1], b"PROXY TCP4 "] {
        let mut client = Raw::connect(world.port).await;
        client.send(start).await;
        let ended = tokio::time::timeout(std::time::Duration::from_secs(3), client.rest()).await;
        assert!(ended.is_ok(), "{start:?}");
    }
    assert!(
        world
            .client()
            .connect(world.port, "www.example.org")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn sessions_resume_across_reloads_that_do_not_concern_them() {
    let mut world = Tls::start(ONE, "", &[]).await;
    let identity = world.authority.issue(&NAMES);
    let text = |more: &[&str], world: &Tls| {
        Tls::yaml(world.port, &world.backend, &identity, (ONE, ""), more)
    };
    let first = text(&[], &world);
    world.gateway.reload(&first).await;
    let client = world.client();
    assert!(served(&client, world.port).await);
    let second = text(&[&yaml::route_all("another", "echo")], &world);
    world.gateway.reload(&second).await;
    let stream = client.connect(world.port, "www.example.org").await.unwrap();
    assert_eq!(
        stream.get_ref().1.handshake_kind(),
        Some(rustls::HandshakeKind::Resumed)
    );
}

#[tokio::test]
async fn upgrades_pass_over_tls() {
    let world = Tls::start(ONE, "", &[]).await;
    let stream = world
        .client()
        .connect(world.port, "www.example.org")
        .await
        .unwrap();
    let mut client = Raw::over(stream);
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    assert_eq!(
        client
            .request("GET", "www.example.org", "/", &upgrade)
            .await
            .status,
        101
    );
    client.send("ping").await;
    assert_eq!(client.bytes(4).await, b"ping");
}

#[tokio::test]
async fn a_redirect_on_an_https_listener_stays_with_https() {
    let redirect = yaml::route(
        "redirect",
        "rules: [{matches: [{path: {value: /old}}], filters: [{type: RequestRedirect, requestRedirect: {hostname: new.example.org}}]}]",
    );
    let world = Tls::start(ONE, "", &[&redirect]).await;
    let stream = world
        .client()
        .connect(world.port, "www.example.org")
        .await
        .unwrap();
    let answer = Raw::over(stream).get("www.example.org", "/old/x").await;
    let location = format!("https://new.example.org:{}/old/x", world.port);
    assert_eq!(answer.header("location"), Some(location.as_str()));
}

#[tokio::test]
async fn a_client_that_goes_away_gives_up_its_request() {
    let tls = Tls::start(ONE, "", &[]).await;
    tls.backend.always(Act::Hang);
    let stream = tls.client().connect(tls.port, "www.example.org").await;
    let mut client = Raw::over(stream.unwrap());
    client
        .send(raw::head("GET", "www.example.org", "/", &[]))
        .await;
    tls.backend.until(1).await;
    drop(client);
    let waiting = async {
        while tls.backend.abandoned() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    daemun_testkit::within("the request to be given up", waiting).await;
}
