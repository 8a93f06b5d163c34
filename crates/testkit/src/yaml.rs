//! Objects as YAML, as a user would write them, with the ports and certificates of a test filled in.

use std::fmt::{Display, Write as _};

use crate::{Backend, Identity, Strict, Tap};

/// The documents of several texts, as one file.
pub fn documents(texts: &[&str]) -> String {
    texts.join("\n---\n")
}

/// Puts values in place of `$name`. Longer names first, so that `$port2` is not `$port` and a 2.
pub fn fill(template: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut values = values.to_vec();
    values.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("${name}"), &value.to_string())
        })
}

/// The Gateway `gw` with one HTTP listener, `http`.
pub fn gateway(port: u16) -> String {
    gateway_of(&format!("- {{name: http, port: {port}, protocol: HTTP}}"))
}

/// The Gateway `gw` on loopback with these listeners.
pub fn gateway_of(listeners: &str) -> String {
    gateway_with(listeners, "")
}

/// The same with more in its spec.
pub fn gateway_with(listeners: &str, more: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: gw}}\nspec:\n  \
         gatewayClassName: daemun\n  addresses: [{{type: IPAddress, value: 127.0.0.1}}]\n  listeners:\n{}\n{}",
        indented(listeners, 2),
        indented(more, 2)
    )
}

/// A policy for the listeners of `gw`.
pub fn listener_policy(spec: &str) -> String {
    format!(
        "apiVersion: gateway.daemun.dev/v1alpha1\nkind: ListenerPolicy\nmetadata: {{name: policy}}\nspec:\n  \
         targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: gw}}]\n{}",
        indented(spec, 2)
    )
}

/// A policy for a Backend.
pub fn backend_policy(backend: &str, spec: &str) -> String {
    format!(
        "apiVersion: gateway.daemun.dev/v1alpha1\nkind: BackendPolicy\nmetadata: {{name: {backend}}}\nspec:\n  \
         targetRefs: [{{group: gateway.daemun.dev, kind: Backend, name: {backend}}}]\n{}",
        indented(spec, 2)
    )
}

/// An HTTPRoute that is attached to `gw`. `spec` has the rest: hostnames, rules.
pub fn route(name: &str, spec: &str) -> String {
    route_to(name, "{name: gw}", spec)
}

/// An HTTPRoute with another parent.
pub fn route_to(name: &str, parent: &str, spec: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: {name}}}\nspec:\n  \
         parentRefs: [{parent}]\n{}",
        indented(spec, 2)
    )
}

/// A reference to a [`backend`] for `backendRefs`, without the braces.
pub fn to(name: &str) -> String {
    format!("group: gateway.daemun.dev, kind: Backend, name: {name}")
}

/// A route of one rule that sends everything to a backend.
pub fn route_all(name: &str, backend: &str) -> String {
    route(
        name,
        &format!("rules: [{{backendRefs: [{{{}}}]}}]", to(backend)),
    )
}

/// A Route of a kind below HTTP that is attached to `gw`. Its one rule has these references (`{name: …, …}`), and
/// `spec` the rest.
pub fn stream_route(kind: &str, name: &str, references: &str, spec: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n  \
         parentRefs: [{{name: gw}}]\n  rules: [{{backendRefs: [{references}]}}]\n{}",
        indented(spec, 2)
    )
}

/// What has a port on loopback.
pub trait Listens {
    /// The port.
    fn port(&self) -> u16;
}

impl Listens for Backend {
    fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Listens for Tap {
    fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Listens for Strict {
    fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Listens for u16 {
    fn port(&self) -> u16 {
        *self
    }
}

/// A Backend object. `more` is added to its spec (`protocol: HTTP2`).
pub fn backend_with(name: &str, endpoints: &[&dyn Listens], more: &str) -> String {
    let mut text = format!(
        "apiVersion: gateway.daemun.dev/v1alpha1\nkind: Backend\nmetadata: {{name: {name}}}\nspec:\n  endpoints:\n"
    );
    for endpoint in endpoints {
        let _ = writeln!(
            text,
            "  - {{address: 127.0.0.1, port: {}}}",
            endpoint.port()
        );
    }
    text + &indented(more, 2)
}

/// A Backend object in the clear.
pub fn backend(name: &str, endpoint: &dyn Listens) -> String {
    backend_with(name, &[endpoint], "")
}

/// A Secret of type kubernetes.io/tls.
pub fn secret(name: &str, identity: &Identity) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\ntype: kubernetes.io/tls\nstringData:\n  \
         tls.crt: |\n{}\n  tls.key: |\n{}",
        indented(&identity.chain, 4),
        indented(&identity.key, 4)
    )
}

/// A ConfigMap with an authority's certificate.
pub fn authority(name: &str, pem: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata:\n  ca.crt: |\n{}",
        indented(pem, 4)
    )
}

/// A Service with one port, 443, and one endpoint, and a BackendTLSPolicy for it: the certificate has to have this
/// name, of the authority in the ConfigMap `ca`.
pub fn secured_service(name: &str, endpoint: &dyn Listens, hostname: &str) -> String {
    fill(
        &documents(&[
            "apiVersion: v1\nkind: Service\nmetadata: {name: $name}\nspec: {ports: [{name: all, port: 443}]}",
            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: $name-1, labels: {kubernetes.io/service-name: $name}}\n\
             addressType: IPv4\nports: [{name: all, port: $port}]\nendpoints: [{addresses: [127.0.0.1], conditions: {ready: true}}]",
            "apiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: {name: $name}\nspec:\n  \
             targetRefs: [{group: '', kind: Service, name: $name}]\n  \
             validation: {hostname: $hostname, caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]}",
        ]),
        &[
            ("name", &name),
            ("port", &endpoint.port()),
            ("hostname", &hostname),
        ],
    )
}

/// Moves every line to the right.
pub fn indented(text: &str, by: usize) -> String {
    let margin = " ".repeat(by);
    let lines = text.lines().map(|line| format!("{margin}{line}"));
    lines.collect::<Vec<_>>().join("\n")
}
