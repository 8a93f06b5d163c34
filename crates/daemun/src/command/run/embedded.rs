//! The objects of `daemun run` without files: text, read like anybody's.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use daemun_model::hostname::HostPattern;

/// The service of `--to`: a name or an address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    host: String,
    port: u16,
}

impl FromStr for Service {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        if let Some((scheme, rest)) = written.split_once("://") {
            let rest = rest.split('/').next().unwrap_or_default();
            return Err(match scheme {
                "http" => format!("write it without the scheme: --to {rest}"),
                _ => format!(
                    "--to speaks plain HTTP to {rest}; for TLS, use a Backend with spec.tls in a file"
                ),
            });
        }
        let no_port = || {
            format!(
                "it has no port; write HOST:PORT, such as {}:9000",
                written.trim_end_matches(':')
            )
        };
        let (host, port) = written.rsplit_once(':').ok_or_else(no_port)?;
        if port.is_empty() {
            return Err(no_port());
        }
        let port = port.parse().ok().filter(|port| *port > 0);
        let port = port.ok_or("the port is no number from 1 to 65535")?;
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let is_address = host.parse::<IpAddr>().is_ok();
        match HostPattern::parse(host) {
            _ if is_address => {}
            Ok(HostPattern::Exact(_)) => {}
            Ok(HostPattern::Wildcard(_) | HostPattern::Any) => {
                return Err("a wildcard is no place to send requests to".to_owned());
            }
            Err(why) => return Err(why),
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

/// A gateway on loopback with the echo backend behind every path.
pub(super) fn welcome(echo: SocketAddr, listen: SocketAddr) -> String {
    let backend = format!("  - {{address: {}, port: {}}}", echo.ip(), echo.port());
    gateway("welcome", "echo", listen, &backend)
}

/// A gateway in front of one service.
pub(super) fn in_front_of(service: &Service, listen: SocketAddr) -> String {
    let Service { host, port } = service;
    let field = if host.parse::<IpAddr>().is_ok() {
        "address"
    } else {
        "hostname"
    };
    let backend = format!("  - {{{field}: '{host}', port: {port}}}");
    gateway("gateway", "service", listen, &backend)
}

fn gateway(name: &str, backend: &str, listen: SocketAddr, endpoint: &str) -> String {
    let port = listen.port();
    let addresses = if listen.ip().is_unspecified() {
        String::new()
    } else {
        format!(
            "  addresses:\n  - {{type: IPAddress, value: '{}'}}\n",
            listen.ip()
        )
    };
    format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}}}
spec:
  gatewayClassName: daemun
{addresses}  listeners:
  - {{name: http, port: {port}, protocol: HTTP}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: everything}}
spec:
  parentRefs:
  - {{name: {name}}}
  rules:
  - backendRefs:
    - {{group: gateway.daemun.dev, kind: Backend, name: {backend}}}
---
apiVersion: gateway.daemun.dev/v1alpha1
kind: Backend
metadata: {{name: {backend}}}
spec:
  endpoints:
{endpoint}
"
    )
}

#[cfg(test)]
mod tests {
    use daemun_controller::source::files::read_text;

    use super::Service;

    #[test]
    fn embedded_objects_are_read_without_a_complaint() {
        let listen = "127.0.0.1:8080".parse().unwrap();
        for text in [
            super::welcome("127.0.0.1:4000".parse().unwrap(), listen),
            super::in_front_of(&"localhost:9000".parse().unwrap(), listen),
            super::in_front_of(
                &"10.0.0.7:9000".parse().unwrap(),
                "0.0.0.0:80".parse().unwrap(),
            ),
            super::in_front_of(&"[::1]:9000".parse().unwrap(), listen),
        ] {
            let (objects, problems) = read_text("embedded", &text);
            assert!(problems.is_empty(), "{problems:?}\n{text}");
            assert_eq!(objects.len(), 3);
        }
    }

    #[test]
    fn what_is_no_service_is_refused_with_what_to_write() {
        for (written, why) in [
            (
                "localhost",
                "it has no port; write HOST:PORT, such as localhost:9000",
            ),
            (
                "localhost:",
                "it has no port; write HOST:PORT, such as localhost:9000",
            ),
            ("localhost:0", "the port is no number from 1 to 65535"),
            ("::1:x", "the port is no number from 1 to 65535"),
            (
                "*.example.com:80",
                "a wildcard is no place to send requests to",
            ),
            (
                "http://localhost:9000/",
                "write it without the scheme: --to localhost:9000",
            ),
            (
                "https://localhost:9000",
                "--to speaks plain HTTP to localhost:9000; for TLS, use a Backend with spec.tls in a file",
            ),
        ] {
            assert_eq!(written.parse::<Service>(), Err(why.to_owned()), "{written}");
        }
        assert!("two words:80".parse::<Service>().is_err());
        let service: Service = "[::1]:9000".parse().unwrap();
        assert_eq!(service.to_string(), "[::1]:9000");
    }
}
