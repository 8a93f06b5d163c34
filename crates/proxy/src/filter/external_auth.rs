//! `ExternalAuth`: what another service is asked about a request, and what follows from its answer.
//!
//! How it is asked is `upstream::authorize`'s. Nothing passes without a clear yes: 200 over HTTP, status OK over
//! gRPC.

pub(crate) mod check;
mod protobuf;

use bytes::Bytes;
use daemun_model::filter::external_auth::HttpAuth;
use http::header::{
    AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION,
    CONTENT_RANGE, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderName, HeaderValue, SERVER,
};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{StatusCode, Uri};

use super::headers;

/// What a service has decided.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The request passes, changed like this.
    Passes(Passage),
    /// It does not, and its client hears this.
    Denied(Denial),
}

/// What a service changes of a request that passes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Passage {
    /// Of the request's headers.
    pub(crate) request: Vec<Change>,
    /// Headers of the request that go.
    pub(crate) remove: Vec<HeaderName>,
    /// Of the response's headers.
    pub(crate) response: Vec<Change>,
    /// Query parameters that get this value.
    pub(crate) set_query: Vec<(String, String)>,
    /// Query parameters that go.
    pub(crate) remove_query: Vec<String>,
}

/// What the client of a request hears that does not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<Change>,
    pub(crate) body: Bytes,
}

/// A change of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
    pub(crate) how: How,
}

/// How a header is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Beside the values that are there.
    Append,
    /// In place of them.
    Set,
    /// Only if there are none.
    SetIfAbsent,
    /// In place of them, if there are some.
    SetIfPresent,
}

/// Changes headers.
pub(crate) fn change(changes: Vec<Change>, headers: &mut HeaderMap) {
    for Change { name, value, how } in changes {
        match how {
            // There is one host.
            How::Append if name != HOST => {
                headers.append(name, value);
            }
            How::SetIfAbsent if headers.contains_key(&name) => {}
            How::SetIfPresent if !headers.contains_key(&name) => {}
            How::Append | How::Set | How::SetIfAbsent | How::SetIfPresent => {
                headers.insert(name, value);
            }
        }
    }
}

impl Passage {
    /// Changes a request, and gives what is to be changed of its response.
    pub(crate) fn apply(self, parts: &mut Parts) -> Vec<Change> {
        let Self {
            request,
            remove,
            response,
            set_query,
            remove_query,
        } = self;
        for name in remove {
            headers::remove(&mut parts.headers, &name);
        }
        for Change { name, how, .. } in &request {
            if *how == How::Set {
                headers::remove(&mut parts.headers, name);
            }
        }
        change(request, &mut parts.headers);
        if !set_query.is_empty() || !remove_query.is_empty() {
            change_query(parts, &set_query, &remove_query);
        }
        response
    }
}

/// Parameters that are not named stay as they were written.
fn change_query(parts: &mut Parts, set: &[(String, String)], remove: &[String]) {
    let changed = |pair: &str| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        remove.iter().any(|it| *it == name) || set.iter().any(|(it, _)| *it == name)
    };
    let encoded =
        |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !changed(pair))
        .map(str::to_owned)
        .collect();
    pairs.extend(
        set.iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value))),
    );
    let target = match pairs.is_empty() {
        true => parts.uri.path().to_owned(),
        false => format!("{}?{}", parts.uri.path(), pairs.join("&")),
    };
    // Made of a target and of what is encoded, it is one.
    if let Ok(target) = PathAndQuery::try_from(target) {
        parts.uri = Uri::from(target);
    }
}

/// The head of the request with which a service is asked over HTTP: method, path and host of the client's, and
/// of its headers those that are allowed.
pub(crate) fn head(settings: &HttpAuth, parts: &Parts) -> Option<Parts> {
    let HttpAuth {
        path,
        headers: allowed,
        answer_headers: _, // In `take_headers`.
    } = settings;
    let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let target = PathAndQuery::try_from(format!("{path}{target}")).ok()?;
    let (mut asked, ()) = http::Request::new(()).into_parts();
    asked.method = parts.method.clone();
    asked.uri = Uri::from(target);
    for name in [HOST, AUTHORIZATION].iter().chain(allowed) {
        if is_framing(name) || asked.headers.contains_key(name) {
            continue;
        }
        for value in parts.headers.get_all(name) {
            asked.headers.append(name, value.clone());
        }
    }
    Some(asked)
}

/// Takes headers of an answer that lets a request pass over into the request. What is listed comes from the
/// service alone: a client cannot send it where the service does not.
pub(crate) fn take_headers(settings: &HttpAuth, answer: &HeaderMap, request: &mut HeaderMap) {
    let listed = &settings.answer_headers;
    let names: Vec<&HeaderName> = if listed.is_empty() {
        answer
            .keys()
            .filter(|name| is_about_request(name))
            .collect()
    } else {
        listed.iter().collect()
    };
    for name in names {
        if is_framing(name) || *name == HOST {
            continue;
        }
        headers::remove(request, name);
        for value in answer.get_all(name) {
            request.append(name, value.clone());
        }
    }
}

/// Whether a header of an answer can be about the request that was asked about, and not about the answer itself:
/// its body, who wrote it and when.
fn is_about_request(name: &HeaderName) -> bool {
    ![
        DATE,
        SERVER,
        CONTENT_TYPE,
        CONTENT_ENCODING,
        CONTENT_LANGUAGE,
        CONTENT_RANGE,
        CONTENT_LOCATION,
        CONTENT_DISPOSITION,
    ]
    .contains(name)
}

/// Whether a header belongs to a connection or says where a message ends.
fn is_framing(name: &HeaderName) -> bool {
    headers::is_connections(name)
}

#[cfg(test)]
mod tests;
