//! Filters of a rule, in words, and what those that answer by themselves answer.

use daemun_model::backend::BackendTarget;
use daemun_model::filter::Filter;
use daemun_model::filter::cors::{AllowList, Cors};
use daemun_model::filter::external_auth::{AuthProtocol, ExternalAuth};
use daemun_model::filter::headers::HeaderModifier;
use daemun_model::filter::mirror::Mirror;
use daemun_model::filter::redirect::{Redirect, Scheme};
use daemun_model::filter::rewrite::{PathRewrite, Rewrite};
use http::Method;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};

use super::Outcome;
use super::asked::Request;
use super::share::percent;

/// Filters in words, in order.
pub(super) fn in_order(filters: &[Filter], request: &Request) -> Vec<String> {
    filters
        .iter()
        .map(|filter| in_words(filter, request))
        .collect()
}

fn in_words(filter: &Filter, request: &Request) -> String {
    match filter {
        Filter::RequestHeaders(modifier) => format!("request headers: {}", modified(modifier)),
        Filter::ResponseHeaders(modifier) => format!("response headers: {}", modified(modifier)),
        Filter::Redirect(redirect) => redirected(redirect),
        Filter::Rewrite(rewrite) => rewritten(rewrite),
        Filter::Mirror(mirror) => mirrored(mirror),
        Filter::Cors(cors) => cors_in_words(cors, request),
        Filter::ExternalAuth(auth) => asked(auth),
        Filter::Invalid(reason) => format!("a filter that cannot be used: {reason}"),
    }
}

fn modified(modifier: &HeaderModifier) -> String {
    let HeaderModifier { set, add, remove } = modifier;
    let line = |verb: &str, (name, value): &(http::HeaderName, http::HeaderValue)| {
        format!(
            "{verb} {name}: {}",
            String::from_utf8_lossy(value.as_bytes())
        )
    };
    let set = set.iter().map(|header| line("set", header));
    let add = add.iter().map(|header| line("add", header));
    let remove = remove.iter().map(|name| format!("remove {name}"));
    set.chain(add).chain(remove).collect::<Vec<_>>().join(", ")
}

fn redirected(redirect: &Redirect) -> String {
    let Redirect {
        scheme,
        hostname,
        path,
        port,
        status,
    } = redirect;
    let scheme = scheme.map(|scheme| match scheme {
        Scheme::Http => "scheme http".to_owned(),
        Scheme::Https => "scheme https".to_owned(),
    });
    let hostname = hostname.as_ref().map(|hostname| format!("host {hostname}"));
    let port = port.map(|port| format!("port {port}"));
    let parts: Vec<String> = scheme
        .into_iter()
        .chain(hostname)
        .chain(port)
        .chain(path.as_ref().map(new_path))
        .collect();
    let to = if parts.is_empty() {
        "the same URL".to_owned()
    } else {
        parts.join(", ")
    };
    format!("redirect ({}): {to}", status.code().as_u16())
}

fn rewritten(rewrite: &Rewrite) -> String {
    let Rewrite { hostname, path } = rewrite;
    let hostname = hostname.as_ref().map(|hostname| format!("host {hostname}"));
    let parts: Vec<String> = hostname
        .into_iter()
        .chain(path.as_ref().map(new_path))
        .collect();
    format!("rewrite: {}", parts.join(", "))
}

fn new_path(path: &PathRewrite) -> String {
    match path {
        PathRewrite::Full(path) => format!("path {path}"),
        PathRewrite::Prefix(prefix) if prefix.is_empty() => {
            "the matched prefix is replaced by /".to_owned()
        }
        PathRewrite::Prefix(prefix) => format!("the matched prefix is replaced by {prefix}"),
    }
}

fn mirrored(mirror: &Mirror) -> String {
    let Mirror { backend, share } = mirror;
    let share = percent(
        u64::from(share.numerator.min(share.denominator)),
        u64::from(share.denominator),
    );
    match backend {
        BackendTarget::Backend(key) => {
            format!("mirror: a copy of {share} of the requests goes to {key}")
        }
        BackendTarget::Invalid { written, reason } => {
            format!("mirror: no copies go to {written}: {reason}")
        }
    }
}

fn asked(auth: &ExternalAuth) -> String {
    let ExternalAuth {
        backend,
        protocol,
        body_bytes,
    } = auth;
    let protocol = match protocol {
        AuthProtocol::Grpc(_) => "gRPC",
        AuthProtocol::Http(_) => "HTTP",
    };
    let body = match body_bytes {
        0 => String::new(),
        most => format!(", with bodies of up to {most} bytes"),
    };
    format!(
        "external auth: {backend} is asked over {protocol}{body}, and only its yes lets a request pass"
    )
}

fn cors_in_words(cors: &Cors, request: &Request) -> String {
    let Some(origin) = request.headers.get(ORIGIN) else {
        return "CORS: no Origin header, nothing to do".to_owned();
    };
    let origin = String::from_utf8_lossy(origin.as_bytes());
    let what = if is_preflight(request) {
        "a preflight"
    } else {
        "a request"
    };
    let methods = match &cors.allow_methods {
        AllowList::All => "all methods".to_owned(),
        AllowList::These(methods) if methods.is_empty() => "the safelisted methods".to_owned(),
        AllowList::These(methods) => methods.join(", "),
    };
    let credentials = if cors.allow_credentials {
        ", with credentials"
    } else {
        ""
    };
    format!(
        "CORS: {what} of {origin}; {methods} may be used by the origins that are listed{credentials}"
    )
}

/// What a filter answers by itself, if it does.
pub(super) fn ends(filter: &Filter, request: &Request) -> Option<Outcome> {
    match filter {
        Filter::Redirect(redirect) => Some(Outcome::own(
            redirect.status.code().as_u16(),
            "the redirect answers; no backend gets the request",
        )),
        Filter::Cors(_) if is_preflight(request) => Some(Outcome::own(
            204,
            "the CORS filter answers the preflight; no backend gets it",
        )),
        Filter::Invalid(reason) => Some(Outcome::own(
            500,
            format!("a filter cannot be used: {reason}"),
        )),
        // What the service would say is not known here.
        Filter::Cors(_)
        | Filter::ExternalAuth(_)
        | Filter::RequestHeaders(_)
        | Filter::ResponseHeaders(_)
        | Filter::Rewrite(_)
        | Filter::Mirror(_) => None,
    }
}

fn is_preflight(request: &Request) -> bool {
    request.method == Method::OPTIONS
        && request.headers.contains_key(ORIGIN)
        && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
