//! PROXY protocol, versions 1 and 2: a load balancer in front says whose connection this is.
//!
//! A header is accepted, not demanded: callers that do not come through the load balancer carry none, and then the
//! peer is the client. It is believed from trusted peers only, because whoever may write one may claim any address.
//! From another peer it is refused where it can be nothing but a header, which no request and no handshake begins
//! like. The bytes after the header stay in the socket: they are looked at before they are taken, so that nothing
//! has to be put back. This is about connections; `X-Forwarded-For` and `Forwarded` are about requests.

use std::cell::Cell;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::peek::Waits;

/// The longest header of version 1, its line end included.
const V1_LONGEST: usize = 107;
/// The longest header of version 2 that is taken: addresses, and room for extensions (TLVs).
const V2_LONGEST: usize = 16 + 4096;
const V1_SIGNATURE: &[u8] = b"PROXY ";
const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// What a connection's first bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The beginning of a header, or what could become one. At least this many bytes are needed
    /// altogether.
    Need(usize),
    /// No header.
    None,
    /// A header.
    Header {
        /// From where to where the connection goes. None: the proxy speaks for itself (a health check),
        /// or knows no addresses.
        addresses: Option<Addresses>,
        /// How many bytes the header has.
        length: usize,
    },
    /// A header that breaks the protocol, and how.
    Malformed(&'static str),
}

/// The two ends of a connection, as the proxy in front saw them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The client.
    pub source: SocketAddr,
    /// Where the client connected to.
    pub destination: SocketAddr,
}

/// How a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// With something else than a header.
    Other,
    /// With a header, which was taken: from where to where the connection goes.
    Header(Addresses),
    /// With a header without addresses, which was taken: the load balancer speaks for itself, most likely to see
    /// whether anybody is here.
    OwnConnection,
    /// It has ended before a byte came.
    Nothing,
}

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// The header breaks the protocol.
    Malformed(&'static str),
    /// A header came from a peer that is not trusted to send one.
    Untrusted,
    /// Nothing came in time, or too little to tell what it is. Whether that is an error depends on who has to speak
    /// first.
    Silent,
    /// The rest of the header did not come in time.
    TimedOut,
    /// The peer closed the connection before its header was whole.
    Closed,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(how) => write!(f, "the PROXY protocol header is malformed: {how}"),
            Self::Untrusted => f.write_str(
                "a PROXY protocol header came from a peer that is not among the trusted ones",
            ),
            Self::Silent => f.write_str("the connection's first bytes did not come in time"),
            Self::TimedOut => {
                f.write_str("the rest of the PROXY protocol header did not come in time")
            }
            Self::Closed => f.write_str("the peer closed the connection before its first bytes"),
        }
    }
}

/// Takes a header from a new connection, if it begins with one, and no byte more.
///
/// `believed` says whether the peer may send one.
///
/// # Errors
/// The connection is to be closed; the error says why.
pub(crate) async fn take_header(
    stream: &mut TcpStream,
    believed: bool,
    limit: Duration,
) -> Result<Beginning, HeaderError> {
    let begun = Cell::new(false);
    match tokio::time::timeout(limit, take(stream, believed, &begun)).await {
        Ok(taken) => taken,
        Err(_) if begun.get() => Err(HeaderError::TimedOut),
        Err(_) => Err(HeaderError::Silent),
    }
}

async fn take(
    stream: &mut TcpStream,
    believed: bool,
    begun: &Cell<bool>,
) -> Result<Beginning, HeaderError> {
    let mut bytes = vec![0; V2_LONGEST];
    let mut taken = 0;
    let mut waits = Waits::new();
    loop {
        // Health checks end with a reset, too.
        let seen = stream.peek(&mut bytes[taken..]).await.unwrap_or(0);
        if seen == 0 {
            return if taken == 0 {
                Ok(Beginning::Nothing)
            } else {
                Err(HeaderError::Closed)
            };
        }
        let end = taken + seen;
        let parsed = parse(&bytes[..end]);
        begun.set(begins_with_signature(&bytes[..end]));
        if !believed && parsed != Parsed::None && begins_with_signature(&bytes[..end]) {
            return Err(HeaderError::Untrusted);
        }
        match parsed {
            Parsed::None => return Ok(Beginning::Other),
            Parsed::Malformed(how) => return Err(HeaderError::Malformed(how)),
            Parsed::Header { addresses, length } => {
                consume(stream, &mut bytes[taken..length]).await?;
                return Ok(addresses.map_or(Beginning::OwnConnection, Beginning::Header));
            }
            // All of it belongs to the header, so it can be taken, and the next look waits for more.
            Parsed::Need(_) if begins_with_signature(&bytes[..end]) => {
                consume(stream, &mut bytes[taken..end]).await?;
                taken = end;
            }
            // It could be something else, which is not ours to take.
            Parsed::Need(_) => {
                if !waits.for_more(stream).await {
                    return Ok(Beginning::Other);
                }
            }
        }
    }
}

async fn consume(stream: &mut TcpStream, bytes: &mut [u8]) -> Result<(), HeaderError> {
    let read = stream.read_exact(bytes).await;
    read.map(drop).map_err(|_| HeaderError::Closed)
}

