//! How a listener speaks TLS: versions, certificates, client certificates, resumption.
//!
//! Each listener has a configuration of its own, with ticket keys and a session store of its own. The
//! TLS library resumes a session without looking at the client's certificate again; since nothing is
//! shared, what another listener or an earlier setting of client validation has let in cannot resume
//! here, and what resumes here has its certificate judged again ([`ServerTls::client_certificate`]).
//! Which listener a client gets is `listen::sni`'s business.

use std::fmt;
use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_model::persistent::Map;
use daemun_model::tls::{Certificate, ClientValidation, ClientValidationMode, Termination};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    ClientHello, NoClientAuth, ResolvesServerCert, ServerSessionMemoryCache, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, HandshakeKind, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::pki::{self, Authorities};

/// Sessions of TLS 1.2 clients that take no tickets, per listener.
const SESSIONS: usize = 1024;

/// TLS of one listener, never shared with another.
#[derive(Debug)]
pub(crate) struct ServerTls {
    /// What the TLS library works by.
    pub(crate) config: Arc<rustls::ServerConfig>,
    client: Option<Arc<ClientCheck>>,
}

/// What a client showed about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientCertificate {
    /// The listener does not ask.
    NotAsked,
    /// None, where none is accepted too.
    None,
    /// A valid one: its leaf.
    Valid(CertificateDer<'static>),
    /// One that is not valid, where that is accepted too: its leaf, and why.
    Invalid(CertificateDer<'static>, String),
}

/// Compiles a listener's TLS, which offers these protocols; without any, no protocol is agreed on.
///
/// # Errors
/// A sentence that says which part cannot be used, and why.
pub(crate) fn server_config(
    termination: &Termination,
    alpn: &[&[u8]],
    certificates: &Map<ObjectName, Arc<Certificate>>,
) -> Result<Arc<ServerTls>, String> {
    let Termination {
        certificates: names,
        min_version,
        max_version,
        client,
    } = termination;
    let client = client.as_ref().map(ClientCheck::new).transpose()?;
    let client = client.map(Arc::new);
    let verifier: Arc<dyn ClientCertVerifier> = match &client {
        Some(check) => Arc::clone(check) as _,
        None => Arc::new(NoClientAuth),
    };
    let versions = pki::versions(*min_version, *max_version)?;
    let mut config = rustls::ServerConfig::builder_with_provider(pki::provider())
        .with_protocol_versions(versions)
        .map_err(|error| format!("the TLS versions cannot be used: {error}"))?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(Chooser::new(names, certificates)?));
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    config.ticketer =
        Ticketer::new().map_err(|error| format!("no key for session tickets was made: {error}"))?;
    Ok(Arc::new(ServerTls {
        config: Arc::new(config),
        client,
    }))
}

impl ServerTls {
    /// What the client showed, after its handshake.
    ///
    /// # Errors
    /// The handshake was a resumption, and the certificate that was valid then is not any more: the
    /// connection is to be closed.
    pub(crate) fn client_certificate(
        &self,
        connection: &rustls::ServerConnection,
    ) -> Result<ClientCertificate, rustls::Error> {
        let Some(check) = &self.client else {
            return Ok(ClientCertificate::NotAsked);
        };
        let Some((leaf, chain)) = connection.peer_certificates().and_then(<[_]>::split_first)
        else {
            return Ok(ClientCertificate::None);
        };
        let leaf = leaf.clone().into_owned();
        let judged_before = check.mode == ClientValidationMode::AllowValidOnly
            && connection.handshake_kind() != Some(HandshakeKind::Resumed);
        if judged_before {
            return Ok(ClientCertificate::Valid(leaf));
        }
        match (check.judge(&leaf, chain, pki::now()), check.mode) {
            (Ok(()), _) => Ok(ClientCertificate::Valid(leaf)),
            (Err(error), ClientValidationMode::AllowInsecureFallback) => {
                Ok(ClientCertificate::Invalid(leaf, error.to_string()))
            }
            (Err(error), ClientValidationMode::AllowValidOnly) => Err(error),
        }
    }
}

