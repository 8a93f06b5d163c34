//! Which rule takes a request, and what is answered when none does (Gateway API: matching, precedence,
//! backends that cannot be resolved).

use daemun_testkit::{Raw, ports, raw, yaml};

use crate::{World, named_rules};

/// Sends requests and compares the rule that took each.
async fn assert_rules(world: &World, cases: &[(&str, &str)]) {
    let mut client = Raw::connect(world.port).await;
    for (target, rule) in cases {
        let answer = client.get("example.org", target).await;
        assert_eq!(
            answer.header("x-rule").unwrap_or("none"),
            *rule,
            "{target}: {answer:?}"
        );
        let status = if *rule == "none" { 404 } else { 200 };
        assert_eq!(answer.status, status, "{target}");
    }
}

#[tokio::test]
async fn exact_goes_before_expressions_before_the_longest_prefix() {
    let rules = named_rules(&[
        ("short", "{path: {type: PathPrefix, value: /a}}"),
        ("long", "{path: {type: PathPrefix, value: /a/b/}}"),
        (
            "expression",
            "{path: {type: RegularExpression, value: '/a/b/[a-z]+'}}",
        ),
        (
            "longer-expression",
            "{path: {type: RegularExpression, value: '/a/b/[a-z]+[0-9]?'}}",
        ),
        ("exact", "{path: {type: Exact, value: /a/b/c}}"),
    ]);
    let world = World::new(&[&yaml::route("one", &rules)]).await;
    assert_rules(
        &world,
        &[
            ("/a/b/c", "exact"),
            ("/a/b/c?x=1", "exact"),
            ("/a/b/c/", "long"),
            ("/a/b/dd", "longer-expression"),
            ("/a/b/d1", "longer-expression"),
            ("/a/b/D", "long"),
            ("/a/b", "long"),
            ("/a/b/", "long"),
            ("/a/bb", "short"),
            ("/a", "short"),
            ("/a/", "short"),
            ("/ab", "none"),
            ("/A", "none"),
            ("/", "none"),
        ],
    )
    .await;
}

#[tokio::test]
async fn method_then_headers_then_query_break_ties() {
    let rules = named_rules(&[
        ("plain", "{path: {value: /x}}"),
        (
            "one-query",
            "{path: {value: /x}, queryParams: [{name: q, value: '1'}]}",
        ),
        (
            "two-queries",
            "{path: {value: /x}, queryParams: [{name: q, value: '1'}, {name: r, value: '2'}]}",
        ),
        (
            "one-header",
            "{path: {value: /x}, headers: [{name: X-A, value: '1'}]}",
        ),
        (
            "two-headers",
            "{path: {value: /x}, headers: [{name: x-a, value: '1'}, {name: x-b, type: RegularExpression, value: '[0-9]+'}]}",
        ),
        ("method", "{path: {value: /x}, method: PUT}"),
    ]);
    let world = World::new(&[&yaml::route("one", &rules)]).await;
    let mut client = Raw::connect(world.port).await;
    for (method, target, headers, rule) in [
        ("GET", "/x", &[][..], "plain"),
        ("GET", "/x?q=1", &[], "one-query"),
        ("GET", "/x?Q=1", &[], "plain"),
        ("GET", "/x?q=2", &[], "plain"),
        ("GET", "/x?r=2&q=1", &[], "two-queries"),
        ("GET", "/x?r=2&q=1", &[("x-a", "1")], "one-header"),
        ("GET", "/x", &[("X-a", "1"), ("X-B", "12")], "two-headers"),
        ("GET", "/x", &[("X-a", "1"), ("X-B", "12b")], "one-header"),
        ("PUT", "/x", &[("X-a", "1"), ("X-B", "12")], "method"),
    ] {
        let answer = client.request(method, "example.org", target, headers).await;
        assert_eq!(
            answer.header("x-rule"),
            Some(rule),
            "{method} {target} {headers:?}"
        );
    }
}

#[tokio::test]
async fn of_equal_matches_the_older_route_wins_then_the_first_by_name_then_the_first_rule() {
    let dated = |name: &str, date: &str| {
        let text = yaml::route(name, &named_rules(&[(name, "{path: {value: /d}}")]));
        text.replace(
            "metadata: {name",
            &format!("metadata: {{creationTimestamp: '{date}', name"),
        )
    };
    let two_rules = named_rules(&[
        ("first", "{path: {value: /r}}"),
        ("second", "{path: {value: /r}}"),
    ]);
    let world = World::new(&[
        &dated("a-young", "2026-02-02T00:00:00Z"),
        &dated("b-old", "2026-01-01T00:00:00Z"),
        &dated("c-old", "2026-01-01T00:00:00Z"),
        &yaml::route("rules", &two_rules),
    ])
    .await;
    assert_rules(&world, &[("/d", "b-old"), ("/r", "first")]).await;
}

