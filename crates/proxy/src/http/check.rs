//! What a request's head must be before anyone looks at what it asks for.
//!
//! The engine has parsed it; it takes more than is good. What two servers could read in two ways (two
//! hosts, two lengths, a length beside a transfer coding) is refused here, so that no backend sees it.
//! Paths are `daemun_route::paths`', limits are `serve`'s.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::Authority;
use http::{Method, Version};
use hyper::ext::Protocol;
use smallvec::SmallVec;

/// The longest name that DNS knows.
const LONGEST_HOST: usize = 255;

/// The host that a request is for.
pub(crate) struct Host {
    /// Lower case, without port and trailing dot.
    name: SmallVec<[u8; 48]>,
    /// As the client sent it.
    pub(crate) sent: HeaderValue,
}

impl Deref for Host {
    type Target = str;

    fn deref(&self) -> &str {
        // Only ASCII is taken.
        std::str::from_utf8(&self.name).unwrap_or_default()
    }
}

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no `Host`, or an empty one.
    HostMissing,
    /// There is more than one `Host`.
    HostRepeated,
    /// `Host` is not a host with an optional port.
    HostMalformed,
    /// The target names another host than `Host` does.
    HostsDiffer,
    /// The target names a user.
    UserInfo,
    /// The target has a character that must be percent-encoded.
    TargetCharacter,
    /// The target is a host without a path, which is for `CONNECT` only.
    TargetForm,
    /// The target has a scheme other than `http` and `https`.
    Scheme,
    /// `*` with a method other than `OPTIONS`.
    Asterisk,
    /// `CONNECT`, which asks for a tunnel to anywhere.
    Connect,
    /// `Transfer-Encoding` is not exactly `chunked`, or is where it cannot be.
    TransferEncoding,
    /// `Content-Length` is repeated or is not a number.
    ContentLength,
    /// Both `Transfer-Encoding` and `Content-Length`.
    BothLengths,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostMissing => "the request has no Host",
            Self::HostRepeated => "the request has more than one Host",
            Self::HostMalformed => "Host is not a hostname or an address, with a port if need be",
            Self::HostsDiffer => "the request's target and Host name two hosts",
            Self::UserInfo => "the request's target names a user",
            Self::TargetCharacter => {
                "the request's target has a character that must be percent-encoded"
            }
            Self::TargetForm => "the request's target is a host without a path",
            Self::Scheme => "the request's target has a scheme other than http and https",
            Self::Asterisk => "the target * is for OPTIONS only",
            Self::Connect => "CONNECT is not served: a gateway is no proxy to elsewhere",
            Self::TransferEncoding => "Transfer-Encoding is not exactly \"chunked\"",
            Self::ContentLength => "Content-Length is repeated or is not a number",
            Self::BothLengths => "the request has both Transfer-Encoding and Content-Length",
        })
    }
}

/// Checks a head and gives its host. Afterwards `Host` is there once, whatever the version, and says
/// what the target says.
///
/// # Errors
/// The first fault that is found. The client hears 400, and an HTTP/1 connection is closed.
pub(crate) fn host(parts: &mut Parts) -> Result<Host, Fault> {
    target(parts)?;
    length(&parts.headers, parts.version)?;
    let mut values = parts.headers.get_all(HOST).iter();
    let (header, more) = (values.next(), values.next());
    if more.is_some() {
        return Err(Fault::HostRepeated);
    }
    match (header, parts.uri.authority()) {
        (None, None) => Err(Fault::HostMissing),
        (Some(header), None) => parse(header.as_bytes()).map(|name| Host {
            name,
            sent: header.clone(),
        }),
        (Some(header), Some(authority)) => {
            let name = parse(authority.as_str().as_bytes())?;
            let same = header
                .as_bytes()
                .eq_ignore_ascii_case(authority.as_str().as_bytes());
            if !same && !same_place(header, authority, parts.uri.scheme_str()) {
                return Err(Fault::HostsDiffer);
            }
            Ok(Host {
                name,
                sent: header.clone(),
            })
        }
        // HTTP/2 says it in `:authority` (RFC 9113, section 8.3.1).
        (None, Some(authority)) if parts.version == Version::HTTP_2 => {
            let bytes = authority.as_str().as_bytes();
            let name = parse(bytes)?;
            let shared = Bytes::from_owner(SmallVec::<[u8; 64]>::from_slice(bytes));
            let sent = HeaderValue::from_maybe_shared(shared).map_err(|_| Fault::HostMalformed)?;
            parts.headers.insert(HOST, sent.clone());
            Ok(Host { name, sent })
        }
        (None, Some(_)) => Err(Fault::HostMissing),
    }
}

