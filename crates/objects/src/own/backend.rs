//! Backend: something to send requests to that is no Service. Static addresses or a DNS name.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{GROUP, VERSION};
use crate::gateway_api::backendtlspolicy::{SubjectAltName, WellKnownCaCertificates};
use crate::gateway_api::shared::LocalObjectReference;
use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};
use crate::read::nullable;

/// A backend.
pub type Backend = Object<BackendSpec>;

/// What a Backend says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendSpec {
    /// Where it is. Without endpoints that can be reached, requests are answered 503.
    pub endpoints: Vec<BackendEndpoint>,
    /// What is spoken; default `HTTP`.
    pub protocol: Option<Open<Protocol>>,
    /// TLS towards it; none means that it is spoken to in the clear.
    pub tls: Option<BackendTls>,
}

impl Kind for BackendSpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = VERSION;
    const KIND: &'static str = "Backend";
}

/// An endpoint: an address or a hostname, not both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendEndpoint {
    /// An IPv4 or IPv6 address.
    pub address: Option<String>,
    /// A DNS name, which is resolved again and again; each of its addresses is an endpoint.
    pub hostname: Option<String>,
    /// The port.
    pub port: u16,
    /// Its share among the endpoints; default 1; 0 means none.
    pub weight: Option<u32>,
}

known_values! { closed
    /// What is spoken to a Backend.
    pub enum Protocol {
        /// HTTP/1.1; over TLS, HTTP/2 if the backend offers it (ALPN).
        Http = "HTTP",
        /// HTTP/1.1 only, also over TLS.
        Http1 = "HTTP1",
        /// HTTP/2 with prior knowledge; over TLS, HTTP/2 only.
        Http2 = "HTTP2",
    }
}

/// TLS towards a Backend: references to authorities, or well-known ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendTls {
    /// The name for SNI, and without `subjectAltNames` the name that the certificate must have. Default:
    /// the hostname, if all endpoints have the same one.
    pub hostname: Option<String>,
    /// Names of which the certificate must have one.
    #[serde(default, deserialize_with = "nullable")]
    pub subject_alt_names: Vec<SubjectAltName>,
    /// ConfigMaps or Secrets with the authorities that are believed (key `ca.crt`).
    #[serde(default, deserialize_with = "nullable")]
    pub ca_certificate_refs: Vec<LocalObjectReference>,
    /// Authorities that are known by name; default `System` if there are no references.
    #[serde(rename = "wellKnownCACertificates")]
    pub well_known_ca_certificates: Option<Open<WellKnownCaCertificates>>,
}
