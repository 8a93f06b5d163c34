//! XBackend: a destination outside of the cluster (GEP-4894). One that cannot be used answers 500.

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::tls::{BackendTls, Certificate};
use daemun_model::verdict::{Condition, FieldPath, Finding, Part, Place, Verdict};
use daemun_objects::Known;
use daemun_objects::experimental::xbackend::{
    XBackend, XBackendProtocol, XBackendSpec, XBackendTls, XBackendTlsMode,
};
use daemun_objects::gateway_api::backendtlspolicy::WellKnownCaCertificates;

use super::backendtlspolicy::{Asked, read_hostname, read_names};
use crate::cluster::Cluster;
use crate::credentials;
use crate::destination::{hostname, not_outside, number, path_of_name};
use crate::memo::Judgements;
use crate::refs::{Referrer, X_GROUP};
use crate::value::unknown;
use crate::verdict::{CLOSED, Refusal, fails, holds, messages, reason, resolved_refs};

/// TLS towards XBackends, or why they are closed.
pub(crate) type XBackendTlsByName = BTreeMap<ObjectName, Result<Option<BackendTls>, String>>;

/// What was read of XBackends.
#[derive(Debug, Default)]
pub(crate) struct ReadXBackends {
    /// TLS towards them.
    pub(crate) tls: XBackendTlsByName,
    /// The certificates that are shown to them.
    pub(crate) certificates: BTreeMap<ObjectName, Arc<Certificate>>,
    /// What is to be said, once it is known who uses them.
    pub(crate) judged: Vec<JudgedXBackend>,
}

/// What is to be said about one.
#[derive(Debug)]
pub(crate) struct JudgedXBackend {
    /// Its name.
    pub(crate) name: ObjectName,
    generation: i64,
    conditions: Vec<Condition>,
    findings: Vec<Finding>,
}

/// Reads all XBackends.
pub(crate) fn read_all(cluster: &Cluster, judgements: &mut Judgements) -> ReadXBackends {
    let mut all = ReadXBackends::default();
    for (name, backend) in &cluster.x_backends {
        let mut read = Read::default();
        let tls = read.backend(cluster, judgements, name, backend);
        let held = match (read.refused.first(), tls) {
            (None, tls) => Ok(tls.map(|(tls, certificate)| {
                if let Some(certificate) = certificate {
                    all.certificates.insert(name.clone(), certificate);
                }
                tls
            })),
            (Some(first), _) => Err(format!("XBackend {name}: {}", first.message)),
        };
        all.tls.insert(name.clone(), held);
        all.judged.push(read.judged(name, backend));
    }
    all
}

#[derive(Default)]
struct Read {
    refused: Vec<Refusal>,
    unresolved: Vec<Refusal>,
}

type TlsAndCertificate = (BackendTls, Option<Arc<Certificate>>);

impl Read {
    fn backend(
        &mut self,
        cluster: &Cluster,
        judgements: &mut Judgements,
        name: &ObjectName,
        backend: &XBackend,
    ) -> Option<TlsAndCertificate> {
        let XBackendSpec {
            r#type: _, // These three in `hostname` and `number`.
            port: _,
            external_hostname: _,
            protocol,
            tls,
        } = &backend.spec;
        self.note(hostname(backend).and_then(|name| {
            let why = not_outside(&name).filter(|_| !cluster.on_host());
            why.map_or(Ok(()), |why| {
                Err(Refusal::new(path_of_name(), reason::INVALID, why))
            })
        }));
        self.note(number(backend).map(drop));
        let known: Vec<&str> = XBackendProtocol::VALUES.iter().map(|it| it.0).collect();
        if let Some(protocol) = protocol.as_ref().filter(|it| it.known().is_none()) {
            let path = FieldPath::of("spec.protocol");
            self.refused
                .push(unknown(&path, "protocol", protocol.as_str(), &known));
        }
        let tls = tls.as_ref()?;
        let read = self.tls(cluster, judgements, name, (backend, tls));
        match read {
            Ok(read) => read,
            Err(refusal) => {
                self.refused.push(refusal);
                None
            }
        }
    }

    fn note(&mut self, read: Result<(), Refusal>) {
        self.refused.extend(read.err());
    }

