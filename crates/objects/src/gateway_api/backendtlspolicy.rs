//! BackendTLSPolicy: TLS from the gateway to backends (GEP-1897).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::GROUP;
use super::shared::{LocalObjectReference, PolicyTargetReference};
use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};
use crate::read::nullable;

/// A policy about TLS towards backends.
pub type BackendTlsPolicy = Object<BackendTlsPolicySpec>;

/// `BackendTLSPolicySpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendTlsPolicySpec {
    /// The backends, in the policy's namespace.
    pub target_refs: Vec<PolicyTargetReference>,
    /// How a backend's certificate is validated.
    pub validation: BackendTlsPolicyValidation,
    /// Settings that implementations define.
    #[serde(default, deserialize_with = "nullable")]
    pub options: BTreeMap<String, String>,
}

impl Kind for BackendTlsPolicySpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = "v1";
    const OTHER_VERSIONS: &'static [&'static str] = &["v1alpha3"];
    const KIND: &'static str = "BackendTLSPolicy";
}

/// How a backend's certificate is validated (`BackendTLSPolicyValidation`). Either references or
/// well-known authorities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendTlsPolicyValidation {
    /// ConfigMaps (or others) with the authorities that are believed.
    #[serde(default, deserialize_with = "nullable")]
    pub ca_certificate_refs: Vec<LocalObjectReference>,
    /// Authorities that are known by name.
    #[serde(rename = "wellKnownCACertificates")]
    pub well_known_ca_certificates: Option<Open<WellKnownCaCertificates>>,
    /// The name for SNI, and without `subjectAltNames` the name that the certificate must have.
    pub hostname: String,
    /// Names of which the certificate must have one.
    #[serde(default, deserialize_with = "nullable")]
    pub subject_alt_names: Vec<SubjectAltName>,
}

known_values! { open
    /// Authorities that are known by name (`WellKnownCACertificatesType`). Others may be defined as
    /// `example.com/name`.
    pub enum WellKnownCaCertificates {
        /// Those of the system.
        System = "System",
    }
}

/// A name that a certificate may have (`SubjectAltName`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectAltName {
    /// Which of the two it is.
    pub r#type: Open<SubjectAltNameType>,
    /// A DNS name, possibly with a wildcard label.
    pub hostname: Option<String>,
    /// A URI, such as a SPIFFE id.
    pub uri: Option<String>,
}

known_values! { closed
    /// Kinds of name in a certificate (`SubjectAltNameType`).
    pub enum SubjectAltNameType {
        /// A DNS name.
        Hostname = "Hostname",
        /// A URI.
        Uri = "URI",
    }
}