fn target(parts: &Parts) -> Result<(), Fault> {
    let extended = parts.extensions.get::<Protocol>().is_some();
    // An extended CONNECT (RFC 8441) has a path and is a request like others. `upgrade` may have taken
    // its `:protocol` already; a plain CONNECT has no path in either version.
    if parts.method == Method::CONNECT
        && !extended
        && (parts.version != Version::HTTP_2 || parts.uri.path_and_query().is_none())
    {
        return Err(Fault::Connect);
    }
    if parts
        .uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Err(Fault::UserInfo);
    }
    if !matches!(parts.uri.scheme_str(), None | Some("http" | "https")) {
        return Err(Fault::Scheme);
    }
    let Some(target) = parts.uri.path_and_query() else {
        return Err(Fault::TargetForm);
    };
    if target.path() == "*" && parts.method != Method::OPTIONS {
        return Err(Fault::Asterisk);
    }
    let refused = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b'#');
    match target.query() {
        Some(query) if query.bytes().any(refused) => Err(Fault::TargetCharacter),
        _ => Ok(()),
    }
}

/// Where the body ends must be said once (RFC 9112, section 6).
fn length(headers: &HeaderMap, version: Version) -> Result<(), Fault> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let (length, coding) = (lengths.next(), codings.next());
    if length.is_some() && coding.is_some() {
        return Err(Fault::BothLengths);
    }
    if let Some(coding) = coding {
        let chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !chunked || codings.next().is_some() || version != Version::HTTP_11 {
            return Err(Fault::TransferEncoding);
        }
    }
    if let Some(length) = length {
        let bytes = length.as_bytes();
        let digits = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.parse::<u64>().ok());
        if !digits || number.is_none() || lengths.next().is_some() {
            return Err(Fault::ContentLength);
        }
    }
    Ok(())
}

/// Whether two ways to write a host mean one place: a well-known port may be left out.
fn same_place(header: &HeaderValue, authority: &Authority, scheme: Option<&str>) -> bool {
    let well_known = |port: Option<u16>| {
        port.or(match scheme {
            Some("https") => Some(443),
            Some("http") => Some(80),
            _ => None,
        })
    };
    let place = |bytes: &[u8]| {
        let (name, port) = split(bytes).ok()?;
        Some((name.to_ascii_lowercase(), well_known(port)))
    };
    let there = place(authority.as_str().as_bytes());
    there.is_some() && place(header.as_bytes()) == there
}

fn parse(bytes: &[u8]) -> Result<SmallVec<[u8; 48]>, Fault> {
    if bytes.is_empty() {
        return Err(Fault::HostMissing);
    }
    let (name, _) = split(bytes)?;
    let mut name = SmallVec::from_slice(name.strip_suffix(b".").unwrap_or(name));
    name.make_ascii_lowercase();
    if name.is_empty() || name.len() > LONGEST_HOST || !is_host(&name) {
        return Err(Fault::HostMalformed);
    }
    Ok(name)
}

fn split(bytes: &[u8]) -> Result<(&[u8], Option<u16>), Fault> {
    let colon = bytes.iter().rposition(|byte| *byte == b':');
    match colon {
        // A colon inside the brackets of an IPv6 address does not begin a port.
        Some(colon) if !bytes[colon..].contains(&b']') => {
            let port = &bytes[colon + 1..];
            let digits = !port.is_empty() && port.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(port)
                .ok()
                .and_then(|port| port.parse().ok());
            match number.filter(|_| digits) {
                Some(number) => Ok((&bytes[..colon], Some(number))),
                None => Err(Fault::HostMalformed),
            }
        }
        _ => Ok((bytes, None)),
    }
}

/// Letters, digits, `-`, `_` and `.` with something between the dots; or an address in brackets.
fn is_host(name: &[u8]) -> bool {
    if let Some(address) = name
        .strip_prefix(b"[")
        .and_then(|rest| rest.strip_suffix(b"]"))
    {
        return std::str::from_utf8(address)
            .is_ok_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let mut last = b'.';
    for byte in name {
        let fits = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_')
            || (*byte == b'.' && last != b'.');
        if !fits {
            return false;
        }
        last = *byte;
    }
    last != b'.'
}

#[cfg(test)]
mod tests;
