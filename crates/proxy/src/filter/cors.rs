//! `CORS`: answers preflights, and tells browsers what they may do with other answers (the Fetch
//! standard's CORS protocol).
//!
//! The backend's own CORS headers are replaced: with the filter, the gateway speaks. An origin that may
//! not ask gets an answer without them, and the browser refuses it; the request itself is not
//! hindered, since CORS protects users of browsers and not the backend.

use daemun_model::filter::cors::{AllowList, Cors, OriginPattern, PortPattern};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName,
    HeaderValue, ORIGIN, SET_COOKIE, VARY,
};
use http::{Method, Response, StatusCode};

const STAR: HeaderValue = HeaderValue::from_static("*");

/// The answer to a preflight: `OPTIONS` with `Origin` and `Access-Control-Request-Method`. None for
/// every other request, which goes to its backend. Preflights never do.
pub(crate) fn preflight(cors: &Cors, method: &Method, headers: &HeaderMap) -> Option<Response<()>> {
    if *method != Method::OPTIONS {
        return None;
    }
    let origin = headers.get(ORIGIN)?;
    let wanted_method = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    if !allow(cors, Some(origin), answer) {
        return Some(response);
    }
    let methods = list(
        &cors.allow_methods,
        cors.allow_credentials,
        Some(wanted_method),
    );
    set(answer, ACCESS_CONTROL_ALLOW_METHODS, methods);
    let wanted_headers = headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
    let allowed = list(&cors.allow_headers, cors.allow_credentials, wanted_headers);
    set(answer, ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    set(answer, ACCESS_CONTROL_EXPOSE_HEADERS, exposed(cors, None));
    answer.insert(ACCESS_CONTROL_MAX_AGE, cors.max_age.into());
    Some(response)
}

/// Puts the filter's headers on the answer to a request that was no preflight, in place of the
/// backend's. `origin` is the request's `Origin`.
pub(crate) fn decorate(cors: &Cors, origin: Option<&HeaderValue>, response: &mut HeaderMap) {
    for name in [
        ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_ALLOW_CREDENTIALS,
        ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE,
    ] {
        response.remove(name);
    }
    if allow(cors, origin, response) {
        let names = exposed(cors, Some(response));
        set(response, ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
}

/// Says who may ask, and whether with credentials; gives whether this origin may. Where the answer
/// depends on the origin, caches are told so.
fn allow(cors: &Cors, origin: Option<&HeaderValue>, answer: &mut HeaderMap) -> bool {
    if !cors.allow_credentials && cors.allow_origins.contains(&OriginPattern::Any) {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, STAR);
        return true;
    }
    vary_by_origin(answer);
    let Some(origin) = origin.filter(|origin| may_ask(&cors.allow_origins, origin)) else {
        return false;
    };
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if cors.allow_credentials {
        answer.insert(
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }
    true
}

fn vary_by_origin(answer: &mut HeaderMap) {
    let said = answer
        .get_all(VARY)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("origin"));
    if !said {
        answer.append(VARY, HeaderValue::from_static("Origin"));
    }
}

fn may_ask(patterns: &[OriginPattern], origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    patterns.iter().any(|pattern| match pattern {
        OriginPattern::Any => true,
        OriginPattern::Exact(exact) => exact.eq_ignore_ascii_case(origin),
        OriginPattern::Wildcard {
            scheme,
            suffix,
            port,
        } => fits(origin, scheme, suffix, *port),
    })
}

fn fits(origin: &str, scheme: &str, suffix: &str, port: PortPattern) -> bool {
    let Some((its_scheme, rest)) = origin.split_once("://") else {
        return false;
    };
    // A colon inside the brackets of an IPv6 address does not begin a port.
    let (host, its_port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let port_fits = match port {
        PortPattern::None => its_port.is_none(),
        PortPattern::Any => its_port.is_none_or(|port| port.parse::<u16>().is_ok()),
        PortPattern::Exact(port) => its_port.is_some_and(|its| its.parse() == Ok(port)),
    };
    let part_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    port_fits
        && its_scheme.eq_ignore_ascii_case(scheme)
        && host.bytes().all(part_of_host)
        && host.len() > suffix.len()
        && host
            .get(host.len() - suffix.len()..)
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// With credentials `*` would be a name like others, so what was asked for is repeated instead.
fn list(
    allowed: &AllowList<String>,
    credentials: bool,
    wanted: Option<&HeaderValue>,
) -> Option<HeaderValue> {
    match allowed {
        AllowList::All if credentials => wanted.cloned(),
        AllowList::All => Some(STAR),
        AllowList::These(names) if names.is_empty() => None,
        AllowList::These(names) => HeaderValue::try_from(names.join(", ")).ok(),
    }
}

/// The headers that scripts may read. With credentials `*` would be a name like others, so those that
/// the response has are named.
fn exposed(cors: &Cors, response: Option<&HeaderMap>) -> Option<HeaderValue> {
    let joined = |names: &mut dyn Iterator<Item = &HeaderName>| {
        let names: Vec<&str> = names.map(HeaderName::as_str).collect();
        HeaderValue::try_from(names.join(", "))
            .ok()
            .filter(|value| !value.is_empty())
    };
    match response {
        _ if !cors.expose_all => joined(&mut cors.expose_headers.iter()),
        Some(response) if cors.allow_credentials => {
            joined(&mut response.keys().filter(|name| {
                **name != SET_COOKIE && !name.as_str().starts_with("access-control-")
            }))
        }
        _ => Some(STAR),
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests;
