//! Gateway: listeners, their addresses, and TLS towards clients and backends.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::GROUP;
use super::shared::{
    ListenerNamespaces, LocalObjectReference, ObjectReference, RouteNamespaces,
    SecretObjectReference,
};
use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};
use crate::read::nullable;

/// A gateway.
pub type Gateway = Object<GatewaySpec>;

/// `GatewaySpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySpec {
    /// The GatewayClass.
    pub gateway_class_name: String,
    /// The listeners, in the order in which they are written.
    pub listeners: Vec<Listener>,
    /// The addresses that are asked for; none means that they are chosen.
    #[serde(default, deserialize_with = "nullable")]
    pub addresses: Vec<GatewayAddress>,
    /// What is put on the objects that are made for this Gateway.
    pub infrastructure: Option<GatewayInfrastructure>,
    /// Who may add listeners by ListenerSets; default nobody.
    pub allowed_listeners: Option<AllowedListeners>,
    /// TLS settings that are not about one listener.
    pub tls: Option<GatewayTlsConfig>,
    /// Whether routes may use it without naming it (experimental; GEP-3793).
    pub default_scope: Option<Open<DefaultScope>>,
}

impl Kind for GatewaySpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = "v1";
    const OTHER_VERSIONS: &'static [&'static str] = &["v1beta1"];
    const KIND: &'static str = "Gateway";
}

/// A listener of a Gateway or of a ListenerSet (`Listener`, `ListenerEntry`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// Its name, unique in the object.
    pub name: String,
    /// The hostnames it serves; none or empty means all.
    pub hostname: Option<String>,
    /// The port.
    pub port: i32,
    /// What is spoken.
    pub protocol: Open<Protocol>,
    /// TLS, for protocols with it.
    pub tls: Option<ListenerTlsConfig>,
    /// Which routes may attach; default those of the same namespace.
    pub allowed_routes: Option<AllowedRoutes>,
}

known_values! { open
    /// What a listener speaks (`ProtocolType`). Others may be defined as `example.com/name`.
    pub enum Protocol {
        /// HTTP/1.1 and HTTP/2 without TLS.
        Http = "HTTP",
        /// HTTP/1.1 and HTTP/2 over TLS.
        Https = "HTTPS",
        /// TLS, told apart by SNI.
        Tls = "TLS",
        /// TCP.
        Tcp = "TCP",
        /// UDP.
        Udp = "UDP",
    }
}

/// TLS of a listener (`ListenerTLSConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListenerTlsConfig {
    /// Where TLS ends; default `Terminate`.
    pub mode: Option<Open<TlsMode>>,
    /// Certificates, for `Terminate`.
    #[serde(default, deserialize_with = "nullable")]
    pub certificate_refs: Vec<SecretObjectReference>,
    /// Settings that implementations define.
    #[serde(default, deserialize_with = "nullable")]
    pub options: BTreeMap<String, String>,
}

known_values! { closed
    /// Where TLS ends (`TLSModeType`).
    pub enum TlsMode {
        /// At the gateway.
        Terminate = "Terminate",
        /// At the backend.
        Passthrough = "Passthrough",
    }
}

/// Which routes may attach to a listener (`AllowedRoutes`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedRoutes {
    /// From which namespaces; default `Same`.
    pub namespaces: Option<RouteNamespaces>,
    /// Of which kinds; empty means those that go with the protocol.
    #[serde(default, deserialize_with = "nullable")]
    pub kinds: Vec<RouteGroupKind>,
}

/// A kind of route (`RouteGroupKind`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteGroupKind {
    /// The group; default `gateway.networking.k8s.io`.
    pub group: Option<String>,
    /// The kind.
    pub kind: String,
}

impl RouteGroupKind {
    /// The group, or its default.
    pub fn group(&self) -> &str {
        self.group.as_deref().unwrap_or(GROUP)
    }
}

/// An address that is asked for (`GatewaySpecAddress`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayAddress {
    /// What the value is; default `IPAddress`.
    pub r#type: Option<Open<AddressType>>,
    /// The address; without it one of that type is assigned.
    pub value: Option<String>,
}

known_values! { open
    /// What an address is (`AddressType`). Others may be defined as `example.com/name`.
    pub enum AddressType {
        /// An IPv4 or IPv6 address.
        IpAddress = "IPAddress",
        /// A DNS name.
        Hostname = "Hostname",
        /// A name that the infrastructure knows.
        NamedAddress = "NamedAddress",
    }
}

/// What is put on the objects that are made for a Gateway (`GatewayInfrastructure`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayInfrastructure {
    /// Labels.
    #[serde(default, deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default, deserialize_with = "nullable")]
    pub annotations: BTreeMap<String, String>,
    /// Settings of this Gateway.
    pub parameters_ref: Option<LocalObjectReference>,
}

/// Which ListenerSets may add listeners (`AllowedListeners`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedListeners {
    /// From which namespaces; default `None`.
    pub namespaces: Option<ListenerNamespaces>,
}

known_values! { closed
    /// Whether routes may use a Gateway without naming it (`GatewayDefaultScope`).
    pub enum DefaultScope {
        /// All routes that ask for default Gateways.
        All = "All",
        /// No route.
        None = "None",
    }
}

/// TLS settings of a Gateway (`GatewayTLSConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayTlsConfig {
    /// Towards backends.
    pub backend: Option<GatewayBackendTls>,
    /// Towards clients.
    pub frontend: Option<FrontendTlsConfig>,
}

/// TLS towards backends (`GatewayBackendTLS`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayBackendTls {
    /// The certificate that the gateway shows to backends.
    pub client_certificate_ref: Option<SecretObjectReference>,
}

/// TLS towards clients (`FrontendTLSConfig`, GEP-91).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FrontendTlsConfig {
    /// For all ports that have no setting of their own.
    pub default: TlsConfig,
    /// For single ports.
    #[serde(default, deserialize_with = "nullable")]
    pub per_port: Vec<TlsPortConfig>,
}

/// TLS of one port (`TLSPortConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsPortConfig {
    /// The port of HTTPS listeners.
    pub port: i32,
    /// What holds there, in place of the default.
    pub tls: TlsConfig,
}

/// How clients' certificates are treated (`TLSConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsConfig {
    /// Without it, clients are not asked for a certificate.
    pub validation: Option<FrontendTlsValidation>,
}

/// How clients' certificates are validated (`FrontendTLSValidation`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FrontendTlsValidation {
    /// ConfigMaps (or others) with the authorities that are believed.
    pub ca_certificate_refs: Vec<ObjectReference>,
    /// What happens without a valid certificate; default `AllowValidOnly`.
    pub mode: Option<Open<FrontendValidationMode>>,
}

known_values! { closed
    /// What happens without a valid client certificate (`FrontendValidationModeType`).
    pub enum FrontendValidationMode {
        /// The handshake fails.
        AllowValidOnly = "AllowValidOnly",
        /// The client is let in.
        AllowInsecureFallback = "AllowInsecureFallback",
    }
}
