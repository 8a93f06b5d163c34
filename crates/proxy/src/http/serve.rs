//! A request's whole life.
//!
//! Read top-down: the request gets its listener, its rule, its backend, and its answer. Nothing here is
//! a policy's own logic; the order of the steps is.

use std::borrow::Cow;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use daemun_model::listener::ProxyStatus;
use daemun_model::policy::limits::ClientLimits;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::body::{Body, FromBackend, Held};
use super::check::Host;
use super::choose::{self, Choice};
use super::connection::Connection;
use super::filters::{self, After, Stop, Way};
use super::replay::Source;
use super::reply::{self, Asker, Own};
use super::upgrade::{Tunnel, Upgrade};
use super::{check, forward, session};
use crate::live::{EndpointLive, FilterLive, InFlight, ListenerLive, PortLive};
use crate::observe::trip::{OwnAnswer, Trip};
use crate::upstream::authorize::{self, Asked, Asking};
use crate::upstream::head::Head;
use crate::upstream::mirror;
use crate::upstream::send::{self, Errand, Sent};
use crate::worker::Worker;

/// Answers a request. Whatever goes wrong becomes an answer; an error of the service would only close
/// the connection without a word.
pub(crate) async fn request(
    connection: Rc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let busy = connection.begin();
    let mut held = Held {
        busy: Some(busy),
        listener: None,
    };
    let worker = &connection.worker;
    let origin = (connection.peer, connection.tls.is_some());
    let random = || worker.random.borrow_mut().next_u64();
    let mut trip = Trip::begin(&worker.metrics, &request, origin, random);
    let asker = Asker::of(&request);
    let mut after = After::default();
    let answered = answer(&connection, request, &mut trip, &mut held, &mut after).await;
    let mut response = match answered {
        Ok(response) => response,
        Err(own) => {
            let mut response = own_answer(worker, &own, &asker, &mut trip).map(Body::own);
            after.on_own_answer(response.headers_mut());
            if own.closes_connection() && !connection.http2 {
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    };
    if connection.is_ending()
        && !connection.http2
        && response.status() != StatusCode::SWITCHING_PROTOCOLS
    {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let status = response.status();
    let body = response.body_mut();
    body.held = held;
    body.trip = Some(trip.answered(status));
    Ok(response)
}

async fn answer(
    connection: &Rc<Connection>,
    mut request: Request<Incoming>,
    trip: &mut Trip,
    held: &mut Held,
    after: &mut After,
) -> Result<Response<Body>, Own> {
    let worker = &connection.worker;
    let live = worker.live();
    let port = live.port(connection.port).ok_or(Own::ListenerGone)?;
    let upgrade = Upgrade::take(&mut request);
    let (mut parts, body) = request.into_parts();

    // What two parsers could read in two ways goes no further.
    let host = check::host(&mut parts)?;
    let listener = listener(connection, port, &host)?;
    trip.at(listener);
    if let Some(reason) = &listener.refused {
        return Err(Own::InvalidListener(reason.clone()));
    }
    within_limits(listener, &parts)?;
    let in_flight = InFlight::within(&listener.in_flight, listener.limits.requests);
    held.listener = Some(in_flight.ok_or(Own::Overloaded)?);
    normalize_path(&mut parts)?;

    let asked = daemun_route::Asked {
        host: &host,
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: &parts.headers,
    };
    let found = listener.table.find(&asked).ok_or(Own::NoMatch)?;
    let rule = Arc::clone(found.target);
    let prefix = found.matched.prefix;
    trip.matched(&rule);
    after.rule(&rule);

    // From here on the client is known, and what proxies in front have said of it is believed or gone.
    let client = forward::client(
        connection.peer,
        connection.tls.is_some(),
        &parts.headers,
        &port.forwarding,
    );
    trip.client(client.address);
    let way = Way {
        connection,
        live: &live,
        port,
        rule: &rule,
        prefix,
        client: &client,
    };
    // Before the filters, so that a client's `Connection` cannot take away what they add, and what they
    // say about forwarding counts.
    trip.has_id(prepare(&way, &mut parts, &host, upgrade.as_ref()));
    let body = (!body.is_end_stream())
        .then(|| Source::new(body, listener.limits.body_bytes, &connection.pulse));
    trip.has_body(body.clone().map(|body| body as _));
    let limit = rule.meant().timeouts.request;
    let deadline = limit.map(|limit| Instant::from_std(trip.started()) + limit);
    let told = Told {
        body: body.as_ref(),
        deadline,
        version: parts.version,
    };
    if let Some(response) = pass(&way, &rule.filters, &mut parts, (after, trip), &told).await? {
        return Ok(response);
    }
    let choice = choose::backend(&way, &parts, after)?;
    trip.goes_to(&choice.backend);
    if let Some(response) = pass(&way, choice.filters, &mut parts, (after, trip), &told).await? {
        return Ok(response);
    }
    if let Some(body) = &body
        && (rule.meant().retry.is_some() || after.has_mirrors())
    {
        body.keep(choice.backend.connections.replay_bytes);
    }
    // What goes through a tunnel cannot be copied, so no copy is asked to open one.
    if upgrade.is_none() {
        mirror::send_copies(&way, &parts, body.as_ref(), after.mirrors());
    }

    let errand = Errand {
        worker,
        backend: &choice.backend,
        retry: rule.meant().retry.as_deref(),
        try_limit: rule.meant().timeouts.backend_request,
        deadline,
        bound_to: choice.bound_to,
        hash_key: choice.hash_key,
        upgrades: upgrade.is_some(),
    };
    let is_connect = upgrade.as_ref().is_some_and(Upgrade::is_connect);
    let mut head = Head::new(parts, errand.retry.is_some(), body.is_some());
    let sending = send::send(&errand, &mut head, body.as_ref(), trip);
    let sent = sending.await.map_err(Own::from)?;
    if let Some(body) = &body {
        body.answer_has_begun();
    }
    begin_session(&way, &choice, &sent.endpoint, after);
    match sent.response.status() {
        StatusCode::SWITCHING_PROTOCOLS => switch(&way, sent, upgrade, (held, trip), after),
        status if is_connect && status.is_success() => Err(Own::NotUpgraded),
        _ => Ok(pass_back(sent, after)),
    }
}

/// What is told of a request to a service that decides about it, beside its head.
struct Told<'a> {
    body: Option<&'a Rc<Source>>,
    deadline: Option<Instant>,
    version: Version,
}

/// Runs filters, and waits where one of them asks a service. Gives an answer if one answers by itself.
async fn pass(
    way: &Way<'_>,
    mut filters: &[FilterLive],
    parts: &mut Parts,
    (after, trip): (&mut After, &Trip),
    told: &Told<'_>,
) -> Result<Option<Response<Body>>, Own> {
    loop {
        let (auth, rest) = match filters::before(way, filters, parts, after)? {
            Stop::Passed => return Ok(None),
            Stop::Answers(response) => return Ok(Some(response)),
            Stop::Asks(auth, rest) => (auth, rest),
        };
        let asking = Asking {
            way,
            auth,
            body: told.body,
            deadline: told.deadline,
            id: trip.id(),
            version: told.version,
        };
        // On the heap, since few requests are asked about and all would carry it.
        match Box::pin(authorize::ask(&asking, parts)).await? {
            Asked::Passes(changes) => after.change(changes),
            Asked::Denied(mut response) => {
                after.on_response(response.headers_mut());
                return Ok(Some(response));
            }
        }
        filters = rest;
    }
}

/// Takes from a request what belongs to the client's connection, and adds what the backend must know.
fn prepare(
    way: &Way<'_>,
    parts: &mut Parts,
    host: &Host,
    upgrade: Option<&Upgrade>,
) -> HeaderValue {
    let random = &mut way.connection.worker.random.borrow_mut();
    let hop = forward::Hop {
        peer: way.connection.peer.ip(),
        standing: &way.connection.standing,
        https: way.connection.tls.is_some(),
        client_https: way.client.https,
        host: &host.sent,
        trusted: way.client.trusted,
        forwarded: way.port.forwarding.forwarded,
    };
    let id = forward::prepare(&mut parts.headers, &hop, random);
    if let Some(upgrade) = upgrade {
        upgrade.ask(&mut parts.headers, [random.next_u64(), random.next_u64()]);
        if upgrade.is_connect() {
            parts.method = Method::GET;
        }
    }
    id
}

/// The response for an answer of the gateway's own. A request that came to its end before it had an id
/// gets one here, so that its sender can ask about it.
fn own_answer(worker: &Worker, own: &Own, asker: &Asker, trip: &mut Trip) -> Response<Bytes> {
    if trip.id().is_none() {
        trip.has_id(forward::new_id(&mut worker.random.borrow_mut()));
    }
    trip.own(OwnAnswer {
        number: own.number(),
        status: own.status(),
        text: own,
        details: own.details(),
        tick: worker.tick(),
    });
    let setting = trip.proxy_status();
    let place = (setting == ProxyStatus::Full)
        .then(|| trip.place())
        .flatten();
    reply::response(own, asker, (setting, place.as_deref()), trip.id())
}

/// The most specific listener for the request's host. On a TLS connection it must be the one that the
/// client's SNI has chosen (421 otherwise), and what it asks of client certificates must be what was
/// asked when the connection was made.
fn listener<'a>(
    connection: &Connection,
    port: &'a PortLive,
    host: &str,
) -> Result<&'a Arc<ListenerLive>, Own> {
    let index = *port.hosts.find(host).ok_or(Own::NoMatch)?;
    let listener = &port.listeners[index];
    let of_connection = match &connection.tls {
        None => None,
        Some(secured) => {
            let chosen = port.hosts.find(secured.sni.as_deref().unwrap_or_default());
            // It may be one that passes TLS on, and so has none itself.
            if chosen != Some(&index) {
                return Err(Own::Misdirected);
            }
            Some(&secured.client)
        }
    };
    // The port may have changed between plain and TLS under a connection that goes on.
    if listener.tls.as_ref().map(|tls| &tls.client) == of_connection {
        Ok(listener)
    } else {
        Err(Own::ListenerGone)
    }
}

