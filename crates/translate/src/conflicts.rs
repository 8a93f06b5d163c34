//! Which listeners cannot stand side by side, and which one yields (gateway-api `GatewaySpec.Listeners`,
//! GEP-1713).
//!
//! In one object nobody wins: all listeners of a conflict are refused. Between objects precedence decides:
//! the Gateway's own listeners, then its ListenerSets, oldest first. Between Gateways on one host the older
//! Gateway keeps the port.

use std::collections::BTreeMap;
use std::net::IpAddr;

use daemun_model::hostname::HostPattern;
use daemun_model::names::{ObjectName, Transport};

use crate::cluster::Home;
use crate::infrastructure::bind_port;
use crate::listener::{Entry, Protocol};
use crate::tls::certificates::covers;
use crate::verdict::Refusal;

/// What a listener holds, once it was there first.
#[derive(Clone, Debug)]
struct Claim {
    port: u16,
    protocol: Protocol,
    hostname: HostPattern,
    who: String,
}

/// Marks the listeners of one Gateway that conflict. The groups are in order of precedence: the
/// Gateway's own listeners, then those of each ListenerSet.
pub(crate) fn among(groups: &mut [&mut Vec<Entry>]) {
    let mut claims: Vec<Claim> = Vec::new();
    for group in groups.iter_mut() {
        // Who yields to an older claim takes no place from others, of its own object neither.
        let (mut own, mut found) = (Vec::new(), Vec::new());
        for claim in group.iter().map(claim) {
            let lost = claim.as_ref().and_then(|mine| {
                let mut older = claims.iter();
                older.find_map(|older| conflict(mine, older, "has precedence"))
            });
            own.push(claim.filter(|_| lost.is_none()));
            found.push(lost);
        }
        for (position, mine) in own.iter().enumerate() {
            let Some(mine) = mine else { continue };
            let mut beside = own
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != position)
                .filter_map(|(_, claim)| claim.as_ref());
            found[position] =
                beside.find_map(|equal| conflict(mine, equal, "is in the same object"));
        }
        for (entry, conflict) in group.iter_mut().zip(found) {
            let Some((reason, message)) = conflict else {
                continue;
            };
            let field = match reason {
                HOSTNAME_CONFLICT => "hostname",
                _ if matches!(entry.protocol, Some(Protocol::Tcp | Protocol::Udp)) => "port",
                _ => "protocol",
            };
            entry
                .refused
                .insert(0, Refusal::new(entry.path.field(field), reason, message));
            entry.conflicted = true;
        }
        claims.extend(own.into_iter().flatten());
    }
}

const PROTOCOL_CONFLICT: &str = "ProtocolConflict";
const HOSTNAME_CONFLICT: &str = "HostnameConflict";

fn claim(entry: &Entry) -> Option<Claim> {
    let protocol = entry.protocol?;
    // A listener that is refused for what it says itself takes no place from others.
    entry.accepted().then(|| Claim {
        port: entry.port,
        protocol,
        hostname: entry.hostname.clone(),
        who: format!("Listener {}", entry.key),
    })
}

fn conflict(mine: &Claim, other: &Claim, why: &str) -> Option<(&'static str, String)> {
    let (port, who) = (mine.port, &other.who);
    if port != other.port || mine.protocol.transport() != other.protocol.transport() {
        return None;
    }
    match (mine.protocol, other.protocol) {
        // By the name that a client asks for (SNI) HTTPS and both modes of TLS are told apart.
        (Protocol::Http, Protocol::Http)
        | (Protocol::Https | Protocol::Tls(_), Protocol::Https | Protocol::Tls(_)) => {
            (mine.hostname == other.hostname).then(|| {
                (
                    HOSTNAME_CONFLICT,
                    format!(
                        "{who}, which {why}, has the same port {port} and {}: {} could not be told apart. Give one of them another hostname or port.",
                        hostname_in_words(&mine.hostname),
                        match (mine.protocol, other.protocol) {
                            (Protocol::Http, _) | (Protocol::Https, Protocol::Https) => "requests",
                            _ => "connections",
                        }
                    ),
                )
            })
        }
        (Protocol::Tcp, Protocol::Tcp) | (Protocol::Udp, Protocol::Udp) => Some((
            PROTOCOL_CONFLICT,
            format!(
                "{who}, which {why}, has the same port {port}, and with protocol {} a port is all that listeners are told apart by. Use another port for one of them.",
                mine.protocol.as_str(),
            ),
        )),
        (mine, other) => Some((
            PROTOCOL_CONFLICT,
            format!(
                "{who}, which {why}, has port {port} with protocol {}, and here it is asked for with {}: one port speaks one protocol. Use another port for one of them.",
                other.as_str(),
                mine.as_str(),
            ),
        )),
    }
}

