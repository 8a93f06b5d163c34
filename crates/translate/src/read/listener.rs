//! Listeners as Gateways and ListenerSets write them (gateway-api `Listener`, `ListenerEntry`): each is
//! judged by itself here, and among the others in `conflicts`.

use daemun_model::hostname::HostPattern;
use daemun_model::names::{ListenerKey, ListenerOwner, ObjectName};
use daemun_model::policy::forwarding::Forwarding;
use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::gateway_api::gateway::{
    AllowedRoutes, Listener, ListenerTlsConfig, Protocol as WrittenProtocol, TlsMode,
};

use super::namespaces;
use crate::cluster::Cluster;
use crate::credentials::secret;
use crate::listener::{Entry, Namespaces, Protocol, Treatment};
use crate::memo::Judgements;
use crate::nearest::did_you_mean;
use crate::refs::GATEWAY_GROUP;
use crate::tls::certificates;
use crate::value::{capitalized, is_section_name, port};
use crate::verdict::{Refusal, reason, warning};

/// The kinds of Route that HTTP and HTTPS listeners take.
const HTTP_KINDS: [&str; 1] = ["HTTPRoute"];

/// The object that a listener is written in.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// Gateway or ListenerSet.
    pub(crate) kind: ListenerOwner,
    /// Its name.
    pub(crate) name: &'a ObjectName,
}

impl Owner<'_> {
    fn kind_name(&self) -> &'static str {
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
    match read_protocol(protocol.known(), protocol.as_str(), path) {
        Ok(protocol) => entry.protocol = Some(protocol),
        Err(refusal) => entry.refused.push(refusal),
    }
    match HostPattern::parse(hostname.as_deref().unwrap_or_default()) {
        Ok(pattern) => entry.hostname = pattern,
        Err(why) => entry.refused.push(Refusal::unsupported(
            path.field("hostname"),
            format!("{}.", capitalized(&why)),
        )),
    }
    read_routes(allowed_routes.as_ref(), owner, &mut entry);
    let secrets = Secrets { cluster, owner };
    read_tls(&secrets, judgements, tls.as_ref(), &mut entry);
    warn_about_certificates(cluster.now, &mut entry);
    entry
}

fn read_protocol(
    protocol: Option<WrittenProtocol>,
    written: &str,
    path: &FieldPath,
) -> Result<Protocol, Refusal> {
    let unsupported = |why: String| {
        Err(Refusal::new(
            path.field("protocol"),
            reason::UNSUPPORTED_PROTOCOL,
            why,
        ))
    };
    match protocol {
        Some(WrittenProtocol::Http) => Ok(Protocol::Http),
        Some(WrittenProtocol::Https) => Ok(Protocol::Https),
        Some(WrittenProtocol::Tls | WrittenProtocol::Tcp | WrittenProtocol::Udp) => {
            unsupported(format!(
                "Protocol {written} is not served by this version of Daemun; HTTP and HTTPS are."
            ))
        }
        None => unsupported(format!(
            "Protocol \"{written}\" is not known; HTTP and HTTPS are served.{}",
            did_you_mean(written, ["HTTP", "HTTPS"])
        )),
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
    if kinds.is_empty() {
        entry.kinds = HTTP_KINDS.to_vec();
        return;
    }
    for (index, kind) in kinds.iter().enumerate() {
        let known = HTTP_KINDS
            .iter()
            .find(|known| kind.group() == GATEWAY_GROUP && kind.kind == **known);
        match known {
            Some(known) if entry.kinds.contains(known) => {}
            Some(known) => entry.kinds.push(known),
            None => entry.unresolved.push(Refusal::new(
                path.field("kinds").index(index).field("kind"),
                "InvalidRouteKinds",
                format!(
                    "Routes of kind {} (group \"{}\") are not served on {} listeners; HTTPRoute (group {GATEWAY_GROUP}) is.",
                    kind.kind,
                    kind.group(),
                    protocol.as_str()
                ),
            )),
        }
    }
}

/// Where certificates come from.
struct Secrets<'a> {
    cluster: &'a Cluster,
    owner: Owner<'a>,
}

fn read_tls(
    secrets: &Secrets<'_>,
    judgements: &mut Judgements,
    tls: Option<&ListenerTlsConfig>,
    entry: &mut Entry,
) {
    let path = entry.path.field("tls");
    match (entry.protocol, tls) {
        (None, _) | (Some(Protocol::Http), None) => {}
        (Some(Protocol::Http), Some(_)) => entry.refused.push(Refusal::unsupported(
            path,
            "Protocol HTTP has no TLS, and tls is given; use protocol HTTPS, or take tls out.",
        )),
        (Some(Protocol::Https), None) => entry.unresolved.push(Refusal::new(
            path,
            reason::INVALID_CERTIFICATE_REF,
            "Protocol HTTPS needs a certificate, and there is none; name a Secret of type kubernetes.io/tls in tls.certificateRefs.",
        )),
        (Some(Protocol::Https), Some(tls)) => {
            let ListenerTlsConfig {
                mode,
                certificate_refs,
                options,
            } = tls;
            if let Some(mode) = mode
                && *mode != TlsMode::Terminate
            {
                entry.refused.push(Refusal::unsupported(
                    path.field("mode"),
                    format!("tls.mode is {mode}; for protocol HTTPS it is Terminate, because routes look at requests."),
                ));
            }
            for option in options.keys() {
                entry.refused.push(Refusal::unsupported(
                    path.field("options").key(option),
                    format!("The TLS option \"{option}\" is not known, and is not passed over, because it may be there to protect. Versions of TLS are set by a ListenerPolicy (spec.tls)."),
                ));
            }
            if certificate_refs.is_empty() {
                entry.unresolved.push(Refusal::new(
                    path.field("certificateRefs"),
                    reason::INVALID_CERTIFICATE_REF,
                    "Protocol HTTPS needs a certificate, and tls.certificateRefs is empty; name a Secret of type kubernetes.io/tls there.",
                ));
            }
            for (index, reference) in certificate_refs.iter().enumerate() {
                let path = path.field("certificateRefs").index(index);
                match secret(
                    secrets.cluster,
                    judgements,
                    (secrets.owner.kind_name(), secrets.owner.name),
                    reference,
                ) {
                    Ok(certificate) => entry.certificates.push(certificate),
                    Err((reason, message)) => {
                        entry.unresolved.push(Refusal::new(path.field("name"), reason, message));
                    }
                }
            }
        }
    }
}

fn warn_about_certificates(now: i64, entry: &mut Entry) {
    let path = entry.path.field("tls.certificateRefs");
    for certificate in &entry.certificates {
        if let Some((reason, message)) = certificates::validity(certificate, now) {
            entry.warnings.push(warning(path.clone(), reason, message));
        }
    }
    let covered = entry
        .certificates
        .iter()
        .any(|certificate| certificates::covers(certificate, &entry.hostname));
    if !entry.certificates.is_empty() && !covered {
        let names: Vec<String> = entry
            .certificates
            .iter()
            .flat_map(|certificate| certificate.names.iter().cloned())
            .collect();
        let names = crate::nearest::list(&names, "no DNS name at all");
        entry.warnings.push(warning(
            path,
            "CertificateDoesNotCoverHostname",
            format!(
                "No certificate of this listener covers {}: clients will refuse it. The certificates are for {names}.",
                entry.hostname
            ),
        ));
    }
}
