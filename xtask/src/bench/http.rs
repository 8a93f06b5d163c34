//! One GET over a connection of its own: enough to read metrics and to see whether a route is live.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The status and the body.
pub(crate) fn get(port: u16, host: &str, target: &str) -> Result<(u16, String), String> {
    exchange(port, host, target)
        .map_err(|error| format!("GET {target} on port {port} failed: {error}."))
        .and_then(|answer| {
            let text = String::from_utf8_lossy(&answer);
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
            let status = head
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok());
            let status = status.ok_or_else(|| format!("GET {target} has no status: {head}"))?;
            Ok((status, body.to_owned()))
        })
}

fn exchange(port: u16, host: &str, target: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
