//! GRPCRoute: which calls go where, over which version of HTTP, and what clients hear where none does.

use daemun_testkit::body::Body;
use daemun_testkit::{Act, Authority, Backend, Gateway, Http2, Http2Answer, ports, raw, yaml};
use http::{Request, Version};

fn grpc_route(spec: &str) -> String {
    yaml::route("calls", spec).replace("kind: HTTPRoute", "kind: GRPCRoute")
}

async fn call(port: u16, target: &str, headers: &[(&str, &str)]) -> Http2Answer {
    let mut request = Request::post(format!("http://example.org{target}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::of("message")).expect("a request");
    let client = Http2::connect(port).await;
    client.exchange(request).await.expect("an answer")
}

fn status(answer: &Http2Answer) -> Option<&str> {
    assert_eq!(answer.status, 200);
    let trailers = answer.trailers.as_ref();
    let trailer = trailers.and_then(|trailers| trailers.get("grpc-status"));
    trailer
        .and_then(|status| status.to_str().ok())
        .or_else(|| answer.header("grpc-status"))
}

/// Two Backends that say nothing of what they speak, and routes.
async fn world(routes: &[&str]) -> (u16, Backend, Backend, Gateway) {
    let port = ports::free();
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    one.always(Act::Trailers);
    two.always(Act::Trailers);
    let own = [
        yaml::gateway(port),
        yaml::backend("one", &one),
        yaml::backend("two", &two),
    ];
    let own = own.iter().map(String::as_str);
    let objects: Vec<&str> = own.chain(routes.iter().copied()).collect();
    let gateway = Gateway::start(&yaml::documents(&objects)).await;
    (port, one, two, gateway)
}

#[tokio::test]
async fn calls_go_by_service_method_and_headers_and_others_are_unimplemented() {
    let (one, two) = (yaml::to("one"), yaml::to("two"));
    let route = grpc_route(&format!(
        "rules:\n- matches: [{{method: {{service: pkg.Echo, method: One}}}}]\n  filters: [{{type: RequestHeaderModifier, \
         requestHeaderModifier: {{set: [{{name: x-set, value: new}}], remove: [x-gone]}}}}]\n  backendRefs: [{{{one}}}]\n\
         - matches: [{{method: {{service: pkg.Echo, method: Two}}}}, {{headers: [{{name: x-to, value: two}}]}}]\n  backendRefs: [{{{two}}}]"
    ));
    let (port, one, two, _gateway) = world(&[&route]).await;
    let headers = [("x-set", "old"), ("x-gone", "1")];
    let answer = call(port, "/pkg.Echo/One", &headers).await;
    assert_eq!(
        (answer.backend(), status(&answer)),
        (Some("one"), Some("0"))
    );
    let seen = one.last();
    assert_eq!(
        (seen.version, seen.header("te")),
        (Version::HTTP_2, Some("trailers"))
    );
    assert_eq!(
        (seen.all("x-set"), seen.header("x-gone")),
        (vec!["new"], None)
    );
    for (target, headers) in [
        ("/pkg.Echo/Two", vec![]),
        ("/pkg.Other/One", vec![("x-to", "two")]),
    ] {
        let answer = call(port, target, &headers).await;
        assert_eq!(
            (answer.backend(), status(&answer)),
            (Some("two"), Some("0"))
        );
    }
    for target in ["/pkg.Echo/Three", "/pkg.Echo/one", "/pkg.Ech/One", "/"] {
        let answer = call(port, target, &[]).await;
        assert_eq!(status(&answer), Some("12"), "{target}");
        assert!(answer.header("grpc-message").is_some() && answer.body.is_empty());
    }
    assert_eq!((one.count(), two.count()), (1, 2));
}

#[tokio::test]
async fn a_backend_is_spoken_to_in_http_2_by_a_grpcroute_and_in_http_1_by_an_httproute() {
    let to = yaml::to("one");
    let calls = grpc_route(&format!(
        "rules: [{{matches: [{{method: {{service: pkg.Echo}}}}], backendRefs: [{{{to}}}]}}]"
    ));
    let pages = yaml::route("pages", &format!("rules: [{{backendRefs: [{{{to}}}]}}]"));
    let (port, one, _two, _gateway) = world(&[&calls, &pages]).await;
    let mut used = Vec::new();
    for _ in 0..2 {
        let answer = call(port, "/pkg.Echo/One", &[]).await;
        assert_eq!(answer.backend(), Some("one"));
        assert_eq!(one.last().version, Version::HTTP_2);
        used.push(one.last().connection);
        assert_eq!(raw::get(port, "example.org", "/page").await.status, 200);
        assert_eq!(one.last().version, Version::HTTP_11);
        assert!(!used.contains(&one.last().connection));
    }
}

#[tokio::test]
async fn what_cannot_be_served_is_unavailable_to_grpc_and_a_status_to_others() {
    let to = yaml::to("gone");
    let route = grpc_route(&format!("rules: [{{backendRefs: [{{{to}}}]}}]"));
    let (port, _one, _two, _gateway) = world(&[&route]).await;
    assert_eq!(status(&call(port, "/pkg.Echo/One", &[]).await), Some("14"));
    // Who does not speak gRPC would take its 200 for a success.
    assert_eq!(
        raw::get(port, "example.org", "/pkg.Echo/One").await.status,
        500
    );
}

#[tokio::test]
async fn over_tls_http_2_is_agreed_on() {
    let authority = Authority::new();
    let identity = authority.issue(&["grpc.example"]);
    let port = ports::free();
    let alpn = ["http/1.1", "h2"];
    let backend = Backend::start_tls("tls", &identity, &alpn, None).await;
    backend.always(Act::Trailers);
    let tls = "tls: {hostname: grpc.example, caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]}";
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend_with("tls", &[&backend], tls),
        &yaml::authority("ca", &authority.pem()),
        &grpc_route(&format!(
            "rules: [{{backendRefs: [{{{}}}]}}]",
            yaml::to("tls")
        )),
    ]))
    .await;
    let answer = call(port, "/pkg.Echo/One", &[]).await;
    assert_eq!(
        (answer.backend(), status(&answer)),
        (Some("tls"), Some("0"))
    );
    assert_eq!(backend.last().version, Version::HTTP_2);
}

