//! Filters as clients and backends see them (Gateway API: header modifiers, redirect, rewrite, mirror,
//! CORS).

use std::time::Duration;

use daemun_testkit::{Act, Answer, Backend, Gateway, Raw, Tap, ports, raw, yaml};

use crate::World;

fn ruled(filters: &str) -> String {
    let to = yaml::to("echo");
    yaml::route(
        "one",
        &format!("rules:\n- filters:\n{filters}\n  backendRefs: [{{{to}}}]"),
    )
}

#[tokio::test]
async fn request_headers_are_set_added_and_removed() {
    let world = World::new(&[&ruled(
        "  - type: RequestHeaderModifier\n    requestHeaderModifier: {set: [{name: X-Set, value: new}], \
         add: [{name: X-Add, value: more}], remove: [x-remove]}",
    )])
    .await;
    let headers = [
        ("x-set", "old"),
        ("X-Set", "older"),
        ("x-add", "one"),
        ("X-Remove", "1"),
        ("x-keep", "1"),
    ];
    raw::get_with(world.port, "example.org", "/", &headers).await;
    let seen = world.backend.last();
    assert_eq!(seen.all("x-set"), ["new"]);
    assert_eq!(seen.all("x-add").join(","), "one,more");
    assert_eq!(
        (seen.header("x-remove"), seen.header("x-keep")),
        (None, Some("1"))
    );
}

#[tokio::test]
async fn response_headers_are_set_added_and_removed() {
    let world = World::new(&[&ruled(
        "  - type: ResponseHeaderModifier\n    responseHeaderModifier: {set: [{name: X-Set, value: new}], \
         add: [{name: X-Add, value: more}], remove: [X-Remove]}",
    )])
    .await;
    world.backend.always(Act::Headers(
        201,
        vec![
            ("x-set", "old"),
            ("x-set", "older"),
            ("x-add", "one"),
            ("x-remove", "1"),
            ("x-keep", "1"),
        ],
    ));
    let answer = raw::get(world.port, "example.org", "/").await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.headers("x-set").collect::<Vec<_>>(), ["new"]);
    assert_eq!(
        answer.headers("x-add").collect::<Vec<_>>().join(","),
        "one,more"
    );
    assert_eq!(
        (answer.header("x-remove"), answer.header("x-keep")),
        (None, Some("1"))
    );
}

#[tokio::test]
async fn filters_of_a_backend_are_for_its_share_only() {
    let port = ports::free();
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let of = |name: &str| {
        format!(
            "  - group: gateway.daemun.dev\n    kind: Backend\n    name: {name}\n    filters:\n    \
             - {{type: RequestHeaderModifier, requestHeaderModifier: {{set: [{{name: x-share, value: {name}}}]}}}}\n    \
             - {{type: ResponseHeaderModifier, responseHeaderModifier: {{set: [{{name: x-share, value: {name}}}]}}}}"
        )
    };
    let rules = format!("rules:\n- backendRefs:\n{}\n{}", of("one"), of("two"));
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("one", &one),
        &yaml::backend("two", &two),
        &yaml::route("one", &rules),
    ]))
    .await;
    let mut client = Raw::connect(port).await;
    for _ in 0..24 {
        let answer = client.get("example.org", "/").await;
        assert_eq!(answer.backend(), answer.header("x-share"));
    }
    for (backend, name) in [(&one, "one"), (&two, "two")] {
        assert!(backend.count() > 0);
        assert!(
            backend
                .seen()
                .iter()
                .all(|seen| seen.header("x-share") == Some(name))
        );
    }
}

async fn redirected(world: &mut World, filter: &str, target: &str) -> Answer {
    let rules = format!(
        "rules:\n- matches: [{{path: {{type: PathPrefix, value: /old}}}}]\n  filters: [{{type: RequestRedirect, requestRedirect: {filter}}}]"
    );
    world.reload(&[&yaml::route("one", &rules)]).await;
    raw::get(world.port, "example.org", target).await
}

