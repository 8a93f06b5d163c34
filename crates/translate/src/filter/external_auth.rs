//! `ExternalAuth` (gateway-api `HTTPExternalAuthFilter`, GEP-1494). One that cannot be used closes its requests:
//! the caller makes it a filter that answers 500.

use daemun_model::filter::external_auth::{AuthProtocol, ExternalAuth, GrpcAuth, HttpAuth};
use daemun_model::names::RouteKind;
use daemun_model::verdict::FieldPath;
use daemun_objects::Known;
use daemun_objects::gateway_api::httproute::filters::{
    ExternalAuthProtocol, ForwardBodyConfig, GrpcAuthConfig, HttpAuthConfig, HttpExternalAuthFilter,
};
use http::HeaderName;

use crate::backends::Resolver;
use crate::read::route::refused_in_words;
use crate::value::{character_outside_paths, header_name, unknown};
use crate::verdict::Refusal;

/// Reads the filter. Whether its service exists is told apart from the rest by the refusal's reason.
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    written: &HttpExternalAuthFilter,
    path: &FieldPath,
) -> Result<ExternalAuth, Refusal> {
    let HttpExternalAuthFilter {
        protocol,
        backend_ref,
        grpc,
        http,
        forward_body,
    } = written;
    let known: Vec<&str> = ExternalAuthProtocol::VALUES
        .iter()
        .map(|(text, _)| *text)
        .collect();
    let protocol = match protocol.known() {
        None => {
            return Err(unknown(
                &path.field("protocol"),
                "protocol of a service that decides",
                protocol.as_str(),
                &known,
            ));
        }
        Some(ExternalAuthProtocol::Grpc) => {
            belongs(http.is_some(), "http", "HTTP", path)?;
            AuthProtocol::Grpc(read_grpc(grpc.as_ref(), &path.field("grpc"))?)
        }
        Some(ExternalAuthProtocol::Http) => {
            belongs(grpc.is_some(), "grpc", "GRPC", path)?;
            AuthProtocol::Http(read_http(http.as_ref(), &path.field("http"))?)
        }
    };
    let body_bytes = read_body(forward_body.as_ref(), &path.field("forwardBody"))?;
    let resolved = resolver.resolve(backend_ref, &path.field("backendRef"));
    Ok(ExternalAuth {
        backend: resolved.map_err(|invalid| closed(resolver.kind(), invalid.1))?,
        protocol,
        body_bytes,
    })
}

fn closed(route: RouteKind, refusal: Refusal) -> Refusal {
    let Refusal {
        path,
        reason,
        message,
        ..
    } = refusal;
    let (what, done) = refused_in_words(route);
    let message = format!(
        "{message} Nobody can be asked. {what} {done}, so that none passes without a decision."
    );
    Refusal::new(path, reason, message)
}

/// Refuses settings of the other protocol.
fn belongs(there: bool, field: &str, of: &str, path: &FieldPath) -> Result<(), Refusal> {
    if !there {
        return Ok(());
    }
    Err(Refusal::unsupported(
        path.field(field),
        format!("{field} belongs to protocol {of}, and the filter has the other one; take it out."),
    ))
}

fn read_grpc(written: Option<&GrpcAuthConfig>, path: &FieldPath) -> Result<GrpcAuth, Refusal> {
    let Some(GrpcAuthConfig {
        allowed_request_headers,
    }) = written
    else {
        return Ok(GrpcAuth::default());
    };
    Ok(GrpcAuth {
        headers: names(allowed_request_headers, &path.field("allowedHeaders"))?,
    })
}

fn read_http(written: Option<&HttpAuthConfig>, path: &FieldPath) -> Result<HttpAuth, Refusal> {
    let Some(HttpAuthConfig {
        path: prefix,
        allowed_request_headers,
        allowed_response_headers,
    }) = written
    else {
        return Ok(HttpAuth::default());
    };
    Ok(HttpAuth {
        path: read_prefix(prefix.as_deref().unwrap_or_default(), &path.field("path"))?,
        headers: names(allowed_request_headers, &path.field("allowedHeaders"))?,
        answer_headers: names(
            allowed_response_headers,
            &path.field("allowedResponseHeaders"),
        )?,
    })
}

/// A prefix, with a slash at its beginning and none at its end, so that it can be put before any path.
fn read_prefix(written: &str, path: &FieldPath) -> Result<String, Refusal> {
    let refuse = |why: String| Err(Refusal::unsupported(path.clone(), why));
    if written.len() > 1024 {
        return refuse("A path has at most 1024 characters.".to_owned());
    }
    if let Some(character) = character_outside_paths(written) {
        return refuse(format!(
            "The path \"{written}\" contains {character:?}, which a path carries percent-encoded only (RFC 3986)."
        ));
    }
    if written.split('/').any(|part| part == "." || part == "..") {
        return refuse(format!(
            "The path \"{written}\" has a segment that means another path; write the path that is meant."
        ));
    }
    let inner = written.trim_matches('/');
    Ok(match inner {
        "" => String::new(),
        inner => format!("/{inner}"),
    })
}

fn names(written: &[String], path: &FieldPath) -> Result<Vec<HeaderName>, Refusal> {
    let mut names: Vec<HeaderName> = Vec::with_capacity(written.len());
    for (index, name) in written.iter().enumerate() {
        let name = header_name(name, &path.index(index))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The API's own limit: `maxSize` is a number of 16 bits in v1.6.1, and of 31 in what follows it.
fn read_body(written: Option<&ForwardBodyConfig>, path: &FieldPath) -> Result<u32, Refusal> {
    let Some(ForwardBodyConfig { max_size }) = written else {
        return Ok(0);
    };
    let size = max_size.unwrap_or_default();
    u32::try_from(size)
        .ok()
        .filter(|size| *size <= MOST_BODY)
        .ok_or_else(|| {
            Refusal::unsupported(
                path.field("maxSize"),
                format!(
                    "{size} is no number of bytes that are kept of a body; 0 to {MOST_BODY} are."
                ),
            )
        })
}

/// As much of a body as is kept in memory for a decision.
const MOST_BODY: u32 = 16 * 1024 * 1024;
