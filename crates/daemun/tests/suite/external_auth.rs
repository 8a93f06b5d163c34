//! ExternalAuth as clients, backends and the service that decides see it: over HTTP and over gRPC, with bodies, and
//! closed where there is no clear yes.

use std::time::Duration;

use bytes::Bytes;
use daemun_testkit::body::Body;
use daemun_testkit::{Act, Backend, Gateway, Http2, Raw, ports, raw, yaml};
use http::{Method, Request, Version};

struct Guarded {
    port: u16,
    auth: Backend,
    echo: Backend,
    _gateway: Gateway,
}

impl Guarded {
    /// Everything goes to `echo`, and `auth` decides; `filter` is the rest of the filter.
    async fn start(filter: &str) -> Self {
        let (auth, echo) = (Backend::start("auth").await, Backend::start("echo").await);
        let rule = format!(
            "rules:\n- filters: [{}]\n  backendRefs: [{{{}}}]",
            external(filter),
            yaml::to("echo")
        );
        Self::with(auth, echo, &yaml::route("one", &rule)).await
    }

    async fn with(auth: Backend, echo: Backend, route: &str) -> Self {
        let port = ports::free();
        let gateway = Gateway::start(&yaml::documents(&[
            &yaml::gateway(port),
            &yaml::backend("auth", &auth),
            &yaml::backend("echo", &echo),
            route,
        ]))
        .await;
        Self {
            port,
            auth,
            echo,
            _gateway: gateway,
        }
    }
}

fn external(more: &str) -> String {
    format!(
        "{{type: ExternalAuth, externalAuth: {{backendRef: {{{}}}, {more}}}}}",
        yaml::to("auth")
    )
}

const HTTP: &str = "protocol: HTTP, http: {path: /check, allowedHeaders: [X-Token], allowedResponseHeaders: [X-User]}";

#[tokio::test]
async fn a_200_lets_a_request_pass_with_what_the_service_says_of_it() {
    let world = Guarded::start(HTTP).await;
    world.auth.always(Act::Body(
        vec![("x-user", "ann"), ("x-inner", "secret")],
        Bytes::from_static(b"yes"),
    ));
    let headers = [
        ("authorization", "Bearer 1"),
        ("x-token", "2"),
        ("cookie", "a=b"),
        ("x-user", "root"),
    ];
    let mut client = Raw::connect(world.port).await;
    for _ in 0..3 {
        let answer = client
            .request("PUT", "example.org", "/a?b=c", &headers)
            .await;
        assert_eq!((answer.status, answer.backend()), (200, Some("echo")));
        assert_eq!(answer.header("x-user"), None);
    }
    let asked = world.auth.last();
    assert_eq!(
        (&asked.method, asked.target.as_str()),
        (&Method::PUT, "/check/a?b=c")
    );
    assert_eq!(asked.host, "example.org");
    assert_eq!(asked.header("authorization"), Some("Bearer 1"));
    assert_eq!(asked.header("x-token"), Some("2"));
    assert_eq!(asked.header("content-length"), Some("0"));
    client.request("GET", "example.org", "/", &headers).await;
    assert_eq!(world.auth.last().header("content-length"), Some("0"));
    assert_eq!(world.echo.last().header("content-length"), None);
    assert_eq!(
        (asked.header("cookie"), asked.header("x-forwarded-for")),
        (None, None)
    );
    let seen = world.echo.last();
    assert_eq!(seen.all("x-user"), ["ann"]);
    assert_eq!(
        (seen.header("x-inner"), seen.header("cookie")),
        (None, Some("a=b"))
    );
    // The service's connection is used again.
    assert_eq!(world.auth.connections(), 1);
}

#[tokio::test]
async fn any_other_status_is_what_the_client_hears() {
    let world = Guarded::start(HTTP).await;
    for status in [201, 204, 302, 401, 403, 500] {
        world.auth.always(Act::Headers(
            status,
            vec![("location", "/login"), ("www-authenticate", "Basic")],
        ));
        let answer = raw::get(world.port, "example.org", "/").await;
        assert_eq!((answer.status, answer.backend()), (status, Some("auth")));
        assert_eq!(answer.header("location"), Some("/login"));
    }
    assert_eq!(world.echo.count(), 0);
}

#[tokio::test]
async fn nothing_passes_while_nobody_decides() {
    let world = Guarded::start(HTTP).await;
    world.auth.always(Act::Break);
    let answer = raw::get(world.port, "example.org", "/").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer.text().contains("nothing passes without it"),
        "{}",
        answer.text()
    );
    assert!(
        answer
            .header("proxy-status")
            .unwrap()
            .contains("destination_unavailable")
    );
    drop(world.auth);
    let answer = raw::get(world.port, "example.org", "/").await;
    assert_eq!((answer.status, world.echo.count()), (503, 0));
}

