//! Where a request arrives: the port, the Gateway that has it, and the listener.

use daemun_model::gateway::Gateway;
use daemun_model::listener::{Listener, ListenerProtocol};
use daemun_model::names::{ListenerOwner, Transport};
use daemun_model::tls::ClientValidationMode;
use daemun_model::{Configuration, Snapshot};
use daemun_route::hosts::Hosts;

use super::asked::Request;
use super::stream::{Passed, passed_on};
use super::{Arrived, Outcome};

/// Where a request arrives.
pub(super) enum Found<'a> {
    /// Nothing takes the connection.
    Nowhere(Outcome),
    /// A listener, which does not take the request.
    Refused(At<'a>, Outcome),
    /// A listener that passes connections on without looking into them.
    Passed(At<'a>, Passed),
    /// A listener.
    At(At<'a>),
}

/// A listener that takes a request.
pub(super) struct At<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) listener: &'a Listener,
    /// How many listeners of the port hold the host.
    of: usize,
}

impl At<'_> {
    /// What is shown of it.
    pub(super) fn arrived(&self) -> Arrived {
        let Listener {
            key,
            port,
            hostname,
            protocol,
            ..
        } = self.listener;
        Arrived {
            protocol: protocol.word(),
            port: *port,
            hostname: hostname.to_string(),
            gateway: self.snapshot.gateway.name.to_string(),
            listener_set: match key.owner {
                ListenerOwner::Gateway => None,
                ListenerOwner::ListenerSet => Some(key.object.to_string()),
            },
            name: key.name.clone(),
            client_certificate: client_certificate(protocol),
            of: self.of,
        }
    }
}

fn client_certificate(protocol: &ListenerProtocol) -> Option<&'static str> {
    Some(match protocol.termination()?.client.as_ref()?.mode {
        ClientValidationMode::AllowValidOnly => {
            "clients without a certificate that is believed do not get through the handshake"
        }
        ClientValidationMode::AllowInsecureFallback => {
            "clients are asked for a certificate, and get through without one"
        }
    })
}

/// Finds where a request arrives, as the proxy does: the port, then the most specific listener of it.
pub(super) fn find<'a>(configuration: &'a Configuration, request: &Request) -> Found<'a> {
    let mut ports = ports(configuration, request);
    if ports.is_empty() {
        return Found::Nowhere(nothing_there(configuration, request));
    }
    // Several Gateways share a port if they have different addresses; the host then tells which is meant.
    let holds = |port: &Port<'a>| port.hosts.find(&request.host).is_some();
    let port = ports.swap_remove(ports.iter().position(holds).unwrap_or_default());
    let by_host = port.hosts.find(&request.host).copied();
    let at = |index: usize| At {
        snapshot: port.snapshot,
        listener: port.listeners[index],
        of: port.hosts.matching(&request.host).count(),
    };
    let passed = |index: usize, name: &str| {
        let passed = passed_on(port.snapshot, port.listeners[index], name);
        passed.map(|passed| Found::Passed(at(index), passed))
    };
    if port.speaks(&["tcp"]) {
        let found = by_host.and_then(|index| passed(index, ""));
        return found.unwrap_or_else(|| Found::Nowhere(no_listener(request, &port)));
    }
    if !request.https {
        return match by_host {
            _ if !port.speaks(&["http"]) => Found::Nowhere(wrong_scheme(request, &port)),
            Some(index) => Found::At(at(index)),
            None => Found::Nowhere(no_listener(request, &port)),
        };
    }
    if !port.speaks(&["https", "tls"]) {
        return Found::Nowhere(wrong_scheme(request, &port));
    }
    let server_name = request.server_name.as_deref().unwrap_or_default();
    let Some(by_name) = port.hosts.find(server_name).copied() else {
        return Found::Nowhere(unrecognized(server_name, &port));
    };
    if let Some(found) = passed(by_name, server_name) {
        return found;
    }
    match by_host {
        None => Found::Nowhere(no_listener(request, &port)),
        Some(by_host) if by_name != by_host => {
            let message = format!(
                "the connection was made for \"{server_name}\" (SNI), which is listener {}, and the host {} belongs to listener {}",
                port.listeners[by_name].key, request.host, port.listeners[by_host].key
            );
            Found::Refused(at(by_name), Outcome::own(421, message))
        }
        Some(index) => Found::At(at(index)),
    }
}