/// Filter, target, and what is answered; `$port` is the gateway's own.
const REDIRECTS: [(&str, &str, u16, &str); 16] = [
    (
        "{hostname: new.example.org}",
        "/old/x?q=1",
        302,
        "http://new.example.org:$port/old/x?q=1",
    ),
    (
        "{statusCode: 301}",
        "/old",
        301,
        "http://example.org:$port/old",
    ),
    (
        "{statusCode: 303}",
        "/old",
        303,
        "http://example.org:$port/old",
    ),
    (
        "{statusCode: 307}",
        "/old",
        307,
        "http://example.org:$port/old",
    ),
    (
        "{statusCode: 308}",
        "/old",
        308,
        "http://example.org:$port/old",
    ),
    ("{scheme: https}", "/old", 302, "https://example.org/old"),
    ("{scheme: http}", "/old", 302, "http://example.org/old"),
    ("{port: 80}", "/old", 302, "http://example.org/old"),
    ("{port: 443}", "/old", 302, "http://example.org:443/old"),
    (
        "{scheme: https, port: 443}",
        "/old",
        302,
        "https://example.org/old",
    ),
    (
        "{scheme: https, port: 8443}",
        "/old",
        302,
        "https://example.org:8443/old",
    ),
    (
        "{port: 80, path: {type: ReplaceFullPath, replaceFullPath: /new}}",
        "/old/x?q=1",
        302,
        "http://example.org/new?q=1",
    ),
    (
        "{port: 80, path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}",
        "/old/x?q=1",
        302,
        "http://example.org/new/x?q=1",
    ),
    (
        "{port: 80, path: {type: ReplacePrefixMatch, replacePrefixMatch: /new/}}",
        "/old/x",
        302,
        "http://example.org/new/x",
    ),
    (
        "{port: 80, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}",
        "/old/x",
        302,
        "http://example.org/x",
    ),
    (
        "{port: 80, path: {type: ReplacePrefixMatch, replacePrefixMatch: ''}}",
        "/old",
        302,
        "http://example.org/",
    ),
];

#[tokio::test]
async fn redirects_change_what_they_name_and_keep_the_rest() {
    let mut world = World::plain(&[]).await;
    for (filter, target, status, location) in REDIRECTS {
        let location = location.replace("$port", &world.port.to_string());
        let answer = redirected(&mut world, filter, target).await;
        assert_eq!(answer.status, status, "{filter}");
        assert_eq!(
            answer.header("location"),
            Some(location.as_str()),
            "{filter} {target}"
        );
    }
    assert_eq!(world.backend.count(), 0);
}

#[tokio::test]
async fn rewrites_reach_the_backend_and_nobody_else() {
    let mut world = World::plain(&[]).await;
    for (prefix, filter, target, seen) in [
        (
            "/foo",
            "path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz}",
            "/foo/bar?q=1",
            "/xyz/bar?q=1",
        ),
        (
            "/foo",
            "path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz/}",
            "/foo/bar",
            "/xyz/bar",
        ),
        (
            "/foo/",
            "path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz}",
            "/foo/bar",
            "/xyz/bar",
        ),
        (
            "/foo",
            "path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz}",
            "/foo",
            "/xyz",
        ),
        (
            "/foo",
            "path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz}",
            "/foo/",
            "/xyz/",
        ),
        (
            "/foo",
            "path: {type: ReplacePrefixMatch, replacePrefixMatch: /}",
            "/foo/bar",
            "/bar",
        ),
        (
            "/foo",
            "path: {type: ReplacePrefixMatch, replacePrefixMatch: ''}",
            "/foo/bar",
            "/bar",
        ),
        (
            "/foo",
            "path: {type: ReplacePrefixMatch, replacePrefixMatch: ''}",
            "/foo",
            "/",
        ),
        (
            "/foo",
            "path: {type: ReplacePrefixMatch, replacePrefixMatch: /}",
            "/foo/",
            "/",
        ),
        (
            "/foo",
            "path: {type: ReplaceFullPath, replaceFullPath: /one/two}",
            "/foo/bar?q=1",
            "/one/two?q=1",
        ),
    ] {
        let to = yaml::to("echo");
        let rules = format!(
            "rules:\n- matches: [{{path: {{type: PathPrefix, value: {prefix}}}}}]\n  \
             filters: [{{type: URLRewrite, urlRewrite: {{hostname: in.example.org, {filter}}}}}]\n  backendRefs: [{{{to}}}]"
        );
        world.reload(&[&yaml::route("one", &rules)]).await;
        assert_eq!(
            raw::get(world.port, "example.org", target).await.status,
            200
        );
        let last = world.backend.last();
        assert_eq!(
            (last.target.as_str(), last.host.as_str()),
            (seen, "in.example.org"),
            "{filter} {target}"
        );
    }
}

