//! `CORS` (gateway-api `HTTPCORSFilter`, GEP-1767).

use daemun_model::filter::cors::{AllowList, Cors, OriginPattern, PortPattern};
use daemun_model::verdict::FieldPath;
use daemun_objects::gateway_api::httproute::filters::HttpCorsFilter;
use http::HeaderName;

use crate::value::{header_name, unknown};
use crate::verdict::Refusal;

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// Reads the filter.
pub(super) fn read(written: &HttpCorsFilter, path: &FieldPath) -> Result<Cors, Refusal> {
    let HttpCorsFilter {
        allow_origins,
        allow_credentials,
        allow_methods,
        allow_headers,
        expose_headers,
        max_age: _, // Through its accessor, which knows the default.
    } = written;
    let origins_path = path.field("allowOrigins");
    star_alone(allow_origins, &origins_path)?;
    let allow_origins = allow_origins
        .iter()
        .enumerate()
        .map(|(index, origin)| read_origin(origin, &origins_path.index(index)))
        .collect::<Result<_, _>>()?;
    let methods = allow_list(
        allow_methods,
        &path.field("allowMethods"),
        |method, path| {
            if METHODS.contains(&method) {
                Ok(method.to_owned())
            } else {
                Err(unknown(path, "method", method, &METHODS))
            }
        },
    )?;
    let headers = allow_list(allow_headers, &path.field("allowHeaders"), |name, path| {
        header_name(name, path).map(|name| name.to_string())
    })?;
    let exposed = allow_list(expose_headers, &path.field("exposeHeaders"), header_name)?;
    let (expose_headers, expose_all): (Vec<HeaderName>, bool) = match exposed {
        AllowList::All => (Vec::new(), true),
        AllowList::These(names) => (names, false),
    };
    let max_age = u32::try_from(written.max_age())
        .ok()
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| {
            Refusal::unsupported(
                path.field("maxAge"),
                format!("maxAge is {}; it is at least 1 second.", written.max_age()),
            )
        })?;
    Ok(Cors {
        allow_origins,
        allow_credentials: allow_credentials.unwrap_or_default(),
        allow_methods: methods,
        allow_headers: headers,
        expose_headers,
        expose_all,
        max_age,
    })
}

fn star_alone(written: &[String], path: &FieldPath) -> Result<(), Refusal> {
    match written.iter().position(|value| value == "*") {
        Some(index) if written.len() > 1 => Err(Refusal::unsupported(
            path.index(index),
            "\"*\" stands for all and is then the only entry of the list; take it out, or all others.",
        )),
        _ => Ok(()),
    }
}

fn allow_list<T: PartialEq>(
    written: &[String],
    path: &FieldPath,
    read: impl Fn(&str, &FieldPath) -> Result<T, Refusal>,
) -> Result<AllowList<T>, Refusal> {
    star_alone(written, path)?;
    if written.first().is_some_and(|value| value == "*") {
        return Ok(AllowList::All);
    }
    let mut list: Vec<T> = Vec::with_capacity(written.len());
    for (index, value) in written.iter().enumerate() {
        let value = read(value, &path.index(index))?;
        if !list.contains(&value) {
            list.push(value);
        }
    }
    Ok(AllowList::These(list))
}

fn read_origin(written: &str, path: &FieldPath) -> Result<OriginPattern, Refusal> {
    if written == "*" {
        return Ok(OriginPattern::Any);
    }
    let refuse = |why: &str| {
        Refusal::unsupported(
            path.clone(),
            format!(
                "\"{written}\" is not an origin: {why}. An origin is scheme://host, with :port if it is not the scheme's own, such as https://shop.example.com or https://*.example.com."
            ),
        )
    };
    let lower = written.to_ascii_lowercase();
    let (scheme, authority) = lower
        .split_once("://")
        .ok_or_else(|| refuse("it has no scheme"))?;
    if !matches!(scheme, "http" | "https") {
        return Err(refuse("its scheme is neither http nor https"));
    }
    let (host, port) = match authority.split_once(':') {
        None => (authority, PortPattern::None),
        Some((host, "*")) => (host, PortPattern::Any),
        Some((host, digits)) => {
            let port: u16 = digits
                .parse()
                .map_err(|_| refuse("its port is no number from 1 to 65535"))?;
            (host, PortPattern::Exact(port))
        }
    };
    let is_name = |name: &str| {
        name.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    };
    let suffix = match host.strip_prefix('*') {
        None if is_name(host) => None,
        Some("") => Some(""),
        Some(rest) if rest.strip_prefix('.').is_some_and(is_name) => Some(rest),
        _ => {
            return Err(refuse(
                "its host is neither a name nor a name behind \"*.\"; it has no path and no slash at the end",
            ));
        }
    };
    Ok(match (suffix, port) {
        (None, PortPattern::None | PortPattern::Exact(_)) => {
            OriginPattern::Exact(without_default_port(scheme, host, port))
        }
        (None, PortPattern::Any) => return Err(refuse("a port of \"*\" needs a wildcard host")),
        (Some(suffix), port) => OriginPattern::Wildcard {
            scheme: scheme.to_owned(),
            suffix: suffix.to_owned(),
            port: match (scheme, port) {
                ("http", PortPattern::Exact(80)) | ("https", PortPattern::Exact(443)) => {
                    PortPattern::None
                }
                (_, port) => port,
            },
        },
    })
}

/// Browsers leave the scheme's own port out of an origin (RFC 6454, section 6.2).
fn without_default_port(scheme: &str, host: &str, port: PortPattern) -> String {
    match (scheme, port) {
        (_, PortPattern::None | PortPattern::Any)
        | ("http", PortPattern::Exact(80))
        | ("https", PortPattern::Exact(443)) => format!("{scheme}://{host}"),
        (_, PortPattern::Exact(port)) => format!("{scheme}://{host}:{port}"),
    }
}
