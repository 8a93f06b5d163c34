//! What happens on the socket: a gateway in this process, from the YAML that a user would write, with
//! backends behind it and clients in front. One module for each subject.

mod ambiguity;
mod arrivals;
mod balancing;
mod body_streaming;
mod check;
mod closed;
mod drain;
mod examples;
mod explain;
mod external_auth;
mod filters;
mod forwarding;
mod gateways;
mod grpc_trailers;
mod grpcroute;
mod hardening;
mod http1;
mod http2;
mod kinds;
mod limits;
mod listeners_tls;
mod observing;
mod pages;
mod process;
mod reload;
mod responses;
mod roles;
mod routing;
mod session;
mod takeover;
mod tcp;
mod timeouts_retry;
mod tls_routes;
mod udp;
mod websocket;
mod wire;
mod xbackend;

use daemun_testkit::{Backend, Gateway, ports, yaml};

/// A gateway with one HTTP listener and one backend, `echo`.
struct World {
    port: u16,
    backend: Backend,
    gateway: Gateway,
}

impl World {
    /// Everything goes to the backend; `more` are objects beside that.
    async fn plain(more: &[&str]) -> Self {
        let all = yaml::route_all("all", "echo");
        Self::new(&[&[all.as_str()], more].concat()).await
    }

    /// The routes are the test's own.
    async fn new(objects: &[&str]) -> Self {
        let port = ports::free();
        let backend = Backend::start("echo").await;
        let gateway = Gateway::start(&Self::yaml(port, &backend, objects)).await;
        Self {
            port,
            backend,
            gateway,
        }
    }

    /// Other objects beside the same Gateway and backend.
    async fn reload(&mut self, objects: &[&str]) {
        let text = Self::yaml(self.port, &self.backend, objects);
        self.gateway.reload(&text).await;
    }

    fn yaml(port: u16, backend: &Backend, objects: &[&str]) -> String {
        let own = [yaml::gateway(port), yaml::backend("echo", backend)];
        let own = own.iter().map(String::as_str);
        yaml::documents(&own.chain(objects.iter().copied()).collect::<Vec<_>>())
    }
}

/// A rule that says on its answers which it is, in the header `x-rule`.
fn named_rule(name: &str, matches: &str) -> String {
    let to = yaml::to("echo");
    format!(
        "- matches: [{matches}]\n  filters: [{{type: ResponseHeaderModifier, \
         responseHeaderModifier: {{set: [{{name: x-rule, value: {name}}}]}}}}]\n  \
         backendRefs: [{{{to}}}]"
    )
}

/// A route made of such rules.
fn named_rules(rules: &[(&str, &str)]) -> String {
    let rules: Vec<_> = rules
        .iter()
        .map(|(name, matches)| named_rule(name, matches))
        .collect();
    format!("rules:\n{}", rules.join("\n"))
}