#[tokio::test]
async fn mirrors_get_the_same_request_and_change_nothing() {
    let port = ports::free();
    let names = ["echo", "always", "never", "half"];
    let mut backends = Vec::new();
    for name in names {
        backends.push(Backend::start(name).await);
    }
    // This one never answers, and nobody waits for it.
    backends[1].always(Act::Hang);
    let mirror = |name: &str, share: &str| {
        let to = yaml::to(name);
        format!("  - {{type: RequestMirror, requestMirror: {{backendRef: {{{to}}}{share}}}}}\n")
    };
    let filters = [
        "  - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-set, value: '1'}]}}\n".to_owned(),
        mirror("always", ""),
        mirror("never", ", percent: 0"),
        mirror("half", ", fraction: {numerator: 1, denominator: 2}"),
    ];
    let mut objects: Vec<_> = names
        .iter()
        .zip(&backends)
        .map(|(name, backend)| yaml::backend(name, backend))
        .collect();
    objects.extend([yaml::gateway(port), ruled(filters.concat().trim_end())]);
    let objects: Vec<_> = objects.iter().map(String::as_str).collect();
    let _gateway = Gateway::start(&yaml::documents(&objects)).await;
    let mut client = Raw::connect(port).await;
    for _ in 0..40 {
        client
            .send("POST /a/b?c=d HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nhello")
            .await;
        let answer = client.answer().await;
        assert_eq!(
            (answer.status, answer.backend(), answer.text().as_str()),
            (200, Some("echo"), "hello")
        );
    }
    backends[1].until(40).await;
    let copy = backends[1].last();
    assert_eq!(
        (
            copy.method.as_str(),
            copy.target.as_str(),
            copy.header("x-set")
        ),
        ("POST", "/a/b?c=d", Some("1"))
    );
    assert_eq!(backends[2].count(), 0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let half = backends[3].seen();
    assert!((8..=32).contains(&half.len()), "{}", half.len());
    assert!(half.iter().all(|seen| seen.body == "hello"));
    assert_eq!(backends[0].count(), 40);
}

#[tokio::test]
async fn a_mirror_that_is_down_or_a_body_too_large_for_it_is_nobodys_trouble() {
    let closed = ports::free();
    let to = yaml::to("down");
    let world = World::new(&[
        &yaml::backend("down", &closed),
        &ruled(&format!(
            "  - {{type: RequestMirror, requestMirror: {{backendRef: {{{to}}}}}}}"
        )),
    ])
    .await;
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
    let mirror = Backend::start("mirror").await;
    let to = yaml::to("mirror");
    let mut world = world;
    world
        .reload(&[
            &yaml::backend("mirror", &mirror),
            &ruled(&format!(
                "  - {{type: RequestMirror, requestMirror: {{backendRef: {{{to}}}}}}}"
            )),
        ])
        .await;
    let body = "x".repeat(1 << 20);
    let mut client = Raw::connect(world.port).await;
    client
        .send(format!(
            "POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.body.len()), (200, body.len()));
    // The copy is given up rather than sent in part.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(mirror.seen().iter().all(|seen| seen.body.is_empty()));
}

const CORS: &str = "  - type: CORS\n    cors: {allowOrigins: ['https://shop.example.org', 'https://*.example.com'], \
     allowMethods: [GET, PUT], allowHeaders: [x-one, X-Two], exposeHeaders: [x-three], maxAge: 60, allowCredentials: true}";

async fn preflight(port: u16, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "x-one"),
    ];
    Raw::connect(port)
        .await
        .request("OPTIONS", "example.org", "/", &headers)
        .await
}

#[tokio::test]
async fn preflights_are_answered_by_the_gateway() {
    let world = World::new(&[&ruled(CORS)]).await;
    for origin in [
        "https://shop.example.org",
        "https://a.example.com",
        "https://a.b.example.com",
    ] {
        let answer = preflight(world.port, origin).await;
        assert!(matches!(answer.status, 200 | 204), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
        assert_eq!(answer.header("access-control-max-age"), Some("60"));
        let methods = answer.header("access-control-allow-methods").unwrap();
        assert!(
            methods.contains("GET") && methods.contains("PUT"),
            "{methods}"
        );
        let headers = answer
            .header("access-control-allow-headers")
            .unwrap()
            .to_ascii_lowercase();
        assert!(
            headers.contains("x-one") && headers.contains("x-two"),
            "{headers}"
        );
    }
    for origin in [
        "https://example.com",
        "http://shop.example.org",
        "https://shop.example.org:8443",
        "https://evil.org",
        "null",
    ] {
        let answer = preflight(world.port, origin).await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{origin}"
        );
    }
    assert_eq!(world.backend.count(), 0, "no preflight reaches a backend");
}

#[tokio::test]
async fn actual_requests_reach_the_backend_and_get_the_headers() {
    let world = World::new(&[&ruled(CORS)]).await;
    let origin = ("origin", "https://shop.example.org");
    let actual = [origin, ("access-control-request-method", "PUT")];
    let answer = raw::get_with(world.port, "example.org", "/", &actual).await;
    assert_eq!((answer.status, answer.backend()), (200, Some("echo")));
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://shop.example.org")
    );
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(
        answer.header("access-control-expose-headers"),
        Some("x-three")
    );
    let stranger = [("origin", "https://evil.org")];
    let answer = raw::get_with(world.port, "example.org", "/", &stranger).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, None)
    );
    // OPTIONS without the question is an ordinary request.
    let answer = Raw::connect(world.port)
        .await
        .request("OPTIONS", "example.org", "/", &[origin])
        .await;
    assert_eq!(answer.backend(), Some("echo"));
}

