//! The controller's authorities and its certificate, and when there are to be new ones: a pure function of what there
//! is and of the time.
//!
//! Proxies believe all authorities that are there. A new one comes long before the old one ends, and signs only when
//! every proxy has had the time to hear of it; so none is cut off.

use std::time::{Duration, UNIX_EPOCH};

use daemun_wire::tls::SERVER_NAME;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use serde::{Deserialize, Serialize};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// How long an authority is one.
const AUTHORITY: i64 = 365 * DAY;
/// With so much of it left there is to be another.
const AUTHORITY_LEFT: i64 = 90 * DAY;
/// How long proxies get to hear of an authority before it signs: the kubelet brings them its certificate within minutes.
const SPREAD: i64 = DAY;
/// How long the controller's certificate holds.
const SERVER: i64 = 30 * DAY;
/// With so much of it left there is to be another.
const SERVER_LEFT: i64 = 10 * DAY;
/// Clocks of other machines may be so late.
const LATE: i64 = HOUR;

/// Who signs, and what was signed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chain {
    /// The authorities, the oldest first.
    authorities: Vec<Authority>,
    /// What the controller shows.
    server: Server,
}

/// Somebody who signs. Times are seconds since 1970.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Authority {
    name: String,
    certificate: String,
    key: String,
    from: i64,
    until: i64,
}

/// The controller's certificate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Server {
    /// The name of the authority that signed it.
    by: String,
    certificate: String,
    key: String,
    until: i64,
}

impl Chain {
    /// What there is to be instead of what there is; none if that is right.
    ///
    /// # Errors
    /// A sentence: no key can be made.
    pub(super) fn next(before: Option<&Self>, now: i64) -> Result<Option<Self>, String> {
        let mut authorities: Vec<Authority> = before
            .map(|before| before.authorities.clone())
            .unwrap_or_default();
        authorities.retain(|authority| authority.until > now);
        let lasting = |authority: &Authority| authority.until - now > AUTHORITY_LEFT;
        if !authorities.iter().any(lasting) {
            authorities.push(Authority::new(now)?);
        }
        let heard_of = |authority: &&Authority| authority.from + SPREAD <= now;
        let signs = authorities.iter().rev().find(heard_of);
        let Some(signs) = signs.or(authorities.first()) else {
            return Ok(None);
        };
        let holds = |server: &&Server| server.by == signs.name && server.until - now > SERVER_LEFT;
        let server = match before.map(|before| &before.server).filter(holds) {
            Some(server) => server.clone(),
            None => signs.issue(now)?,
        };
        let next = Self {
            authorities,
            server,
        };
        Ok((before != Some(&next)).then_some(next))
    }

    /// The certificates of all authorities, PEM.
    pub(super) fn authorities(&self) -> String {
        let certificates = self.authorities.iter();
        certificates
            .map(|authority| authority.certificate.as_str())
            .collect()
    }

    /// The controller's certificate and its key, PEM.
    pub(super) fn server(&self) -> (&str, &str) {
        (&self.server.certificate, &self.server.key)
    }
}

impl Authority {
    fn new(now: i64) -> Result<Self, String> {
        let (name, until) = (format!("Daemun wire {now}"), now + AUTHORITY);
        let mut params = Self::params(&name);
        params.not_before = moment(now - LATE).into();
        params.not_after = moment(until).into();
        let key = KeyPair::generate().map_err(wrong)?;
        let certificate = params.self_signed(&key).map_err(wrong)?.pem();
        Ok(Self {
            certificate,
            key: key.serialize_pem(),
            from: now,
            until,
            name,
        })
    }

    /// What issuing needs to know of it; the same whenever it is asked.
    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
    }

    fn issue(&self, now: i64) -> Result<Server, String> {
        let until = (now + SERVER).min(self.until);
        let mut params = CertificateParams::new([SERVER_NAME.to_owned()]).map_err(wrong)?;
        params.distinguished_name = named(SERVER_NAME);
        params.not_before = moment(now - LATE).into();
        params.not_after = moment(until).into();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let own = KeyPair::from_pem(&self.key).map_err(wrong)?;
        let issuer = Issuer::new(Self::params(&self.name), own);
        let key = KeyPair::generate().map_err(wrong)?;
        let certificate = params.signed_by(&key, &issuer).map_err(wrong)?.pem();
        Ok(Server {
            by: self.name.clone(),
            certificate,
            key: key.serialize_pem(),
            until,
        })
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn moment(seconds: i64) -> std::time::SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is passed to map_err by name"
)]
fn wrong(error: rcgen::Error) -> String {
    format!("no certificate can be made: {error}")
}

#[cfg(test)]
mod tests {
    use daemun_wire::tls;

    use super::{Chain, DAY};

    const NOW: i64 = 1_800_000_000;

    /// As it is after a time at which nobody looked.
    fn after(chain: &Chain, now: i64) -> Option<Chain> {
        Chain::next(Some(chain), now).unwrap()
    }

    #[test]
    fn the_first_signs_at_once_and_holds() {
        let chain = Chain::next(None, NOW).unwrap().unwrap();
        let (certificate, key) = chain.server();
        assert!(tls::server(certificate, key).is_ok());
        assert!(tls::client(chain.authorities().as_bytes()).is_ok());
        assert!(after(&chain, NOW + 19 * DAY).is_none());
        let later = after(&chain, NOW + 21 * DAY).unwrap();
        assert_eq!(later.authorities(), chain.authorities());
        assert!(later.server() != chain.server());
    }

    #[test]
    fn an_authority_is_heard_of_before_it_signs_and_believed_until_it_ends() {
        let first = Chain::next(None, NOW).unwrap().unwrap();
        let renewing = NOW + 276 * DAY;
        let both = after(&first, renewing).unwrap();
        assert_eq!(both.authorities.len(), 2);
        assert_eq!(both.server.by, first.authorities[0].name);
        assert!(after(&both, renewing + DAY - 1).is_none());
        let switched = after(&both, renewing + DAY).unwrap();
        assert_eq!(switched.server.by, both.authorities[1].name);
        assert_eq!(switched.authorities(), both.authorities());
        let last = after(&switched, NOW + 365 * DAY).unwrap();
        assert_eq!(last.authorities.len(), 1);
        assert_eq!(last.server.by, both.authorities[1].name);
    }

    #[test]
    fn after_a_long_sleep_there_are_new_ones_at_once() {
        let first = Chain::next(None, NOW).unwrap().unwrap();
        let now = NOW + 400 * DAY;
        let anew = after(&first, now).unwrap();
        assert_eq!(anew.authorities.len(), 1);
        assert_eq!(anew.server.by, anew.authorities[0].name);
        assert!(anew.server.until > now);
    }
}
