//! `RequestRedirect`: where the client is sent.
//!
//! `Location` always names scheme and host, so that no path can be read as another host.

use std::fmt::Write as _;

use daemun_model::filter::redirect::{Redirect, Scheme};
use http::header::{HeaderValue, InvalidHeaderValue};
use http::uri::PathAndQuery;

use super::rewrite;

/// The request that is redirected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RedirectFrom<'a> {
    /// How the client came: over TLS, or as a trusted proxy says.
    pub(crate) scheme: Scheme,
    /// `Host` as it was sent, perhaps with a port.
    pub(crate) authority: &'a str,
    /// Path and query.
    pub(crate) path_and_query: &'a PathAndQuery,
    /// The prefix that the path was matched with, if it was one.
    pub(crate) matched_prefix: Option<&'a str>,
    /// The port of the listener, as clients know it.
    pub(crate) listener_port: u16,
}

/// The answer's `Location` (gateway-api `HTTPRequestRedirectFilter`).
///
/// # Errors
/// The host cannot be written in a header. A host that was checked always can.
pub(crate) fn location(
    redirect: &Redirect,
    request: &RedirectFrom<'_>,
) -> Result<HeaderValue, InvalidHeaderValue> {
    let Redirect {
        scheme,
        hostname,
        path,
        port,
        status: _, // The answer's, not its Location's.
    } = redirect;
    let host = hostname
        .as_deref()
        .unwrap_or_else(|| without_port(request.authority));
    let port = port.unwrap_or_else(|| scheme.map_or(request.listener_port, well_known));
    let scheme = scheme.unwrap_or(request.scheme);
    let old = request.path_and_query;
    let mut location = String::with_capacity(16 + host.len() + old.as_str().len());
    location.push_str(match scheme {
        Scheme::Http => "http://",
        Scheme::Https => "https://",
    });
    location.push_str(host);
    if port != well_known(scheme) {
        // Writing to a string does not fail.
        let _ = write!(location, ":{port}");
    }
    match path {
        Some(path) => {
            let new = rewrite::new_path(path, old.path(), request.matched_prefix);
            location.push_str(&new);
            if let Some(query) = old.query() {
                location.push('?');
                location.push_str(query);
            }
        }
        None => location.push_str(old.as_str()),
    }
    HeaderValue::try_from(location)
}

/// The port that a scheme has without one being written.
pub(crate) fn well_known(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // A colon inside the brackets of an IPv6 address does not begin a port.
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use daemun_model::filter::redirect::{Redirect, RedirectStatus, Scheme};
    use daemun_model::filter::rewrite::PathRewrite;

    use super::{RedirectFrom, location};

    const NOTHING: Redirect = Redirect {
        scheme: None,
        hostname: None,
        path: None,
        port: None,
        status: RedirectStatus::Found,
    };

    fn located(redirect: &Redirect, scheme: Scheme, authority: &str, listener_port: u16) -> String {
        let request = RedirectFrom {
            scheme,
            authority,
            path_and_query: &"/foo/bar?q=1".parse().unwrap(),
            matched_prefix: Some("/foo"),
            listener_port,
        };
        location(redirect, &request)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn ports_follow_the_filter_then_its_scheme_then_the_listener() {
        use Scheme::{Http, Https};
        for (scheme, port, came, listener, expected) in [
            (None, None, Http, 80, "http://a.example"),
            (None, None, Http, 8080, "http://a.example:8080"),
            (None, None, Https, 443, "https://a.example"),
            (None, None, Https, 8443, "https://a.example:8443"),
            (None, None, Https, 80, "https://a.example:80"),
            (None, Some(80), Http, 8080, "http://a.example"),
            (None, Some(8083), Http, 80, "http://a.example:8083"),
            (Some(Https), None, Http, 8080, "https://a.example"),
            (Some(Https), Some(443), Http, 80, "https://a.example"),
            (Some(Https), Some(8443), Http, 80, "https://a.example:8443"),
            (Some(Http), None, Https, 8443, "http://a.example"),
            (Some(Http), Some(443), Https, 443, "http://a.example:443"),
            (Some(Https), Some(80), Http, 80, "https://a.example:80"),
        ] {
            let redirect = Redirect {
                scheme,
                port,
                ..NOTHING
            };
            let got = located(&redirect, came, "a.example:9999", listener);
            assert_eq!(
                got,
                format!("{expected}/foo/bar?q=1"),
                "{redirect:?} on {listener}"
            );
        }
    }

    #[test]
    fn the_host_is_the_requests_unless_written() {
        for (authority, hostname, expected) in [
            ("a.example", None, "http://a.example/foo/bar?q=1"),
            ("a.example:8080", None, "http://a.example/foo/bar?q=1"),
            ("[::1]:8080", None, "http://[::1]/foo/bar?q=1"),
            ("[::1]", None, "http://[::1]/foo/bar?q=1"),
            (
                "a.example:8080",
                Some("b.example"),
                "http://b.example/foo/bar?q=1",
            ),
        ] {
            let redirect = Redirect {
                hostname: hostname.map(str::to_owned),
                ..NOTHING
            };
            assert_eq!(located(&redirect, Scheme::Http, authority, 80), expected);
        }
    }

    #[test]
    fn paths_are_rewritten_and_the_query_stays() {
        for (path, expected) in [
            (PathRewrite::Prefix("/new".to_owned()), "/new/bar?q=1"),
            (PathRewrite::Prefix(String::new()), "/bar?q=1"),
            (PathRewrite::Prefix("/".to_owned()), "/bar?q=1"),
            (PathRewrite::Full("/all".to_owned()), "/all?q=1"),
            (PathRewrite::Full(String::new()), "/?q=1"),
        ] {
            let redirect = Redirect {
                path: Some(path),
                ..NOTHING
            };
            let got = located(&redirect, Scheme::Http, "a.example", 80);
            assert_eq!(got, format!("http://a.example{expected}"));
        }
    }
}
