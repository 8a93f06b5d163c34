//! TLS towards backends: whom the gateway believes, and what it shows of itself.
//!
//! A backend's identity is its hostname, or one of a list of subjectAltNames and then nothing else
//! (gateway-api `BackendTLSPolicy.spec.validation`). Each backend has a configuration of its own, so
//! that a session that was made under one setting of trust does not resume under another.

use std::fmt;
use std::io;
use std::sync::Arc;

use daemun_model::backend::BackendProtocol;
use daemun_model::names::ObjectName;
use daemun_model::persistent::Map;
use daemun_model::tls::{self, BackendTls, Certificate, SubjectAltName, TlsVersion};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, DnsName, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::pki::{self, Authorities};

/// Why there is no TLS with a backend.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// The handshake took too long.
    TimedOut,
    /// The backend's certificate is not believed; the sentence says why.
    Certificate(String),
    /// The two do not understand each other, or the backend refused; the sentence says why.
    Handshake(String),
    /// The connection broke.
    Io(io::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the TLS handshake took too long"),
            Self::Certificate(why) => write!(f, "the backend's certificate is not believed: {why}"),
            Self::Handshake(why) => write!(f, "the TLS handshake failed: {why}"),
            Self::Io(error) => write!(f, "the connection broke during the TLS handshake: {error}"),
        }
    }
}

/// Compiles TLS towards a backend.
///
/// # Errors
/// A sentence that says which part cannot be used, and why.
pub(crate) fn client_config(
    tls: &BackendTls,
    protocol: BackendProtocol,
    certificates: &Map<ObjectName, Arc<Certificate>>,
) -> Result<Arc<rustls::ClientConfig>, String> {
    let BackendTls {
        hostname: _,
        subject_alt_names: _,
        authorities: _,
        client_certificate,
    } = tls;
    let provider = pki::provider();
    let verifier = Verifier::new(tls, provider.signature_verification_algorithms)?;
    let versions = pki::versions(TlsVersion::Tls12, TlsVersion::Tls13)?;
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| format!("the TLS versions cannot be used: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match client_certificate {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let certificate = certificates
                .get(name)
                .ok_or_else(|| format!("the client certificate of Secret {name} is not there"))?;
            let key = Arc::new(pki::certified_key(certificate)?);
            builder.with_client_cert_resolver(Arc::new(Shown(key)))
        }
    };
    config.alpn_protocols = match protocol {
        BackendProtocol::Http => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        BackendProtocol::Http1 => vec![b"http/1.1".to_vec()],
        BackendProtocol::Http2 => vec![b"h2".to_vec()],
    };
    Ok(Arc::new(config))
}

/// The name that is sent as SNI.
///
/// # Errors
/// A sentence, if the hostname is none.
pub(crate) fn server_name(tls: &BackendTls) -> Result<ServerName<'static>, String> {
    let hostname = &tls.hostname;
    ServerName::try_from(hostname.clone())
        .map_err(|_| format!("\"{hostname}\" is not a hostname that TLS could ask for"))
}

/// Shakes hands on a connection.
///
/// # Errors
/// See [`ConnectError`].
pub(crate) async fn connect<IO>(
    connection: IO,
    config: Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
    deadline: Instant,
) -> Result<TlsStream<IO>, ConnectError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = TlsConnector::from(config).connect(name, connection);
    let done = tokio::time::timeout_at(deadline, handshake).await;
    done.map_err(|_| ConnectError::TimedOut)?
        .map_err(read_error)
}

/// Whether HTTP/2 was agreed on. A backend that takes HTTP/2 only may have said nothing.
pub(crate) fn is_http2<IO>(stream: &TlsStream<IO>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(b"h2")
}

fn read_error(error: io::Error) -> ConnectError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(why)))) => {
            ConnectError::Certificate(why.to_string())
        }
        Some(rustls::Error::InvalidCertificate(why)) => ConnectError::Certificate(why.to_string()),
        Some(other) => ConnectError::Handshake(other.to_string()),
        None => ConnectError::Io(error),
    }
}

/// Judges a backend's certificate.
#[derive(Debug)]
struct Verifier {
    authorities: Authorities,
    identity: Identity,
    algorithms: WebPkiSupportedAlgorithms,
}

