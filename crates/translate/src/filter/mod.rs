//! Filters of rules and of backend references, one file per filter.
//!
//! A filter that cannot be understood or resolved is never passed over: it becomes one that answers 500,
//! because it may be there to protect (the Gateway API's rule for ExtensionRef, and ours for all).

mod cors;
mod external_auth;
mod headers;
mod mirror;
mod redirect;
mod rewrite;

use daemun_model::backend::BackendTarget;
use daemun_model::filter::Filter;
use daemun_model::matching::{PathMatch, RequestMatch};
use daemun_model::names::{BackendKey, RouteKind};
use daemun_model::verdict::FieldPath;
use daemun_objects::Known;
use daemun_objects::gateway_api::grpcroute::GrpcRouteFilterType;
use daemun_objects::gateway_api::httproute::filters::{
    HttpPathModifier, HttpPathModifierType, HttpRouteFilter, HttpRouteFilterType,
};

use crate::backends::Resolver;
use crate::read::route::refused_in_words;
use crate::value::{character_outside_paths, unknown};
use crate::verdict::{Refusal, reason};

/// Why a reference of a filter stands for nothing.
const UNRESOLVED: [&str; 4] = [
    reason::INVALID_KIND,
    reason::BACKEND_NOT_FOUND,
    reason::REF_NOT_PERMITTED,
    reason::UNSUPPORTED_PROTOCOL,
];

/// Filters, and what stands against some of them.
#[derive(Default)]
pub(crate) struct Filters {
    /// In the order in which they were written.
    pub(crate) filters: Vec<Filter>,
    /// Values that cannot be understood or do not go together.
    pub(crate) refused: Vec<Refusal>,
    /// References that cannot be resolved.
    pub(crate) unresolved: Vec<Refusal>,
}

/// Reads the filters at a path, for a rule with these matches.
pub(crate) fn read_all(
    resolver: &mut Resolver<'_>,
    written: &[HttpRouteFilter],
    matches: &[RequestMatch],
    path: &FieldPath,
) -> Filters {
    let mut filters = Filters::default();
    for (index, filter) in written.iter().enumerate() {
        let path = path.index(index);
        let read = one_field(filter, resolver.kind(), &path)
            .and_then(|kind| not_repeated(kind, written.get(..index).unwrap_or_default(), &path))
            .and_then(|kind| {
                let place = Place {
                    path: &path,
                    matches,
                };
                read(resolver, filter, kind, &place, &mut filters.unresolved)
            });
        match read {
            Ok(filter) => filters.filters.push(filter),
            Err(refusal) => {
                filters
                    .filters
                    .push(Filter::Invalid(refusal.message.clone()));
                // What cannot be resolved is told apart from what cannot be understood.
                if UNRESOLVED.contains(&refusal.reason) {
                    filters.unresolved.push(refusal);
                } else {
                    filters.refused.push(refusal);
                }
            }
        }
    }
    filters
}

/// The backend that a filter sends something to, if it does.
pub(crate) fn backend(filter: &Filter) -> Option<&BackendKey> {
    match filter {
        Filter::Mirror(mirror) => match &mirror.backend {
            BackendTarget::Backend(key) => Some(key),
            BackendTarget::Invalid { .. } => None,
        },
        Filter::ExternalAuth(auth) => Some(&auth.backend),
        Filter::RequestHeaders(_)
        | Filter::ResponseHeaders(_)
        | Filter::Redirect(_)
        | Filter::Rewrite(_)
        | Filter::Cors(_)
        | Filter::Invalid(_) => None,
    }
}

/// What a filter may look at beside itself.
struct Place<'a> {
    path: &'a FieldPath,
    matches: &'a [RequestMatch],
}

