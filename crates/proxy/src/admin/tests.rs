//! Both ports, asked over real sockets.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use daemun_base::logs::{self, Format, Level};
use daemun_base::readiness::Readiness;
use daemun_base::tasks::Tasks;
use daemun_model::Configuration;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::{Address, Admin, Form, Health, StartError};

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A connection that is cut has said what it said.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

async fn ask(address: &Address, line: &str, extra: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{extra}\r\n{body}"
    );
    match address {
        Address::Tcp(address) => {
            exchange(TcpStream::connect(address).await.unwrap(), &request).await
        }
        Address::Unix(path) => exchange(UnixStream::connect(path).await.unwrap(), &request).await,
    }
}

async fn health(readiness: &Readiness, tasks: &Tasks) -> Address {
    let health = Health {
        readiness: readiness.clone(),
        metrics: Arc::new(|out| (0..100_000).try_for_each(|number| writeln!(out, "line {number}"))),
    };
    Address::Tcp(
        health
            .start(([127, 0, 0, 1], 0).into(), tasks)
            .await
            .unwrap(),
    )
}

/// The log can be started once in a process.
fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    LEVEL
        .get_or_init(|| logs::start("error", Format::Text, false).unwrap())
        .clone()
}

async fn admin(address: &Address, tasks: &Tasks) -> Result<Address, StartError> {
    let admin = Admin {
        configuration: Arc::new(|| Arc::new(Configuration::default())),
        problems: Arc::new(|| json!([{"message": "one"}])),
        explain: Arc::new(|question, form| match (question.url.as_str(), form) {
            ("bad", _) => Err("No such URL.".to_owned()),
            (_, Form::Text) => Ok(format!("text {question:?}")),
            (_, Form::Json) => Ok(format!("json {question:?}")),
        }),
        log: level(),
    };
    admin.start(address, tasks).await
}

async fn loopback_admin(tasks: &Tasks) -> Address {
    admin(&"127.0.0.1:0".parse().unwrap(), tasks).await.unwrap()
}

#[tokio::test]
async fn readiness_is_what_the_parts_say() {
    let (tasks, readiness) = (Tasks::default(), Readiness::default());
    let address = health(&readiness, &tasks).await;
    readiness.not_ready("listeners", "port 80 is taken");
    assert!(
        ask(&address, "GET /healthz", "", "")
            .await
            .starts_with("HTTP/1.1 200")
    );
    let answer = ask(&address, "GET /readyz", "", "").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(!answer.contains("port 80"), "{answer}");
    let answer = ask(&address, "GET /readyz?verbose", "", "").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(
        answer.ends_with("[-] listeners: port 80 is taken\nnot ready\n"),
        "{answer}"
    );
    readiness.ready("listeners", "bound");
    let answer = ask(&address, "GET /readyz", "", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("ready\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn whoever_holds_many_connections_keeps_no_probe_from_its_answer() {
    let (readiness, tasks) = (Readiness::default(), Tasks::default());
    let address = health(&readiness, &tasks).await;
    let Address::Tcp(port) = &address else {
        panic!("health is TCP");
    };
    let mut held = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(port).await.unwrap();
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHo")
            .await
            .unwrap();
        held.push(stream);
    }
    let asked = ask(&address, "GET /healthz", "", "");
    let answer = tokio::time::timeout(std::time::Duration::from_secs(5), asked).await;
    assert!(answer.unwrap().ends_with("alive\n"));
    let mut oldest = String::new();
    assert!(
        matches!(held[0].read_to_string(&mut oldest).await, Ok(0) | Err(_)),
        "the oldest was closed"
    );
}

#[tokio::test]
async fn metrics_are_streamed() {
    let tasks = Tasks::default();
    let address = health(&Readiness::default(), &tasks).await;
    let answer = ask(&address, "GET /metrics", "", "").await;
    assert!(
        answer.contains("transfer-encoding: chunked"),
        "{}",
        &answer[..400]
    );
    assert!(
        answer.contains("application/openmetrics-text"),
        "{}",
        &answer[..400]
    );
    assert!(answer.contains("line 99999\n"));
    assert!(answer.ends_with("\r\n0\r\n\r\n"), "the last chunk is there");
}

#[tokio::test]
async fn metrics_that_fail_are_not_taken_for_whole() {
    let tasks = Tasks::default();
    let health = Health {
        readiness: Readiness::default(),
        metrics: Arc::new(|out| {
            out.write_str("half")?;
            Err(std::fmt::Error)
        }),
    };
    let address = Address::Tcp(
        health
            .start(([127, 0, 0, 1], 0).into(), &tasks)
            .await
            .unwrap(),
    );
    let answer = ask(&address, "GET /metrics", "", "").await;
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn other_methods_and_paths_are_told_so() {
    let tasks = Tasks::default();
    let address = health(&Readiness::default(), &tasks).await;
    assert!(
        ask(&address, "GET /", "", "")
            .await
            .contains("/readyz?verbose")
    );
    assert!(
        ask(&address, "GET /nothing", "", "")
            .await
            .starts_with("HTTP/1.1 404")
    );
    assert!(
        ask(&address, "POST /metrics", "", "")
            .await
            .contains("allow: GET, HEAD")
    );
    let address = loopback_admin(&tasks).await;
    assert!(ask(&address, "GET /", "", "").await.contains("/explain"));
    assert!(
        ask(&address, "DELETE /log", "", "")
            .await
            .contains("allow: GET, PUT")
    );
    assert!(
        ask(&address, "GET /explain", "", "")
            .await
            .contains("allow: POST")
    );
}

#[tokio::test]
async fn admin_shows_the_configuration_and_its_problems() {
    let tasks = Tasks::default();
    let address = loopback_admin(&tasks).await;
    assert!(
        ask(&address, "GET /config", "", "")
            .await
            .contains("\"gateways\": {}")
    );
    assert!(
        ask(&address, "GET /problems", "", "")
            .await
            .contains("\"message\": \"one\"")
    );
}

#[tokio::test]
async fn the_log_level_can_be_changed() {
    let tasks = Tasks::default();
    let address = loopback_admin(&tasks).await;
    let answer = ask(&address, "PUT /log", "", "warn,daemun_proxy=trace").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        ask(&address, "GET /log", "", "")
            .await
            .contains("daemun_proxy=trace")
    );
    let answer = ask(&address, "PUT /log", "", "a=b=c").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("\"a=b=c\" is not a log level"), "{answer}");
    assert!(
        ask(&address, "GET /log", "", "")
            .await
            .contains("daemun_proxy=trace"),
        "stays as it was"
    );
}

