//! What backend references resolve to (gateway-api `BackendObjectReference`): a port of a Service, or one of
//! our Backends. One that cannot be resolved is a target that answers 500, or refuses connections.

use std::collections::BTreeSet;

use daemun_model::backend::{BackendProtocol, BackendTarget};
use daemun_model::names::{BackendKey, BackendKind, ObjectName, RouteKind, Transport};
use daemun_model::verdict::FieldPath;
use daemun_objects::core::service::{IntOrString, Service, ServicePort, ServiceType};
use daemun_objects::experimental::xbackend::XBackendProtocol;
use daemun_objects::gateway_api::shared::BackendObjectReference;
use daemun_objects::own::backend::Backend;

use crate::cluster::Cluster;
use crate::destination;
use crate::endpoints::protocol_of;
use crate::nearest::{did_you_mean, list};
use crate::policy::targets::TlsTargets;
use crate::refs::{self, GATEWAY_GROUP, OWN_GROUP, Referred, Referrer, X_GROUP};
use crate::value::port;
use crate::verdict::{Refusal, reason};

/// What a Route's translation looked at beside the Route itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Services and Backends, whether they exist or not.
    pub(crate) backends: Vec<(BackendKind, ObjectName)>,
    /// Whether grants were looked at.
    pub(crate) grants: bool,
    /// Whether all names of Services or Backends were looked at, for a suggestion.
    pub(crate) names: bool,
}

impl Seen {
    fn backend(&mut self, kind: BackendKind, name: &ObjectName) {
        let is = |(other, known): &(BackendKind, ObjectName)| *other == kind && known == name;
        if !self.backends.iter().any(is) {
            self.backends.push((kind, name.clone()));
        }
    }
}

/// Resolves the references of one Route.
pub(crate) struct Resolver<'a> {
    cluster: &'a Cluster,
    tls: &'a TlsTargets,
    kind: RouteKind,
    from: Referrer<'a>,
    /// What was looked at so far.
    pub(crate) seen: Seen,
}

impl<'a> Resolver<'a> {
    /// A resolver for a Route of a kind in a namespace.
    pub(crate) fn new(
        cluster: &'a Cluster,
        tls: &'a TlsTargets,
        (kind, namespace): (RouteKind, &'a str),
    ) -> Self {
        Self {
            cluster,
            tls,
            kind,
            from: Referrer {
                group: GATEWAY_GROUP,
                kind: kind.as_str(),
                namespace,
            },
            seen: Seen::default(),
        }
    }

    /// The kind of the Route.
    pub(crate) fn kind(&self) -> RouteKind {
        self.kind
    }

    /// What a reference stands for; with a refusal if it stands for nothing.
    pub(crate) fn resolve(
        &mut self,
        reference: &BackendObjectReference,
        path: &FieldPath,
    ) -> Result<BackendKey, Box<(BackendTarget, Refusal)>> {
        self.find(reference, path).map_err(|refusal| {
            let namespace = self.namespace(reference);
            let port = reference
                .port
                .map(|port| format!(":{port}"))
                .unwrap_or_default();
            let target = BackendTarget::Invalid {
                written: format!("{} {namespace}/{}{port}", reference.kind(), reference.name),
                reason: refusal.message.clone(),
            };
            Box::new((target, refusal))
        })
    }

    fn namespace<'r>(&self, reference: &'r BackendObjectReference) -> &'r str
    where
        'a: 'r,
    {
        reference
            .namespace
            .as_deref()
            .unwrap_or(self.from.namespace)
    }

