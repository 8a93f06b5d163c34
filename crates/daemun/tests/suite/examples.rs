//! Every file in `examples/`: it checks clean, it runs, it answers, and it stops.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use daemun_testkit::ports;

/// Ports that examples listen on, and those that they send requests to.
const LISTENERS: [&str; 4] = ["8080", "8443", "8444", "8053"];
const BACKENDS: [&str; 3] = ["9001", "9002", "9009"];

/// DNS names of backends, as they are written.
const NAMES: [&str; 3] = [
    "search.example.internal",
    "catalogue.cluster.example.internal",
    "www.example.com, port",
];

#[test]
fn every_example_checks_clean() {
    let mut refused = Vec::new();
    for example in examples() {
        let output = daemun().arg("check").arg(&example).output().unwrap();
        if !output.status.success() {
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            refused.push(format!(
                "{}: {}\n{printed}",
                example.display(),
                output.status
            ));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn every_example_says_what_it_shows_and_how_to_run_it() {
    let index = fs::read_to_string(directory().join("README.md")).unwrap();
    for example in examples() {
        let name = example.file_name().unwrap().to_str().unwrap();
        assert!(
            index.contains(&format!("({name})")),
            "README.md does not name {name}"
        );
        let main = if example.is_dir() {
            example.join("gateway.yaml")
        } else {
            example.clone()
        };
        let text = fs::read_to_string(&main).unwrap();
        let head: String = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .collect();
        let run = format!("daemun run examples/{name}");
        for part in [run.as_str(), "# Try:", "# Answers:"] {
            assert!(
                head.contains(part),
                "the head of {} lacks \"{part}\"",
                main.display()
            );
        }
    }
}

#[test]
fn every_example_runs_and_stops() {
    let work = Work::new();
    let mut echo = daemun()
        .args(["echo", &work.port("9001"), &work.port("9002")])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _datagrams = echo_datagrams(work.port("9001").parse().unwrap());
    for example in examples() {
        let copy = work.copy(&example);
        let text = work.text(&copy);
        let mut child = start(&copy);
        for port in work.listeners(&copy) {
            if text.contains(&format!("port: {port}, protocol: UDP")) {
                ask_by_datagram(port);
            } else {
                TcpStream::connect(("127.0.0.1", port)).unwrap();
            }
        }
        if text.contains("protocol: TCP}") {
            assert_eq!(get(work.port("8080").parse().unwrap()), "200");
        }
        if text.contains("protocol: HTTP}") {
            let status = get(work.port("8080").parse().unwrap());
            let expected = ["200", "301", "404"].contains(&status.as_str());
            assert!(expected, "{} answers {status}", example.display());
        }
        let ended = stop(&mut child);
        assert!(ended.success(), "{} ended with {ended}", example.display());
    }
    assert!(stop(&mut echo).success());
}

/// The files, and the directories of files that belong together.
fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(directory()).unwrap();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_yaml(path) || path.join("gateway.yaml").exists())
        .collect();
    paths.sort();
    assert!(paths.len() > 30, "{} examples were found", paths.len());
    paths
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml")
}

fn daemun() -> Command {
    Command::new(env!("CARGO_BIN_EXE_daemun"))
}

/// Copies of examples, with ports of this test's own.
struct Work {
    directory: tempfile::TempDir,
    ports: Vec<(&'static str, String)>,
}

impl Work {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let certificates = self::directory().join("certs");
        std::os::unix::fs::symlink(
            fs::canonicalize(certificates).unwrap(),
            directory.path().join("certs"),
        )
        .unwrap();
        let ports = LISTENERS.into_iter().chain(BACKENDS);
        Self {
            directory,
            ports: ports
                .map(|port| (port, ports::free().to_string()))
                .collect(),
        }
    }

    fn port(&self, written: &str) -> String {
        self.ports
            .iter()
            .find(|(port, _)| *port == written)
            .unwrap()
            .1
            .clone()
    }

    fn copy(&self, example: &Path) -> PathBuf {
        let to = self.directory.path().join(example.file_name().unwrap());
        if example.is_dir() {
            fs::create_dir(&to).unwrap();
            for entry in fs::read_dir(example).unwrap() {
                let path = entry.unwrap().path();
                self.copy_file(&path, &to.join(path.file_name().unwrap()));
            }
        } else {
            self.copy_file(example, &to);
        }
        to
    }

    fn copy_file(&self, from: &Path, to: &Path) {
        let mut text = fs::read_to_string(from).unwrap();
        for (written, own) in &self.ports {
            text = text.replace(written, own);
        }
        // No name is asked for outside of this host.
        for name in NAMES {
            let rest = name.find(',').map_or("", |comma| &name[comma..]);
            text = text.replace(name, &format!("localhost{rest}"));
        }
        fs::write(to, text).unwrap();
    }

    fn text(&self, copy: &Path) -> String {
        let main = if copy.is_dir() {
            copy.join("gateway.yaml")
        } else {
            copy.to_path_buf()
        };
        fs::read_to_string(main).unwrap()
    }

    /// The ports that an example's listeners have.
    fn listeners(&self, copy: &Path) -> Vec<u16> {
        let text = self.text(copy);
        let own = LISTENERS.iter().map(|written| self.port(written));
        let used = own.filter(|port| text.contains(&format!("port: {port}")));
        used.map(|port| port.parse().unwrap()).collect()
    }
}

/// Runs an example, and waits until it says that it serves.
fn start(path: &Path) -> Child {
    let mut child = daemun()
        .arg("run")
        .arg(path)
        .args([
            "--health",
            "off",
            "--admin",
            "off",
            "--workers",
            "1",
            "--log-level",
            "error",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("serves"), "{}: {first}", path.display());
    // What else it prints must find a reader.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn get(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// A backend that sends back what it gets.
fn echo_datagrams(port: u16) -> std::thread::JoinHandle<()> {
    let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((bytes, from)) = socket.recv_from(&mut buffer) {
            socket.send_to(&buffer[..bytes], from).unwrap();
        }
    })
}

fn ask_by_datagram(port: u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    socket.send(b"hello").unwrap();
    let mut buffer = [0; 16];
    let bytes = socket.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..bytes], b"hello");
}

fn stop(child: &mut Child) -> ExitStatus {
    let terminated = Command::new("sh")
        .args(["-c", "kill -TERM $0", &child.id().to_string()])
        .status();
    assert!(terminated.unwrap().success());
    for _ in 0..200 {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap()
}
