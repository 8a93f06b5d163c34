//! A new process takes over the sockets of the one before, as under systemd: the sockets belong to
//! neither, and no connection is refused or cut meanwhile.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

#[test]
fn a_new_process_takes_over_without_a_refused_connection() {
    let manager = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = manager.local_addr().unwrap();
    let (ended, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let mut running = start(&manager, address);
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (ended, answered) = (Arc::clone(&ended), Arc::clone(&answered));
            std::thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    ask(address);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..4 {
        more_than(&answered, answered.load(Ordering::Relaxed) + 20);
        terminate(&mut running);
        running = start(&manager, address);
    }
    more_than(&answered, answered.load(Ordering::Relaxed) + 20);
    ended.store(true, Ordering::Relaxed);
    // A client that was refused, or not answered with 200, has panicked.
    clients
        .into_iter()
        .for_each(|client| client.join().unwrap());
    terminate(&mut running);
}

fn start(socket: &TcpListener, address: SocketAddr) -> Child {
    // The first socket is number 3, and the process's own number is in LISTEN_PID: sd_listen_fds(3).
    // It comes as the shell's input, because a shell may take one digit only after `<&`.
    let hand_over = "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
    let socket = OwnedFd::from(socket.try_clone().unwrap());
    let mut child = Command::new("sh")
        .args(["-c", hand_over, "sh", env!("CARGO_BIN_EXE_daemun"), "run"])
        .args([
            "--listen",
            &address.to_string(),
            "--health",
            "off",
            "--admin",
            "off",
        ])
        .args(["--log-level", "error"])
        .stdin(Stdio::from(socket))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("serves"), "{first}");
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn ask(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
}

fn more_than(count: &AtomicU32, wanted: u32) {
    let reached = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        count.load(Ordering::Relaxed) > wanted
    });
    assert!(reached, "fewer than {wanted} requests were answered");
}

fn terminate(child: &mut Child) {
    let status = Command::new("sh")
        .args(["-c", "kill -TERM $0", &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
    let ended = child.wait().unwrap();
    assert!(ended.success(), "{ended}");
}