    fn find(
        &mut self,
        reference: &BackendObjectReference,
        path: &FieldPath,
    ) -> Result<BackendKey, Refusal> {
        let (group, kind) = (reference.group(), reference.kind());
        let Some(known) = kind_of(group, kind) else {
            let remedy = match kind {
                "Backend" => format!(" A Backend has group: {OWN_GROUP}."),
                "Service" => " A Service is of the core group: group: \"\".".to_owned(),
                "XBackend" => format!(" An XBackend has group: {X_GROUP}."),
                _ => String::new(),
            };
            return Err(Refusal::new(
                path.field("kind"),
                reason::INVALID_KIND,
                format!(
                    "{kind} of group \"{group}\" cannot be a backend; Service (group \"\"), Backend (group {OWN_GROUP}) and XBackend (group {X_GROUP}) can.{remedy}"
                ),
            ));
        };
        let name = ObjectName::new(self.namespace(reference), &reference.name);
        self.seen.backend(known, &name);
        let to = Referred {
            group,
            kind,
            name: &name,
        };
        if self.from.namespace != name.namespace {
            // GEP-4894: no ReferenceGrant leads to an XBackend elsewhere.
            if matches!(known, BackendKind::XBackend) {
                return Err(Refusal::new(
                    path.field("namespace"),
                    reason::REF_NOT_PERMITTED,
                    format!(
                        "XBackend {name} is in another namespace, and an XBackend is only for Routes of its own: make one in {}.",
                        self.from.namespace
                    ),
                ));
            }
            self.seen.grants = true;
            if !refs::permitted(self.cluster, &self.from, &to) {
                return Err(Refusal::new(
                    path.field("namespace"),
                    reason::REF_NOT_PERMITTED,
                    refs::refusal(&self.from, &to),
                ));
            }
        }
        let asked = match reference.port {
            None => None,
            Some(number) => Some(port(number).ok_or_else(|| {
                Refusal::new(
                    path.field("port"),
                    reason::BACKEND_NOT_FOUND,
                    format!("{number} is not a port; ports are 1 to 65535."),
                )
            })?),
        };
        match known {
            BackendKind::Service => self.service(name, asked, path),
            BackendKind::Backend => self.backend(name, asked, path),
            BackendKind::XBackend => self.x_backend(name, asked, path),
        }
    }

    fn service(
        &mut self,
        name: ObjectName,
        asked: Option<u16>,
        path: &FieldPath,
    ) -> Result<BackendKey, Refusal> {
        let cluster = self.cluster;
        let Some(service) = cluster.services.get(&name) else {
            self.seen.names = true;
            let backend = cluster.backends.get(&name).map(|_| {
                format!(" There is a Backend of this name: write kind: Backend and group: {OWN_GROUP} for it.")
            });
            return Err(self.not_found(
                "Service",
                &name,
                &backend.unwrap_or_else(|| {
                    did_you_mean(&name.name, cluster.services.names_in(&name.namespace))
                }),
                path,
            ));
        };
        let transport = self.kind.transport();
        let port = service_port(service, &name, (asked, transport), path)?;
        if !cluster.on_host()
            && service.spec.r#type.as_ref().and_then(|it| it.known())
                == Some(ServiceType::ExternalName)
        {
            return Err(Refusal::new(
                path.field("name"),
                reason::INVALID_KIND,
                format!(
                    "Service {name} is of type ExternalName, which would let any name be reached through it (CVE-2021-25740); use a Backend (group {OWN_GROUP}) with the hostname."
                ),
            ));
        }
        match (self.kind, port) {
            (RouteKind::Http | RouteKind::Grpc, Some(port)) => self.speakable(&name, port, path)?,
            // What is passed on is not looked at.
            (RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp, _) | (_, None) => {}
        }
        Ok(BackendKey {
            kind: BackendKind::Service,
            port: asked.unwrap_or_default(),
            name,
            transport,
        })
    }

    /// Whether what a Service's port asks for can be spoken.
    fn speakable(
        &self,
        name: &ObjectName,
        port: &ServicePort,
        path: &FieldPath,
    ) -> Result<(), Refusal> {
        let refuse = |why: String| {
            Refusal::new(
                path.field("port"),
                reason::UNSUPPORTED_PROTOCOL,
                format!("Port {} of Service {name} {why}", port.port),
            )
        };
        let spoken = protocol(port.app_protocol.as_deref()).map_err(refuse)?;
        if spoken.needs_tls && !self.tls.covers(name, port.name.as_deref()) {
            return Err(refuse(format!(
                "has appProtocol {}, which is spoken over TLS, and no BackendTLSPolicy says whom to believe. Add one for the Service.",
                port.app_protocol.as_deref().unwrap_or_default()
            )));
        }
        Ok(())
    }

