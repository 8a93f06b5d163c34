//! BackendTLSPolicy: TLS from the gateway to a Service (GEP-1897). One that cannot be used closes its
//! targets: their requests are answered 500, and nothing is sent in the clear.

use std::collections::BTreeMap;

use daemun_model::hostname::HostPattern;
use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::tls::{Authorities, BackendTls, SubjectAltName};
use daemun_model::verdict::FieldPath;
use daemun_objects::Open;
use daemun_objects::gateway_api::backendtlspolicy::{
    BackendTlsPolicy, BackendTlsPolicyValidation, SubjectAltName as WrittenName,
    SubjectAltNameType, WellKnownCaCertificates,
};
use daemun_objects::gateway_api::shared::{LocalObjectReference, ObjectReference};

use super::gateway::age;
use crate::cluster::Cluster;
use crate::credentials;
use crate::memo::Judgements;
use crate::policy::targets::{Claims, Judged, Target};
use crate::refs::{GATEWAY_GROUP, Referrer};
use crate::value::capitalized;
use crate::value::unknown;
use crate::verdict::{CLOSED, Refusal, reason};

/// The kind, as it is written.
pub(crate) const KIND: &str = "BackendTLSPolicy";

/// What can be a target.
const KINDS: [(&str, &str); 1] = [("", "Service")];

/// TLS by target: what holds, or why the target is closed.
pub(crate) type TlsByTarget = BTreeMap<Target, Result<BackendTls, String>>;

/// Reads all policies, the oldest first.
pub(crate) fn read_all(
    cluster: &Cluster,
    judgements: &mut Judgements,
) -> (TlsByTarget, Vec<Judged>) {
    let mut policies: Vec<_> = cluster.backend_tls_policies.iter().collect();
    policies.sort_by_key(|(name, policy)| age(policy.metadata.created(), name));
    let mut claims = Claims::default();
    let mut by_target = TlsByTarget::new();
    let mut judged = Vec::with_capacity(policies.len());
    for (name, policy) in policies {
        let claimed = claims.claim(cluster, name, &policy.spec.target_refs, &KINDS);
        let (tls, unresolved) = read(cluster, judgements, name, policy);
        for target in &claimed.won {
            let tls = tls
                .clone()
                .map_err(|refusal| format!("{KIND} {name}: {}", refusal.message));
            by_target.insert(target.clone(), tls);
        }
        judged.push(Judged {
            object: ObjectRef::new(KIND, name.clone()),
            generation: policy.metadata.generation.unwrap_or_default(),
            claimed,
            invalid: tls.err(),
            unresolved: Some(unresolved),
        });
    }
    (by_target, judged)
}

fn read(
    cluster: &Cluster,
    judgements: &mut Judgements,
    name: &ObjectName,
    policy: &BackendTlsPolicy,
) -> (Result<BackendTls, Refusal>, Vec<Refusal>) {
    let BackendTlsPolicyValidation {
        ca_certificate_refs,
        well_known_ca_certificates,
        hostname,
        subject_alt_names,
    } = &policy.spec.validation;
    let path = FieldPath::of("spec.validation");
    let authorities = Asked {
        references: ca_certificate_refs,
        well_known: well_known_ca_certificates.as_ref(),
        by: (KIND, name),
        path: &path,
    };
    let (authorities, unresolved) = authorities.read(cluster, judgements);
    let tls = (|| {
        if let Some(option) = policy.spec.options.keys().next() {
            return Err(Refusal::new(
                FieldPath::of("spec.options").key(option),
                reason::INVALID,
                format!(
                    "The TLS option \"{option}\" is not known, and is not passed over, because it may be there to protect; take it out."
                ),
            ));
        }
        let hostname = read_hostname(hostname, &path.field("hostname"))?;
        let subject_alt_names = read_names(subject_alt_names, &path.field("subjectAltNames"))?;
        Ok(BackendTls {
            hostname,
            subject_alt_names,
            authorities: authorities?,
            client_certificate: None,
        })
    })();
    (tls, unresolved)
}

/// Who is to be believed, as written in a policy or a Backend.
pub(crate) struct Asked<'a> {
    /// References to ConfigMaps and Secrets.
    pub(crate) references: &'a [LocalObjectReference],
    /// Authorities that are known by name.
    pub(crate) well_known: Option<&'a Open<WellKnownCaCertificates>>,
    /// Kind and name of the object in which it is written.
    pub(crate) by: (&'a str, &'a ObjectName),
    /// Where it is written.
    pub(crate) path: &'a FieldPath,
}

