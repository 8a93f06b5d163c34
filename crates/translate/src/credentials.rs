//! Certificates and authorities that objects refer to: found, permitted by a grant, and judged.

use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_model::tls::{Certificate, Pem};
use daemun_model::verdict::FieldPath;
use daemun_objects::gateway_api::shared::{ObjectReference, SecretObjectReference};

use crate::cluster::Cluster;
use crate::memo::Judgements;
use crate::nearest::did_you_mean;
use crate::refs::{self, Referred, Referrer};
use crate::verdict::{Refusal, reason};

/// The certificate in a Secret that an object refers to. The error is a reason and a
/// sentence.
pub(crate) fn secret(
    cluster: &Cluster,
    judgements: &mut Judgements,
    from: &Referrer<'_>,
    reference: &SecretObjectReference,
) -> Result<Arc<Certificate>, (&'static str, String)> {
    if !reference.group().is_empty() || reference.kind() != "Secret" {
        return Err((
            reason::INVALID_CERTIFICATE_REF,
            format!(
                "A certificate cannot come from {} of group \"{}\"; a Secret of the core group (group \"\") can.",
                reference.kind(),
                reference.group()
            ),
        ));
    }
    let namespace = reference.namespace.as_deref().unwrap_or(from.namespace);
    let name = ObjectName::new(namespace, &reference.name);
    let to = Referred {
        group: "",
        kind: "Secret",
        name: &name,
    };
    if !refs::permitted(cluster, from, &to) {
        return Err((reason::REF_NOT_PERMITTED, refs::refusal(from, &to)));
    }
    let Some(secret) = judgements.look_for_secret(cluster, &name) else {
        return Err((
            reason::INVALID_CERTIFICATE_REF,
            missing(cluster, "Secret", &name),
        ));
    };
    judgements
        .certificate(&name, secret)
        .map_err(|why| (reason::INVALID_CERTIFICATE_REF, why))
}

/// Why authorities that are referred to cannot be used; each with a sentence.
enum Problem {
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
fn resolve(
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
    if to.kind == "Secret" {
        return match judgements.look_for_secret(cluster, name) {
            Some(secret) => judgements.secret_bundle(name, secret),
            None => Err(missing(cluster, "Secret", name)),
        }
        .map_err(Problem::Content);
    }
    match judgements.look_for_config_map(cluster, name) {
        Some(map) => judgements.bundle(name, map),
        None => Err(missing(cluster, "ConfigMap", name)),
    }
    .map_err(Problem::Content)
}

/// The authorities that an object refers to at `path`, each a reason and a sentence if it cannot be used: one is enough.
/// What a kind that holds none is told as differs between kinds of objects.
pub(crate) fn authorities(
    cluster: &Cluster,
    judgements: &mut Judgements,
    from: &Referrer<'_>,
    references: &[ObjectReference],
    (path, of_kind): (&FieldPath, &'static str),
) -> (Vec<Pem>, Vec<Refusal>) {
    let (mut found, mut unresolved) = (Vec::with_capacity(references.len()), Vec::new());
    for (index, reference) in references.iter().enumerate() {
        let namespace = reference.namespace.as_deref().unwrap_or(from.namespace);
        let name = ObjectName::new(namespace, &reference.name);
        let to = Referred {
            group: &reference.group,
            kind: &reference.kind,
            name: &name,
        };
        let (why, message) = match resolve(cluster, judgements, from, &to) {
            Ok(pem) => {
                found.push(pem);
                continue;
            }
            Err(Problem::Kind(message)) => (of_kind, message),
            Err(Problem::Content(message)) => (reason::INVALID_CA_CERTIFICATE_REF, message),
            Err(Problem::NotPermitted(message)) => (reason::REF_NOT_PERMITTED, message),
        };
        unresolved.push(Refusal::new(path.index(index).field("name"), why, message));
    }
    (found, unresolved)
}

/// The sentence for an object that is not there, or that could not be read.
fn missing(cluster: &Cluster, kind: &str, name: &ObjectName) -> String {
    let namespace = &name.namespace;
    cluster.withheld.absence(kind, name, || match kind {
        "Secret" => did_you_mean(&name.name, cluster.secrets.names_in(namespace)),
        _ => did_you_mean(&name.name, cluster.config_maps.names_in(namespace)),
    })
}