    fn backend(
        &mut self,
        name: ObjectName,
        asked: Option<u16>,
        path: &FieldPath,
    ) -> Result<BackendKey, Refusal> {
        let cluster = self.cluster;
        let Some(backend) = cluster.backends.get(&name) else {
            self.seen.names = true;
            let service = cluster.services.get(&name).map(|_| {
                " There is a Service of this name: leave out kind and group for it.".to_owned()
            });
            return Err(self.not_found(
                "Backend",
                &name,
                &service.unwrap_or_else(|| {
                    did_you_mean(&name.name, cluster.backends.names_in(&name.namespace))
                }),
                path,
            ));
        };
        let ports = backend_ports(backend);
        let port = match asked {
            Some(port) if ports.contains(&port) => port,
            Some(port) => {
                return Err(Refusal::new(
                    path.field("port"),
                    reason::BACKEND_NOT_FOUND,
                    format!(
                        "Backend {name} has no endpoint with port {port}; its endpoints have {}. A reference to a Backend needs no port.",
                        port_list(ports.iter().copied())
                    ),
                ));
            }
            None => match ports.len() {
                1 => ports.first().copied().unwrap_or_default(),
                _ => 0,
            },
        };
        Ok(BackendKey {
            kind: BackendKind::Backend,
            name,
            port,
            transport: self.kind.transport(),
        })
    }
}

impl Resolver<'_> {
    fn not_found(&self, kind: &str, name: &ObjectName, remedy: &str, path: &FieldPath) -> Refusal {
        let withheld = &self.cluster.withheld;
        Refusal::new(
            path.field("name"),
            reason::BACKEND_NOT_FOUND,
            withheld.absence(kind, name, || remedy.to_owned()),
        )
    }

    /// A destination outside of the cluster. What is wrong with it is said of it, and closes it.
    fn x_backend(
        &mut self,
        name: ObjectName,
        asked: Option<u16>,
        path: &FieldPath,
    ) -> Result<BackendKey, Refusal> {
        let Some(backend) = self.cluster.x_backends.get(&name) else {
            self.seen.names = true;
            let others = self.cluster.x_backends.names_in(&name.namespace);
            return Err(self.not_found("XBackend", &name, &did_you_mean(&name.name, others), path));
        };
        let port = destination::number(backend).unwrap_or_default();
        if let Some(asked) = asked.filter(|asked| *asked != port) {
            return Err(Refusal::new(
                path.field("port"),
                reason::BACKEND_NOT_FOUND,
                format!(
                    "XBackend {name} has no port {asked}; it has port {port}. A reference to an XBackend needs no port."
                ),
            ));
        }
        let is_http = matches!(self.kind, RouteKind::Http | RouteKind::Grpc);
        let spoken = backend.spec.protocol.as_ref().and_then(|it| it.known());
        if is_http && spoken == Some(XBackendProtocol::Tcp) {
            return Err(Refusal::new(
                path.field("name"),
                reason::UNSUPPORTED_PROTOCOL,
                format!(
                    "XBackend {name} has protocol TCP, and routes of kind {} send requests; write the version of HTTP that it speaks, or leave protocol out.",
                    self.kind.as_str()
                ),
            ));
        }
        Ok(BackendKey {
            kind: BackendKind::XBackend,
            name,
            port,
            transport: self.kind.transport(),
        })
    }
}

fn kind_of(group: &str, kind: &str) -> Option<BackendKind> {
    match (group, kind) {
        ("", "Service") => Some(BackendKind::Service),
        (OWN_GROUP, "Backend") => Some(BackendKind::Backend),
        (X_GROUP, "XBackend") => Some(BackendKind::XBackend),
        _ => None,
    }
}

