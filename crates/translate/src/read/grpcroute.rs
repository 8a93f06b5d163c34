//! GRPCRoutes: an HTTPRoute with other matches, and without what gRPC has no use for (gateway-api `GRPCRoute`,
//! GEP-1016).

use std::borrow::Cow;

use daemun_model::matching::{CallMatch, PathMatch, RequestMatch, ValueMatch};
use daemun_model::names::RouteKey;
use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::gateway_api::grpcroute::{
    GrpcBackendRef, GrpcMethodMatch, GrpcMethodMatchType, GrpcRoute, GrpcRouteFilter,
    GrpcRouteMatch, GrpcRouteRule,
};
use daemun_objects::gateway_api::httproute::filters::{HttpRouteFilter, HttpRouteFilterType};
use daemun_objects::gateway_api::httproute::{HttpBackendRef, HttpRouteRule};
use daemun_objects::{Known, Open};

use super::hostnames::Hostnames;
use super::route::{Common, RouteOutcome, Surroundings};
use super::{httproute, matches, rule};
use crate::value::unknown;
use crate::verdict::Refusal;

/// Translates a GRPCRoute.
pub(crate) fn read(around: Surroundings<'_>, key: &RouteKey, route: &GrpcRoute) -> RouteOutcome {
    let common = Common::of(key, route, Hostnames::read(&route.spec.hostnames));
    let written = rule::or_everything(&route.spec.rules);
    let rules = written.iter().enumerate().map(|(index, rule)| {
        let matches = rule::matches(&rule.matches, index, read_match);
        (Cow::Owned(http_rule(rule)), matches)
    });
    let (rules, judged) = httproute::read_rules(around, key, rules);
    httproute::outcome(around, &common, &rules, judged)
}

/// A rule as an HTTPRoute would write it, without its matches.
fn http_rule(rule: &GrpcRouteRule) -> HttpRouteRule {
    let GrpcRouteRule {
        name,
        matches: _, // In read_match.
        filters,
        backend_refs,
        session_persistence,
    } = rule;
    HttpRouteRule {
        name: name.clone(),
        filters: http_filters(filters),
        backend_refs: backend_refs.iter().map(http_backend).collect(),
        session_persistence: session_persistence.clone(),
        ..HttpRouteRule::default()
    }
}

fn http_backend(reference: &GrpcBackendRef) -> HttpBackendRef {
    reference.with_filters(http_filters(&reference.filters))
}

fn http_filters(filters: &[GrpcRouteFilter]) -> Vec<HttpRouteFilter> {
    let filter = |filter: &GrpcRouteFilter| {
        let GrpcRouteFilter {
            r#type,
            request_header_modifier,
            response_header_modifier,
            request_mirror,
            extension_ref,
        } = filter.clone();
        HttpRouteFilter {
            // What only an HTTPRoute has is as unknown here as what nobody has.
            r#type: match r#type {
                Open::Known(kind) => Open::<HttpRouteFilterType>::new(kind.as_str()),
                Open::Other(text) => Open::Other(text),
            },
            request_header_modifier,
            response_header_modifier,
            request_mirror,
            request_redirect: None,
            url_rewrite: None,
            cors: None,
            external_auth: None,
            extension_ref,
        }
    };
    filters.iter().map(filter).collect()
}

fn read_match(
    written: &GrpcRouteMatch,
    path: &FieldPath,
    findings: &mut Vec<Finding>,
) -> Result<RequestMatch, Refusal> {
    let GrpcRouteMatch { method, headers } = written;
    let everything = RequestMatch::everything();
    Ok(RequestMatch {
        path: match method {
            None => everything.path,
            Some(method) => PathMatch::Call(read_method(method, &path.field("method"))?),
        },
        headers: matches::read_headers(headers, &path.field("headers"), findings)?,
        ..RequestMatch::everything()
    })
}

fn read_method(written: &GrpcMethodMatch, path: &FieldPath) -> Result<CallMatch, Refusal> {
    let GrpcMethodMatch {
        r#type,
        service,
        method,
    } = written;
    let kind = match r#type {
        None => GrpcMethodMatchType::Exact,
        Some(kind) => kind.known().ok_or_else(|| {
            let known: Vec<&str> = GrpcMethodMatchType::VALUES
                .iter()
                .map(|(text, _)| *text)
                .collect();
            unknown(&path.field("type"), "match type", kind.as_str(), &known)
        })?,
    };
    let value = |written: &Option<String>, field: &str, is_name: fn(&str) -> bool| {
        let Some(text) = written.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let path = path.field(field);
        if text.len() > 1024 {
            let message = format!("A {field} in a match has at most 1024 characters.");
            return Err(Refusal::unsupported(path, message));
        }
        match kind {
            GrpcMethodMatchType::RegularExpression => {
                matches::regex(text, &path)?;
                Ok(Some(ValueMatch::Regex(text.to_owned())))
            }
            GrpcMethodMatchType::Exact if is_name(text) => {
                // Paths of calls have no dot there.
                let text = text.strip_prefix('.').unwrap_or(text);
                Ok(Some(ValueMatch::Exact(text.to_owned())))
            }
            GrpcMethodMatchType::Exact => Err(Refusal::unsupported(
                path,
                format!(
                    "\"{text}\" is not the name of a gRPC {field}: letters, digits and underscores, of a service with dots between them. For a pattern, use type RegularExpression."
                ),
            )),
        }
    };
    let call = CallMatch {
        service: value(service, "service", is_service)?,
        method: value(method, "method", is_identifier)?,
    };
    if call.service.is_none() && call.method.is_none() {
        return Err(Refusal::unsupported(
            path.clone(),
            "A match of methods names a service, a method, or both, and this one names neither. Take method out to take every call.",
        ));
    }
    Ok(call)
}

/// `helloworld.Greeter`, also with a dot before it, as protocol buffers write whole names.
fn is_service(text: &str) -> bool {
    let text = text.strip_prefix('.').unwrap_or(text);
    text.split('.').all(is_identifier)
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
