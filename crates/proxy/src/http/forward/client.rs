//! Who the client is: the peer of the connection, or who trusted proxies say it is.
//!
//! `X-Forwarded-For` is read from its right end, since each proxy adds its own peer there; what is left
//! of the first address that no trusted proxy has written could be anybody's invention. Without
//! `X-Forwarded-For`, `Forwarded` (RFC 7239) is read in the same way.

use std::net::{IpAddr, SocketAddr};

use daemun_model::policy::forwarding::{Forwarding, TrustedProxies};
use http::header::{FORWARDED, HeaderMap, HeaderName};
use smallvec::SmallVec;

use super::{X_FORWARDED_FOR, X_FORWARDED_PROTO};

/// As many proxies as are taken over from one header into the other.
const LONGEST_PATH: usize = 32;

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address.
    pub(crate) address: IpAddr,
    /// Whether it came over TLS, to us or to the trusted proxy nearest to us.
    pub(crate) https: bool,
    /// Whether the peer is a trusted proxy, whose words about forwarding are kept.
    pub(crate) trusted: bool,
}

/// Determines the client of a request. `peer` is the connection's other end, or who PROXY protocol says
/// that it is.
pub(crate) fn client(
    peer: SocketAddr,
    tls: bool,
    headers: &HeaderMap,
    forwarding: &Forwarding,
) -> Client {
    let peer = peer.ip();
    let address = match &forwarding.trusted {
        TrustedProxies::None => None,
        TrustedProxies::Ranges(ranges) => {
            let trusted = |address: &IpAddr| ranges.iter().any(|range| range.contains(address));
            trusted(&peer).then(|| {
                let mut client = peer;
                for address in path(headers).map_while(|address| address) {
                    client = address;
                    if !trusted(&client) {
                        break;
                    }
                }
                client
            })
        }
        TrustedProxies::Hops(hops) => {
            let path = path(headers).map_while(|address| address);
            Some(path.take(usize::from(*hops).max(1)).last().unwrap_or(peer))
        }
    };
    let said = address.and_then(|_| said_https(headers));
    Client {
        address: address.unwrap_or(peer),
        https: said.unwrap_or(tls),
        trusted: address.is_some(),
    }
}

/// The addresses that proxies have written, the nearest first; none for what is no address.
fn path(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let by_list = headers.contains_key(X_FORWARDED_FOR);
    let name = if by_list { X_FORWARDED_FOR } else { FORWARDED };
    from_the_right(headers, name).map(move |element| {
        let element = std::str::from_utf8(element).ok()?;
        if by_list {
            address(element)
        } else {
            address(parameter(element, "for")?)
        }
    })
}

/// The same, the farthest first: what a header can be made of that is not there. At most so many, since
/// each is somebody's word.
pub(super) fn from_the_left(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let nearest: SmallVec<[Option<IpAddr>; 4]> = path(headers).take(LONGEST_PATH).collect();
    nearest.into_iter().rev()
}

fn said_https(headers: &HeaderMap) -> Option<bool> {
    let proto = match from_the_right(headers, X_FORWARDED_PROTO).next() {
        Some(proto) => std::str::from_utf8(proto).ok()?,
        None => {
            let nearest = from_the_right(headers, FORWARDED).next()?;
            parameter(std::str::from_utf8(nearest).ok()?, "proto")?
        }
    };
    let proto = proto.trim();
    (proto.eq_ignore_ascii_case("https") || proto.eq_ignore_ascii_case("wss"))
        .then_some(true)
        .or_else(|| proto.eq_ignore_ascii_case("http").then_some(false))
}

fn from_the_right(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(name).into_iter().rev();
    lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
}

/// A parameter of one element of `Forwarded`, without its quotes.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    element
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .find(|(its, _)| its.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().trim_matches('"'))
}

