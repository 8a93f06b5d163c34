//! One GET over a connection of its own: enough to read metrics and to see whether a route is live. Many over one
//! connection are `client`'s.

pub(crate) mod client;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// The status and the body, from a port of this machine.
pub(crate) fn get(port: u16, host: &str, target: &str) -> Result<(u16, String), String> {
    get_from((Ipv4Addr::LOCALHOST, port).into(), host, target)
}

/// The status and the body.
pub(crate) fn get_from(
    address: SocketAddr,
    host: &str,
    target: &str,
) -> Result<(u16, String), String> {
    TcpStream::connect_timeout(&address, PATIENCE)
        .map_err(|error| format!("GET http://{host}{target} from {address} failed: {error}."))
        .and_then(|stream| get_over(stream, host, target))
}

/// The status and the body, over a connection that is there.
pub(crate) fn get_over(
    stream: TcpStream,
    host: &str,
    target: &str,
) -> Result<(u16, String), String> {
    exchange(stream, host, target)
        .map_err(|error| format!("GET http://{host}{target} failed: {error}."))
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

fn exchange(mut stream: TcpStream, host: &str, target: &str) -> std::io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
