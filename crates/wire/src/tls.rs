//! TLS between the two ends: the controller shows a certificate of its own authority, and the proxy believes that
//! authority only. Who the proxy is, it proves with a token inside.

use std::sync::Arc;

pub use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The name in the controller's certificate, whatever its address is.
pub const SERVER_NAME: &str = "controller.wire.daemun.dev";

/// What both ends speak inside TLS.
const ALPN: &[u8] = b"h2";

/// The controller's side.
///
/// # Errors
/// A sentence, if chain and key are none or do not belong together.
pub fn server(chain: &str, key: &str) -> Result<Arc<ServerConfig>, String> {
    let chain = certificates(chain.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|error| format!("the private key cannot be read: {error}"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| format!("certificate and key cannot be used: {error}"))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// The proxy's side: it believes these authorities, PEM, and nobody else.
///
/// # Errors
/// A sentence, if there is no authority.
pub fn client(authorities: &[u8]) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(authorities)? {
        roots
            .add(authority)
            .map_err(|error| format!("an authority cannot be used: {error}"))?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates =
        certificates.map_err(|error| format!("a certificate cannot be read: {error}"))?;
    if certificates.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(certificates)
}
