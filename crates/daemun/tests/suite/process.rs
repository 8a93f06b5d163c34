//! The process as a whole: how it is started with nothing, with `--to`, from standard input and from the
//! environment, and what signals do.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use daemun_testkit::{Backend, ports, raw, yaml};

/// A process that serves. It is killed if the test does not end it.
struct Running(Child);

impl Running {
    /// Starts it, and waits until it says that it serves.
    fn start(command: &mut Command, input: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let running = Self(child);
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains("serves"), "{first}");
        // What else it prints must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        running
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", "kill -$0 $1", name, &self.0.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Asks it to stop, and waits until it has.
    fn stop(mut self) {
        self.signal("TERM");
        let ended = self.0.wait().unwrap();
        assert!(ended.success(), "{ended}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, most of the time.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn daemun(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daemun"));
    command.arg("run").args(arguments);
    command.args(["--health", "off", "--admin", "off", "--log-level", "error"]);
    command
}

#[tokio::test]
async fn alone_it_answers_with_the_request_that_it_saw() {
    let port = ports::free();
    let running = Running::start(&mut daemun(&["--listen", &format!("127.0.0.1:{port}")]), "");
    let answer = raw::get(port, "localhost", "/hello?a=b").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    for part in ["\"path\": \"/hello\"", "\"query\": \"a=b\"", "\"GET\""] {
        assert!(answer.text().contains(part), "{part}: {}", answer.text());
    }
    running.stop();
}

#[tokio::test]
async fn it_stands_in_front_of_one_service() {
    let (port, backend) = (ports::free(), Backend::start("service").await);
    let service = format!("localhost:{}", backend.address.port());
    let listen = format!("127.0.0.1:{port}");
    let running = Running::start(&mut daemun(&["--to", &service, "--listen", &listen]), "");
    let answer = raw::get(port, "example.org", "/").await;
    assert_eq!((answer.status, answer.backend()), (200, Some("service")));
    running.stop();
}

#[tokio::test]
async fn flags_have_twins_in_the_environment_and_objects_come_from_standard_input() {
    let (port, backend) = (ports::free(), Backend::start("echo").await);
    let objects = yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("echo", &backend),
        &yaml::route_all("all", "echo"),
    ]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_daemun"));
    command.args(["run", "-"]).envs([
        ("DAEMUN_HEALTH", "off"),
        ("DAEMUN_ADMIN", "off"),
        ("DAEMUN_LOG", "error"),
        ("DAEMUN_WORKERS", "1"),
    ]);
    let running = Running::start(&mut command, &objects);
    assert_eq!(raw::get(port, "example.org", "/").await.status, 200);
    running.stop();
}

#[tokio::test]
async fn logs_are_opened_again_and_a_hangup_ends_nothing() {
    let (port, backend) = (ports::free(), Backend::start("echo").await);
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let objects = yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("echo", &backend),
        &yaml::route_all("all", "echo"),
    ]);
    fs::write(path("all.yaml"), objects).unwrap();
    let log = path("access.log");
    let running = Running::start(
        daemun(&[])
            .arg(path("all.yaml"))
            .arg("--access-log")
            .arg(&log),
        "",
    );
    let until = async |name: &str, target: &str| {
        for _ in 0..200 {
            let text = fs::read_to_string(path(name)).unwrap_or_default();
            if text.contains(target) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        daemun_testkit::fail(&format!("{target} is not in {name}"))
    };
    assert_eq!(raw::get(port, "example.org", "/one").await.status, 200);
    until("access.log", "/one").await;
    fs::rename(&log, path("old.log")).unwrap();
    running.signal("USR1");
    for _ in 0..200 {
        if log.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    running.signal("HUP");
    assert_eq!(raw::get(port, "example.org", "/two").await.status, 200);
    let text = until("access.log", "/two").await;
    assert!(!text.contains("/one"), "{text}");
    assert!(!until("old.log", "/one").await.contains("/two"));
    running.stop();
}
