//! What an XBackend stands for: a name outside of the cluster, a port, and what is spoken there. And which names are
//! outside.

use std::net::IpAddr;

use daemun_model::backend::BackendProtocol;
use daemun_model::hostname::HostPattern;
use daemun_model::verdict::FieldPath;
use daemun_objects::Known;
use daemun_objects::experimental::xbackend::{XBackend, XBackendProtocol, XBackendType};

use crate::value::{capitalized, port, unknown};
use crate::verdict::{Refusal, reason};

/// The name that an XBackend stands for.
///
/// # Errors
/// It has none that may be one.
pub(crate) fn hostname(backend: &XBackend) -> Result<String, Refusal> {
    let invalid = |path: FieldPath, why: String| Err(Refusal::new(path, reason::INVALID, why));
    let kind = &backend.spec.r#type;
    let known: Vec<&str> = XBackendType::VALUES.iter().map(|it| it.0).collect();
    match kind.known() {
        Some(XBackendType::ExternalHostname) => {}
        None => {
            let path = FieldPath::of("spec.type");
            return Err(unknown(&path, "type of XBackend", kind.as_str(), &known));
        }
    }
    let Some(external) = &backend.spec.external_hostname else {
        return invalid(
            FieldPath::of("spec.externalHostname"),
            "An XBackend of type ExternalHostname has the field externalHostname, and it is missing."
                .to_owned(),
        );
    };
    let written = external.hostname.trim_end_matches('.');
    let path = path_of_name();
    if written.parse::<IpAddr>().is_ok() {
        return invalid(
            path,
            format!(
                "\"{written}\" is an address, and an XBackend stands for a name; a Backend (group gateway.daemun.dev) can have addresses."
            ),
        );
    }
    if written.ends_with(".cluster.local") {
        return invalid(
            path,
            format!(
                "\"{written}\" is a name of the cluster's own, and an XBackend stands for what is outside; refer to the Service itself."
            ),
        );
    }
    match HostPattern::parse(written) {
        Ok(HostPattern::Exact(name)) => Ok(name),
        Ok(HostPattern::Any | HostPattern::Wildcard(_)) => invalid(
            path,
            format!("\"{written}\" is not one hostname, and a wildcard cannot be resolved."),
        ),
        Err(why) => invalid(path, format!("{}.", capitalized(&why))),
    }
}

/// Where an XBackend's name is written.
pub(crate) fn path_of_name() -> FieldPath {
    FieldPath::of("spec.externalHostname.hostname")
}

/// The port of an XBackend.
///
/// # Errors
/// The number is none of a port.
pub(crate) fn number(backend: &XBackend) -> Result<u16, Refusal> {
    let written = backend.spec.port.port;
    port(written).ok_or_else(|| {
        Refusal::new(
            FieldPath::of("spec.port.port"),
            reason::INVALID,
            format!("{written} is not a port; ports are 1 to 65535."),
        )
    })
}

/// What is spoken to a destination; below HTTP nobody looks at it.
pub(crate) fn protocol(backend: &XBackend) -> BackendProtocol {
    match backend.spec.protocol.as_ref().and_then(|it| it.known()) {
        None | Some(XBackendProtocol::Tcp | XBackendProtocol::Http | XBackendProtocol::Mcp) => {
            BackendProtocol::Http
        }
        Some(XBackendProtocol::Http11) => BackendProtocol::Http1,
        Some(XBackendProtocol::Http2 | XBackendProtocol::H2c) => BackendProtocol::Http2,
    }
}

/// Why a name cannot be an endpoint's in Kubernetes, if it cannot: Services are referred to, since their namespaces have
/// a say in it, and names are resolved as they are, without the search list of the proxy's pod.
pub(crate) fn not_outside(written: &str) -> Option<String> {
    let name = written.trim_end_matches('.').to_ascii_lowercase();
    let is_local = name == "localhost" || name.ends_with(".localhost");
    if is_local || name.ends_with(".svc") || name.ends_with(".cluster.local") {
        return Some(format!(
            "{name} is a name of the pod's or the cluster's own; refer to the Service itself, in another namespace with a ReferenceGrant there."
        ));
    }
    (!name.contains('.')).then(|| {
        format!(
            "{name} is not a whole name, and no search list is used to complete it; write all of it, or refer to the Service of this name itself."
        )
    })
}
