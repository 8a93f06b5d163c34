//! What a request and a response lose and gain because a gateway stands between two connections.
//!
//! - Headers that belong to one connection go (RFC 9110, section 7.6.1), in both directions.
//! - `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, and `Forwarded` where it is wanted, say where the
//!   request comes from. What a proxy that is trusted has said stays and is added to, and what it has said
//!   in one of `X-Forwarded-For` and `Forwarded` is said in the other too; from all others every
//!   `X-Forwarded-…`, `X-Real-IP` and `Forwarded` is dropped before ours are written.
//! - `X-Request-Id` is kept if it is well-formed and comes from a trusted proxy, else made: whoever is
//!   outside must not choose which requests look like one in logs. `traceparent` and the like pass.
//! - Cookies that HTTP/2 has sent one by one become one line (RFC 9113, section 8.2.3).
//! - `Expect` goes: the gateway has answered it (100) itself.
//! - `Via` is not written, though RFC 9110, section 7.6.3, asks gateways for it: servers take it for
//!   "behind a proxy" and stop compressing, and nothing reads it. What a client sent passes.

mod client;

use std::fmt::Write as _;
use std::net::IpAddr;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, HeaderMap, HeaderName,
    HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use smallvec::SmallVec;

pub(crate) use client::{Client, client};

use crate::balance::Random;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Makes a request's head ready for its backend, and gives the request's id.
pub(crate) fn prepare(headers: &mut HeaderMap, hop: &Hop<'_>, random: &mut Random) -> HeaderValue {
    clean_request(headers, hop.trusted);
    // Room for all that is told at once: a map that grows is laid out anew.
    headers.reserve(6);
    tell(headers, hop);
    request_id(headers, hop.trusted, random)
}

/// Removes from a response what belongs to the connection that it came on.
pub(crate) fn clean_response(headers: &mut HeaderMap) {
    let found = Found::scan(headers, true);
    found.remove_hop_by_hop(headers);
}

fn clean_request(headers: &mut HeaderMap, trusted: bool) {
    let found = Found::scan(headers, trusted);
    let trailers = found.hop_by_hop.contains(&TE)
        && headers
            .get_all(TE)
            .iter()
            .any(|value| has_token(value, b"trailers"));
    found.remove_hop_by_hop(headers);
    for name in &found.claims {
        headers.remove(name);
    }
    if found.cookie {
        join_cookies(headers);
    }
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let lines: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if let Ok(line) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
        headers.insert(COOKIE, line);
    }
}

/// Which headers of interest there are: one pass over a map is cheaper than a lookup for each.
#[derive(Default)]
struct Found {
    hop_by_hop: SmallVec<[HeaderName; 4]>,
    connection: bool,
    cookie: bool,
    /// What untrusted peers say about where the request comes from.
    claims: SmallVec<[HeaderName; 4]>,
}

impl Found {
    fn scan(headers: &HeaderMap, trusted: bool) -> Self {
        let mut found = Self::default();
        for name in headers.keys() {
            match name.as_str() {
                "connection" => found.connection = true,
                "cookie" => found.cookie = true,
                "keep-alive" => found.hop_by_hop.push(KEEP_ALIVE),
                "proxy-connection" => found.hop_by_hop.push(PROXY_CONNECTION),
                "te" => found.hop_by_hop.push(TE),
                "transfer-encoding" => found.hop_by_hop.push(TRANSFER_ENCODING),
                "upgrade" => found.hop_by_hop.push(UPGRADE),
                "expect" => found.hop_by_hop.push(EXPECT),
                "proxy-authenticate" => found.hop_by_hop.push(PROXY_AUTHENTICATE),
                "proxy-authorization" => found.hop_by_hop.push(PROXY_AUTHORIZATION),
                text if !trusted && is_claim(text) => found.claims.push(name.clone()),
                _ => {}
            }
        }
        found
    }

    fn remove_hop_by_hop(&self, headers: &mut HeaderMap) {
        if self.connection {
            for name in named_by_connection(headers) {
                headers.remove(name);
            }
            headers.remove(CONNECTION);
        }
        for name in &self.hop_by_hop {
            headers.remove(name);
        }
    }
}

