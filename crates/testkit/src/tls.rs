//! TLS on both ends: a client that chooses everything itself, and a server's settings.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{Identity, within};

/// A client. It keeps its sessions, so that a second connection may resume.
#[derive(Clone)]
pub struct TlsClient {
    config: ClientConfig,
}

impl TlsClient {
    /// Believes one authority and offers HTTP/1.1.
    ///
    /// # Panics
    /// If the PEM is not one.
    pub fn new(authority: &str) -> Self {
        Self::build(authority, None, rustls::DEFAULT_VERSIONS)
    }

    /// The same, and shows a certificate of its own.
    ///
    /// # Panics
    /// If the PEM is not one.
    pub fn showing(authority: &str, identity: &Identity) -> Self {
        Self::build(authority, Some(identity), rustls::DEFAULT_VERSIONS)
    }

    /// Speaks these versions only.
    ///
    /// # Panics
    /// If the PEM is not one.
    pub fn speaking(authority: &str, versions: &[&'static SupportedProtocolVersion]) -> Self {
        Self::build(authority, None, versions)
    }

    fn build(
        authority: &str,
        identity: Option<&Identity>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots(authority));
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                // Shown to whoever asks, also to those that want another authority's.
                let key = aws_lc_rs::sign::any_supported_type(&key(identity)).expect("a key");
                let certified = rustls::sign::CertifiedKey::new(chain(identity), key);
                let resolver = rustls::sign::SingleCertAndKey::from(certified);
                builder.with_client_cert_resolver(Arc::new(resolver))
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { config }
    }

    /// Offers these protocols.
    #[must_use]
    pub fn offering(mut self, protocols: &[&str]) -> Self {
        self.config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        self
    }

    /// Asks for no name.
    #[must_use]
    pub fn nameless(mut self) -> Self {
        self.config.enable_sni = false;
        self
    }

    /// Connects to a port of this host, asking for a name.
    ///
    /// # Errors
    /// The handshake's.
    ///
    /// # Panics
    /// If the port refuses, or the handshake hangs.
    pub async fn connect(&self, port: u16, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("the port is open");
        self.over(stream, name).await
    }

    /// Begins TLS over a connection that stands, asking for a name.
    ///
    /// # Errors
    /// The handshake's.
    ///
    /// # Panics
    /// If the handshake hangs.
    pub async fn over(
        &self,
        stream: TcpStream,
        name: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let connector = TlsConnector::from(Arc::new(self.config.clone()));
        within("a TLS handshake", connector.connect(name, stream)).await
    }
}

/// A server's settings. With `clients` it wants certificates of that authority.
///
/// # Panics
/// If a PEM is not one.
pub fn server(identity: &Identity, alpn: &[&str], clients: Option<&str>) -> Arc<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let roots = Arc::new(roots(authority));
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.expect("an authority"))
        }
    };
    let mut config = builder
        .with_single_cert(chain(identity), key(identity))
        .expect("a certificate with its key");
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

fn roots(authority: &str) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate.expect("PEM")).expect("an authority");
    }
    roots
}

fn chain(identity: &Identity) -> Vec<CertificateDer<'static>> {
    let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes());
    chain.collect::<Result<_, _>>().expect("PEM")
}

fn key(identity: &Identity) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM")
}
