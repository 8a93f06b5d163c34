//! The scenarios: what is asked of every proxy.

use super::routes::Routing;

/// One line of the table that `bench` is about.
pub(crate) struct Scenario {
    /// What `--scenario` takes.
    pub(crate) name: &'static str,
    /// What the report says.
    pub(crate) title: &'static str,
    pub(crate) routing: Routing,
    pub(crate) traffic: Traffic,
    /// Bytes in the body of every response.
    pub(crate) body: usize,
}

/// How requests reach the proxy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// HTTP/1.1 keep-alive, 64 connections.
    Plain,
    /// The same over TLS 1.3.
    Tls,
    /// A new connection and a full TLS handshake for each request.
    Handshakes,
    /// HTTP/2 over TLS 1.3, 4 connections of 64 streams.
    Http2,
}

impl Traffic {
    pub(crate) fn is_tls(self) -> bool {
        match self {
            Traffic::Plain => false,
            Traffic::Tls | Traffic::Handshakes | Traffic::Http2 => true,
        }
    }
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "one-route",
        title: "One route, GET, 512 B, 64 connections",
        routing: Routing::One,
        traffic: Traffic::Plain,
        body: 512,
    },
    Scenario {
        name: "5000-routes",
        title: "5,000 routes on 500 hosts, GET, 512 B, 64 connections",
        routing: Routing::Hosts,
        traffic: Traffic::Plain,
        body: 512,
    },
    Scenario {
        name: "1000-rules",
        title: "1,000 rules on one host (750 prefixes, 100 headers, 100 query parameters, 50 regular expressions)",
        routing: Routing::Rules,
        traffic: Traffic::Plain,
        body: 512,
    },
    Scenario {
        name: "16k",
        title: "One route, GET, 16 KiB, 64 connections",
        routing: Routing::One,
        traffic: Traffic::Plain,
        body: 16 * 1024,
    },
    Scenario {
        name: "tls",
        title: "TLS 1.3 with keep-alive, one route, 512 B, 64 connections",
        routing: Routing::One,
        traffic: Traffic::Tls,
        body: 512,
    },
    Scenario {
        name: "http2",
        title: "HTTP/2 over TLS 1.3, one route, 512 B, 4 connections of 64 streams",
        routing: Routing::One,
        traffic: Traffic::Http2,
        body: 512,
    },
    Scenario {
        name: "handshakes",
        title: "A new TLS 1.3 connection for each request, one route, 512 B, 64 at a time",
        routing: Routing::One,
        traffic: Traffic::Handshakes,
        body: 512,
    },
];