/// What a backend's certificate must have: one of these.
#[derive(Debug)]
enum Identity {
    Hostname(ServerName<'static>),
    AnyOf(Vec<Acceptable>),
}

#[derive(Debug)]
enum Acceptable {
    /// A name, which the certificate may have by a wildcard.
    Name(ServerName<'static>),
    /// All names one label below this one (`example.com` for `*.example.com`).
    Below(DnsName<'static>),
    Uri(String),
}

impl Verifier {
    fn new(tls: &BackendTls, algorithms: WebPkiSupportedAlgorithms) -> Result<Self, String> {
        let authorities = match &tls.authorities {
            tls::Authorities::System => Authorities::system(),
            tls::Authorities::These(bundles) => Authorities::from_pem(bundles)?,
        };
        let identity = match tls.subject_alt_names.as_slice() {
            [] => Identity::Hostname(server_name(tls)?),
            names => Identity::AnyOf(names.iter().map(acceptable).collect::<Result<_, _>>()?),
        };
        Ok(Self {
            authorities,
            identity,
            algorithms,
        })
    }

    fn judge_identity(
        &self,
        parsed: &ParsedCertificate<'_>,
        certificate: &CertificateDer<'_>,
    ) -> Result<(), rustls::Error> {
        let wanted = match &self.identity {
            Identity::Hostname(name) => return verify_server_name(parsed, name),
            Identity::AnyOf(wanted) => wanted,
        };
        let names = webpki::EndEntityCert::try_from(certificate)
            .map_err(|_| rustls::Error::from(CertificateError::BadEncoding))?;
        let found = wanted.iter().any(|wanted| match wanted {
            Acceptable::Name(name) => verify_server_name(parsed, name).is_ok(),
            Acceptable::Below(parent) => names
                .valid_dns_names()
                .any(|name| is_one_label_below(name, parent.as_ref())),
            Acceptable::Uri(uri) => names.valid_uri_names().any(|name| name == uri),
        });
        if found {
            return Ok(());
        }
        let presented = names.valid_dns_names().chain(names.valid_uri_names());
        let presented = presented.map(str::to_owned).collect();
        let error = OtherError(Arc::new(NoneOfTheNames { presented }));
        Err(CertificateError::Other(error).into())
    }
}

fn acceptable(name: &SubjectAltName) -> Result<Acceptable, String> {
    let name = match name {
        SubjectAltName::Uri(uri) => return Ok(Acceptable::Uri(uri.clone())),
        SubjectAltName::Hostname(name) => name,
    };
    let read = match name.strip_prefix("*.") {
        Some(parent) => DnsName::try_from(parent.to_owned()).map(Acceptable::Below),
        None => ServerName::try_from(name.clone()).map(Acceptable::Name),
    };
    read.map_err(|_| format!("\"{name}\" is not a hostname that a certificate could have"))
}

/// Whether a certificate's name, which may be a wildcard itself, is one label below another.
fn is_one_label_below(name: &str, parent: &str) -> bool {
    name.split_once('.')
        .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
}

#[derive(Debug)]
struct NoneOfTheNames {
    presented: Vec<String>,
}

impl fmt::Display for NoneOfTheNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.presented.is_empty() {
            return f.write_str("it has no subjectAltName, and one of those listed is needed");
        }
        let presented = self.presented.join(", ");
        write!(
            f,
            "none of its subjectAltNames ({presented}) is among those listed"
        )
    }
}

impl std::error::Error for NoneOfTheNames {}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(leaf)?;
        let judged = verify_server_cert_signed_by_trust_anchor(
            &parsed,
            self.authorities.roots(),
            chain,
            now,
            self.algorithms.all,
        );
        self.authorities.accept_listed(judged, leaf)?;
        self.judge_identity(&parsed, leaf)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The gateway's own certificate, shown to whoever asks for one.
#[derive(Debug)]
struct Shown(Arc<rustls::sign::CertifiedKey>);

impl rustls::client::ResolvesClientCert for Shown {
    fn resolve(
        &self,
        _authorities: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        let usable = self.0.key.choose_scheme(schemes).is_some();
        usable.then(|| Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