#[tokio::test]
async fn a_redirect_has_what_response_filters_add() {
    let modifier = "  - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-set, value: '1'}]}}\n";
    let redirect = "  - {type: RequestRedirect, requestRedirect: {scheme: https}}";
    let rules = format!("rules:\n- filters:\n{CORS}\n{modifier}{redirect}");
    let world = World::new(&[&yaml::route("one", &rules)]).await;
    let answer = raw::get_with(
        world.port,
        "example.org",
        "/",
        &[("origin", "https://shop.example.org")],
    )
    .await;
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("x-set"), Some("1"));
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://shop.example.org"),
        "or no script could follow it"
    );
}

#[tokio::test]
async fn all_origins_are_all_and_credentials_are_never_given_to_a_star() {
    let world = World::new(&[&ruled(
        "  - {type: CORS, cors: {allowOrigins: ['*'], allowMethods: ['*'], allowHeaders: ['*']}}",
    )])
    .await;
    let answer = preflight(world.port, "https://any.example.net:8443").await;
    let allowed = answer.header("access-control-allow-origin").unwrap();
    assert!(
        ["*", "https://any.example.net:8443"].contains(&allowed),
        "{allowed}"
    );
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!(answer.header("access-control-max-age"), Some("5"));
    let mut world = world;
    world
        .reload(&[&ruled("  - {type: CORS, cors: {allowOrigins: ['*'], allowMethods: ['*'], allowHeaders: ['*'], allowCredentials: true}}")])
        .await;
    let answer = preflight(world.port, "https://any.example.net:8443").await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://any.example.net:8443")
    );
    assert_eq!(answer.header("access-control-allow-methods"), Some("PUT"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("x-one"));
}

