//! Session persistence (gateway-api GEP-1619): a token that leads a client back to its endpoint.
//!
//! A token is the endpoint's identity, as `choose` makes it, and the time at which the session began. It
//! holds no address and no name. It is not signed: who knows a backend's name and an
//! endpoint's address can make one up, and chooses among the rule's endpoints, also those of a backend whose
//! weight is 0 (GEP-1619 lets sessions outlast weights). It is no protection of a backend. A rule's sessions have a name of their own, so rules do not share them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daemun_model::policy::session::{Carrier, SessionPersistence};
use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};

/// Bytes of a token: 8 of the identity, 4 of the time.
const BYTES: usize = 12;

/// The identity of the endpoint that a request's session is bound to. None without a session, or if
/// it has lasted for as long as it may.
pub(crate) fn find(settings: &SessionPersistence, headers: &HeaderMap, now: i64) -> Option<u64> {
    let SessionPersistence {
        name,
        carrier,
        absolute_timeout,
    } = settings;
    let token = match carrier {
        Carrier::Cookie { .. } => cookie(headers, name)?,
        Carrier::Header => headers.get(name.as_str())?.to_str().ok()?,
    };
    let (identity, began) = read(token)?;
    let age = now.saturating_sub(began);
    // A session that begins in the future is another clock's, within bounds that clocks keep.
    let lasts =
        absolute_timeout.is_none_or(|most| age < i64::try_from(most.as_secs()).unwrap_or(i64::MAX));
    (lasts && age > -300).then_some(identity)
}

/// The header of a response with which a session begins.
pub(crate) fn issue(
    settings: &SessionPersistence,
    identity: u64,
    now: i64,
    secure: bool,
) -> (HeaderName, HeaderValue) {
    let SessionPersistence {
        name,
        carrier,
        absolute_timeout,
    } = settings;
    let token = write(identity, now);
    let (header, value) = match carrier {
        Carrier::Header => (HeaderName::from_bytes(name.as_bytes()).ok(), token),
        Carrier::Cookie { permanent } => {
            let mut cookie = format!("{name}={token}; Path=/; HttpOnly");
            if secure {
                cookie.push_str("; Secure");
            }
            if let (true, Some(most)) = (permanent, absolute_timeout) {
                cookie.push_str(&format!("; Max-Age={}", most.as_secs()));
            }
            (Some(SET_COOKIE), cookie)
        }
    };
    // Translation takes only names that a cookie or header can have; a cookie that cannot be read
    // back does no harm.
    let value = HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""));
    (header.unwrap_or(SET_COOKIE), value)
}

/// The value of a cookie (RFC 6265, section 5.4); the first one, if it was sent repeatedly.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.split_once('='))
        .find(|(its, _)| its.trim() == name)
        .map(|(_, value)| value.trim().trim_matches('"'))
}

fn write(identity: u64, now: i64) -> String {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&identity.to_be_bytes());
    let seconds = u32::try_from(now.clamp(0, u32::MAX.into())).unwrap_or_default();
    bytes[8..].copy_from_slice(&seconds.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read(token: &str) -> Option<(u64, i64)> {
    let mut bytes = [0; BYTES];
    let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
    let (identity, began) = bytes.split_first_chunk::<8>()?;
    let began = u32::from_be_bytes(began.try_into().ok()?);
    (length == BYTES).then_some((u64::from_be_bytes(*identity), began.into()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daemun_model::policy::session::{Carrier, SessionPersistence};
    use http::{HeaderMap, HeaderValue};

    use super::{cookie, find, issue};

    const NOW: i64 = 1_800_000_000;

    fn settings(carrier: Carrier, seconds: Option<u64>) -> SessionPersistence {
        SessionPersistence {
            name: "shop-session".to_owned(),
            carrier,
            absolute_timeout: seconds.map(Duration::from_secs),
        }
    }

    fn with(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn what_was_issued_is_found_until_the_session_ends() {
        for carrier in [Carrier::Cookie { permanent: false }, Carrier::Header] {
            let settings = settings(carrier, Some(60));
            let (name, value) = issue(&settings, 0xfedc_ba98_7654_3210, NOW, false);
            let value = value.to_str().unwrap().to_owned();
            let back = match carrier {
                Carrier::Cookie { .. } => {
                    assert_eq!(name, "set-cookie");
                    let pair = value.split(';').next().unwrap();
                    with("cookie", &format!("other=1; {pair}; more=2"))
                }
                Carrier::Header => with("shop-session", &value),
            };
            for (later, found) in [
                (0, true),
                (59, true),
                (60, false),
                (-100, true),
                (-4000, false),
            ] {
                let expected = found.then_some(0xfedc_ba98_7654_3210);
                assert_eq!(
                    find(&settings, &back, NOW + later),
                    expected,
                    "{carrier:?} {later}"
                );
            }
        }
    }

    #[test]
    fn cookies_last_and_are_kept_as_they_should() {
        for (permanent, seconds, secure, expected) in [
            (false, None, false, "Path=/; HttpOnly"),
            (false, Some(60), true, "Path=/; HttpOnly; Secure"),
            (true, Some(60), false, "Path=/; HttpOnly; Max-Age=60"),
        ] {
            let settings = settings(Carrier::Cookie { permanent }, seconds);
            let (_, value) = issue(&settings, 1, NOW, secure);
            let (token, attributes) = value.to_str().unwrap().split_once("; ").unwrap();
            assert_eq!(token.len(), "shop-session=".len() + 16);
            assert_eq!(attributes, expected);
        }
    }

    #[test]
    fn what_is_no_token_is_no_session() {
        let settings = settings(Carrier::Cookie { permanent: false }, None);
        for sent in [
            "",
            "shop-session",
            "shop-session=",
            "shop-session=abc",
            "shop-session=AAAAAAAAAAAAAAAAAAAA",
            "shop-session=AAAAAAAAAAAAAAA!",
            "shop-sessions=AAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(find(&settings, &with("cookie", sent), NOW), None, "{sent}");
        }
        assert!(
            find(
                &settings,
                &with("cookie", "shop-session=AAAAAAAAAAAAAAAA"),
                NOW
            )
            .is_some()
        );
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let headers = with("cookie", "a=1; ab=2;b=\"3\"; c=4=5; a=6");
        for (name, value) in [
            ("a", Some("1")),
            ("ab", Some("2")),
            ("b", Some("3")),
            ("c", Some("4=5")),
            ("d", None),
        ] {
            assert_eq!(cookie(&headers, name), value);
        }
    }
}