/// A port of a Gateway.
struct Port<'a> {
    snapshot: &'a Snapshot,
    listeners: Vec<&'a Listener>,
    hosts: Hosts<usize>,
}

impl Port<'_> {
    /// Whether it has a listener of one of these protocols.
    fn speaks(&self, words: &[&str]) -> bool {
        let mut listeners = self.listeners.iter();
        listeners.any(|listener| words.contains(&listener.protocol.word()))
    }
}

/// The ports that take connections; datagrams are no requests.
fn ports<'a>(configuration: &'a Configuration, request: &Request) -> Vec<Port<'a>> {
    let has_address = |gateway: &Gateway| match request.address {
        Some(address) if !address.is_loopback() => {
            gateway.addresses.is_empty() || gateway.addresses.contains(&address)
        }
        _ => true,
    };
    let snapshots = configuration.gateways.values().map(|snapshot| &**snapshot);
    let ports = snapshots
        .filter(|snapshot| has_address(&snapshot.gateway))
        .map(|snapshot| {
            let on_port = snapshot
                .listeners
                .values()
                .filter(|listener| listener.port == request.port)
                .filter(|listener| listener.protocol.transport() == Transport::Tcp);
            let listeners: Vec<&Listener> = on_port.map(|listener| &**listener).collect();
            let hosts = listeners
                .iter()
                .enumerate()
                .map(|(index, listener)| (listener.hostname.clone(), index));
            Port {
                snapshot,
                hosts: hosts.collect(),
                listeners,
            }
        });
    ports.filter(|port| !port.listeners.is_empty()).collect()
}

fn nothing_there(configuration: &Configuration, request: &Request) -> Outcome {
    let listeners = configuration
        .gateways
        .values()
        .flat_map(|snapshot| snapshot.listeners.values());
    let mut there: Vec<(u16, &str)> = listeners
        .map(|listener| (listener.port, listener.protocol.word()))
        .collect();
    there.sort_unstable();
    there.dedup();
    if there.is_empty() {
        return Outcome::none("nothing listens: there is no Gateway with a listener that works");
    }
    let meant = there
        .iter()
        .find(|(_, protocol)| *protocol == request.scheme());
    let advice = meant.map_or_else(String::new, |(port, protocol)| {
        format!(
            "; did you mean {protocol}://{}:{port}{}?",
            request.host,
            request.path.as_deref().unwrap_or("/")
        )
    });
    let list: Vec<String> = there
        .iter()
        .map(|(port, protocol)| format!("{port} ({protocol})"))
        .collect();
    Outcome::none(format!(
        "nothing listens on port {}: the connection is refused. The ports that are served: {}{advice}",
        request.port,
        list.join(", ")
    ))
}

fn wrong_scheme(request: &Request, port: &Port<'_>) -> Outcome {
    Outcome::none(if request.https {
        format!(
            "port {} of Gateway {} speaks plain HTTP: the TLS handshake fails; use http://",
            request.port, port.snapshot.gateway.name
        )
    } else {
        format!(
            "port {} of Gateway {} speaks TLS only: the connection is closed; use https://",
            request.port, port.snapshot.gateway.name
        )
    })
}

fn no_listener(request: &Request, port: &Port<'_>) -> Outcome {
    Outcome::own(
        404,
        format!(
            "no listener on port {} takes the host {}; they take {}",
            request.port,
            request.host,
            hostnames(port)
        ),
    )
}

fn unrecognized(server_name: &str, port: &Port<'_>) -> Outcome {
    let asked = match server_name {
        "" => "the client asks for no name (an address is none)".to_owned(),
        name => format!("no listener has the name \"{name}\""),
    };
    Outcome::none(format!(
        "the TLS handshake fails: {asked}; listeners have {}",
        hostnames(port)
    ))
}

fn hostnames(port: &Port<'_>) -> String {
    let names: Vec<String> = port
        .listeners
        .iter()
        .map(|listener| listener.hostname.to_string())
        .collect();
    names.join(", ")
}