#[tokio::test]
async fn a_filter_that_cannot_be_resolved_is_never_skipped() {
    let world = World::new(&[&ruled(
        "  - {type: ExtensionRef, extensionRef: {group: other.example, kind: Thing, name: x}}",
    )])
    .await;
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 500);
    assert_eq!(world.backend.count(), 0);
}

#[tokio::test]
async fn a_mirrored_request_has_its_own_framing() {
    let tap = Tap::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let to = yaml::to("tap");
    let world = World::new(&[
        &yaml::backend("tap", &tap),
        &ruled(&format!(
            "  - {{type: RequestMirror, requestMirror: {{backendRef: {{{to}}}}}}}"
        )),
    ])
    .await;
    let mut client = Raw::connect(world.port).await;
    client.send("POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "abcde");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let heard = tap.all();
    let lengths = heard.matches("content-length: 5").count();
    let chunked = heard.matches("transfer-encoding: chunked").count();
    assert_eq!(lengths + chunked, 1, "{heard}");
    assert!(
        heard.contains("abcde") || heard.contains("abc\r\n"),
        "{heard}"
    );
}

#[tokio::test]
async fn every_filter_can_be_a_backends_own() {
    let copies = Backend::start("copies").await;
    let filters = [
        ("rewrite", "type: URLRewrite, urlRewrite: {hostname: new.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}".to_owned()),
        ("full", "type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /one}}".to_owned()),
        ("redirect", "type: RequestRedirect, requestRedirect: {hostname: new.example, port: 81, path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}".to_owned()),
        ("mirror", format!("type: RequestMirror, requestMirror: {{backendRef: {{{}}}}}", yaml::to("copies"))),
        ("cors", "type: CORS, cors: {allowOrigins: [\"https://a.example\"]}".to_owned()),
    ];
    let rules: Vec<String> = filters
        .iter()
        .map(|(path, filter)| {
            format!(
                "- matches: [{{path: {{value: /{path}}}}}]\n  backendRefs:\n  - {{{to}, weight: 0}}\n  - {{{to}, filters: [{{{filter}}}]}}",
                to = yaml::to("echo")
            )
        })
        .collect();
    let route = yaml::route("one", &format!("rules:\n{}", rules.join("\n")));
    let world = World::new(&[&yaml::backend("copies", &copies), &route]).await;
    let get = |target: &'static str| raw::get(world.port, "example.org", target);
    assert_eq!(get("/rewrite/x?q").await.status, 200);
    let seen = world.backend.last();
    assert_eq!(
        (seen.host.as_str(), seen.target.as_str()),
        ("new.example", "/new/x?q")
    );
    assert_eq!(get("/full/x?q").await.status, 200);
    assert_eq!(world.backend.last().target, "/one?q");
    let answer = get("/redirect/x").await;
    let location = answer.header("location");
    assert_eq!(
        (answer.status, location),
        (302, Some("http://new.example:81/new/x"))
    );
    assert_eq!(get("/mirror").await.status, 200);
    copies.until(1).await;
    let origin = [("origin", "https://a.example")];
    let answer = raw::get_with(world.port, "example.org", "/cors", &origin).await;
    let allowed = answer.header("access-control-allow-origin");
    assert_eq!((answer.status, allowed), (200, Some("https://a.example")));
    assert_eq!((world.backend.count(), copies.count()), (4, 1));
}
