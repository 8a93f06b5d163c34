//! Authorities that are believed: read from a ConfigMap or Secret and judged.

use daemun_model::names::ObjectName;
use daemun_model::tls::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::certificates::ders;
use crate::cluster::Cluster;
use crate::memo::Judgements;
use crate::nearest::did_you_mean;
use crate::refs::{self, Referred, Referrer};

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

/// Why authorities that are referred to cannot be used; each with a sentence.
pub(crate) enum Problem {
    /// The kind of the object is not one that holds authorities.
    Kind(String),
    /// The object does not exist, or what it holds cannot be used.
    Content(String),
    /// It is in another namespace, and no grant permits the reference.
    NotPermitted(String),
}

/// Resolves a reference to authorities: a ConfigMap, or a Secret, with the key `ca.crt`.
///
/// # Errors
/// Why not, with the remedy.
pub(crate) fn resolve(
    cluster: &Cluster,
    judgements: &mut Judgements,
    from: &Referrer<'_>,
    to: &Referred<'_>,
) -> Result<Pem, Problem> {
    if !to.group.is_empty() || !matches!(to.kind, "ConfigMap" | "Secret") {
        return Err(Problem::Kind(format!(
            "Authorities cannot come from {} of group \"{}\"; a ConfigMap or a Secret of the core group (group \"\") can.",
            to.kind, to.group
        )));
    }
    if !refs::permitted(cluster, from, to) {
        return Err(Problem::NotPermitted(refs::refusal(from, to)));
    }
    let name = to.name;
    let missing = |suggestion: String| {
        Problem::Content(format!("{} {name} does not exist.{suggestion}", to.kind))
    };
    if to.kind == "Secret" {
        let secret = cluster.secrets.get(name).ok_or_else(|| {
            missing(did_you_mean(
                &name.name,
                cluster.secrets.names_in(&name.namespace),
            ))
        })?;
        return judgements
            .secret_bundle(name, secret)
            .map_err(Problem::Content);
    }
    let map = cluster.config_maps.get(name).ok_or_else(|| {
        missing(did_you_mean(
            &name.name,
            cluster.config_maps.names_in(&name.namespace),
        ))
    })?;
    judgements.bundle(name, map).map_err(Problem::Content)
}
