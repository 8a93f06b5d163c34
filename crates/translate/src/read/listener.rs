//! Listeners as Gateways and ListenerSets write them (gateway-api `Listener`, `ListenerEntry`): each is
//! judged by itself here, and among the others in `conflicts`.

use daemun_model::hostname::HostPattern;
use daemun_model::names::{ListenerKey, ListenerOwner, ObjectName};
use daemun_model::policy::forwarding::Forwarding;
use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::gateway_api::gateway::{
    AllowedRoutes, Listener, ListenerTlsConfig, Protocol as WrittenProtocol, RouteGroupKind,
};
use daemun_objects::{Known, Open};

use super::{listenertls, namespaces};
use crate::cluster::Cluster;
use crate::listener::{Entry, Namespaces, Protocol, Treatment};
use crate::memo::Judgements;
use crate::nearest::{did_you_mean, list_all};
use crate::refs::GATEWAY_GROUP;
use crate::value::{capitalized, is_section_name, port};
use crate::verdict::{Refusal, reason};

/// The object that a listener is written in.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// Gateway or ListenerSet.
    pub(crate) kind: ListenerOwner,
    /// Its name.
    pub(crate) name: &'a ObjectName,
}

impl Owner<'_> {
    /// The kind as written in `kind:`.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self.kind {
            ListenerOwner::Gateway => "Gateway",
            ListenerOwner::ListenerSet => "ListenerSet",
        }
    }
}

/// Reads the listeners of an object. A name that is used twice stands for its first use: the others are
/// refused, and as a status knows listeners by name, they are findings only.
pub(crate) fn read_all(
    cluster: &Cluster,
    judgements: &mut Judgements,
    owner: Owner<'_>,
    listeners: &[Listener],
) -> (Vec<Entry>, Vec<Finding>) {
    let mut entries: Vec<Entry> = Vec::with_capacity(listeners.len());
    let mut findings = Vec::new();
    for (index, listener) in listeners.iter().enumerate() {
        let path = FieldPath::of("spec.listeners").index(index);
        if entries.iter().any(|entry| entry.key.name == listener.name) {
            findings.push(
                Refusal::new(
                    path.field("name"),
                    reason::INVALID,
                    format!(
                        "There is another listener with the name \"{}\" before this one, and names are unique in a {}. This one is not served; give it another name.",
                        listener.name,
                        owner.kind_name()
                    ),
                )
                .into(),
            );
            continue;
        }
        entries.push(read(cluster, judgements, owner, &path, listener));
    }
    (entries, findings)
}

fn read(
    cluster: &Cluster,
    judgements: &mut Judgements,
    owner: Owner<'_>,
    path: &FieldPath,
    listener: &Listener,
) -> Entry {
    let Listener {
        name,
        hostname,
        port: number,
        protocol,
        tls,
        allowed_routes,
    } = listener;
    let mut entry = Entry {
        key: ListenerKey {
            owner: owner.kind,
            object: owner.name.clone(),
            name: name.clone(),
        },
        path: path.clone(),
        port: port(*number).unwrap_or_default(),
        protocol: None,
        hostname: HostPattern::Any,
        kinds: Vec::new(),
        namespaces: Namespaces::None,
        refused: Vec::new(),
        conflicted: false,
        unresolved: Vec::new(),
        overlap: None,
        certificates: Vec::new(),
        client: None,
        treatment: Treatment::default(),
        forwarding: Forwarding::default(),
        sources: None,
        warnings: Vec::new(),
    };
    if entry.port == 0 {
        entry.refused.push(Refusal::unsupported(
            path.field("port"),
            format!("{number} is not a port; ports are 1 to 65535."),
        ));
    }
    if !is_section_name(name) {
        entry.refused.push(Refusal::unsupported(
            path.field("name"),
            format!("\"{name}\" is not a name for a listener: lower case letters, digits and inner hyphens, with dots between labels (RFC 1123)."),
        ));
    }
    match read_protocol(protocol, tls.as_ref(), path) {
        Ok(protocol) => entry.protocol = Some(protocol),
        Err(refusal) => entry.refused.push(refusal),
    }
    match read_hostname(hostname.as_deref().unwrap_or_default(), entry.protocol) {
        Ok(pattern) => entry.hostname = pattern,
        Err(why) => {
            let refusal = Refusal::unsupported(path.field("hostname"), why);
            entry.refused.push(refusal);
        }
    }
    read_routes(allowed_routes.as_ref(), owner, &mut entry);
    listenertls::read(cluster, judgements, owner, tls.as_ref(), &mut entry);
    entry
}

