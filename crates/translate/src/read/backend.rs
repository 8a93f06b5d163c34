//! Our Backend: something to send requests to that is no Service. One that cannot be used answers 500.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use daemun_model::address::leads_out;
use daemun_model::hostname::HostPattern;
use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::tls::BackendTls;
use daemun_model::verdict::{FieldPath, Finding, Part, Place, Verdict};
use daemun_objects::own::backend::{
    Backend, BackendEndpoint, BackendSpec, BackendTls as WrittenTls, Protocol,
};
use daemun_objects::{Known, Open};

use super::backendtlspolicy::{Asked, read_hostname, read_names};
use crate::cluster::Cluster;
use crate::destination::not_outside;
use crate::memo::Judgements;
use crate::value::capitalized;
use crate::value::unknown;
use crate::verdict::{CLOSED, Refusal, fails, holds, messages, reason, resolved_refs, warning};

/// TLS of Backends: none, or what holds, or why the Backend is closed.
pub(crate) type TlsOfBackends = BTreeMap<ObjectName, Result<Option<BackendTls>, String>>;

/// Reads all Backends.
pub(crate) fn read_all(
    cluster: &Cluster,
    judgements: &mut Judgements,
) -> (TlsOfBackends, Vec<Verdict>) {
    let mut by_name = TlsOfBackends::new();
    let mut verdicts = Vec::with_capacity(cluster.backends.len());
    for (name, backend) in &cluster.backends {
        let mut read = Read::default();
        let tls = read.backend(cluster, judgements, name, backend);
        let held = match read.refused.first() {
            None => Ok(tls),
            Some(first) => Err(format!("Backend {name}: {}", first.message)),
        };
        by_name.insert(name.clone(), held);
        verdicts.push(read.verdict(name, backend));
    }
    (by_name, verdicts)
}

#[derive(Default)]
struct Read {
    refused: Vec<Refusal>,
    unresolved: Vec<Refusal>,
    findings: Vec<Finding>,
}

impl Read {
    fn backend(
        &mut self,
        cluster: &Cluster,
        judgements: &mut Judgements,
        name: &ObjectName,
        backend: &Backend,
    ) -> Option<BackendTls> {
        let BackendSpec {
            endpoints,
            protocol,
            tls,
        } = &backend.spec;
        let path = FieldPath::of("spec.endpoints");
        for (index, endpoint) in endpoints.iter().enumerate() {
            let path = path.index(index);
            let checked = check_endpoint(endpoint, &path).and_then(|()| match cluster.on_host() {
                true => Ok(()),
                false => check_reach(endpoint, &path),
            });
            if let Err(refusal) = checked {
                self.refused.push(refusal);
            }
        }
        if endpoints.iter().all(|endpoint| endpoint.weight == Some(0)) {
            self.findings.push(warning(
                path,
                "NoEndpoints",
                "The Backend has no endpoint with a weight above 0: requests are answered 503 (gRPC: UNAVAILABLE).",
            ));
        }
        if let Some(protocol) = protocol.as_ref().filter(|it| it.known().is_none()) {
            let known: Vec<&str> = Protocol::VALUES.iter().map(|(text, _)| *text).collect();
            self.refused.push(unknown(
                &FieldPath::of("spec.protocol"),
                "protocol",
                Open::as_str(protocol),
                &known,
            ));
        }
        let tls = tls.as_ref()?;
        match self.tls(cluster, judgements, name, (endpoints, tls)) {
            Ok(tls) => Some(tls),
            Err(refusal) => {
                self.refused.push(refusal);
                None
            }
        }
    }

    fn tls(
        &mut self,
        cluster: &Cluster,
        judgements: &mut Judgements,
        name: &ObjectName,
        (endpoints, written): (&[BackendEndpoint], &WrittenTls),
    ) -> Result<BackendTls, Refusal> {
        let WrittenTls {
            hostname,
            subject_alt_names,
            ca_certificate_refs,
            well_known_ca_certificates,
        } = written;
        let path = FieldPath::of("spec.tls");
        let hostname = match hostname {
            Some(hostname) => read_hostname(hostname, &path.field("hostname"))?,
            None => common_hostname(endpoints).ok_or_else(|| {
                Refusal::unsupported(
                    path.field("hostname"),
                    "The endpoints have no one hostname that the backend could be asked for (SNI); write it as tls.hostname.",
                )
            })?,
        };
        let subject_alt_names = read_names(subject_alt_names, &path.field("subjectAltNames"))?;
        let system = Open::Known(
            daemun_objects::gateway_api::backendtlspolicy::WellKnownCaCertificates::System,
        );
        let well_known = well_known_ca_certificates
            .as_ref()
            .or_else(|| ca_certificate_refs.is_empty().then_some(&system));
        let asked = Asked {
            references: ca_certificate_refs,
            well_known,
            by: ("Backend", name),
            path: &path,
        };
        let (authorities, unresolved) = asked.read(cluster, judgements);
        self.unresolved.extend(unresolved);
        Ok(BackendTls {
            hostname,
            subject_alt_names,
            authorities: authorities?,
            client_certificate: None,
        })
    }

