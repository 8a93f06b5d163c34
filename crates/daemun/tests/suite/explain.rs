//! `daemun explain` as a person runs it: by files, and by a process that runs.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::io::{BufRead as _, BufReader};
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
        (
            &["GET", "http://a/", "-H", "nonsense"],
            "\"nonsense\" is no header",
        ),
    ] {
        let (_, told, status) = run(&[&["explain"], arguments, &[&shop()]].concat());
        assert!(told.contains(sentence), "{told}");
        assert_eq!(status, Some(2));
    }
    let (_, told, status) = run(&["explain", "GET", "http://a/"]);
    assert!(told.contains("PATH"), "{told}");
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
    let mut running = daemun(&[
        "run", "--listen", &listen, "--health", "off", "--admin", &admin,
    ])
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
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