#[tokio::test]
async fn the_time_of_the_request_counts_while_the_service_thinks() {
    let auth = Backend::start("auth").await;
    auth.always(Act::Hang);
    let rule = format!(
        "rules:\n- filters: [{}]\n  timeouts: {{request: 100ms}}\n  backendRefs: [{{{}}}]",
        external("protocol: GRPC, grpc: {}"),
        yaml::to("echo")
    );
    let world = Guarded::with(
        auth,
        Backend::start("echo").await,
        &yaml::route("one", &rule),
    )
    .await;
    let answer = raw::get(world.port, "example.org", "/").await;
    assert_eq!((answer.status, world.echo.count()), (504, 0));
}

#[tokio::test]
async fn a_service_that_does_not_exist_closes_its_requests() {
    let world = Guarded::with(
        Backend::start("auth").await,
        Backend::start("echo").await,
        &yaml::route(
            "one",
            &format!(
                "rules:\n- filters: [{{type: ExternalAuth, externalAuth: {{protocol: HTTP, http: {{}}, backendRef: \
                 {{name: nobody, port: 80}}}}}}]\n  backendRefs: [{{{}}}]",
                yaml::to("echo")
            ),
        ),
    )
    .await;
    let answer = raw::get(world.port, "example.org", "/").await;
    assert_eq!((answer.status, world.echo.count()), (500, 0));
}

#[tokio::test]
async fn a_body_is_sent_along_up_to_its_limit_and_still_reaches_the_backend() {
    let world = Guarded::start("protocol: HTTP, http: {}, forwardBody: {maxSize: 10}").await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 10\r\n\r\n12345")
        .await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(world.auth.count(), 0);
    client.send("67890").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "1234567890"));
    let asked = world.auth.last();
    assert_eq!(asked.body, "1234567890");
    assert_eq!(asked.header("content-length"), Some("10"));
    assert_eq!(world.echo.last().body, "1234567890");
    for chunked in [
        "Content-Length: 11\r\n\r\n12345678901",
        "Transfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n",
    ] {
        let mut client = Raw::connect(world.port).await;
        client
            .send(format!("POST / HTTP/1.1\r\nHost: example.org\r\n{chunked}"))
            .await;
        assert_eq!(client.answer().await.status, 413);
    }
    assert_eq!((world.auth.count(), world.echo.count()), (1, 1));
}

#[tokio::test]
async fn a_body_that_was_read_for_a_decision_is_sent_again_where_the_rule_tries_again() {
    let rule = format!(
        "rules:\n- filters: [{}]\n  retry: {{codes: [503], attempts: 2, backoff: 1ms}}\n  backendRefs: [{{{}}}]",
        external("protocol: HTTP, http: {}, forwardBody: {maxSize: 100}"),
        yaml::to("echo")
    );
    let (auth, echo) = (Backend::start("auth").await, Backend::start("echo").await);
    echo.plan([Act::Status(503), Act::Status(503)]);
    let world = Guarded::with(auth, echo, &yaml::route("one", &rule)).await;
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 4\r\n\r\nbody")
        .await;
    assert_eq!(client.answer().await.text(), "body");
    assert!(world.echo.seen().iter().all(|seen| seen.body == "body"));
    assert_eq!((world.auth.count(), world.echo.count()), (1, 3));
}

/// A message of gRPC, with its length before it.
fn framed(message: &[u8]) -> Bytes {
    let mut bytes = vec![
        0,
        0,
        0,
        0,
        u8::try_from(message.len()).expect("a short message"),
    ];
    bytes.extend_from_slice(message);
    bytes.into()
}

/// A field of protobuf that is text or a message.
fn field(number: u8, inside: &[u8]) -> Vec<u8> {
    let mut bytes = vec![
        number << 3 | 2,
        u8::try_from(inside.len()).expect("a short field"),
    ];
    bytes.extend_from_slice(inside);
    bytes
}

/// A `HeaderValueOption`.
fn header(name: &str, value: &str) -> Vec<u8> {
    let pair = [field(1, name.as_bytes()), field(2, value.as_bytes())].concat();
    field(1, &pair)
}

/// An `OkHttpResponse` in a `CheckResponse`.
fn yes() -> Bytes {
    let ok = [
        field(2, &header("x-user", "ann")),
        field(5, b"authorization"),
        field(6, &header("x-checked", "1")),
    ];
    framed(&[field(1, &[]), field(3, &ok.concat())].concat())
}

/// A `DeniedHttpResponse` with status 401.
fn no() -> Bytes {
    let denied = [
        field(1, &[8, 0x91, 0x03]),
        field(2, &header("www-authenticate", "Basic")),
        field(3, b"who are you?"),
    ];
    framed(&[field(1, &[8, 16]), field(2, &denied.concat())].concat())
}

