//! The objects of `daemun run` without files: text, read like anybody's.

use std::net::SocketAddr;

/// A gateway on loopback with the echo backend behind every path.
pub(super) fn welcome(echo: SocketAddr, listen: SocketAddr) -> String {
    let backend = format!("  - {{address: {}, port: {}}}", echo.ip(), echo.port());
    gateway("welcome", "echo", listen, &backend)
}

/// A gateway in front of one service, written `HOST:PORT`.
pub(super) fn in_front_of(target: &str, listen: SocketAddr) -> String {
    let (host, port) = target.rsplit_once(':').unwrap_or((target, "80"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let field = if host.parse::<std::net::IpAddr>().is_ok() {
        "address"
    } else {
        "hostname"
    };
    let backend = format!(
        "  - {{{field}: {}, port: {}}}",
        quoted(host),
        quoted_number(port)
    );
    gateway("gateway", "service", listen, &backend)
}

/// A word of the user's as a YAML string, whatever it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "''"))
}

fn quoted_number(word: &str) -> String {
    if word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty() {
        word.to_owned()
    } else {
        quoted(word)
    }
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

    #[test]
    fn embedded_objects_are_read_without_a_complaint() {
        let listen = "127.0.0.1:8080".parse().unwrap();
        for text in [
            super::welcome("127.0.0.1:4000".parse().unwrap(), listen),
            super::in_front_of("localhost:9000", listen),
            super::in_front_of("10.0.0.7:9000", "0.0.0.0:80".parse().unwrap()),
            super::in_front_of("[::1]:9000", listen),
        ] {
            let (objects, problems) = read_text("embedded", &text);
            assert!(problems.is_empty(), "{problems:?}\n{text}");
            assert_eq!(objects.len(), 3);
        }
    }
}
