//! Certificates, keys, and who is believed. PEM as it was written, already judged by `translate`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::carried::ByteBuf;
use crate::names::ObjectName;

/// Bytes that are never shown: `Debug` and `Serialize` for people give a digest.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// Keeps bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for who needs them.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        digest(&self.0, f)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        digest(&self.0, f)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ByteBuf(bytes) = ByteBuf::deserialize(deserializer)?;
        Ok(Self::new(bytes))
    }
}

/// PEM text that may be seen but is too long to show: shown as a digest too.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pem(Arc<str>);

impl Pem {
    /// Keeps PEM text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        digest(self.0.as_bytes(), f)
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Pem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Pem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

fn digest(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("sha256:")?;
    Sha256::digest(bytes)
        .iter()
        .take(8)
        .try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// A certificate with its key (a Secret of type kubernetes.io/tls).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The Secret.
    pub name: ObjectName,
    /// The chain, leaf first.
    pub chain: Pem,
    /// The private key.
    pub key: Secret,
    /// DNS names in the leaf's subjectAltName, lower case.
    pub names: Vec<String>,
    /// When the leaf becomes valid, in seconds since 1970.
    pub not_before: i64,
    /// When the leaf expires, in seconds since 1970.
    pub not_after: i64,
}

/// TLS terminated by a listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Termination {
    /// Certificates of the snapshot, in order of preference; never empty.
    pub certificates: Vec<ObjectName>,
    /// The lowest version that is spoken.
    pub min_version: TlsVersion,
    /// The highest version that is spoken.
    pub max_version: TlsVersion,
    /// Client certificates, if asked for (GEP-91).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientValidation>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// What a listener does about client certificates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientValidation {
    /// Authorities that are believed.
    pub authorities: Vec<Pem>,
    /// What happens without a valid certificate.
    pub mode: ClientValidationMode,
}

/// `FrontendValidationModeType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ClientValidationMode {
    /// The handshake fails without a valid certificate.
    AllowValidOnly,
    /// None, or an invalid one, is accepted too.
    AllowInsecureFallback,
}

/// TLS towards a backend (gateway-api `BackendTLSPolicy`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendTls {
    /// The name sent as SNI; without `subject_alt_names` also the name that the certificate must have.
    pub hostname: String,
    /// If not empty, the certificate must have one of these instead of `hostname`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject_alt_names: Vec<SubjectAltName>,
    /// Who is believed.
    pub authorities: Authorities,
    /// The gateway's own certificate, if it shows one (`Gateway.spec.tls.backend`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ObjectName>,
}

/// Who is believed about a backend's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Authorities {
    /// The public web's authorities, as bundled (`wellKnownCACertificates: System`).
    System,
    /// These; never empty.
    These(Vec<Pem>),
}

/// A subjectAltName that a backend's certificate may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SubjectAltName {
    /// A DNS name, possibly with a wildcard label.
    Hostname(String),
    /// A URI, such as a SPIFFE id.
    Uri(String),
}