fn read(
    resolver: &mut Resolver<'_>,
    filter: &HttpRouteFilter,
    kind: HttpRouteFilterType,
    place: &Place<'_>,
    unresolved: &mut Vec<Refusal>,
) -> Result<Filter, Refusal> {
    let HttpRouteFilter {
        r#type: _,
        request_header_modifier,
        response_header_modifier,
        request_mirror,
        request_redirect,
        url_rewrite,
        cors,
        external_auth,
        extension_ref,
    } = filter;
    let path = place.path;
    let missing = |field: &str| {
        Refusal::unsupported(
            path.clone(),
            format!(
                "A filter of type {} has the field {field}, and it is missing.",
                kind.as_str()
            ),
        )
    };
    match kind {
        HttpRouteFilterType::RequestHeaderModifier => {
            let written = request_header_modifier
                .as_ref()
                .ok_or_else(|| missing("requestHeaderModifier"))?;
            headers::read(written, &path.field("requestHeaderModifier")).map(Filter::RequestHeaders)
        }
        HttpRouteFilterType::ResponseHeaderModifier => {
            let written = response_header_modifier
                .as_ref()
                .ok_or_else(|| missing("responseHeaderModifier"))?;
            headers::read(written, &path.field("responseHeaderModifier"))
                .map(Filter::ResponseHeaders)
        }
        HttpRouteFilterType::RequestMirror => {
            let written = request_mirror
                .as_ref()
                .ok_or_else(|| missing("requestMirror"))?;
            mirror::read(resolver, written, &path.field("requestMirror"), unresolved)
                .map(Filter::Mirror)
        }
        HttpRouteFilterType::RequestRedirect => {
            let written = request_redirect
                .as_ref()
                .ok_or_else(|| missing("requestRedirect"))?;
            redirect::read(written, place.matches, &path.field("requestRedirect"))
                .map(Filter::Redirect)
        }
        HttpRouteFilterType::UrlRewrite => {
            let written = url_rewrite.as_ref().ok_or_else(|| missing("urlRewrite"))?;
            rewrite::read(written, place.matches, &path.field("urlRewrite")).map(Filter::Rewrite)
        }
        HttpRouteFilterType::Cors => {
            let written = cors.as_ref().ok_or_else(|| missing("cors"))?;
            cors::read(written, &path.field("cors")).map(Filter::Cors)
        }
        HttpRouteFilterType::ExternalAuth => {
            let written = external_auth
                .as_ref()
                .ok_or_else(|| missing("externalAuth"))?;
            external_auth::read(resolver, written, &path.field("externalAuth"))
                .map(Filter::ExternalAuth)
        }
        HttpRouteFilterType::ExtensionRef => {
            let reference = extension_ref
                .as_ref()
                .ok_or_else(|| missing("extensionRef"))?;
            let (what, done) = refused_in_words(resolver.kind());
            Err(Refusal::new(
                path.field("extensionRef.kind"),
                reason::INVALID_KIND,
                format!(
                    "{} of group \"{}\" cannot be a filter: this version of Daemun has no kind of filter of its own. {what} {done}, so that none passes without it.",
                    reference.kind, reference.group
                ),
            ))
        }
    }
}

/// The type, if the field that goes with it is the only one there.
fn one_field(
    filter: &HttpRouteFilter,
    route: RouteKind,
    path: &FieldPath,
) -> Result<HttpRouteFilterType, Refusal> {
    fn names<T>(values: &'static [(&'static str, T)]) -> Vec<&'static str> {
        values.iter().map(|(name, _)| *name).collect()
    }
    let names = match route {
        RouteKind::Grpc => names(GrpcRouteFilterType::VALUES),
        RouteKind::Http | RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => {
            names(HttpRouteFilterType::VALUES)
        }
    };
    let Some(kind) = filter.r#type.known() else {
        return Err(unknown(
            &path.field("type"),
            "filter type",
            filter.r#type.as_str(),
            &names,
        ));
    };
    let fields = [
        (
            HttpRouteFilterType::RequestHeaderModifier,
            "requestHeaderModifier",
            filter.request_header_modifier.is_some(),
        ),
        (
            HttpRouteFilterType::ResponseHeaderModifier,
            "responseHeaderModifier",
            filter.response_header_modifier.is_some(),
        ),
        (
            HttpRouteFilterType::RequestMirror,
            "requestMirror",
            filter.request_mirror.is_some(),
        ),
        (
            HttpRouteFilterType::RequestRedirect,
            "requestRedirect",
            filter.request_redirect.is_some(),
        ),
        (
            HttpRouteFilterType::UrlRewrite,
            "urlRewrite",
            filter.url_rewrite.is_some(),
        ),
        (HttpRouteFilterType::Cors, "cors", filter.cors.is_some()),
        (
            HttpRouteFilterType::ExternalAuth,
            "externalAuth",
            filter.external_auth.is_some(),
        ),
        (
            HttpRouteFilterType::ExtensionRef,
            "extensionRef",
            filter.extension_ref.is_some(),
        ),
    ];
    match fields.iter().find(|(of, _, there)| *there && *of != kind) {
        None => Ok(kind),
        Some((of, field, _)) => Err(Refusal::unsupported(
            path.field(field),
            format!(
                "The filter is of type {}, and {field} belongs to type {}. Write two filters, or take one of them out.",
                kind.as_str(),
                of.as_str()
            ),
        )),
    }
}