fn within_limits(listener: &ListenerLive, parts: &Parts) -> Result<(), Own> {
    let target = parts
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    // Over HTTP/1 the engine has seen to it.
    if parts.headers.len() > usize::from(listener.limits.header_count) {
        return Err(Own::HeadTooLarge);
    }
    if target > listener.limits.target_bytes as usize {
        return Err(Own::TargetTooLong);
    }
    let Some(most) = listener.limits.body_bytes else {
        return Ok(());
    };
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most) {
        Err(Own::BodyTooLarge)
    } else {
        Ok(())
    }
}

/// The backend gets exactly the path that is matched. After this the target is in origin form.
fn normalize_path(parts: &mut Parts) -> Result<(), Own> {
    let normalized = match daemun_route::paths::normalize(parts.uri.path()) {
        Ok(Cow::Borrowed(_)) if parts.uri.authority().is_none() => return Ok(()),
        Ok(normalized) => normalized,
        Err(error) => return Err(Own::BadPath(error)),
    };
    let target = match parts.uri.query() {
        None => normalized.into_owned(),
        Some(query) => format!("{normalized}?{query}"),
    };
    parts.uri = PathAndQuery::try_from(target)
        .map(Uri::from)
        .map_err(|_| Own::BadTarget)?;
    Ok(())
}