fn begins_with_signature(bytes: &[u8]) -> bool {
    bytes.starts_with(V1_SIGNATURE) || bytes.starts_with(V2_SIGNATURE)
}

/// Reads a connection's first bytes.
pub fn parse(bytes: &[u8]) -> Parsed {
    if bytes.starts_with(V2_SIGNATURE) {
        return parse_v2(bytes);
    }
    if bytes.starts_with(V1_SIGNATURE) {
        return parse_v1(bytes);
    }
    let could_become = |signature: &[u8]| signature.starts_with(bytes);
    if could_become(V1_SIGNATURE) || could_become(V2_SIGNATURE) {
        return Parsed::Need(bytes.len() + 1);
    }
    Parsed::None
}

fn parse_v1(bytes: &[u8]) -> Parsed {
    let within = &bytes[..bytes.len().min(V1_LONGEST)];
    let Some(line_feed) = within.iter().position(|byte| *byte == b'\n') else {
        if bytes.len() >= V1_LONGEST {
            return Parsed::Malformed("its line is longer than 107 bytes");
        }
        return Parsed::Need(bytes.len() + 1);
    };
    let length = line_feed + 1;
    let Some(line) = bytes[..line_feed].strip_suffix(b"\r") else {
        return Parsed::Malformed("its line does not end in CR LF");
    };
    let Ok(line) = std::str::from_utf8(&line[V1_SIGNATURE.len()..]) else {
        return Parsed::Malformed("its line is not ASCII");
    };
    if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
        return Parsed::Header {
            addresses: None,
            length,
        };
    }
    match v1_addresses(line) {
        Ok(addresses) => Parsed::Header {
            addresses: Some(addresses),
            length,
        },
        Err(how) => Parsed::Malformed(how),
    }
}

fn v1_addresses(line: &str) -> Result<Addresses, &'static str> {
    let mut words = line.split(' ');
    let mut word = || words.next().ok_or("a field is missing");
    let family = word()?;
    let (source, destination) = (word()?, word()?);
    let (source_port, destination_port) = (v1_port(word()?)?, v1_port(word()?)?);
    if words.next().is_some() {
        return Err("it has more fields than it may");
    }
    let address: fn(&str) -> Option<IpAddr> = match family {
        "TCP4" => |text| text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "TCP6" => |text| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => return Err("its family is none of TCP4, TCP6 and UNKNOWN"),
    };
    let address = |text| address(text).ok_or("an address is not one of its family");
    Ok(Addresses {
        source: SocketAddr::new(address(source)?.to_canonical(), source_port),
        destination: SocketAddr::new(address(destination)?.to_canonical(), destination_port),
    })
}

fn v1_port(text: &str) -> Result<u16, &'static str> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let port = if plain { text.parse().ok() } else { None };
    port.ok_or("a port is not a number from 0 to 65535")
}

fn parse_v2(bytes: &[u8]) -> Parsed {
    let Some((head, rest)) = bytes.split_first_chunk::<16>() else {
        return Parsed::Need(16);
    };
    let [.., version_and_command, family_and_transport, high, low] = *head;
    let body = usize::from(u16::from_be_bytes([high, low]));
    let length = 16 + body;
    if version_and_command >> 4 != 2 {
        return Parsed::Malformed("its version is not 2");
    }
    let local = match version_and_command & 0xf {
        0 => true,
        1 => false,
        _ => return Parsed::Malformed("its command is neither LOCAL nor PROXY"),
    };
    if length > V2_LONGEST {
        return Parsed::Malformed("it is longer than 4112 bytes");
    }
    let (family, transport) = (family_and_transport >> 4, family_and_transport & 0xf);
    if !local && (family > 3 || transport > 2) {
        return Parsed::Malformed("its address family or transport is not known");
    }
    let Some(body) = rest.get(..body) else {
        return Parsed::Need(length);
    };
    // A connection of the proxy's own says nothing about a client, and neither do a Unix socket or a
    // datagram: the peer is the client then.
    let addresses = match (local, family, transport) {
        (false, 1, 1) => v2_addresses::<4>(body),
        (false, 2, 1) => v2_addresses::<16>(body),
        _ => {
            return Parsed::Header {
                addresses: None,
                length,
            };
        }
    };
    match addresses {
        Some(addresses) => Parsed::Header {
            addresses: Some(addresses),
            length,
        },
        None => Parsed::Malformed("it is too short for its addresses"),
    }
}

fn v2_addresses<const N: usize>(body: &[u8]) -> Option<Addresses>
where
    IpAddr: From<[u8; N]>,
{
    let (source, rest) = body.split_first_chunk::<N>()?;
    let (destination, rest) = rest.split_first_chunk::<N>()?;
    let (source_port, rest) = rest.split_first_chunk::<2>()?;
    let (destination_port, _extensions) = rest.split_first_chunk::<2>()?;
    let address = |ip: &[u8; N], port: &[u8; 2]| {
        SocketAddr::new(IpAddr::from(*ip).to_canonical(), u16::from_be_bytes(*port))
    };
    Some(Addresses {
        source: address(source, source_port),
        destination: address(destination, destination_port),
    })
}

#[cfg(test)]
mod tests;