fn read_hostname(written: &str, protocol: Option<Protocol>) -> Result<HostPattern, String> {
    match protocol {
        Some(protocol @ (Protocol::Tcp | Protocol::Udp)) if !written.is_empty() => Err(format!(
            "Protocol {} has no hostnames: whoever reaches the port is served. Take the hostname out.",
            protocol.as_str()
        )),
        _ => HostPattern::parse(written).map_err(|why| format!("{}.", capitalized(&why))),
    }
}

fn read_protocol(
    written: &Open<WrittenProtocol>,
    tls: Option<&ListenerTlsConfig>,
    path: &FieldPath,
) -> Result<Protocol, Refusal> {
    match written.known() {
        Some(WrittenProtocol::Http) => Ok(Protocol::Http),
        Some(WrittenProtocol::Https) => Ok(Protocol::Https),
        Some(WrittenProtocol::Tls) => listenertls::mode(tls, path).map(Protocol::Tls),
        Some(WrittenProtocol::Tcp) => Ok(Protocol::Tcp),
        Some(WrittenProtocol::Udp) => Ok(Protocol::Udp),
        None => {
            let known: Vec<&str> = WrittenProtocol::VALUES
                .iter()
                .map(|(text, _)| *text)
                .collect();
            let names: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
            Err(Refusal::new(
                path.field("protocol"),
                reason::UNSUPPORTED_PROTOCOL,
                format!(
                    "Protocol \"{written}\" is not known; {} are served.{}",
                    list_all(&names),
                    did_you_mean(written.as_str(), known)
                ),
            ))
        }
    }
}

fn read_routes(written: Option<&AllowedRoutes>, owner: Owner<'_>, entry: &mut Entry) {
    let empty = AllowedRoutes::default();
    let AllowedRoutes { namespaces, kinds } = written.unwrap_or(&empty);
    let path = entry.path.field("allowedRoutes");
    match namespaces::of_routes(
        namespaces.as_ref(),
        &owner.name.namespace,
        &path.field("namespaces"),
    ) {
        Ok(namespaces) => entry.namespaces = namespaces,
        Err(refusal) => entry.refused.push(refusal),
    }
    let Some(protocol) = entry.protocol else {
        return;
    };
    let served = protocol.kinds();
    if kinds.is_empty() {
        entry.kinds = served.to_vec();
        return;
    }
    for (index, kind) in kinds.iter().enumerate() {
        let known = served
            .iter()
            .find(|known| kind.group() == GATEWAY_GROUP && kind.kind == known.as_str());
        match known {
            Some(known) if entry.kinds.contains(known) => {}
            Some(known) => entry.kinds.push(*known),
            None => entry.unresolved.push(Refusal::new(
                path.field("kinds").index(index).field("kind"),
                "InvalidRouteKinds",
                not_served(protocol, kind),
            )),
        }
    }
}

fn not_served(protocol: Protocol, kind: &RouteGroupKind) -> String {
    let served: Vec<String> = protocol
        .kinds()
        .iter()
        .map(|kind| kind.as_str().to_owned())
        .collect();
    let mode = match protocol {
        Protocol::Tls(mode) => format!(" with tls.mode {}", mode.as_str()),
        Protocol::Http | Protocol::Https | Protocol::Tcp | Protocol::Udp => String::new(),
    };
    format!(
        "Routes of kind {} (group \"{}\") are not served on {} listeners{mode}; {} (group {GATEWAY_GROUP}) {}.",
        kind.kind,
        kind.group(),
        protocol.as_str(),
        list_all(&served),
        if served.len() == 1 { "is" } else { "are" }
    )
}