/// Passes a response on, with what must happen when its body has ended.
fn pass_back(sent: Sent, after: &mut After) -> Response<Body> {
    let Sent {
        response,
        endpoint: _,
        in_flight,
        deadline,
    } = sent;
    let (mut head, incoming) = response.into_parts();
    forward::clean_response(&mut head.headers);
    after.on_response(&mut head.headers);
    head.version = Version::default();
    head.extensions = http::Extensions::new();
    let body = Body::backend(FromBackend {
        incoming,
        _in_flight: in_flight,
        deadline: deadline.map(|deadline| Box::pin(tokio::time::sleep_until(deadline))),
    });
    Response::from_parts(head, body)
}

fn begin_session(way: &Way<'_>, choice: &Choice<'_>, endpoint: &EndpointLive, after: &mut After) {
    let Some(settings) = choose::session_settings(way, &choice.backend) else {
        return;
    };
    if choice
        .bound_to
        .is_some_and(|bound| choice.backend.endpoints[bound].id == endpoint.id)
    {
        return;
    }
    let identity = choose::session_identity(&choice.backend, endpoint);
    let now = daemun_base::clock::unix_seconds();
    after.session = Some(session::issue(&settings, identity, now, way.client.https));
}

/// The backend agreed to change the protocol.
fn switch(
    way: &Way<'_>,
    sent: Sent,
    upgrade: Option<Upgrade>,
    (held, trip): (&mut Held, &mut Trip),
    after: &mut After,
) -> Result<Response<Body>, Own> {
    let Sent {
        mut response,
        endpoint: _,
        in_flight,
        deadline: _,
    } = sent;
    // A backend that changes the protocol unasked is broken.
    let upgrade = upgrade.ok_or(Own::UnaskedUpgrade)?;
    way.connection.pulse.tunnels();
    after.on_response(response.headers_mut());
    let tunnel = Tunnel {
        worker: Rc::clone(&way.connection.worker),
        held: std::mem::take(held),
        in_flight,
        trip: Some(trip.answered(StatusCode::SWITCHING_PROTOCOLS)),
        idle: (way.connection.limits().tunnel_idle).unwrap_or(ClientLimits::TUNNEL_IDLE),
    };
    Ok(upgrade
        .tie(response, tunnel)
        .map(|()| Body::own(Bytes::new())))
}

#[cfg(test)]
mod tests {
    use super::request;

    fn future_size<A, B, F: Future<Output = O>, O>(_: impl Fn(A, B) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_requests_future_stays_small() {
        // It is moved into its place for each request.
        let size = future_size(request);
        assert!(size <= 4 * 1024, "{size} bytes");
    }
}
