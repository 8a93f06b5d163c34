//! `daemun explain` as a person runs it: by files, and by a process that runs.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn daemun(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daemun"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = daemun(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

fn shop() -> String {
    format!("{}/../../examples/shop.yaml", env!("CARGO_MANIFEST_DIR"))
}

const ORDERS: &str = "\
https :8443 shop.example.com        Gateway default/shop, listener https
  HTTPRoute default/orders, rule 1  PathPrefix /api/orders
    to       Service default/orders:8080, 1 of 1 endpoints ready     127.0.0.1:9001 (100 %)
             HTTP/1.1, least requests
    limits   15s for the whole request
Others that came close:
  HTTPRoute default/catalogue, rule 1  PathPrefix /api: shorter than /api/orders
";

#[test]
fn a_request_is_explained_by_files() {
    let url = "https://shop.example.com:8443/api/./orders/7";
    let (told, problems, status) = run(&["explain", "GET", url, "-H", "x-beta: 1", &shop()]);
    assert_eq!(
        (told.as_str(), problems.as_str(), status),
        (ORDERS, "", Some(0))
    );
}

fn example(name: &str) -> String {
    format!("{}/../../examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn where_a_route_leads_is_told_of_every_kind() {
    let shop = shop();
    for (word, name, file, line) in [
        (
            "HTTPRoute",
            "orders",
            &*shop,
            "  rule 1   shop.example.com  /api/orders   → orders:8080 (1 endpoint)     Gateway default/shop\n",
        ),
        (
            "tlsroutes",
            "shop",
            &example("tls-route.yaml"),
            "TLSRoute default/shop\n  Gateway default/edge, listener passed-on   accepted\n  rule 1   shop.example.com   → sealed (1 endpoint)     Gateway default/edge\n",
        ),
        (
            "tcproute",
            "all",
            &example("tcp-route.yaml"),
            "  rule 1   *   → stable (1 endpoint) 90 %, canary (1 endpoint) 10 %     Gateway default/edge\n",
        ),
        (
            "route",
            "default/all",
            &example("udp-route.yaml"),
            "UDPRoute default/all\n  Gateway default/edge, listener datagrams   accepted\n  rule 1   *   → echo (1 endpoint)     Gateway default/edge\n",
        ),
    ] {
        let (told, problems, status) = run(&["explain", word, name, file]);
        assert_eq!((problems.as_str(), status), ("", Some(0)), "{word}");
        assert!(told.contains(line), "{told}");
    }
}

#[test]
fn json_is_for_programs() {
    let url = "http://shop.example.com:8080/";
    let (told, _, status) = run(&["explain", "GET", url, "-o", "json", &shop()]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(status, Some(0));
    assert_eq!(told["outcome"]["status"], 404);
    assert_eq!(told["listener"]["name"], "http");
    assert_eq!(told["others"][0]["route"], "HTTPRoute default/catalogue");
}

#[test]
fn questions_that_are_none_are_told_so() {
    for (arguments, sentence) in [
        (&["GET", "/x"][..], "not a whole URL"),
        (&["GET", "shop.example.com/x"], "not a whole URL"),
        (
            &["GET", "http://a/", "nowhere.yaml"],
            "nowhere.yaml: this cannot be read",
        ),
        (
            &["GET", "http://a/", "-H", "nonsense"],
            "\"nonsense\" is no header",
        ),
    ] {
        let (_, told, status) = run(&[&["explain"], arguments, &[&shop()]].concat());
        assert!(told.contains(sentence), "{told}");
        assert_eq!(status, Some(2));
    }
    let nowhere = ["--kubeconfig", "/nowhere/kubeconfig"];
    let (_, told, status) = run(&[&["explain", "GET", "http://a/"], &nowhere[..]].concat());
    assert!(told.contains("To read files instead, name them."), "{told}");
    assert_eq!(status, Some(2));
    let (_, told, status) = run(&["explain", "GET", "http://a/", "--admin", "unix:/nowhere"]);
    assert!(told.contains("cannot be reached"), "{told}");
    assert_eq!(status, Some(2));
}

#[test]
fn a_running_process_explains_what_it_does() {
    let directory = tempfile::tempdir().unwrap();
    let socket: PathBuf = directory.path().join("admin.sock");
    let admin = format!("unix:{}", socket.display());
    let listen = format!("127.0.0.1:{}", daemun_testkit::ports::free());
    let mut running = serving(&[
        "run", "--listen", &listen, "--health", "off", "--admin", &admin,
    ]);
    let (told, problems, status) = run(&[
        "explain",
        "GET",
        &format!("http://{listen}/hello"),
        "--admin",
        &admin,
    ]);
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!((problems.as_str(), status), ("", Some(0)));
    assert!(
        told.contains("HTTPRoute default/everything, rule 1"),
        "{told}"
    );
    assert!(told.contains("Backend default/echo"), "{told}");
}

const CASES: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: daemun
  addresses: [{value: 127.0.0.1}]
  listeners:
  - {name: http, port: PORT, protocol: HTTP, hostname: '*.example.com'}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: web}]
  hostnames: [a.example.com]
  rules:
  - matches: [{path: {value: /echo}}]
    backendRefs: [{group: gateway.daemun.dev, kind: Backend, name: echo}]
  - matches: [{path: {value: /missing}}]
    backendRefs: [{name: missing, port: 80}]
  - matches: [{path: {value: /empty}}]
    backendRefs: [{name: empty, port: 80}]
  - matches: [{path: {value: /none}}]
  - matches: [{path: {value: /zero}}]
    backendRefs: [{group: gateway.daemun.dev, kind: Backend, name: echo, weight: 0}]
  - matches: [{path: {value: /redirect}}]
    filters: [{type: RequestRedirect, requestRedirect: {hostname: b.example.com, statusCode: 307}}]
  - matches: [{path: {value: /cors}}]
    filters: [{type: CORS, cors: {allowOrigins: ['*']}}]
    backendRefs: [{group: gateway.daemun.dev, kind: Backend, name: echo}]
  - matches: [{path: {value: /extension}}]
    filters: [{type: ExtensionRef, extensionRef: {group: example.com, kind: Nothing, name: nothing}}]
    backendRefs: [{group: gateway.daemun.dev, kind: Backend, name: echo}]
  - matches: [{path: {value: /header}, headers: [{name: x-a, value: '1'}], method: PUT}]
    backendRefs: [{group: gateway.daemun.dev, kind: Backend, name: echo}]
