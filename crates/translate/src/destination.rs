//! What an XBackend stands for: a name outside of the cluster, a port, and what is spoken there.

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
    let path = FieldPath::of("spec.externalHostname");
    let Some(external) = &backend.spec.external_hostname else {
        return invalid(
            path,
            "An XBackend of type ExternalHostname has the field externalHostname, and it is missing."
                .to_owned(),
        );
    };
    let written = external.hostname.trim_end_matches('.');
    let path = path.field("hostname");
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
