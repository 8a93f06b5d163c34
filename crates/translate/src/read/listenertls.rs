//! TLS of a listener (gateway-api `ListenerTLSConfig`): where it ends, and with which certificates.

use daemun_model::verdict::FieldPath;
use daemun_objects::Known;
use daemun_objects::gateway_api::gateway::{ListenerTlsConfig, TlsMode};

use super::listener::Owner;
use crate::cluster::Cluster;
use crate::credentials::secret;
use crate::listener::{Entry, Protocol};
use crate::memo::Judgements;
use crate::refs::{GATEWAY_GROUP, Referrer};
use crate::tls::certificates;
use crate::value::unknown;
use crate::verdict::{Refusal, reason, warning};

/// Where TLS ends of a listener (at a path) whose protocol is `TLS`.
pub(crate) fn mode(tls: Option<&ListenerTlsConfig>, path: &FieldPath) -> Result<TlsMode, Refusal> {
    let Some(tls) = tls else {
        return Err(Refusal::unsupported(
            path.field("tls"),
            "Protocol TLS needs tls.mode: Passthrough, where TLS ends at the backend, or Terminate, where it ends here, with certificateRefs.",
        ));
    };
    match &tls.mode {
        None => Ok(TlsMode::Terminate),
        Some(mode) => mode.known().ok_or_else(|| {
            let known: Vec<&str> = TlsMode::VALUES.iter().map(|(text, _)| *text).collect();
            unknown(
                &path.field("tls.mode"),
                "value of tls.mode",
                mode.as_str(),
                &known,
            )
        }),
    }
}

/// Reads what a listener of an object says of TLS.
pub(crate) fn read(
    cluster: &Cluster,
    judgements: &mut Judgements,
    owner: Owner<'_>,
    tls: Option<&ListenerTlsConfig>,
    entry: &mut Entry,
) {
    let path = entry.path.field("tls");
    let Some(protocol) = entry.protocol else {
        return;
    };
    let name = protocol.as_str();
    match (protocol, tls) {
        (Protocol::Http | Protocol::Tcp | Protocol::Udp, None) => {}
        (Protocol::Http | Protocol::Tcp | Protocol::Udp, Some(_)) => {
            let instead = match protocol {
                Protocol::Http => "use protocol HTTPS, or take tls out",
                Protocol::Tcp => "use protocol TLS, or take tls out",
                Protocol::Udp | Protocol::Https | Protocol::Tls(_) => "take tls out",
            };
            entry.refused.push(Refusal::unsupported(
                path,
                format!("Protocol {name} has no TLS, and tls is given; {instead}."),
            ));
        }
        // Without it there is no mode, and without that nothing is known of the protocol.
        (Protocol::Tls(_), None) => {}
        (Protocol::Https, None) => entry.unresolved.push(Refusal::new(
            path,
            reason::INVALID_CERTIFICATE_REF,
            "Protocol HTTPS needs a certificate, and there is none; name a Secret of type kubernetes.io/tls in tls.certificateRefs.",
        )),
        (Protocol::Tls(TlsMode::Passthrough), Some(tls)) => {
            refuse_options(tls, &path, entry);
            if !tls.certificate_refs.is_empty() {
                entry.warnings.push(warning(
                    path.field("certificateRefs"),
                    "NotUsed",
                    "With tls.mode Passthrough the backend has the certificate, and these are not used; take them out.",
                ));
            }
        }
        (Protocol::Https | Protocol::Tls(TlsMode::Terminate), Some(tls)) => {
            if let Some(mode) = &tls.mode
                && *mode != TlsMode::Terminate
            {
                entry.refused.push(Refusal::unsupported(
                    path.field("mode"),
                    format!("tls.mode is {mode}; for protocol {name} it is Terminate, because routes look at requests."),
                ));
            }
            refuse_options(tls, &path, entry);
            read_certificates(cluster, judgements, owner, tls, entry);
            warn_about_certificates(cluster.now, entry);
        }
    }
}

fn refuse_options(tls: &ListenerTlsConfig, path: &FieldPath, entry: &mut Entry) {
    for option in tls.options.keys() {
        entry.refused.push(Refusal::unsupported(
            path.field("options").key(option),
            format!("The TLS option \"{option}\" is not known, and is not passed over, because it may be there to protect. Versions of TLS are set by a ListenerPolicy (spec.tls)."),
        ));
    }
}

fn read_certificates(
    cluster: &Cluster,
    judgements: &mut Judgements,
    owner: Owner<'_>,
    tls: &ListenerTlsConfig,
    entry: &mut Entry,
) {
    let path = entry.path.field("tls.certificateRefs");
    if tls.certificate_refs.is_empty() {
        let protocol = entry.protocol.map_or("", Protocol::as_str);
        entry.unresolved.push(Refusal::new(
            path.clone(),
            reason::INVALID_CERTIFICATE_REF,
            format!("Protocol {protocol} needs a certificate, and tls.certificateRefs is empty; name a Secret of type kubernetes.io/tls there."),
        ));
    }
    for (index, reference) in tls.certificate_refs.iter().enumerate() {
        let path = path.index(index);
        let from = Referrer {
            group: GATEWAY_GROUP,
            kind: owner.kind_name(),
            namespace: &owner.name.namespace,
        };
        match secret(cluster, judgements, &from, reference) {
            Ok(certificate) => entry.certificates.push(certificate),
            Err((reason, message)) => {
                entry
                    .unresolved
                    .push(Refusal::new(path.field("name"), reason, message));
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