impl Asked<'_> {
    /// Resolves them. What cannot be resolved stands beside the rest: one authority is enough.
    pub(crate) fn read(
        &self,
        cluster: &Cluster,
        judgements: &mut Judgements,
    ) -> (Result<Authorities, Refusal>, Vec<Refusal>) {
        let mut unresolved = Vec::new();
        let authorities = self.resolve(cluster, judgements, &mut unresolved);
        (authorities, unresolved)
    }

    fn resolve(
        &self,
        cluster: &Cluster,
        judgements: &mut Judgements,
        unresolved: &mut Vec<Refusal>,
    ) -> Result<Authorities, Refusal> {
        let field = self.path.field("wellKnownCACertificates");
        match (self.well_known, self.references.is_empty()) {
            (Some(_), false) => {
                return Err(Refusal::new(
                    field,
                    reason::INVALID,
                    "Authorities are given by caCertificateRefs or by wellKnownCACertificates, not both; take one of them out.",
                ));
            }
            (None, true) => {
                return Err(Refusal::new(
                    self.path.clone(),
                    reason::INVALID,
                    "Nobody is named whose certificates are to be believed: name a ConfigMap in caCertificateRefs, or write wellKnownCACertificates: System.",
                ));
            }
            (Some(known), true) => {
                return match known.known() {
                    Some(WellKnownCaCertificates::System) => Ok(Authorities::System),
                    None => Err(Refusal::new(
                        field,
                        reason::INVALID,
                        unknown(self.path, "set of authorities", known.as_str(), &["System"])
                            .message,
                    )),
                };
            }
            (None, false) => {}
        }
        let (kind, by) = self.by;
        // Within a namespace nobody asks for the group.
        let from = Referrer {
            group: GATEWAY_GROUP,
            kind,
            namespace: &by.namespace,
        };
        let references: Vec<ObjectReference> =
            self.references.iter().cloned().map(Into::into).collect();
        let path = self.path.field("caCertificateRefs");
        let (pems, wrong) = credentials::authorities(
            cluster,
            judgements,
            &from,
            &references,
            (&path, reason::INVALID_KIND),
        );
        unresolved.extend(wrong);
        if pems.is_empty() {
            return Err(Refusal::new(
                path,
                reason::NO_VALID_CA_CERTIFICATE,
                format!(
                    "None of the authorities can be used, so no backend could be believed; requests are {CLOSED}, and nothing is sent in the clear."
                ),
            ));
        }
        Ok(Authorities::These(pems))
    }
}

/// A name for SNI.
pub(crate) fn read_hostname(written: &str, path: &FieldPath) -> Result<String, Refusal> {
    match HostPattern::parse(written) {
        Ok(HostPattern::Exact(name)) => Ok(name),
        Ok(HostPattern::Any | HostPattern::Wildcard(_)) => Err(Refusal::new(
            path.clone(),
            reason::INVALID,
            format!(
                "\"{written}\" is not one hostname; the backend is asked for one (SNI). Names with a wildcard go to subjectAltNames."
            ),
        )),
        Err(why) => Err(Refusal::new(
            path.clone(),
            reason::INVALID,
            format!("{}.", capitalized(&why)),
        )),
    }
}

/// Names of which a backend's certificate must have one.
pub(crate) fn read_names(
    written: &[WrittenName],
    path: &FieldPath,
) -> Result<Vec<SubjectAltName>, Refusal> {
    let invalid = |path: FieldPath, why: String| Refusal::new(path, reason::INVALID, why);
    let mut names = Vec::with_capacity(written.len());
    for (index, name) in written.iter().enumerate() {
        let path = path.index(index);
        let WrittenName {
            r#type,
            hostname,
            uri,
        } = name;
        names.push(match (r#type.known(), hostname, uri) {
            (Some(SubjectAltNameType::Hostname), Some(hostname), None) => {
                match HostPattern::parse(hostname) {
                    Ok(pattern @ (HostPattern::Exact(_) | HostPattern::Wildcard(_))) => {
                        SubjectAltName::Hostname(pattern.to_string())
                    }
                    Ok(HostPattern::Any) => {
                        return Err(invalid(
                            path.field("hostname"),
                            format!("\"{hostname}\" is not a hostname."),
                        ));
                    }
                    Err(why) => {
                        return Err(invalid(
                            path.field("hostname"),
                            format!("{}.", capitalized(&why)),
                        ));
                    }
                }
            }
            (Some(SubjectAltNameType::Uri), None, Some(uri)) => {
                if !is_uri(uri) {
                    return Err(invalid(
                        path.field("uri"),
                        format!("\"{uri}\" is not a URI with a scheme and an authority, such as spiffe://example.com/shop."),
                    ));
                }
                SubjectAltName::Uri(uri.clone())
            }
            (Some(kind), _, _) => {
                use daemun_objects::Known;
                return Err(invalid(
                    path,
                    format!(
                        "A subjectAltName of type {} has just the field {}.",
                        kind.as_str(),
                        match kind {
                            SubjectAltNameType::Hostname => "hostname",
                            SubjectAltNameType::Uri => "uri",
                        }
                    ),
                ));
            }
            (None, _, _) => {
                return Err(invalid(
                    path.field("type"),
                    unknown(&path, "type of name", r#type.as_str(), &["Hostname", "URI"]).message,
                ));
            }
        });
    }
    Ok(names)
}

fn is_uri(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty()
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !rest.is_empty()
            && !rest.starts_with('/')
            && text.is_ascii()
            && !text.bytes().any(|byte| byte.is_ascii_whitespace())
    })
}
