//! XBackend: a destination outside of the cluster (GEP-4894).

use schemars::JsonSchema;
use serde::Deserialize;

use super::{GROUP, VERSION};
use crate::gateway_api::backendtlspolicy::BackendTlsPolicyValidation;
use crate::gateway_api::shared::SecretObjectReference;
use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};

/// A destination.
pub type XBackend = Object<XBackendSpec>;

/// `BackendSpec`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct XBackendSpec {
    /// What kind of destination it is.
    pub r#type: Open<XBackendType>,
    /// Its port.
    pub port: XBackendPort,
    /// For `ExternalHostname`.
    pub external_hostname: Option<ExternalHostnameBackend>,
    /// What is spoken to it; without it what the route speaks.
    pub protocol: Option<Open<XBackendProtocol>>,
    /// TLS towards it; none means that it is spoken to in the clear.
    pub tls: Option<XBackendTls>,
}

impl Kind for XBackendSpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = VERSION;
    const KIND: &'static str = "XBackend";
}

known_values! { closed
    /// Kinds of destination (`BackendType`).
    pub enum XBackendType {
        /// A name outside of the cluster.
        ExternalHostname = "ExternalHostname",
    }
}

/// A port (`BackendPort`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct XBackendPort {
    /// Its name.
    pub name: Option<String>,
    /// Its number.
    pub port: i32,
}

/// A name outside of the cluster (`ExternalHostnameBackend`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalHostnameBackend {
    /// A DNS name; neither an address nor a name of the cluster's own.
    pub hostname: String,
}

known_values! { closed
    /// What is spoken to a destination (`BackendProtocol`).
    pub enum XBackendProtocol {
        /// Bytes.
        Tcp = "TCP",
        /// HTTP; over TLS the version is agreed on (ALPN).
        Http = "HTTP",
        /// HTTP/2.
        Http2 = "HTTP2",
        /// HTTP/1.1.
        Http11 = "HTTP11",
        /// HTTP/2 in the clear.
        H2c = "H2C",
        /// The Model Context Protocol, which HTTP carries.
        Mcp = "MCP",
    }
}

/// TLS towards a destination (`BackendTLS`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct XBackendTls {
    /// Who shows a certificate.
    pub mode: Open<XBackendTlsMode>,
    /// For `ClientAndServer`: the certificate that the gateway shows.
    pub client_certificate_ref: Option<SecretObjectReference>,
    /// How the destination's certificate is validated.
    pub validation: Option<BackendTlsPolicyValidation>,
}

known_values! { closed
    /// Who shows a certificate (`BackendTLSMode`).
    pub enum XBackendTlsMode {
        /// Nobody: there is no TLS.
        None = "None",
        /// The destination.
        ServerOnly = "ServerOnly",
        /// Both.
        ClientAndServer = "ClientAndServer",
    }
}
