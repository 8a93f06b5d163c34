//! XBackend and XBackendTrafficPolicy of the experimental channel, on the socket.

use std::collections::BTreeSet;

use daemun_testkit::{Act, Authority, Backend, Gateway, ports, raw, yaml};
use http::Version;

const X: &str = "apiVersion: gateway.networking.x-k8s.io/v1alpha1";

fn x_backend(port: u16, more: &str) -> String {
    format!(
        "{X}\nkind: XBackend\nmetadata: {{name: outside}}\nspec: {{type: ExternalHostname, externalHostname: \
         {{hostname: localhost}}, port: {{port: {port}}}{more}}}"
    )
}

fn policy(spec: &str) -> String {
    format!(
        "{X}\nkind: XBackendTrafficPolicy\nmetadata: {{name: policy}}\nspec:\n  targetRefs: \
         [{{group: gateway.daemun.dev, kind: Backend, name: echo}}]\n{}",
        yaml::indented(spec, 2)
    )
}

fn to_outside() -> String {
    yaml::route(
        "one",
        "rules: [{backendRefs: [{group: gateway.networking.x-k8s.io, kind: XBackend, name: outside}]}]",
    )
}

#[tokio::test]
async fn a_name_outside_gets_requests_in_the_version_it_asks_for() {
    for (protocol, version) in [
        ("", Version::HTTP_11),
        (", protocol: HTTP", Version::HTTP_11),
        (", protocol: H2C", Version::HTTP_2),
        (", protocol: MCP", Version::HTTP_11),
    ] {
        let port = ports::free();
        let backend = Backend::start("outside").await;
        let _gateway = Gateway::start(&yaml::documents(&[
            &yaml::gateway(port),
            &x_backend(backend.port(), protocol),
            &to_outside(),
        ]))
        .await;
        let answer = raw::get(port, "example.org", "/").await;
        assert_eq!((answer.status, answer.backend()), (200, Some("outside")));
        assert_eq!(backend.last().version, version, "{protocol}");
    }
}

#[tokio::test]
async fn tls_towards_a_name_outside_is_what_it_says_itself() {
    let authority = Authority::new();
    let client = authority.issue(&["client.example"]);
    let identity = authority.issue(&["localhost"]);
    let validation = "validation: {hostname: localhost, caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]}";
    for (mode, clients, expected) in [
        ("mode: ServerOnly", None, (200, 0)),
        (
            "mode: ClientAndServer, clientCertificateRef: {name: client}",
            Some(authority.pem()),
            (200, 1),
        ),
        ("mode: ServerOnly", Some(authority.pem()), (0, 0)),
    ] {
        let port = ports::free();
        let alpn = ["h2", "http/1.1"];
        let backend = Backend::start_tls("outside", &identity, &alpn, clients.as_deref()).await;
        let _gateway = Gateway::start(&yaml::documents(&[
            &yaml::gateway(port),
            &x_backend(backend.port(), &format!(", tls: {{{mode}, {validation}}}")),
            &yaml::authority("ca", &authority.pem()),
            &yaml::secret("client", &client),
            &to_outside(),
        ]))
        .await;
        let answer = raw::get(port, "example.org", "/").await;
        if expected.0 == 0 {
            assert!(answer.status >= 500, "{mode}: {}", answer.status);
            continue;
        }
        let seen = backend.last();
        assert_eq!(
            (answer.status, seen.client_certificates),
            expected,
            "{mode}"
        );
        assert_eq!(
            (seen.sni.as_deref(), seen.version),
            (Some("localhost"), Version::HTTP_2)
        );
    }
}

#[tokio::test]
async fn a_backend_in_trouble_gets_no_more_tries_than_its_budget_has() {
    let port = ports::free();
    let backend = Backend::start("echo").await;
    backend.always(Act::Status(500));
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("echo", &backend),
        &policy("retryConstraint: {budget: {percent: 0, interval: 1h}, minRetryRate: {count: 5, interval: 1h}}"),
        &yaml::route(
            "one",
            &format!(
                "rules: [{{retry: {{codes: [500], attempts: 2, backoff: 1ms}}, backendRefs: [{{{}}}]}}]",
                yaml::to("echo")
            ),
        ),
    ]))
    .await;
    // Two requests are tried three times, and answered as the last try was; then the fifth try is left.
    for (status, tries) in [(500, 3), (500, 6), (503, 8), (503, 9), (503, 10)] {
        let answer = raw::get(port, "example.org", "/").await;
        assert_eq!((answer.status, backend.count()), (status, tries));
    }
    let answer = raw::get_with(port, "example.org", "/", &[("accept", "application/json")]).await;
    assert!(answer.text().contains("retry_budget"), "{}", answer.text());
    // What needs no second try is not concerned.
    backend.always(Act::Echo);
    assert_eq!(raw::get(port, "example.org", "/").await.status, 200);
}

#[tokio::test]
async fn a_policys_sessions_are_each_rules_own_and_a_rule_has_the_last_word() {
    let port = ports::free();
    let mut backends = Vec::new();
    for name in ["one", "two", "three"] {
        backends.push(Backend::start(name).await);
    }
    let endpoints: Vec<&dyn yaml::Listens> = backends
        .iter()
        .map(|one| one as &dyn yaml::Listens)
        .collect();
    let rule = |path: &str, more: &str| {
        format!(
            "- matches: [{{path: {{value: {path}}}}}]\n  backendRefs: [{{{}}}]{more}",
            yaml::to("echo")
        )
    };
    let rules = [
        rule("/a", ""),
        rule("/b", ""),
        rule("/c", "\n  sessionPersistence: {sessionName: own}"),
    ];
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend_with("echo", &endpoints, ""),
        &policy("sessionPersistence: {sessionName: shop}"),
        &yaml::route("one", &format!("rules:\n{}", rules.join("\n"))),
    ]))
    .await;
    let mut names = BTreeSet::new();
    for path in ["/a", "/b", "/c"] {
        let first = raw::get(port, "example.org", path).await;
        let owner = first.backend().unwrap().to_owned();
        let set = first.header("set-cookie").expect("a session").to_owned();
        let session = set.split(';').next().unwrap().to_owned();
        for _ in 0..6 {
            let headers = [("cookie", session.as_str())];
            let again = raw::get_with(port, "example.org", path, &headers).await;
            assert_eq!(again.backend(), Some(owner.as_str()));
            assert_eq!(again.header("set-cookie"), None);
        }
        // Elsewhere it is no session.
        for other in ["/a", "/b", "/c"]
            .into_iter()
            .filter(|other| *other != path)
        {
            let headers = [("cookie", session.as_str())];
            let there = raw::get_with(port, "example.org", other, &headers).await;
            assert!(there.header("set-cookie").is_some());
        }
        names.insert(session.split('=').next().unwrap().to_owned());
    }
    assert_eq!(names.len(), 3);
    assert!(names.contains("own"), "{names:?}");
    assert!(
        names
            .iter()
            .filter(|name| name.starts_with("shop-"))
            .count()
            == 2,
        "{names:?}"
    );
}