#[tokio::test]
async fn explain_is_asked_and_answers() {
    let tasks = Tasks::default();
    let address = loopback_admin(&tasks).await;
    let question =
        r#"{"method": "PUT", "url": "http://a/", "headers": {"x-a": ["1", "2"], "x-b": "3"}}"#;
    let answer = ask(&address, "POST /explain", "", question).await;
    assert!(
        answer.contains("json Question { method: \"PUT\", url: \"http://a/\""),
        "{answer}"
    );
    assert!(
        answer.contains(r#"[("x-a", "1"), ("x-a", "2"), ("x-b", "3")]"#),
        "{answer}"
    );
    let answer = ask(
        &address,
        "POST /explain",
        "Accept: text/plain\r\n",
        question,
    )
    .await;
    assert!(answer.contains("text Question"), "{answer}");
    for (question, sentence) in [
        ("{", "The body cannot be read"),
        ("{}", "The url is missing"),
        (r#"{"url": "bad"}"#, "No such URL."),
    ] {
        let answer = ask(&address, "POST /explain", "", question).await;
        assert!(
            answer.starts_with("HTTP/1.1 400") && answer.contains(sentence),
            "{answer}"
        );
    }
    let long = " ".repeat(70_000);
    assert!(
        ask(&address, "POST /explain", "", &long)
            .await
            .starts_with("HTTP/1.1 413")
    );
}

#[tokio::test]
async fn pages_of_browsers_are_refused() {
    let tasks = Tasks::default();
    let address = loopback_admin(&tasks).await;
    let answer = ask(
        &address,
        "GET /config",
        "Origin: https://evil.example\r\n",
        "",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let Address::Tcp(socket) = address else {
        unreachable!()
    };
    let stream = TcpStream::connect(socket).await.unwrap();
    let rebound = "GET /config HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let answer = exchange(stream, rebound).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn admin_listens_on_this_host_only() {
    let tasks = Tasks::default();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9902"] {
        let refused = admin(&address.parse().unwrap(), &tasks).await.unwrap_err();
        assert!(matches!(refused, StartError::NotLoopback(_)));
        assert!(
            refused.to_string().contains("for this host only"),
            "{refused}"
        );
    }
    assert!("example.com:80".parse::<Address>().is_err());
    assert_eq!(
        "localhost:1".parse(),
        Ok(Address::Tcp(([127, 0, 0, 1], 1).into()))
    );
}

#[tokio::test]
async fn a_unix_socket_is_for_its_user_and_goes_with_the_process() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = std::env::temp_dir().join(format!("daemun-admin-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("admin.sock");
    let address: Address = format!("unix:{}", path.display()).parse().unwrap();
    let tasks = Tasks::default();
    admin(&address, &tasks).await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        ask(&address, "GET /config", "", "")
            .await
            .contains("gateways")
    );
    let taken = admin(&address, &tasks).await.unwrap_err().to_string();
    assert!(taken.contains("in use"), "{taken}");
    tasks.abort();
    drop(tasks);
    while path.exists() {
        tokio::task::yield_now().await;
    }
    // What another process left behind is replaced; a file that is no socket is not.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let tasks = Tasks::default();
    admin(&address, &tasks).await.unwrap();
    let file = directory.join("file");
    std::fs::write(&file, "precious").unwrap();
    assert!(admin(&Address::Unix(file.clone()), &tasks).await.is_err());
    assert!(Path::exists(&file));
    std::fs::remove_dir_all(&directory).unwrap();
}