/// Mirrors and extensions may be repeated, the others not; redirect and rewrite exclude each other.
fn not_repeated(
    kind: HttpRouteFilterType,
    earlier: &[HttpRouteFilter],
    path: &FieldPath,
) -> Result<HttpRouteFilterType, Refusal> {
    let repeatable = matches!(
        kind,
        HttpRouteFilterType::RequestMirror | HttpRouteFilterType::ExtensionRef
    );
    let has = |kind| earlier.iter().any(|filter| filter.r#type == kind);
    if !repeatable && has(kind) {
        return Err(Refusal::unsupported(
            path.field("type"),
            format!(
                "There is a filter of type {} before this one, and it cannot be repeated; write both into one.",
                kind.as_str()
            ),
        ));
    }
    let excluded = match kind {
        HttpRouteFilterType::RequestRedirect => has(HttpRouteFilterType::UrlRewrite),
        HttpRouteFilterType::UrlRewrite => has(HttpRouteFilterType::RequestRedirect),
        HttpRouteFilterType::RequestHeaderModifier
        | HttpRouteFilterType::ResponseHeaderModifier
        | HttpRouteFilterType::RequestMirror
        | HttpRouteFilterType::ExtensionRef
        | HttpRouteFilterType::Cors
        | HttpRouteFilterType::ExternalAuth => false,
    };
    if excluded {
        return Err(Refusal::new(
            path.field("type"),
            "IncompatibleFilters",
            "URLRewrite and RequestRedirect cannot stand together: a redirect sends nothing to a backend. Take one of them out.",
        ));
    }
    Ok(kind)
}

/// A new path of a redirect or rewrite.
fn path_modifier(
    written: &HttpPathModifier,
    matches: &[RequestMatch],
    path: &FieldPath,
) -> Result<daemun_model::filter::rewrite::PathRewrite, Refusal> {
    use daemun_model::filter::rewrite::PathRewrite;
    let HttpPathModifier {
        r#type,
        replace_full_path,
        replace_prefix_match,
    } = written;
    let Some(kind) = r#type.known() else {
        return Err(unknown(
            &path.field("type"),
            "path modifier",
            r#type.as_str(),
            &["ReplaceFullPath", "ReplacePrefixMatch"],
        ));
    };
    let (field, value, other) = match kind {
        HttpPathModifierType::ReplaceFullPath => {
            ("replaceFullPath", replace_full_path, replace_prefix_match)
        }
        HttpPathModifierType::ReplacePrefixMatch => (
            "replacePrefixMatch",
            replace_prefix_match,
            replace_full_path,
        ),
    };
    let Some(value) = value else {
        return Err(Refusal::unsupported(
            path.clone(),
            format!(
                "A path of type {} has the field {field}, and it is missing.",
                kind.as_str()
            ),
        ));
    };
    if other.is_some() {
        return Err(Refusal::unsupported(
            path.clone(),
            "A path has replaceFullPath or replacePrefixMatch, not both; take the one out that is not its type.",
        ));
    }
    new_path(value, &path.field(field))?;
    match kind {
        HttpPathModifierType::ReplaceFullPath => Ok(PathRewrite::Full(match value.as_str() {
            "" => "/".to_owned(),
            value => value.to_owned(),
        })),
        HttpPathModifierType::ReplacePrefixMatch => {
            let other = matches
                .iter()
                .find(|it| !matches!(it.path, PathMatch::Prefix(_)));
            if other.is_some() {
                return Err(Refusal::unsupported(
                    path.field(field),
                    "replacePrefixMatch replaces the prefix that matched, and this rule has a match that is not of type PathPrefix. Use replaceFullPath, or put that match into a rule of its own.",
                ));
            }
            Ok(PathRewrite::Prefix(value.clone()))
        }
    }
}

fn new_path(value: &str, path: &FieldPath) -> Result<(), Refusal> {
    if value.len() > 1024 {
        return Err(Refusal::unsupported(
            path.clone(),
            "A new path has at most 1024 characters.",
        ));
    }
    if !value.is_empty() && !value.starts_with('/') {
        return Err(Refusal::unsupported(
            path.clone(),
            format!("The new path \"{value}\" does not begin with \"/\"; write \"/{value}\"."),
        ));
    }
    match character_outside_paths(value) {
        None => Ok(()),
        Some(character) => Err(Refusal::unsupported(
            path.clone(),
            format!(
                "The new path \"{value}\" contains {character:?}, which a path carries percent-encoded only (RFC 3986); the query of the request is kept as it is."
            ),
        )),
    }
}

/// A host of a redirect or rewrite: a name without a wildcard.
fn precise_hostname(written: &str, path: &FieldPath) -> Result<String, Refusal> {
    use daemun_model::hostname::HostPattern;
    match HostPattern::parse(written) {
        Ok(HostPattern::Exact(name)) => Ok(name),
        Ok(HostPattern::Any | HostPattern::Wildcard(_)) => Err(Refusal::unsupported(
            path.clone(),
            format!("\"{written}\" is not one hostname; a wildcard cannot be sent to anybody."),
        )),
        Err(why) => Err(Refusal::unsupported(
            path.clone(),
            format!("{}.", crate::value::capitalized(&why)),
        )),
    }
}
