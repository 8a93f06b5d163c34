//! Running a rule's filters, in the order in which they were written, and what they leave to be done
//! with the response. What each filter does is in `crate::filter`.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use daemun_model::filter::redirect::Scheme;
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Response, Uri};
use smallvec::SmallVec;

use super::body::Body;
use super::connection::Connection;
use super::forward::Client;
use super::reply::Own;
use crate::filter::{cors, external_auth, headers, mirror, redirect, rewrite};
use crate::live::{AuthLive, BackendId, FilterLive, Live, PortLive, RuleLive};

/// Where a request is on its way: what filters and the choice of a backend may look at.
pub(crate) struct Way<'a> {
    pub(crate) connection: &'a Rc<Connection>,
    pub(crate) live: &'a Live,
    pub(crate) port: &'a PortLive,
    pub(crate) rule: &'a Arc<RuleLive>,
    /// The path prefix that matched, if a prefix did.
    pub(crate) prefix: Option<&'a str>,
    pub(crate) client: &'a Client,
}

/// What is left to be done with the response.
#[derive(Default)]
pub(crate) struct After {
    rule: Option<Arc<RuleLive>>,
    share: Option<usize>,
    origin: Option<HeaderValue>,
    mirrors: SmallVec<[BackendId; 2]>,
    /// What services that decide about requests want changed of the response's headers.
    changes: Vec<external_auth::Change>,
    /// A session that begins with this response.
    pub(crate) session: Option<(http::HeaderName, HeaderValue)>,
}

impl After {
    /// The rule's response filters will run.
    pub(crate) fn rule(&mut self, rule: &Arc<RuleLive>) {
        self.rule = Some(Arc::clone(rule));
    }

    /// So will those of the backend that was chosen, by its place in the rule.
    pub(crate) fn share(&mut self, index: usize) {
        self.share = Some(index);
    }

    /// Whether copies of the request will be sent.
    pub(crate) fn has_mirrors(&self) -> bool {
        !self.mirrors.is_empty()
    }

    /// Where copies of the request go.
    pub(crate) fn mirrors(&mut self) -> SmallVec<[BackendId; 2]> {
        std::mem::take(&mut self.mirrors)
    }

    /// These changes of the response's headers are wanted.
    pub(crate) fn change(&mut self, changes: Vec<external_auth::Change>) {
        self.changes.extend(changes);
    }

    /// On a backend's response, and on a redirect: modifiers and CORS, and the session's cookie or header.
    pub(crate) fn on_response(&mut self, response_headers: &mut HeaderMap) {
        self.each(|filter, origin| match filter {
            FilterLive::ResponseHeaders(modifier) => headers::apply(modifier, response_headers),
            FilterLive::Cors(settings) => cors::decorate(settings, origin, response_headers),
            FilterLive::RequestHeaders(_)
            | FilterLive::Redirect(_)
            | FilterLive::Rewrite(_)
            | FilterLive::Mirror { .. }
            | FilterLive::ExternalAuth(_)
            | FilterLive::Invalid(_) => {}
        });
        external_auth::change(std::mem::take(&mut self.changes), response_headers);
        if let Some((name, value)) = self.session.take() {
            response_headers.append(name, value);
        }
    }

    /// On an answer of the gateway's own: a browser's script may read why its request failed.
    pub(crate) fn on_own_answer(&self, response_headers: &mut HeaderMap) {
        self.each(|filter, origin| {
            if let FilterLive::Cors(settings) = filter {
                cors::decorate(settings, origin, response_headers);
            }
        });
    }

    fn each(&self, mut run: impl FnMut(&FilterLive, Option<&HeaderValue>)) {
        let Some(rule) = &self.rule else { return };
        let of_share = self
            .share
            .map_or(&[][..], |index| &rule.backends[index].filters);
        rule.filters
            .iter()
            .chain(of_share)
            .for_each(|filter| run(filter, self.origin.as_ref()));
    }
}

/// Where the filters of a request have come to.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it was made, and never kept"
)]
pub(crate) enum Stop<'a> {
    /// All of them have run.
    Passed,
    /// One answers by itself.
    Answers(Response<Body>),
    /// One asks a service and waits for its answer; the rest comes after that.
    Asks(&'a AuthLive, &'a [FilterLive]),
}

/// Runs filters on a request, in the order in which they were written.
///
/// # Errors
/// The filter could not be resolved: its requests are not passed on.
pub(crate) fn before<'a>(
    way: &Way<'_>,
    filters: &'a [FilterLive],
    parts: &mut Parts,
    after: &mut After,
) -> Result<Stop<'a>, Own> {
    for (index, filter) in filters.iter().enumerate() {
        match filter {
            FilterLive::RequestHeaders(modifier) => {
                headers::apply_to_request(modifier, &mut parts.headers);
            }
            FilterLive::ResponseHeaders(_) => {}
            FilterLive::Redirect(settings) => {
                let mut answer = redirect_to(way, settings, parts)?;
                after.on_response(answer.headers_mut());
                return Ok(Stop::Answers(answer));
            }
            FilterLive::Rewrite(settings) => apply_rewrite(way, settings, parts),
            FilterLive::Mirror { backend, share } => {
                let random = way.connection.worker.random.borrow_mut().next_u64();
                if mirror::chosen(*share, random) {
                    after.mirrors.push(*backend);
                }
            }
            FilterLive::Cors(settings) => {
                if let Some(answer) = cors::preflight(settings, &parts.method, &parts.headers) {
                    return Ok(Stop::Answers(answer.map(|()| Body::own(Bytes::new()))));
                }
                after.origin = parts.headers.get(ORIGIN).cloned();
            }
            FilterLive::ExternalAuth(auth) => return Ok(Stop::Asks(auth, &filters[index + 1..])),
            FilterLive::Invalid(reason) => return Err(Own::InvalidFilter(reason.clone())),
        }
    }
    Ok(Stop::Passed)
}

fn redirect_to(
    way: &Way<'_>,
    settings: &daemun_model::filter::redirect::Redirect,
    parts: &Parts,
) -> Result<Response<Body>, Own> {
    let authority = parts
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let scheme = if way.client.https {
        Scheme::Https
    } else {
        Scheme::Http
    };
    // Where a trusted proxy speaks the other scheme with the client, the listener's port is not the one
    // that the client knows.
    let seen_by_client = way.client.https == way.connection.tls.is_some();
    let from = redirect::RedirectFrom {
        scheme,
        authority,
        path_and_query: &path_and_query(parts),
        matched_prefix: way.prefix,
        listener_port: if seen_by_client {
            way.port.written
        } else {
            redirect::well_known(scheme)
        },
    };
    let location = redirect::location(settings, &from).map_err(|_| Own::BadTarget)?;
    let mut response = Response::new(Body::own(Bytes::new()));
    *response.status_mut() = settings.status.code();
    response
        .headers_mut()
        .insert(http::header::LOCATION, location);
    Ok(response)
}

fn apply_rewrite(
    way: &Way<'_>,
    settings: &daemun_model::filter::rewrite::Rewrite,
    parts: &mut Parts,
) {
    if let Some(hostname) = &settings.hostname {
        rewrite::host(hostname, &mut parts.headers);
    }
    if let Some(path) = &settings.path {
        parts.uri = Uri::from(rewrite::path(path, &path_and_query(parts), way.prefix));
    }
}

fn path_and_query(parts: &Parts) -> PathAndQuery {
    parts
        .uri
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"))
}