/// The ports that a Backend's endpoints have.
pub(crate) fn backend_ports(backend: &Backend) -> BTreeSet<u16> {
    backend
        .spec
        .endpoints
        .iter()
        .map(|endpoint| endpoint.port)
        .collect()
}

fn port_list(ports: impl Iterator<Item = u16>) -> String {
    let ports: Vec<String> = ports.map(|port| port.to_string()).collect();
    match ports.len() {
        0 => "no port".to_owned(),
        1 => format!("port {}", ports.concat()),
        _ => format!("the ports {}", list(&ports, "")),
    }
}

/// Whether a Service is just a name elsewhere, which has every port.
pub(crate) fn is_name_only(service: &Service) -> bool {
    service.spec.ports.is_empty() && service.spec.external_name.is_some()
}

/// The Service's port that a reference names; none for a name elsewhere.
fn service_port<'s>(
    service: &'s Service,
    name: &ObjectName,
    (asked, transport): (Option<u16>, Transport),
    path: &FieldPath,
) -> Result<Option<&'s ServicePort>, Refusal> {
    let ports = &service.spec.ports;
    let there = || port_list(ports.iter().filter_map(|it| port(it.port)));
    let Some(asked) = asked else {
        return Err(Refusal::new(
            path.field("name"),
            reason::BACKEND_NOT_FOUND,
            format!(
                "A reference to a Service names its port. Service {name} has {}; write port: with it.",
                there()
            ),
        ));
    };
    if is_name_only(service) {
        return Ok(None);
    }
    let number = i32::from(asked);
    let with_number = || ports.iter().filter(|it| it.port == number);
    let wanted = protocol_of(transport);
    if let Some(found) = with_number().find(|it| it.protocol() == wanted) {
        return Ok(Some(found));
    }
    if let Some(other) = with_number().next() {
        return Err(Refusal::new(
            path.field("port"),
            reason::UNSUPPORTED_PROTOCOL,
            format!(
                "Port {asked} of Service {name} is a {} port, and the route needs {wanted}.",
                other.protocol()
            ),
        ));
    }
    let target = ports
        .iter()
        .find(|it| it.target_port == Some(IntOrString::Int(number)));
    let remedy = match target {
        Some(it) => format!(
            " {asked} is the targetPort of port {}: references name the Service's port, so write port: {}.",
            it.port, it.port
        ),
        None => String::new(),
    };
    Err(Refusal::new(
        path.field("port"),
        reason::BACKEND_NOT_FOUND,
        format!(
            "Service {name} has no port {asked}; it has {}.{remedy}",
            there()
        ),
    ))
}

/// What a Service's `appProtocol` asks for.
pub(crate) struct Spoken {
    /// What is spoken.
    pub(crate) protocol: BackendProtocol,
    /// Whether it is spoken over TLS only.
    pub(crate) needs_tls: bool,
}

/// Reads `appProtocol` (GEP-1911; names without a domain are those of IANA's registry, in which case does not
/// count, RFC 6335 section 5.1).
///
/// # Errors
/// The end of a sentence that begins with the port.
pub(crate) fn protocol(written: Option<&str>) -> Result<Spoken, String> {
    let written = written.unwrap_or_default();
    let registered = written.to_ascii_lowercase();
    let name = if written.contains('/') {
        written
    } else {
        &registered
    };
    let (protocol, needs_tls) = match name {
        "" | "http" => (BackendProtocol::Http, false),
        "https" => (BackendProtocol::Http, true),
        "kubernetes.io/h2c" | "grpc" => (BackendProtocol::Http2, false),
        "kubernetes.io/ws" => (BackendProtocol::Http1, false),
        "kubernetes.io/wss" => (BackendProtocol::Http1, true),
        _ => {
            return Err(format!(
                "has appProtocol \"{written}\", which is not supported; http, https, grpc, kubernetes.io/h2c, kubernetes.io/ws and kubernetes.io/wss are, and none."
            ));
        }
    };
    Ok(Spoken {
        protocol,
        needs_tls,
    })
}
