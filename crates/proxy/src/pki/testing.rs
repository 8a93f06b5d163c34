//! Certificates for tests of both sides of TLS. Authorities are made as the conformance suite makes
//! them: all of the same subject, with extended key usages, and leaves without names for clients.

use std::sync::Arc;

use base64::Engine as _;
use daemun_model::names::ObjectName;
use daemun_model::persistent::Map;
use daemun_model::tls::{Certificate, Pem, Secret};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};

/// Someone who signs.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one, always of the same subject.
    pub(crate) fn new() -> Self {
        let params = authority_params(Vec::new());
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its certificate.
    pub(crate) fn pem(&self) -> Pem {
        Pem::new(self.0.pem())
    }

    /// A certificate for names (`spiffe://…` is a URI), signed by it.
    pub(crate) fn issue(&self, secret: &str, names: &[&str]) -> Certificate {
        self.issue_with(secret, names, &KeyPair::generate().unwrap())
    }

    /// The same with a key of the caller's choice.
    pub(crate) fn issue_with(&self, secret: &str, names: &[&str], key: &KeyPair) -> Certificate {
        let params = leaf_params(names);
        let leaf = params.signed_by(key, &self.0).unwrap();
        certificate(secret, names, leaf.pem(), key.serialize_pem())
    }

    /// One that expired long ago.
    pub(crate) fn issue_expired(&self, secret: &str, names: &[&str]) -> Certificate {
        let mut params = leaf_params(names);
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.0).unwrap();
        certificate(secret, names, leaf.pem(), key.serialize_pem())
    }
}

/// A certificate that signs itself and says it is an authority.
pub(crate) fn self_signed(secret: &str, names: &[&str]) -> Certificate {
    let key = KeyPair::generate().unwrap();
    let params = authority_params(alternatives(names));
    let signed = params.self_signed(&key).unwrap();
    certificate(secret, names, signed.pem(), key.serialize_pem())
}

/// An RSA key, and how the conformance suite writes it: PKCS#1.
pub(crate) fn rsa() -> (KeyPair, String) {
    let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    // The octet string in a PKCS#8 RSA key of 2048 bits begins here.
    let pkcs1 = base64::engine::general_purpose::STANDARD.encode(&key.serialize_der()[26..]);
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{pkcs1}\n-----END RSA PRIVATE KEY-----\n");
    (key, pem)
}

/// Certificates by the names of their Secrets, and those names in order.
pub(crate) fn store(
    certificates: &[Certificate],
) -> (Map<ObjectName, Arc<Certificate>>, Vec<ObjectName>) {
    let names = certificates.iter().map(|one| one.name.clone()).collect();
    let pairs = certificates
        .iter()
        .map(|one| (one.name.clone(), Arc::new(one.clone())));
    (pairs.collect(), names)
}

fn certificate(secret: &str, names: &[&str], chain: String, key: String) -> Certificate {
    Certificate {
        name: ObjectName::new("default", secret),
        chain: Pem::new(chain),
        key: Secret::new(key.into_bytes()),
        names: names.iter().map(|&name| name.to_owned()).collect(),
        not_before: 0,
        not_after: i64::MAX,
    }
}

fn alternatives(names: &[&str]) -> Vec<SanType> {
    let name = |name: &&str| {
        let text = (*name).try_into().unwrap();
        if name.contains("://") {
            SanType::URI(text)
        } else {
            SanType::DnsName(text)
        }
    };
    names.iter().map(name).collect()
}

fn leaf_params(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = alternatives(names);
    params.extended_key_usages = both_usages();
    params
}

fn authority_params(names: Vec<SanType>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Conformance");
    params.serial_number = Some(2024_u64.into());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.extended_key_usages = both_usages();
    params.subject_alt_names = names;
    params
}

fn both_usages() -> Vec<ExtendedKeyUsagePurpose> {
    vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ]
}