/// Judges client certificates (gateway-api `FrontendTLSValidation`, GEP-91).
#[derive(Debug)]
struct ClientCheck {
    mode: ClientValidationMode,
    authorities: Authorities,
    chains: Arc<dyn ClientCertVerifier>,
    hints: Vec<DistinguishedName>,
}

impl ClientCheck {
    fn new(validation: &ClientValidation) -> Result<Self, String> {
        let ClientValidation { authorities, mode } = validation;
        let authorities = Authorities::from_pem(authorities)?;
        let roots = Arc::clone(authorities.roots());
        let chains = WebPkiClientVerifier::builder_with_provider(roots, pki::provider())
            .build()
            .map_err(|error| format!("client certificates cannot be judged: {error}"))?;
        let hints = match mode {
            ClientValidationMode::AllowValidOnly => {
                let mut subjects = authorities.roots().subjects();
                subjects.dedup_by(|one, other| one.as_ref() == other.as_ref());
                subjects
            }
            // A client that is told which authorities are wanted keeps another's certificate to itself.
            ClientValidationMode::AllowInsecureFallback => Vec::new(),
        };
        Ok(Self {
            mode: *mode,
            authorities,
            chains,
            hints,
        })
    }

    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let judged = self.chains.verify_client_cert(leaf, chain, now);
        self.authorities.accept_listed(judged.map(drop), leaf)
    }
}

impl ClientCertVerifier for ClientCheck {
    fn client_auth_mandatory(&self) -> bool {
        self.mode == ClientValidationMode::AllowValidOnly
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match self.mode {
            ClientValidationMode::AllowValidOnly => self.judge(leaf, chain, now)?,
            // Judged after the handshake, where the judgement can be kept with the connection.
            ClientValidationMode::AllowInsecureFallback => (),
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Chooses among a listener's certificates: one that has the name the client asks for, exactly
/// before by a wildcard, and whose key the client can check; then in the order they are written.
/// Without such a name, the first whose key the client can check.
struct Chooser {
    certificates: Vec<(Arc<Certificate>, Arc<CertifiedKey>)>,
}

impl Chooser {
    fn new(
        names: &[ObjectName],
        certificates: &Map<ObjectName, Arc<Certificate>>,
    ) -> Result<Self, String> {
        let pairs = names.iter().map(|name| {
            let certificate = certificates
                .get(name)
                .ok_or_else(|| format!("the certificate of Secret {name} is not there"))?;
            let key = pki::certified_key(certificate)?;
            Ok((Arc::clone(certificate), Arc::new(key)))
        });
        let certificates: Vec<_> = pairs.collect::<Result<_, String>>()?;
        if certificates.is_empty() {
            return Err("the listener has no certificate".to_owned());
        }
        Ok(Self { certificates })
    }
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().unwrap_or_default();
        let checkable = self.certificates.iter().filter(|(_, key)| {
            let schemes = hello.signature_schemes();
            key.key.choose_scheme(schemes).is_some()
        });
        checkable
            .min_by_key(|(certificate, _)| certificate_distance(certificate, asked))
            .map(|(_, key)| Arc::clone(key))
    }
}

impl fmt::Debug for Chooser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .certificates
            .iter()
            .map(|(certificate, _)| &certificate.name);
        f.debug_list().entries(names).finish()
    }
}

/// 0: has the name. 1: has it by a wildcard. 2: has it not. Wildcards of certificates stand for one
/// label (RFC 6125, 6.4.3), other than those of listeners.
fn certificate_distance(certificate: &Certificate, asked: &str) -> u8 {
    let distance = |name: &String| {
        if name.eq_ignore_ascii_case(asked) {
            return 0;
        }
        let under_wildcard = name.strip_prefix("*.").is_some_and(|suffix| {
            let parent = asked.split_once('.').map(|(_, parent)| parent);
            parent.is_some_and(|parent| parent.eq_ignore_ascii_case(suffix))
        });
        if under_wildcard { 1 } else { 2 }
    };
    certificate.names.iter().map(distance).min().unwrap_or(2)
}

#[cfg(test)]
mod tests;