---
apiVersion: v1
kind: Service
metadata: {name: empty}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: empty, labels: {kubernetes.io/service-name: empty}}
addressType: IPv4
endpoints: []
ports: [{port: 80}]
---
apiVersion: gateway.daemun.dev/v1alpha1
kind: Backend
metadata: {name: echo}
spec: {endpoints: [{address: 127.0.0.1, port: ECHO}]}
";

/// What `explain` says that the gateway answers by itself, it answers; where it names a backend, that answers.
#[test]
fn what_is_explained_is_what_happens() {
    let (port, echo) = (
        daemun_testkit::ports::free(),
        daemun_testkit::ports::free().to_string(),
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cases.yaml");
    fs::write(
        &file,
        CASES
            .replace("PORT", &port.to_string())
            .replace("ECHO", &echo),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let mut backend = serving(&["echo", &echo]);
    let mut gateway = serving(&[
        "run",
        file,
        "--health",
        "off",
        "--admin",
        "off",
        "--log-level",
        "error",
    ]);
    let long = format!("/echo?{}", "x".repeat(17_000));
    let preflight = "Origin: http://c\r\nAccess-Control-Request-Method: PUT";
    for (host, method, target, headers, expected) in [
        ("a.example.com", "GET", "/echo/1", "", 200),
        ("A.Example.Com", "GET", "/x/../echo", "", 200),
        ("a.example.com", "GET", "/other", "", 404),
        ("b.example.com", "GET", "/echo", "", 404),
        ("a.example.org", "GET", "/echo", "", 404),
        ("a.example.com", "GET", "/missing", "", 500),
        ("a.example.com", "GET", "/empty", "", 503),
        ("a.example.com", "GET", "/none", "", 500),
        ("a.example.com", "GET", "/zero", "", 500),
        ("a.example.com", "GET", "/redirect", "", 307),
        ("a.example.com", "GET", "/extension", "", 500),
        ("a.example.com", "OPTIONS", "/cors", preflight, 204),
        ("a.example.com", "GET", "/cors", preflight, 200),
        ("a.example.com", "PUT", "/header", "x-a: 1", 200),
        ("a.example.com", "PUT", "/header", "x-a: 2", 404),
        ("a.example.com", "GET", "/../echo", "", 400),
        ("a.example.com", "GET", &long, "", 414),
    ] {
        let url = format!("http://{host}:{port}{target}");
        let mut arguments = vec!["explain", method, &url, file, "-o", "json"];
        let lines = headers.split("\r\n").filter(|line| !line.is_empty());
        lines.for_each(|line| arguments.extend(["-H", line]));
        let told: serde_json::Value = serde_json::from_str(&run(&arguments).0).unwrap();
        let told = told["outcome"]["status"].as_u64().unwrap_or(200);
        let status = ask(
            port,
            &format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}"),
        );
        let shown = &target[..target.len().min(20)];
        assert_eq!(
            (told, status),
            (expected, expected),
            "{method} {host} {shown} {headers}"
        );
    }
    for child in [&mut gateway, &mut backend] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// A process that says in a line when it is ready.
fn serving(arguments: &[&str]) -> std::process::Child {
    let mut child = daemun(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn ask(port: u16, head: &str) -> u64 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!("{}\r\nConnection: close\r\n\r\n", head.trim_end());
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
