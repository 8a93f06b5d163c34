//! Certificates with their keys: read from a Secret and judged, so that nothing that a proxy would
//! refuse gets that far.
//!
//! Judged are form (PEM, DER), order (leaf first) and whether key and certificate belong together. Expiry
//! and names do not make a certificate unusable: they are warnings where it is used.

use daemun_model::hostname::HostPattern;
use daemun_model::names::ObjectName;
use daemun_model::tls::{Certificate, Pem, Secret};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::date::{DAY, date, days_between};
use super::keys;

/// Where a Secret of type kubernetes.io/tls keeps the chain.
pub(crate) const CHAIN: &str = "tls.crt";
/// Where it keeps the private key.
pub(crate) const KEY: &str = "tls.key";
/// Expiry is warned of this many days before.
const WARN_DAYS: i64 = 14;

/// The parts of a Secret that make a certificate.
pub(crate) struct Written<'a> {
    /// `tls.crt`.
    pub(crate) chain: Option<&'a [u8]>,
    /// `tls.key`.
    pub(crate) key: Option<&'a [u8]>,
}

/// Reads a certificate with its key.
///
/// # Errors
/// A sentence about the Secret: what is wrong, and what to do.
pub(crate) fn judge(name: &ObjectName, written: &Written<'_>) -> Result<Certificate, String> {
    let refuse = |why: &str| {
        Err(format!(
            "Secret {name} cannot be used as a certificate: {why}."
        ))
    };
    let Some(chain) = written.chain else {
        return refuse(&format!(
            "it has no {CHAIN}; put the certificate there, followed by its intermediates, as PEM"
        ));
    };
    let Some(key) = written.key else {
        return refuse(&format!(
            "it has no {KEY}; put the private key there, as PEM"
        ));
    };
    let Ok(text) = std::str::from_utf8(chain) else {
        return refuse(&format!("{CHAIN} is not text; PEM is needed"));
    };
    let ders = match ders(chain) {
        Ok(ders) => ders,
        Err(why) => return refuse(&format!("{CHAIN} {why}")),
    };
    let mut certificates = Vec::with_capacity(ders.len());
    for (position, der) in ders.iter().enumerate() {
        match X509Certificate::from_der(der) {
            Ok((_, certificate)) => certificates.push(certificate),
            Err(_) => {
                return refuse(&format!(
                    "certificate {} of {CHAIN} is damaged: what is between its PEM lines is no X.509 certificate",
                    position + 1
                ));
            }
        }
    }
    let Some((leaf, others)) = certificates.split_first() else {
        return refuse(&format!(
            "{CHAIN} has no certificate; it should begin with -----BEGIN CERTIFICATE-----"
        ));
    };
    let private = match PrivateKeyDer::from_pem_slice(key) {
        Ok(private) => private,
        Err(_) if encrypted(key) => {
            return refuse(&format!(
                "the key in {KEY} is encrypted; store it without a passphrase (openssl pkey -in … -out …)"
            ));
        }
        Err(_) => {
            return refuse(&format!(
                "{KEY} has no private key in PEM; it should begin with -----BEGIN PRIVATE KEY-----"
            ));
        }
    };
    if let Err(why) = keys::belongs(&private, leaf.public_key()) {
        let misplaced = others
            .iter()
            .any(|other| keys::belongs(&private, other.public_key()).is_ok());
        return if misplaced {
            refuse(&format!(
                "the certificate of the key is not the first in {CHAIN}; put it first, and its intermediates after it"
            ))
        } else {
            refuse(&why)
        };
    }
    Ok(Certificate {
        name: name.clone(),
        chain: Pem::new(text),
        key: Secret::new(key),
        names: dns_names(leaf),
        not_before: leaf.validity().not_before.timestamp(),
        not_after: leaf.validity().not_after.timestamp(),
    })
}

/// All certificates of PEM text, in order; what is not a certificate is passed over.
///
/// # Errors
/// The end of a sentence that begins with the place.
pub(crate) fn ders(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("is not well-formed PEM ({error})"))
}

fn encrypted(key: &[u8]) -> bool {
    std::str::from_utf8(key).is_ok_and(|text| {
        text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
    })
}

fn dns_names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = leaf.subject_alternative_name() else {
        return Vec::new();
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// Whether one of a certificate's names stands for all names of a listener (RFC 6125, section 6.4: a
/// certificate's star stands for exactly one label, so a listener's wildcard is covered by the same
/// wildcard).
pub(crate) fn covers(certificate: &Certificate, hostname: &HostPattern) -> bool {
    certificate.names.iter().any(|name| match hostname {
        HostPattern::Any => true,
        HostPattern::Wildcard(suffix) => name.strip_prefix('*') == Some(suffix.as_str()),
        HostPattern::Exact(host) => match name.strip_prefix("*.") {
            None => name == host,
            Some(domain) => host
                .split_once('.')
                .is_some_and(|(_, parent)| parent == domain),
        },
    })
}

/// What is to be said about a certificate's validity at a moment, if anything.
pub(crate) fn validity(certificate: &Certificate, now: i64) -> Option<(&'static str, String)> {
    let name = &certificate.name;
    if now >= certificate.not_after {
        return Some((
            "CertificateExpired",
            format!(
                "The certificate in Secret {name} expired on {}: clients will refuse it. Renew it.",
                date(certificate.not_after)
            ),
        ));
    }
    if now < certificate.not_before {
        return Some((
            "CertificateNotYetValid",
            format!(
                "The certificate in Secret {name} is valid from {} on only: until then clients will refuse it.",
                date(certificate.not_before)
            ),
        ));
    }
    let days = days_between(now, certificate.not_after);
    (days < WARN_DAYS).then(|| {
        (
            "CertificateExpiresSoon",
            format!(
                "The certificate in Secret {name} expires on {}, in {days} days. Renew it.",
                date(certificate.not_after)
            ),
        )
    })
}

/// The next moment at which [`validity`] says something else about a certificate, if there is one.
pub(crate) fn next_change(certificate: &Certificate, now: i64) -> Option<i64> {
    let Certificate {
        not_before,
        not_after,
        ..
    } = certificate;
    let warned = (0..=WARN_DAYS).map(|days| not_after - days * DAY + 1);
    warned
        .chain([*not_before, *not_after])
        .filter(|moment| *moment > now)
        .min()
}
