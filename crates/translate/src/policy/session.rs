//! `sessionPersistence` of a rule (gateway-api `SessionPersistence`, GEP-1619).

use daemun_model::names::RouteKey;
use daemun_model::policy::session::{BackendSession, Carrier, SessionPersistence, own_name};
use daemun_model::verdict::FieldPath;
use daemun_objects::gateway_api::httproute::{
    CookieConfig, CookieLifetimeType, SessionPersistence as Written, SessionPersistenceType,
};
use http::HeaderName;

use super::timeouts::duration;
use crate::value::unknown;
use crate::verdict::Refusal;

/// Reads the policy of a rule of a route. A name that is not given is made of both, so that it stays the
/// same and is no other rule's.
pub(crate) fn read(
    written: &Written,
    path: &FieldPath,
    (route, rule): (&RouteKey, usize),
) -> Result<SessionPersistence, Refusal> {
    let BackendSession {
        name,
        carrier,
        absolute_timeout,
    } = of_backend(written, path)?;
    Ok(SessionPersistence {
        name: name.unwrap_or_else(|| own_name(route, rule)),
        carrier,
        absolute_timeout,
    })
}

/// Reads the policy of a backend, for all rules that refer to it.
pub(crate) fn of_backend(written: &Written, path: &FieldPath) -> Result<BackendSession, Refusal> {
    let Written {
        session_name,
        absolute_timeout,
        r#type,
        cookie_config,
    } = written;
    let kind = match r#type {
        None => SessionPersistenceType::Cookie,
        Some(kind) => kind.known().ok_or_else(|| {
            unknown(
                &path.field("type"),
                "carrier of a session",
                kind.as_str(),
                &["Cookie", "Header"],
            )
        })?,
    };
    let absolute_timeout = absolute_timeout
        .as_ref()
        .map(|written| duration(written, &path.field("absoluteTimeout")))
        .transpose()?
        .filter(|timeout| !timeout.is_zero());
    let carrier = match kind {
        SessionPersistenceType::Header => {
            if cookie_config.is_some() {
                return Err(Refusal::unsupported(
                    path.field("cookieConfig"),
                    "cookieConfig belongs to type Cookie, and the type is Header; take one of them out.",
                ));
            }
            Carrier::Header
        }
        SessionPersistenceType::Cookie => Carrier::Cookie {
            permanent: permanent(cookie_config.as_ref(), path)?,
        },
    };
    if carrier == (Carrier::Cookie { permanent: true }) && absolute_timeout.is_none() {
        return Err(Refusal::unsupported(
            path.field("absoluteTimeout"),
            "A cookie of lifetimeType Permanent needs an absoluteTimeout, which is how long it lives.",
        ));
    }
    let name = match session_name.as_deref() {
        None | Some("") => None,
        Some(name) => Some(checked_name(name, &path.field("sessionName"))?),
    };
    Ok(BackendSession {
        name,
        carrier,
        absolute_timeout,
    })
}

fn permanent(config: Option<&CookieConfig>, path: &FieldPath) -> Result<bool, Refusal> {
    let Some(lifetime) = config.and_then(|config| config.lifetime_type.as_ref()) else {
        return Ok(false);
    };
    match lifetime.known() {
        Some(CookieLifetimeType::Permanent) => Ok(true),
        Some(CookieLifetimeType::Session) => Ok(false),
        None => Err(unknown(
            &path.field("cookieConfig.lifetimeType"),
            "lifetime",
            lifetime.as_str(),
            &["Session", "Permanent"],
        )),
    }
}

/// Cookies and headers have names of the same characters (RFC 6265, section 4.1.1; RFC 9110, `token`).
fn checked_name(name: &str, path: &FieldPath) -> Result<String, Refusal> {
    if name.len() <= 128 && HeaderName::from_bytes(name.as_bytes()).is_ok() {
        return Ok(name.to_owned());
    }
    Err(Refusal::unsupported(
        path.clone(),
        format!(
            "\"{name}\" cannot be the name of a cookie or header: at most 128 letters, digits and !#$%&'*+-.^_`|~."
        ),
    ))
}
