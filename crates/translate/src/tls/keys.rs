//! What can be said about a private key without using it: its kind, its strength, and whether it
//! belongs to a certificate.
//!
//! Only the outer shape of the key is read (RFC 8017 `RSAPrivateKey`, RFC 5915 `ECPrivateKey`, RFC 5958
//! `OneAsymmetricKey`); nothing is computed with it.

use rustls_pki_types::PrivateKeyDer;
use x509_parser::x509::SubjectPublicKeyInfo;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// NIST P-256, P-384 and P-521: what the TLS library signs with.
const CURVES: [&[u8]; 3] = [
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
    &[0x2b, 0x81, 0x04, 0x00, 0x22],
    &[0x2b, 0x81, 0x04, 0x00, 0x23],
];
/// The smallest RSA key that the TLS library signs with, in bits.
const RSA_BITS: usize = 2048;

/// A key's kind, and its public half where the private key carries it.
#[derive(Debug, PartialEq, Eq)]
enum Facts<'a> {
    /// The modulus.
    Rsa(&'a [u8]),
    /// The public point, if it is there.
    Ec(Option<&'a [u8]>),
    /// The public half is not in the key.
    Ed25519,
}

impl Facts<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RSA",
            Self::Ec(_) => "ECDSA",
            Self::Ed25519 => "Ed25519",
        }
    }
}

/// Whether a private key can be used with a certificate's public key.
///
/// # Errors
/// The end of a sentence that says why not.
pub(crate) fn belongs(
    key: &PrivateKeyDer<'_>,
    public: &SubjectPublicKeyInfo<'_>,
) -> Result<(), String> {
    let private = match key {
        PrivateKeyDer::Pkcs1(der) => rsa(der.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(der) => ec(der.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(der) => pkcs8(der.secret_pkcs8_der()),
        _ => None,
    }
    .ok_or("the private key is damaged, or of a kind that TLS does not use here; RSA, ECDSA (P-256, P-384, P-521) and Ed25519 are")?;
    let algorithm = public.algorithm.algorithm.as_bytes();
    let point = public.subject_public_key.data.as_ref();
    let (certified, same) = match algorithm {
        RSA => {
            let modulus = sequence(point)
                .and_then(|mut body| body.take(INTEGER))
                .map(unsigned)
                .ok_or("the certificate's RSA key is damaged")?;
            if modulus.len() * 8 < RSA_BITS {
                return Err(format!(
                    "its RSA key has {} bits, and TLS needs at least {RSA_BITS}",
                    modulus.len() * 8
                ));
            }
            ("RSA", private == Facts::Rsa(modulus))
        }
        EC => {
            let curve = public
                .algorithm
                .parameters
                .as_ref()
                .and_then(|parameters| parameters.as_oid().ok());
            if !curve.is_some_and(|curve| CURVES.contains(&curve.as_bytes())) {
                return Err(
                    "its key is on a curve that TLS does not use here; P-256, P-384 and P-521 are"
                        .to_owned(),
                );
            }
            let same = match &private {
                Facts::Ec(Some(own)) => *own == point,
                Facts::Ec(None) => true,
                Facts::Rsa(_) | Facts::Ed25519 => false,
            };
            ("ECDSA", same)
        }
        ED25519 => ("Ed25519", private == Facts::Ed25519),
        _ => {
            return Err(
                "its key is neither RSA nor ECDSA nor Ed25519, and TLS uses no other here"
                    .to_owned(),
            );
        }
    };
    if private.kind() != certified {
        return Err(format!(
            "the private key is for {}, and the certificate for {certified}: they do not belong together",
            private.kind()
        ));
    }
    if !same {
        return Err(
            "the private key belongs to another certificate: their public keys differ".to_owned(),
        );
    }
    Ok(())
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;

/// The rest of a DER value's contents.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The contents of the next element, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        if found != tag {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = bytes.iter().try_fold(0_usize, |length, byte| {
                length.checked_mul(256)?.checked_add(usize::from(*byte))
            })?;
            (length, rest)
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(contents)
    }
}

fn sequence(der: &[u8]) -> Option<Der<'_>> {
    Der(der).take(SEQUENCE).map(Der)
}

/// An INTEGER's magnitude: without the zero that keeps it positive.
fn unsigned(integer: &[u8]) -> &[u8] {
    match integer {
        [0, rest @ ..] => rest,
        whole => whole,
    }
}

fn rsa(der: &[u8]) -> Option<Facts<'_>> {
    let mut body = sequence(der)?;
    body.take(INTEGER)?;
    body.take(INTEGER).map(unsigned).map(Facts::Rsa)
}

fn ec(der: &[u8]) -> Option<Facts<'_>> {
    let mut body = sequence(der)?;
    body.take(INTEGER)?;
    body.take(OCTET_STRING)?;
    body.take(CONTEXT_0);
    let public = body
        .take(CONTEXT_1)
        .and_then(|wrapped| Der(wrapped).take(BIT_STRING))
        .and_then(|bits| bits.split_first())
        .map(|(_unused_bits, point)| point);
    Some(Facts::Ec(public))
}

fn pkcs8(der: &[u8]) -> Option<Facts<'_>> {
    let mut body = sequence(der)?;
    body.take(INTEGER)?;
    let mut algorithm = Der(body.take(SEQUENCE)?);
    let algorithm = algorithm.take(OID)?;
    let inner = body.take(OCTET_STRING)?;
    match algorithm {
        RSA => rsa(inner),
        EC => ec(inner),
        ED25519 => Some(Facts::Ed25519),
        _ => None,
    }
}