#[tokio::test]
async fn the_most_specific_hostname_is_tried_first_and_then_the_next() {
    let on = |name: &str, hostname: &str, path: &str| {
        let rules = named_rules(&[(name, &format!("{{path: {{value: {path}}}}}"))]);
        yaml::route(name, &format!("hostnames: ['{hostname}']\n{rules}"))
    };
    let world = World::new(&[
        &on("exact", "www.example.org", "/exact"),
        &on("wildcard", "*.example.org", "/"),
        &on("longer-wildcard", "*.a.example.org", "/"),
        &yaml::route("any", &named_rules(&[("any", "{path: {value: /any}}")])),
    ])
    .await;
    for (host, target, rule) in [
        ("www.example.org", "/exact", "exact"),
        ("WWW.Example.Org", "/exact", "exact"),
        ("www.example.org:8443", "/exact", "exact"),
        ("www.example.org", "/any", "wildcard"),
        ("x.a.example.org", "/any", "longer-wildcard"),
        ("x.y.a.example.org", "/", "longer-wildcard"),
        ("a.example.org", "/", "wildcard"),
        ("example.org", "/any", "any"),
        ("example.org", "/exact", "none"),
        ("10.0.0.1", "/any", "any"),
        ("[::1]:80", "/any", "any"),
    ] {
        let answer = raw::get(world.port, host, target).await;
        assert_eq!(
            answer.header("x-rule").unwrap_or("none"),
            rule,
            "{host} {target}"
        );
    }
}

#[tokio::test]
async fn host_is_passed_on_as_it_came() {
    let world = World::plain(&[]).await;
    for host in ["Example.ORG:8080", "example.org", "[::1]:99"] {
        assert_eq!(raw::get(world.port, host, "/").await.status, 200);
        assert_eq!(world.backend.last().host, host);
    }
}

#[tokio::test]
async fn a_more_specific_listener_hides_the_others_from_its_hostname() {
    let port = ports::free();
    let listeners = format!(
        "- {{name: any, port: {port}, protocol: HTTP}}\n\
         - {{name: wildcard, port: {port}, protocol: HTTP, hostname: '*.example.org'}}\n\
         - {{name: exact, port: {port}, protocol: HTTP, hostname: www.example.org}}"
    );
    let to = |name: &str, section: &str| {
        let parent = format!("{{name: gw, sectionName: {section}}}");
        let path = format!("{{path: {{value: /{name}}}}}");
        yaml::route_to(name, &parent, &named_rules(&[(name, &path)]))
    };
    let backend = daemun_testkit::Backend::start("echo").await;
    let _gateway = daemun_testkit::Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&listeners),
        &yaml::backend("echo", &backend),
        &to("any", "any"),
        &to("wildcard", "wildcard"),
        &to("exact", "exact"),
    ]))
    .await;
    for (host, target, status) in [
        ("www.example.org", "/exact", 200),
        ("www.example.org", "/wildcard", 404),
        ("www.example.org", "/any", 404),
        ("shop.example.org", "/wildcard", 200),
        ("shop.example.org", "/any", 404),
        ("example.org", "/any", 200),
        ("example.org", "/exact", 404),
    ] {
        assert_eq!(
            raw::get(port, host, target).await.status,
            status,
            "{host} {target}"
        );
    }
}

#[tokio::test]
async fn without_a_match_or_a_usable_backend_the_answer_says_so() {
    let backend = yaml::to("echo");
    let missing = yaml::to("missing");
    let empty = yaml::to("empty");
    let route = yaml::route(
        "one",
        &format!(
            "hostnames: [example.org]\nrules:\n\
             - {{matches: [{{path: {{value: /missing}}}}], backendRefs: [{{{missing}}}]}}\n\
             - {{matches: [{{path: {{value: /none}}}}]}}\n\
             - {{matches: [{{path: {{value: /empty}}}}], backendRefs: [{{{empty}}}]}}\n\
             - {{matches: [{{path: {{value: /zero}}}}], backendRefs: [{{{backend}, weight: 0}}]}}\n\
             - {{matches: [{{path: {{value: /kind}}}}], backendRefs: [{{group: other.example, kind: Thing, name: x, port: 1}}]}}\n\
             - {{matches: [{{path: {{value: /ok}}}}], backendRefs: [{{{backend}}}]}}"
        ),
    );
    let world = World::new(&[
        &route,
        &yaml::backend_with("empty", &[], "").replace("endpoints:\n", "endpoints: []\n"),
    ])
    .await;
    for (host, target, status) in [
        ("example.org", "/ok", 200),
        ("example.org", "/other", 404),
        ("other.example.org", "/ok", 404),
        ("example.org", "/missing", 500),
        ("example.org", "/none", 500),
        ("example.org", "/empty", 503),
        ("example.org", "/zero", 500),
        ("example.org", "/kind", 500),
    ] {
        let answer = raw::get(world.port, host, target).await;
        assert_eq!(answer.status, status, "{host}{target}");
        let own = answer.backend().is_none();
        assert_eq!(own, status != 200, "{host}{target}");
        assert_eq!(
            answer.header("proxy-status").is_some(),
            own,
            "{host}{target}: {answer:?}"
        );
        assert!(
            answer.header("connection").is_none(),
            "the connection goes on: {answer:?}"
        );
    }
    assert_eq!(world.backend.count(), 1);
}