    fn verdict(self, name: &ObjectName, backend: &Backend) -> Verdict {
        let Self {
            refused,
            unresolved,
            mut findings,
        } = self;
        let accepted = match refused.first() {
            None => holds("Accepted", "Accepted", "The Backend is valid."),
            Some(first) => fails(
                "Accepted",
                first.reason,
                match messages(&refused) {
                    said if said.contains(CLOSED) => said,
                    said => format!("{said} Requests to it are {CLOSED}."),
                },
            ),
        };
        let conditions = vec![accepted, resolved_refs(&unresolved)];
        findings.extend(refused.into_iter().chain(unresolved).map(Into::into));
        Verdict {
            object: ObjectRef::new("Backend", name.clone()),
            generation: backend.metadata.generation.unwrap_or_default(),
            parts: Arc::new([Part {
                place: Place::Object,
                conditions,
                attached: None,
                supported_kinds: None,
            }]),
            findings,
        }
    }
}

fn check_endpoint(endpoint: &BackendEndpoint, path: &FieldPath) -> Result<(), Refusal> {
    let BackendEndpoint {
        address,
        hostname,
        port,
        weight: _, // Every number is a weight.
    } = endpoint;
    if *port == 0 {
        return Err(Refusal::unsupported(
            path.field("port"),
            "0 is not a port; ports are 1 to 65535.",
        ));
    }
    match (address, hostname) {
        (Some(address), None) => match address.parse::<IpAddr>() {
            Ok(_) => Ok(()),
            Err(_) => Err(Refusal::unsupported(
                path.field("address"),
                format!(
                    "\"{address}\" is not an IP address; write a DNS name as hostname, and the port as port."
                ),
            )),
        },
        (None, Some(hostname)) => match HostPattern::parse(hostname.trim_end_matches('.')) {
            Ok(HostPattern::Exact(_)) => Ok(()),
            Ok(HostPattern::Any | HostPattern::Wildcard(_)) => Err(Refusal::unsupported(
                path.field("hostname"),
                format!("\"{hostname}\" is not one hostname, and a wildcard cannot be resolved."),
            )),
            Err(why) => Err(Refusal::unsupported(
                path.field("hostname"),
                format!("{}.", capitalized(&why)),
            )),
        },
        (Some(_), Some(_)) | (None, None) => Err(Refusal::new(
            path.clone(),
            reason::UNSUPPORTED_VALUE,
            "An endpoint has an address (an IP address) or a hostname (a DNS name): one of them.",
        )),
    }
}

/// In Kubernetes an endpoint leads out of the proxies' pods: what is only within one, or on its link, is not for whoever
/// may write Backends (the pod's own metrics, the node's credentials), as it is not for EndpointSlices. What a name
/// resolves to is looked at by the proxy.
fn check_reach(endpoint: &BackendEndpoint, path: &FieldPath) -> Result<(), Refusal> {
    let address = endpoint.address.as_ref().and_then(|it| it.parse().ok());
    if let Some(address) = address.filter(|address| !leads_out(*address)) {
        return Err(Refusal::unsupported(
            path.field("address"),
            format!(
                "{address} does not lead out of the proxy's own pod or link; loopback, link-local, multicast and unspecified addresses cannot be endpoints in Kubernetes."
            ),
        ));
    }
    match endpoint.hostname.as_deref().and_then(not_outside) {
        Some(why) => Err(Refusal::unsupported(path.field("hostname"), why)),
        None => Ok(()),
    }
}

/// The hostname of all endpoints, if it is one.
fn common_hostname(endpoints: &[BackendEndpoint]) -> Option<String> {
    let first = endpoints.first()?.hostname.as_ref()?;
    endpoints
        .iter()
        .all(|endpoint| endpoint.hostname.as_ref() == Some(first))
        .then(|| first.trim_end_matches('.').to_ascii_lowercase())
}