/// An address, perhaps with a port: `10.0.0.7`, `10.0.0.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address(written: &str) -> Option<IpAddr> {
    let written = written.trim();
    let bare = written
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let parsed = bare.unwrap_or(written).parse::<IpAddr>().ok();
    parsed
        .or_else(|| {
            written
                .parse::<SocketAddr>()
                .ok()
                .map(|address| address.ip())
        })
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use daemun_model::policy::forwarding::{Forwarding, TrustedProxies};

    use super::client;
    use crate::heads::headers;

    fn forwarding(trusted: TrustedProxies) -> Forwarding {
        Forwarding {
            trusted,
            ..Forwarding::default()
        }
    }

    #[test]
    fn the_client_is_the_nearest_whom_no_trusted_proxy_vouches_for() {
        let none = TrustedProxies::None;
        let ranges = TrustedProxies::Ranges(vec![
            "10.0.0.0/8".parse().unwrap(),
            "fd00::/8".parse().unwrap(),
        ]);
        let one = TrustedProxies::Hops(1);
        let two = TrustedProxies::Hops(2);
        let xff = "x-forwarded-for";
        for (trusted, peer, lines, expected) in [
            (&none, "10.0.0.1", vec![(xff, "1.1.1.1")], "10.0.0.1"),
            (&ranges, "9.9.9.9", vec![(xff, "1.1.1.1")], "9.9.9.9"),
            (&ranges, "10.0.0.1", vec![], "10.0.0.1"),
            (&ranges, "10.0.0.1", vec![(xff, "1.1.1.1")], "1.1.1.1"),
            (
                &ranges,
                "10.0.0.1",
                vec![(xff, "2.2.2.2, 1.1.1.1,10.0.0.2")],
                "1.1.1.1",
            ),
            (
                &ranges,
                "10.0.0.1",
                vec![(xff, "2.2.2.2"), (xff, "1.1.1.1")],
                "1.1.1.1",
            ),
            (
                &ranges,
                "10.0.0.1",
                vec![(xff, "10.0.0.3, 10.0.0.2")],
                "10.0.0.3",
            ),
            (
                &ranges,
                "10.0.0.1",
                vec![(xff, "2.2.2.2, unknown, 10.0.0.2")],
                "10.0.0.2",
            ),
            (&ranges, "10.0.0.1", vec![(xff, "")], "10.0.0.1"),
            (
                &ranges,
                "fd00::1",
                vec![(xff, "2001:db8::1")],
                "2001:db8::1",
            ),
            (
                &ranges,
                "10.0.0.1",
                vec![(xff, "[2001:db8::1]:4711")],
                "2001:db8::1",
            ),
            (&ranges, "10.0.0.1", vec![(xff, "1.1.1.1:4711")], "1.1.1.1"),
            (
                &ranges,
                "10.0.0.1",
                vec![(xff, "::ffff:1.1.1.1")],
                "1.1.1.1",
            ),
            (
                &ranges,
                "10.0.0.1",
                vec![("forwarded", "for=2.2.2.2, for=1.1.1.1;proto=https")],
                "1.1.1.1",
            ),
            (
                &ranges,
                "10.0.0.1",
                vec![("forwarded", "proto=http;For=\"[2001:db8::1]:80\"")],
                "2001:db8::1",
            ),
            (
                &ranges,
                "10.0.0.1",
                vec![("forwarded", "for=_hidden")],
                "10.0.0.1",
            ),
            (
                &ranges,
                "10.0.0.1",
                vec![("forwarded", "for=2.2.2.2"), (xff, "1.1.1.1")],
                "1.1.1.1",
            ),
            (&one, "9.9.9.9", vec![], "9.9.9.9"),
            (&one, "9.9.9.9", vec![(xff, "2.2.2.2, 1.1.1.1")], "1.1.1.1"),
            (
                &two,
                "9.9.9.9",
                vec![(xff, "3.3.3.3, 2.2.2.2, 1.1.1.1")],
                "2.2.2.2",
            ),
            (&two, "9.9.9.9", vec![(xff, "1.1.1.1")], "1.1.1.1"),
            (&two, "9.9.9.9", vec![(xff, "nobody, 1.1.1.1")], "1.1.1.1"),
        ] {
            let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 4711);
            let got = client(peer, false, &headers(&lines), &forwarding(trusted.clone()));
            assert_eq!(got.address.to_string(), expected, "{trusted:?} {lines:?}");
        }
    }

    #[test]
    fn tls_is_believed_of_trusted_proxies_only() {
        let trusted = TrustedProxies::Hops(1);
        let proto = "x-forwarded-proto";
        for (trusted, tls, lines, https) in [
            (&TrustedProxies::None, false, vec![(proto, "https")], false),
            (&TrustedProxies::None, true, vec![(proto, "http")], true),
            (&trusted, false, vec![(proto, "https")], true),
            (&trusted, false, vec![(proto, "http, HTTPS")], true),
            (&trusted, true, vec![(proto, "http")], false),
            (&trusted, true, vec![], true),
            (&trusted, false, vec![], false),
            (&trusted, true, vec![(proto, "gopher")], true),
            (
                &trusted,
                false,
                vec![("forwarded", "for=1.1.1.1;proto=https")],
                true,
            ),
        ] {
            let peer = "9.9.9.9:1".parse().unwrap();
            let got = client(peer, tls, &headers(&lines), &forwarding(trusted.clone()));
            assert_eq!(got.https, https, "{trusted:?} {tls} {lines:?}");
            assert_eq!(got.trusted, *trusted != TrustedProxies::None);
        }
    }
}