/// Marks the listeners with TLS of one Gateway whose names or certificates cover some of the same names on a port: a
/// client may use one connection for both (GEP-3567).
pub(crate) fn overlaps(entries: &mut [&mut Entry]) {
    let found: Vec<Option<(&'static str, String)>> = entries
        .iter()
        .map(|entry| {
            let others = entries.iter().filter(|other| {
                other.key != entry.key
                    && other.port == entry.port
                    && has_tls(entry)
                    && has_tls(other)
                    && entry.served()
                    && other.served()
            });
            let mut hostnames = None;
            for other in others {
                if let Some(message) = certificates_overlap(entry, other) {
                    return Some(("OverlappingCertificates", message));
                }
                if entry.hostname.intersect(&other.hostname).is_some() {
                    hostnames.get_or_insert_with(|| {
                        ("OverlappingHostnames", hostnames_overlap(entry, other))
                    });
                }
            }
            hostnames
        })
        .collect();
    for (entry, overlap) in entries.iter_mut().zip(found) {
        entry.overlap = overlap;
    }
}

fn has_tls(entry: &Entry) -> bool {
    matches!(entry.protocol, Some(Protocol::Https | Protocol::Tls(_)))
}

fn hostnames_overlap(entry: &Entry, other: &Entry) -> String {
    let on_the_others = match (entry.protocol, other.protocol) {
        (Some(Protocol::Https), Some(Protocol::Https)) => {
            "a request for them on the other's connection is answered 421"
        }
        _ => "who uses the other's connection for them does not reach it",
    };
    format!(
        "This listener ({}) and listener {} ({}) on port {} have names in common. The more specific one serves them; {on_the_others}.",
        hostname_in_words(&entry.hostname),
        other.key,
        hostname_in_words(&other.hostname),
        other.port
    )
}

/// In words, if a certificate of one covers names of the other. Where TLS is passed on, the certificates are the
/// backends' and not known.
fn certificates_overlap(entry: &Entry, other: &Entry) -> Option<String> {
    let reaches = |from: &Entry, to: &Entry| {
        to.hostname != HostPattern::Any
            && from
                .certificates
                .iter()
                .any(|certificate| covers(certificate, &to.hostname))
    };
    let (of, covers, shown_by) = if reaches(entry, other) {
        let covers = format!("names of listener {}", other.key);
        ("here".to_owned(), covers, entry)
    } else if reaches(other, entry) {
        let of = format!("of listener {}", other.key);
        (of, "names of this one".to_owned(), other)
    } else {
        return None;
    };
    let then = match shown_by.protocol {
        Some(Protocol::Https) => {
            "clients may send requests for both on one connection. Requests for the other's names are answered 421, and clients then open a second connection"
        }
        _ => {
            "clients may use one connection for both. What they send on it goes where the name leads that it was opened for"
        }
    };
    Some(format!(
        "A certificate {of} also covers {covers} on port {}: {then}.",
        other.port
    ))
}

fn hostname_in_words(hostname: &HostPattern) -> String {
    match hostname {
        HostPattern::Any => "no hostname, which is every name".to_owned(),
        HostPattern::Wildcard(_) | HostPattern::Exact(_) => format!("hostname {hostname}"),
    }
}

/// Marks the listeners whose port in the pod is that of another port of the same Gateway, which has precedence.
pub(crate) fn in_pod(entries: &mut [&mut Entry]) {
    let mut taken: BTreeMap<(Transport, u16), (u16, String)> = BTreeMap::new();
    for entry in entries.iter_mut().filter(|entry| entry.accepted()) {
        let Some(protocol) = entry.protocol else {
            continue;
        };
        let key = (
            protocol.transport(),
            bind_port(Home::Kubernetes, entry.port),
        );
        match taken.get(&key) {
            Some((port, who)) if *port != entry.port => {
                let message = format!(
                    "Port {} cannot be in one Gateway with port {port} of listener {who}: proxies may not bind ports below 1024 and a few others, use {} for port {port}, and would need the same one for {}. Use another port, or another Gateway.",
                    entry.port, key.1, entry.port
                );
                entry.refused.push(Refusal::new(
                    entry.path.field("port"),
                    "PortUnavailable",
                    message,
                ));
            }
            Some(_) => {}
            None => drop(taken.insert(key, (entry.port, entry.key.to_string()))),
        }
    }
}

/// A Gateway's hold on ports of the host that several Gateways share.
#[derive(Clone, Debug)]
pub(crate) struct PortClaim {
    /// The Gateway.
    pub(crate) gateway: ObjectName,
    /// Its addresses; empty means all.
    pub(crate) addresses: Vec<IpAddr>,
    /// The port, and what is carried there: TCP and UDP have their own numbers.
    pub(crate) port: (Transport, u16),
}

/// Marks the listeners that want a port which an older Gateway has on the same address of the host,
/// and adds this Gateway's own claims.
pub(crate) fn on_host(
    gateway: &ObjectName,
    addresses: &[IpAddr],
    entries: &mut [&mut Entry],
    claims: &mut Vec<PortClaim>,
) {
    let before = claims.len();
    for entry in entries.iter_mut().filter(|entry| entry.accepted()) {
        let transport = entry.protocol.map(Protocol::transport);
        let port = (transport.unwrap_or_default(), entry.port);
        let taken = claims
            .iter()
            .take(before)
            .find(|claim| claim.port == port && share_address(&claim.addresses, addresses));
        match taken {
            Some(claim) => {
                let message = format!(
                    "Port {} of this host belongs to Gateway {}, which is older. Use another port, or give the two Gateways different spec.addresses, or put the listener into that Gateway (or into a ListenerSet of it).",
                    entry.port, claim.gateway
                );
                entry.refused.push(Refusal::new(
                    entry.path.field("port"),
                    "PortUnavailable",
                    message,
                ));
            }
            None => claims.push(PortClaim {
                gateway: gateway.clone(),
                addresses: addresses.to_vec(),
                port,
            }),
        }
    }
}

fn share_address(one: &[IpAddr], two: &[IpAddr]) -> bool {
    let any =
        |addresses: &[IpAddr]| addresses.is_empty() || addresses.iter().any(IpAddr::is_unspecified);
    any(one) || any(two) || one.iter().any(|address| two.contains(address))
}
