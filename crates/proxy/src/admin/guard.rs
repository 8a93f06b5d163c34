//! Who may not use the admin port: pages in a browser.
//!
//! A page from anywhere can make the browser of somebody on this host send requests to a loopback port. It
//! gives itself away by an `Origin`, by `Sec-Fetch-Site`, or, if it had its own name resolve to this host
//! (DNS rebinding), by a `Host` that is not this host's.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Uri};

use super::listen::is_loopback;

/// Gives the reason for which a request is refused, if there is one. Over a Unix socket, which no browser
/// opens, the host does not matter.
pub(super) fn refuse(uri: &Uri, headers: &HeaderMap, over_tcp: bool) -> Option<&'static str> {
    if headers.contains_key(ORIGIN) {
        return Some(
            "The request has an Origin: it comes from a page in a browser. The admin port is not for pages.",
        );
    }
    let site = headers.get("sec-fetch-site");
    if site.is_some_and(|site| site != "none" && site != "same-origin") {
        return Some(
            "The request comes from a page of another site. The admin port is not for pages.",
        );
    }
    if !over_tcp {
        return None;
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts
        .next()
        .and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let local = host.is_some_and(|host| is_this_host(&host))
        && hosts.next().is_none()
        && uri.authority().is_none_or(is_this_host);
    (!local).then_some("The Host of the request is not this host. Use localhost, 127.0.0.1 or [::1] to get to the admin port.")
}

fn is_this_host(authority: &Authority) -> bool {
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Uri};

    use super::refuse;

    fn refused(headers: &[(&'static str, &'static str)], over_tcp: bool) -> bool {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        refuse(&Uri::from_static("/config"), &headers, over_tcp).is_some()
    }

    #[test]
    fn only_this_host_is_a_host() {
        for (host, local) in [
            ("localhost", true),
            ("LocalHost:9902", true),
            ("127.0.0.1:9902", true),
            ("127.8.8.8", true),
            ("[::1]:9902", true),
            ("[::ffff:127.0.0.1]", true),
            ("192.168.0.1:9902", false),
            ("evil.example", false),
            ("localhost.evil.example:9902", false),
            ("127.0.0.1.evil.example", false),
            ("evil@localhost", true),
            ("", false),
            ("a b", false),
        ] {
            assert_eq!(refused(&[("host", host)], true), !local, "{host}");
        }
        assert!(refused(&[], true), "without a host");
        assert!(
            !refused(&[("host", "gateway")], false),
            "over a Unix socket"
        );
    }

    #[test]
    fn pages_are_refused() {
        let local = ("host", "localhost:9902");
        assert!(refused(&[local, ("origin", "http://localhost:9902")], true));
        assert!(refused(&[local, ("origin", "null")], true));
        assert!(refused(&[local, ("sec-fetch-site", "cross-site")], true));
        assert!(refused(&[local, ("sec-fetch-site", "same-site")], true));
        assert!(refused(&[("origin", "https://evil.example")], false));
        assert!(
            !refused(&[local, ("sec-fetch-site", "none")], true),
            "typed by a person"
        );
    }

    #[test]
    fn a_target_with_another_host_is_refused() {
        let headers =
            HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("localhost"))]);
        assert!(
            refuse(
                &Uri::from_static("http://evil.example/config"),
                &headers,
                true
            )
            .is_some()
        );
        assert!(refuse(&Uri::from_static("http://localhost/config"), &headers, true).is_none());
    }
}