/// Whether a header says where a request comes from. Servers that make variables of headers (CGI, WSGI) take
/// `_` for `-`, so it counts as one here too.
fn is_claim(name: &str) -> bool {
    let begins = |known: &str| {
        let pairs = name.bytes().zip(known.bytes());
        let same = |(byte, known): (u8, u8)| byte == known || (byte, known) == (b'_', b'-');
        name.len() >= known.len() && pairs.into_iter().all(same)
    };
    let is = |known: &str| name.len() == known.len() && begins(known);
    begins("x-forwarded-") || is("forwarded") || is("x-real-ip")
}

/// Removes from a request's trailers what only a head may say (RFC 9110, section 6.5.1): whom it is for, how
/// long it is, who sends it and from where. A server that reads trailers as headers would believe what nobody
/// has checked.
pub(crate) fn clean_trailers(trailers: &mut HeaderMap) {
    let only_in_heads = |name: &HeaderName| {
        let text = name.as_str();
        is_claim(text)
            || text.starts_with("if-")
            || matches!(
                text,
                "authorization"
                    | "connection"
                    | "content-encoding"
                    | "content-length"
                    | "content-range"
                    | "content-type"
                    | "cookie"
                    | "expect"
                    | "host"
                    | "keep-alive"
                    | "max-forwards"
                    | "proxy-authorization"
                    | "proxy-connection"
                    | "range"
                    | "te"
                    | "trailer"
                    | "transfer-encoding"
                    | "upgrade"
                    | "x-request-id"
            )
    };
    let found: SmallVec<[HeaderName; 4]> = trailers
        .keys()
        .filter(|name| only_in_heads(name))
        .cloned()
        .collect();
    for name in found {
        trailers.remove(name);
    }
}

/// What `Connection` names, without what a message cannot do without: a client must not be able to take
/// away what says for whom the message is or where it ends.
fn named_by_connection(headers: &HeaderMap) -> SmallVec<[HeaderName; 2]> {
    headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|token| {
            let common: [&[u8]; 2] = [b"keep-alive", b"close"];
            !common
                .iter()
                .any(|common| token.eq_ignore_ascii_case(common))
        })
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        .filter(|name| ![HOST, CONTENT_LENGTH].contains(name) && !is_claim(name.as_str()))
        .collect()
}

fn has_token(value: &HeaderValue, token: &[u8]) -> bool {
    value
        .as_bytes()
        .split(|byte| *byte == b',')
        .map(|part| part.split(|byte| *byte == b';').next().unwrap_or_default())
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
}

/// What is the same for all requests of a connection: written once, so that a request only counts one
/// more reference.
pub(crate) struct Standing {
    peer: HeaderValue,
    port: HeaderValue,
}

impl Standing {
    /// Of a connection from this address, on a listener's port.
    pub(crate) fn new(peer: IpAddr, port: u16) -> Self {
        let mut line = Line::new();
        line.push(format_args!("{peer}"));
        Self {
            peer: line.value(),
            port: HeaderValue::from(port),
        }
    }
}

/// What this gateway knows about where a request comes from.
pub(crate) struct Hop<'a> {
    /// The connection's other end.
    pub(crate) peer: IpAddr,
    /// What is written once for a connection.
    pub(crate) standing: &'a Standing,
    /// Whether the connection is TLS.
    pub(crate) https: bool,
    /// Whether the client came over TLS, to us or to a trusted proxy.
    pub(crate) client_https: bool,
    /// `Host` as the client sent it.
    pub(crate) host: &'a HeaderValue,
    /// Whether what the peer has said stays.
    pub(crate) trusted: bool,
    /// Whether `Forwarded` is written too.
    pub(crate) forwarded: bool,
}

