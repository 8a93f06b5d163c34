//! PEM, keys and trust, as both sides of TLS need them: `termination` towards clients, `upstream::tls`
//! towards backends.
//!
//! `translate` has judged all of it before, so an error here is one that only the TLS library finds.
//! What is compared with a name is not here: that differs between the two sides.

use std::sync::{Arc, OnceLock};

use daemun_model::tls::{Certificate, Pem, TlsVersion};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};

/// The cryptography that everything uses: aws-lc-rs, made once.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())))
}

/// The time that certificates are judged by.
pub(crate) fn now() -> UnixTime {
    UnixTime::since_unix_epoch(daemun_base::clock::since_epoch())
}

/// The versions between two bounds.
///
/// # Errors
/// A sentence, if there are none.
pub(crate) fn versions(
    lowest: TlsVersion,
    highest: TlsVersion,
) -> Result<&'static [&'static SupportedProtocolVersion], String> {
    static BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];
    match (lowest, highest) {
        (TlsVersion::Tls12, TlsVersion::Tls12) => Ok(&BOTH[..1]),
        (TlsVersion::Tls12, TlsVersion::Tls13) => Ok(&BOTH),
        (TlsVersion::Tls13, TlsVersion::Tls13) => Ok(&BOTH[1..]),
        (TlsVersion::Tls13, TlsVersion::Tls12) => {
            Err("no TLS version is left: the lowest is 1.3 and the highest is 1.2".to_owned())
        }
    }
}

/// A certificate's chain, and the key that signs for it.
///
/// # Errors
/// A sentence that names the Secret and says what is wrong with it.
pub(crate) fn certified_key(certificate: &Certificate) -> Result<CertifiedKey, String> {
    let Certificate {
        name, chain, key, ..
    } = certificate;
    let chain = CertificateDer::pem_slice_iter(chain.as_str().as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("the certificate in Secret {name} is not PEM: {error}"))?;
    if chain.is_empty() {
        return Err(format!("there is no certificate in Secret {name}"));
    }
    let key = PrivateKeyDer::from_pem_slice(key.reveal())
        .map_err(|error| format!("the private key in Secret {name} cannot be read: {error}"))?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| {
        format!("certificate and private key in Secret {name} cannot be used: {error}")
    })
}

/// Authorities that are believed about somebody's identity.
#[derive(Clone, Debug)]
pub(crate) struct Authorities {
    roots: Arc<RootCertStore>,
    listed: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// Those in PEM bundles. Certificates among them that cannot be read are passed over, as long as
    /// one can; several of the same subject are all tried.
    ///
    /// # Errors
    /// A sentence, if none can be read.
    pub(crate) fn from_pem(bundles: &[Pem]) -> Result<Self, String> {
        let listed: Vec<_> = bundles
            .iter()
            .flat_map(|bundle| CertificateDer::pem_slice_iter(bundle.as_str().as_bytes()))
            .filter_map(Result::ok)
            .collect();
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(listed.iter().cloned());
        if usable == 0 {
            return Err("there is no usable certificate among the authorities".to_owned());
        }
        Ok(Self {
            roots: Arc::new(roots),
            listed,
        })
    }

    /// The public web's, as bundled.
    pub(crate) fn system() -> Self {
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        Self {
            roots: Arc::new(roots),
            listed: Vec::new(),
        }
    }

    /// The authorities as the TLS library takes them.
    pub(crate) fn roots(&self) -> &Arc<RootCertStore> {
        &self.roots
    }

    /// Puts right the judgement of a chain for a certificate that is itself listed among the
    /// authorities: a self-signed certificate that says it is an authority, which people make for a
    /// single server and give to its clients. It is what it claims to be; its time was judged before
    /// its kind was, so an expired one stays refused.
    ///
    /// # Errors
    /// The judgement, if it stands.
    pub(crate) fn accept_listed(
        &self,
        judged: Result<(), rustls::Error>,
        certificate: &CertificateDer<'_>,
    ) -> Result<(), rustls::Error> {
        let Err(error) = judged else {
            return Ok(());
        };
        let is_authority = matches!(
            &error,
            rustls::Error::InvalidCertificate(CertificateError::Other(other))
                if matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
        );
        if is_authority && self.listed.iter().any(|listed| listed == certificate) {
            return Ok(());
        }
        Err(error)
    }
}

#[cfg(test)]
pub(crate) mod testing;