#[tokio::test]
async fn weights_share_requests_and_an_invalid_backend_has_its_share_of_500() {
    let (echo, missing) = (yaml::to("echo"), yaml::to("missing"));
    let route = yaml::route(
        "one",
        &format!("rules: [{{backendRefs: [{{{echo}, weight: 3}}, {{{missing}, weight: 1}}]}}]"),
    );
    let world = World::new(&[&route]).await;
    let mut client = Raw::connect(world.port).await;
    let mut failed = 0;
    for _ in 0..200 {
        let answer = client.get("example.org", "/").await;
        assert!(matches!(answer.status, 200 | 500), "{answer:?}");
        failed += usize::from(answer.status == 500);
    }
    assert!(
        (25..=75).contains(&failed),
        "about 50 of 200 should fail, and {failed} did"
    );
}

#[tokio::test]
async fn the_backend_gets_the_path_that_was_matched() {
    let world = World::new(&[&yaml::route(
        "one",
        &named_rules(&[
            ("admin", "{path: {value: /admin}}"),
            ("all", "{path: {value: /}}"),
        ]),
    )])
    .await;
    let mut client = Raw::connect(world.port).await;
    for (sent, seen, rule) in [
        ("/admin", "/admin", "admin"),
        ("/x/../admin/y", "/admin/y", "admin"),
        ("/%61dmin", "/admin", "admin"),
        ("/x/%2e%2E/admin?a=%2e%2e/b", "/admin?a=%2e%2e/b", "admin"),
        ("/./admin", "/admin", "admin"),
        ("/admin%2Fx", "/admin%2Fx", "all"),
        ("//admin", "//admin", "all"),
        ("/caf%c3%a9", "/caf%C3%A9", "all"),
        ("/%252e", "/%252e", "all"),
        ("/?", "/?", "all"),
    ] {
        let answer = client.get("example.org", sent).await;
        assert_eq!(answer.header("x-rule"), Some(rule), "{sent}");
        assert_eq!(world.backend.last().target, seen, "{sent}");
    }
    let count = world.backend.count();
    for sent in ["/../admin", "/a%00", "/a%zz", "/a\\b"] {
        assert_eq!(
            raw::get(world.port, "example.org", sent).await.status,
            400,
            "{sent}"
        );
    }
    assert_eq!(world.backend.count(), count);
}

#[tokio::test]
async fn a_service_is_reached_through_its_slices() {
    let port = ports::free();
    let (ready, draining) = (
        daemun_testkit::Backend::start("ready").await,
        daemun_testkit::Backend::start("draining").await,
    );
    let objects = |ready_is: bool| {
        yaml::fill(
            &yaml::documents(&[
                &yaml::gateway(port),
                "apiVersion: v1\nkind: Service\nmetadata: {name: svc}\nspec:\n  ports: [{name: web, port: 80, targetPort: 1}]",
                "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: svc-1, labels: {kubernetes.io/service-name: svc}}\n\
                 addressType: IPv4\nports: [{name: web, port: $one}]\nendpoints:\n\
                 - {addresses: [127.0.0.1], conditions: {ready: $is, serving: $is, terminating: false}}",
                "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: svc-2, labels: {kubernetes.io/service-name: svc}}\n\
                 addressType: IPv4\nports: [{name: web, port: $two}]\nendpoints:\n\
                 - {addresses: [127.0.0.1], conditions: {ready: false, serving: true, terminating: true}}",
                &yaml::route("one", "rules: [{backendRefs: [{name: svc, port: 80}]}]"),
            ]),
            &[
                ("one", &ready.port()),
                ("two", &draining.port()),
                ("is", &ready_is),
            ],
        )
    };
    let mut gateway = daemun_testkit::Gateway::start(&objects(true)).await;
    for _ in 0..8 {
        assert_eq!(
            raw::get(port, "example.org", "/").await.backend(),
            Some("ready")
        );
    }
    // Who is on the way out gets new requests only if nobody else is there.
    gateway.reload(&objects(false)).await;
    for _ in 0..4 {
        assert_eq!(
            raw::get(port, "example.org", "/").await.backend(),
            Some("draining")
        );
    }
}