/// Writes where the request comes from. From peers that are not trusted, nothing is there any more.
fn tell(headers: &mut HeaderMap, hop: &Hop<'_>) {
    // Before the other header has this hop.
    let forwarded = hop.forwarded.then(|| forwarded(headers, hop));
    if hop.trusted {
        let mut line = Line::new();
        if headers.contains_key(X_FORWARDED_FOR) {
            line.join(headers, &X_FORWARDED_FOR);
        } else {
            for address in client::from_the_left(headers) {
                match address {
                    Some(address) => line.push(format_args!("{address}")),
                    None => line.push(format_args!("unknown")),
                }
            }
        }
        line.push(format_args!("{}", hop.peer));
        headers.insert(X_FORWARDED_FOR, line.value());
    } else {
        headers.insert(X_FORWARDED_FOR, hop.standing.peer.clone());
    }
    let mut say = |name: HeaderName, value: &dyn Fn() -> HeaderValue| {
        if !hop.trusted || !headers.contains_key(&name) {
            headers.insert(name, value());
        }
    };
    say(X_FORWARDED_PROTO, &|| {
        HeaderValue::from_static(scheme(hop.client_https))
    });
    say(X_FORWARDED_HOST, &|| hop.host.clone());
    say(X_FORWARDED_PORT, &|| hop.standing.port.clone());
    if let Some(forwarded) = forwarded {
        headers.insert(FORWARDED, forwarded);
    }
}

/// `Forwarded` (RFC 7239) with this hop at its end. Where proxies in front have written
/// `X-Forwarded-For` only, its addresses are taken over (section 7.4).
fn forwarded(headers: &HeaderMap, hop: &Hop<'_>) -> HeaderValue {
    let mut line = Line::new();
    if hop.trusted && headers.contains_key(FORWARDED) {
        line.join(headers, &FORWARDED);
    } else if hop.trusted {
        for address in client::from_the_left(headers) {
            line.push(format_args!("for={}", Node(address)));
        }
    }
    line.push(format_args!(
        "for={};host=\"{}\";proto={}",
        Node(Some(hop.peer)),
        hop.host.to_str().unwrap_or_default(),
        scheme(hop.https)
    ));
    line.value()
}

/// An address as `Forwarded` has it (RFC 7239, section 6).
struct Node(Option<IpAddr>);

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => f.write_str("unknown"),
            Some(IpAddr::V4(address)) => write!(f, "{address}"),
            Some(IpAddr::V6(address)) => write!(f, "\"[{address}]\""),
        }
    }
}

fn scheme(https: bool) -> &'static str {
    if https { "https" } else { "http" }
}

/// A header's value in the making: elements, with commas between them.
struct Line(SmallVec<[u8; 64]>);

impl Line {
    fn new() -> Self {
        Self(SmallVec::new())
    }

    /// Takes over the elements of a header's lines.
    fn join(&mut self, headers: &HeaderMap, name: &HeaderName) {
        for value in headers.get_all(name) {
            let value = value.as_bytes().trim_ascii();
            if !value.is_empty() {
                self.comma();
                self.0.extend_from_slice(value);
            }
        }
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        self.comma();
        // Writing to memory does not fail.
        let _ = self.write_fmt(element);
    }

    fn comma(&mut self) {
        if !self.0.is_empty() {
            self.0.extend_from_slice(b", ");
        }
    }

    fn value(&self) -> HeaderValue {
        // Values of headers and our own text are values of headers again.
        HeaderValue::from_bytes(&self.0).unwrap_or(HeaderValue::from_static("unknown"))
    }
}

impl std::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The request's id: what a trusted proxy gave it, or 128 random bits in hexadecimal digits.
fn request_id(headers: &mut HeaderMap, trusted: bool, random: &mut Random) -> HeaderValue {
    if trusted
        && let Some(id) = headers.get(X_REQUEST_ID)
        && is_well_formed(id)
    {
        let id = id.clone();
        // Of several, one is the id.
        headers.insert(X_REQUEST_ID, id.clone());
        return id;
    }
    let id = new_id(random);
    headers.insert(X_REQUEST_ID, id.clone());
    id
}

/// A new id. Made in one allocation that all who hold the id share.
pub(crate) fn new_id(random: &mut Random) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let number = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    let mut text = [0; 32];
    for (digit, place) in text.iter_mut().zip((0..32).rev()) {
        *digit = DIGITS[(number >> (4 * place)) as usize & 15];
    }
    HeaderValue::from_maybe_shared(Bytes::from_owner(text))
        .unwrap_or(HeaderValue::from_static("00000000000000000000000000000000"))
}

/// An id that can stand in any log: 8 to 128 letters, digits and a few signs.
fn is_well_formed(id: &HeaderValue) -> bool {
    (8..=128).contains(&id.len())
        && id
            .as_bytes()
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:=+/@".contains(byte))
}

#[cfg(test)]
mod tests;
