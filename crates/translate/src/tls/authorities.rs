//! Authorities that are believed: read from a ConfigMap or Secret and judged.

use daemun_model::names::ObjectName;
use daemun_model::tls::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::certificates::ders;

/// Where a ConfigMap keeps the authorities' certificates.
pub(crate) const BUNDLE: &str = "ca.crt";

/// Reads the authorities in `ca.crt`.
///
/// # Errors
/// A sentence about the object: what is wrong, and what to do.
pub(crate) fn judge(kind: &str, name: &ObjectName, bundle: Option<&[u8]>) -> Result<Pem, String> {
    let Some(bundle) = bundle else {
        return Err(format!(
            "{kind} {name} has no key {BUNDLE}; put the authorities' certificates there, as PEM."
        ));
    };
    let Ok(text) = std::str::from_utf8(bundle) else {
        return Err(format!(
            "{BUNDLE} of {kind} {name} is not text; PEM is needed."
        ));
    };
    let ders = ders(bundle).map_err(|why| format!("{BUNDLE} of {kind} {name} {why}."))?;
    if ders.is_empty() {
        return Err(format!(
            "{BUNDLE} of {kind} {name} has no certificate; it should begin with -----BEGIN CERTIFICATE-----."
        ));
    }
    for (position, der) in ders.iter().enumerate() {
        if X509Certificate::from_der(der).is_err() {
            return Err(format!(
                "Certificate {} of {BUNDLE} of {kind} {name} is damaged: what is between its PEM lines is no X.509 certificate.",
                position + 1
            ));
        }
    }
    Ok(Pem::new(text))
}