    fn tls(
        &mut self,
        cluster: &Cluster,
        judgements: &mut Judgements,
        name: &ObjectName,
        (backend, written): (&XBackend, &XBackendTls),
    ) -> Result<Option<TlsAndCertificate>, Refusal> {
        let XBackendTls {
            mode,
            client_certificate_ref,
            validation,
        } = written;
        let path = FieldPath::of("spec.tls");
        let known: Vec<&str> = XBackendTlsMode::VALUES.iter().map(|it| it.0).collect();
        let mode = mode
            .known()
            .ok_or_else(|| unknown(&path.field("mode"), "mode of TLS", mode.as_str(), &known))?;
        let certificate_path = path.field("clientCertificateRef");
        let certificate = match (mode, client_certificate_ref) {
            (XBackendTlsMode::ClientAndServer, Some(reference)) => {
                let from = Referrer {
                    group: X_GROUP,
                    kind: "XBackend",
                    namespace: &name.namespace,
                };
                match credentials::secret(cluster, judgements, &from, reference) {
                    Ok(certificate) => Some(certificate),
                    Err((why, message)) => {
                        let refusal = Refusal::new(certificate_path, why, message);
                        self.unresolved.push(refusal.clone());
                        return Err(refusal);
                    }
                }
            }
            (XBackendTlsMode::ClientAndServer, None) => {
                return Err(Refusal::new(
                    certificate_path,
                    reason::INVALID,
                    "TLS of mode ClientAndServer has the certificate that the gateway shows as clientCertificateRef, and it is missing.",
                ));
            }
            (XBackendTlsMode::None | XBackendTlsMode::ServerOnly, None) => None,
            (XBackendTlsMode::None | XBackendTlsMode::ServerOnly, Some(_)) => {
                return Err(Refusal::new(
                    certificate_path,
                    reason::INVALID,
                    format!(
                        "clientCertificateRef belongs to TLS of mode ClientAndServer, and the mode is {}; take one of them out.",
                        mode.as_str()
                    ),
                ));
            }
        };
        if mode == XBackendTlsMode::None {
            return Ok(None);
        }
        if backend.spec.protocol.as_ref().and_then(|it| it.known()) == Some(XBackendProtocol::H2c) {
            return Err(Refusal::new(
                FieldPath::of("spec.protocol"),
                reason::INVALID,
                "H2C is HTTP/2 in the clear, and tls asks for TLS; write protocol: HTTP2, or take tls out.",
            ));
        }
        let path = path.field("validation");
        let asked = validation.as_ref();
        let hostname = match asked {
            Some(validation) => read_hostname(&validation.hostname, &path.field("hostname"))?,
            None => hostname(backend)?,
        };
        let names = asked.map_or(&[][..], |asked| &asked.subject_alt_names);
        let subject_alt_names = read_names(names, &path.field("subjectAltNames"))?;
        let references = asked.map_or(&[][..], |asked| &asked.ca_certificate_refs);
        let system = daemun_objects::Open::Known(WellKnownCaCertificates::System);
        let well_known = asked
            .and_then(|asked| asked.well_known_ca_certificates.as_ref())
            .or_else(|| references.is_empty().then_some(&system));
        let authorities = Asked {
            references,
            well_known,
            by: ("XBackend", name),
            path: &path,
        };
        let (authorities, unresolved) = authorities.read(cluster, judgements);
        self.unresolved.extend(unresolved);
        let tls = BackendTls {
            hostname,
            subject_alt_names,
            authorities: authorities?,
            client_certificate: certificate.as_ref().map(|one| one.name.clone()),
        };
        Ok(Some((tls, certificate)))
    }

    fn judged(self, name: &ObjectName, backend: &XBackend) -> JudgedXBackend {
        let Self {
            refused,
            unresolved,
        } = self;
        let accepted = match refused.first() {
            None => holds("Accepted", "Accepted", "The XBackend is valid."),
            Some(first) => {
                let said = messages(&refused);
                let said = match said.contains(CLOSED) {
                    true => said,
                    false => format!("{said} Requests to it are {CLOSED}."),
                };
                fails("Accepted", first.reason, said)
            }
        };
        let mut findings: Vec<Finding> = Vec::new();
        for refusal in refused.into_iter().chain(unresolved.iter().cloned()) {
            let finding = refusal.into();
            // What cannot be resolved may be why it is refused.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        JudgedXBackend {
            name: name.clone(),
            generation: backend.metadata.generation.unwrap_or_default(),
            conditions: vec![accepted, resolved_refs(&unresolved)],
            findings,
        }
    }
}

impl JudgedXBackend {
    /// What its owner must be told, with the Gateways that use it. In Kubernetes nothing, if none of ours does.
    pub(crate) fn verdict<'g>(
        self,
        cluster: &Cluster,
        gateways: impl IntoIterator<Item = &'g ObjectName>,
    ) -> Option<Verdict> {
        let Self {
            name,
            generation,
            conditions,
            findings,
        } = self;
        let part = |place| Part {
            place,
            conditions: conditions.clone(),
            attached: None,
            supported_kinds: None,
        };
        let gateways = gateways.into_iter();
        let mut parts: Vec<Part> = gateways
            .map(|gateway| part(Place::Ancestor(gateway.clone())))
            .collect();
        if parts.is_empty() {
            if !cluster.on_host() {
                return None;
            }
            parts.push(part(Place::Object));
        }
        Some(Verdict {
            object: ObjectRef::new("XBackend", name),
            generation,
            parts: parts.into(),
            findings,
        })
    }
}