#[tokio::test]
async fn calls_are_shared_by_weight_and_those_for_an_invalid_backend_are_unavailable() {
    let (one, two, missing) = (yaml::to("one"), yaml::to("two"), yaml::to("missing"));
    let route = grpc_route(&format!(
        "rules: [{{backendRefs: [{{{one}, weight: 3}}, {{{two}, weight: 1}}, {{{missing}, weight: 4}}]}}]"
    ));
    let (port, one, two, _gateway) = world(&[&route]).await;
    let mut unavailable = 0;
    for _ in 0..400 {
        let answer = call(port, "/pkg.Echo/One", &[]).await;
        match status(&answer) {
            Some("0") => {}
            Some("14") => unavailable += 1,
            other => panic!("{other:?}: {answer:?}"),
        }
    }
    // 150, 50 and 200 are the middle; what is beyond comes once in millions of runs.
    let counts = [one.count(), two.count(), unavailable];
    assert!((100..205).contains(&counts[0]), "{counts:?}");
    assert!((20..90).contains(&counts[1]), "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), 400);
}

#[tokio::test]
async fn a_policy_puts_tls_between_the_gateway_and_a_service_of_calls() {
    let (authority, port) = (Authority::new(), ports::free());
    let identity = authority.issue(&["calls.example"]);
    let backend = Backend::start_tls("tls", &identity, &["http/1.1", "h2"], None).await;
    backend.always(Act::Trailers);
    let objects = |hostname: &str| {
        yaml::documents(&[
            &yaml::gateway(port),
            &yaml::secured_service("svc", &backend, hostname),
            &yaml::authority("ca", &authority.pem()),
            &grpc_route("rules: [{backendRefs: [{name: svc, port: 443}]}]"),
        ])
    };
    let mut gateway = Gateway::start(&objects("calls.example")).await;
    let answer = call(port, "/pkg.Echo/One", &[]).await;
    assert_eq!(
        (answer.backend(), status(&answer)),
        (Some("tls"), Some("0"))
    );
    assert_eq!(backend.last().version, Version::HTTP_2);
    // A certificate for another name is not believed, and nothing is sent.
    gateway.reload(&objects("other.example")).await;
    assert_eq!(status(&call(port, "/pkg.Echo/One", &[]).await), Some("14"));
    assert_eq!(backend.count(), 1);
}