const DONE: [(&str, &str); 1] = [("grpc-status", "0")];

#[tokio::test]
async fn a_service_of_grpc_says_yes() {
    let world = Guarded::start("protocol: GRPC, grpc: {}, forwardBody: {maxSize: 1000}").await;
    world.auth.always(Act::Grpc(yes(), DONE.to_vec()));
    let mut client = Raw::connect(world.port).await;
    client
        .send("POST /a?b=c HTTP/1.1\r\nHost: example.org\r\nAuthorization: Bearer 1\r\nX-User: root\r\nContent-Length: 4\r\n\r\nbody")
        .await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "body"));
    assert_eq!(answer.header("x-checked"), Some("1"));
    let seen = world.echo.last();
    assert_eq!(seen.all("x-user"), ["ann"]);
    assert_eq!(seen.header("authorization"), None);
    let asked = world.auth.last();
    assert_eq!(asked.version, Version::HTTP_2);
    assert_eq!(asked.target, "/envoy.service.auth.v3.Authorization/Check");
    assert_eq!(asked.header("content-type"), Some("application/grpc"));
    assert_eq!(asked.host, "auth.default");
    for told in [
        "/a?b=c",
        "Bearer 1",
        "body",
        "127.0.0.1",
        "POST",
        "HTTP/1.1",
    ] {
        let told = told.as_bytes();
        assert!(
            asked.body.windows(told.len()).any(|it| it == told),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn a_service_of_grpc_says_no_to_clients_of_both_kinds() {
    let world = Guarded::start("protocol: GRPC, grpc: {allowedHeaders: [x-token]}").await;
    world.auth.always(Act::Grpc(no(), DONE.to_vec()));
    let answer = raw::get(world.port, "example.org", "/").await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (401, "who are you?")
    );
    assert_eq!(answer.header("www-authenticate"), Some("Basic"));
    let call = Request::post("http://example.org/pkg.Service/Method")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::empty())
        .unwrap();
    let client = Http2::connect(world.port).await;
    let answer = client.exchange(call).await.unwrap();
    assert_eq!(
        (answer.status, answer.header("grpc-status")),
        (200, Some("16"))
    );
    assert_eq!(answer.header("grpc-message"), Some("who are you?"));
    assert_eq!(world.echo.count(), 0);
}

#[tokio::test]
async fn a_call_that_fails_or_is_no_answer_decides_nothing() {
    let world = Guarded::start("protocol: GRPC, grpc: {}").await;
    for act in [
        Act::Grpc(yes(), vec![("grpc-status", "14"), ("grpc-message", "down")]),
        Act::Grpc(Bytes::from_static(b"\0\0\0\0\x05short"), DONE.to_vec()),
        Act::Grpc(Bytes::from_static(b"\x01\0\0\0\0"), DONE.to_vec()),
        Act::Grpc(Bytes::new(), DONE.to_vec()),
        Act::Grpc(framed(b"no message"), DONE.to_vec()),
        Act::Grpc(
            framed(&field(3, &field(2, &header("content-length", "1")))),
            DONE.to_vec(),
        ),
        Act::Status(404),
        Act::Break,
    ] {
        world.auth.always(act.clone());
        let answer = raw::get(world.port, "example.org", "/").await;
        assert_eq!((answer.status, world.echo.count()), (503, 0), "{act:?}");
    }
}

#[tokio::test]
async fn filters_before_it_count_and_a_backends_own_is_for_its_share() {
    let set = |value: &str| {
        format!(
            "{{type: RequestHeaderModifier, requestHeaderModifier: {{set: [{{name: authorization, value: {value}}}]}}}}"
        )
    };
    let rules = format!(
        "rules:\n- matches: [{{path: {{value: /shares}}}}]\n  backendRefs:\n  - {{{to}, weight: 0}}\n  - {{{to}, filters: [{}, {}]}}\n\
         - matches: [{{path: {{value: /after}}}}]\n  filters: [{}, {}]\n  backendRefs: [{{{to}}}]",
        set("share"),
        external("protocol: HTTP, http: {}"),
        external("protocol: HTTP, http: {}"),
        set("after"),
        to = yaml::to("echo"),
    );
    let world = Guarded::with(
        Backend::start("auth").await,
        Backend::start("echo").await,
        &yaml::route("one", &rules),
    )
    .await;
    assert_eq!(
        raw::get(world.port, "example.org", "/shares").await.status,
        200
    );
    assert_eq!(world.auth.last().header("authorization"), Some("share"));
    assert_eq!(
        raw::get(world.port, "example.org", "/after").await.status,
        200
    );
    assert_eq!(world.auth.last().header("authorization"), None);
    assert_eq!(world.echo.last().header("authorization"), Some("after"));
}
