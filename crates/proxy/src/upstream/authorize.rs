//! Asking another service about a request, over the worker's own pools, and waiting for its answer.
//!
//! What is asked and what follows is `filter::external_auth`'s. Whatever goes wrong here means that nothing
//! passes.

use std::rc::Rc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use daemun_model::filter::external_auth::{AuthProtocol, GrpcAuth, HttpAuth};
use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TE, USER_AGENT};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use crate::filter::external_auth::check::{self, Question};
use crate::filter::external_auth::{self as auth, Decision, Denial};
use crate::http::body::{Body, FromBackend};
use crate::http::filters::Way;
use crate::http::forward;
use crate::http::replay::{Fault, Source};
use crate::http::reply::{self, Own};
use crate::live::AuthLive;
use crate::observe::trip::Trip;
use crate::upstream::failure::Failure;
use crate::upstream::head::Head;
use crate::upstream::received::Received;
use crate::upstream::send::{self, Errand, Sent};

/// How long a service may take to decide, if the request itself has no shorter time.
const LONGEST: Duration = Duration::from_secs(10);

/// Bytes of an answer over gRPC that are read.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// What came of asking.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it was made, and never kept"
)]
pub(crate) enum Asked {
    /// The request passes; these changes are for its response.
    Passes(Vec<auth::Change>),
    /// The client hears this.
    Denied(Response<Body>),
}

/// A request that is asked about.
pub(crate) struct Asking<'a> {
    pub(crate) way: &'a Way<'a>,
    pub(crate) auth: &'a AuthLive,
    pub(crate) body: Option<&'a Rc<Source>>,
    /// When the request must be over.
    pub(crate) deadline: Option<Instant>,
    /// Its id.
    pub(crate) id: Option<&'a HeaderValue>,
    /// Its version, as the client sent it.
    pub(crate) version: Version,
}

/// Asks, and changes the request as the service wishes if it passes.
///
/// # Errors
/// The answer of our own for a request about which nothing could be decided.
pub(crate) async fn ask(asking: &Asking<'_>, parts: &mut Parts) -> Result<Asked, Own> {
    let most = asking.auth.settings.body_bytes;
    let body = match asking.body.filter(|_| most > 0) {
        None => None,
        Some(body) => Some(whole_body(body, most, asking.deadline).await?),
    };
    let longest = Instant::from_std(daemun_base::clock::now()) + LONGEST;
    let deadline = asking.deadline.map_or(longest, |own| own.min(longest));
    let answer = match &asking.auth.settings.protocol {
        AuthProtocol::Grpc(settings) => {
            let call = asking.over_grpc(settings, parts, body, deadline);
            tokio::time::timeout_at(deadline, call)
                .await
                .unwrap_or_else(|_| Err(late(asking, deadline)))
        }
        AuthProtocol::Http(settings) => asking.over_http(settings, parts, body, deadline).await,
    };
    answer.map_err(|own| match own {
        Unable::Own(own) => own,
        Unable::Because(reason) => Own::NoDecision {
            written: asking.auth.settings.backend.to_string(),
            reason,
        },
    })
}

/// Why there is no decision.
enum Unable {
    /// Another answer says it better.
    Own(Own),
    Because(String),
}

impl Unable {
    fn because(reason: impl Into<String>) -> Self {
        Self::Because(reason.into())
    }
}

fn late(asking: &Asking<'_>, deadline: Instant) -> Unable {
    if asking.deadline == Some(deadline) {
        Unable::Own(Own::TimedOut)
    } else {
        Unable::Because(format!("it did not answer within {} s", LONGEST.as_secs()))
    }
}

/// The whole body of a request, which stays to be sent to the backend.
async fn whole_body(body: &Source, most: u32, deadline: Option<Instant>) -> Result<Bytes, Own> {
    let reading = body.read_ahead(most as usize);
    let read = match deadline {
        None => reading.await,
        Some(deadline) => tokio::time::timeout_at(deadline, reading)
            .await
            .map_err(|_| Own::TimedOut)?,
    };
    read.map_err(|fault| match fault {
        Fault::Client => Own::ClientBody,
        Fault::TooLarge => Own::BodyTooLarge,
    })
}

impl Asking<'_> {
    async fn send(
        &self,
        parts: Parts,
        body: Option<Rc<Source>>,
        deadline: Instant,
    ) -> Result<Sent, Unable> {
        let backend = self
            .way
            .live
            .backend(self.auth.backend)
            .ok_or_else(|| Unable::because("it is not part of the configuration"))?;
        if let Some(reason) = backend.closed() {
            return Err(Unable::because(reason.clone()));
        }
        let errand = Errand {
            worker: &self.way.connection.worker,
            backend,
            retry: None,
            try_limit: None,
            deadline: Some(deadline),
            bound_to: None,
            hash_key: None,
            upgrades: false,
        };
        let mut trip = Trip::aside();
        let mut head = Head::new(parts, false, body.is_some()).saying_empty();
        let sending = send::send(&errand, &mut head, body.as_ref(), &mut trip);
        sending.await.map_err(|failure| match failure {
            Failure::TimedOut => late(self, deadline),
            failure => Unable::Because(Own::from(failure).to_string()),
        })
    }

    async fn over_http(
        &self,
        settings: &HttpAuth,
        parts: &mut Parts,
        body: Option<Bytes>,
        deadline: Instant,
    ) -> Result<Asked, Unable> {
        let head = auth::head(settings, parts).ok_or(Unable::Own(Own::BadTarget))?;
        let body = body.map(|bytes| Source::kept(vec![bytes]));
        let sent = self.send(head, body, deadline).await?;
        if sent.response.status() == StatusCode::OK {
            auth::take_headers(settings, sent.response.headers(), &mut parts.headers);
            self.drain(sent);
            return Ok(Asked::Passes(Vec::new()));
        }
        let Sent {
            response,
            endpoint: _,
            in_flight,
            deadline,
        } = sent;
        let (mut head, incoming) = response.into_parts();
        if reply::is_grpc(&parts.headers) {
            return Ok(denied_in_grpc(parts, head.status, &[]));
        }
        forward::clean_response(&mut head.headers);
        head.version = Version::default();
        head.extensions = http::Extensions::new();
        let body = Body::backend(FromBackend {
            incoming,
            _in_flight: in_flight,
            deadline: deadline.map(|deadline| Box::pin(tokio::time::sleep_until(deadline))),
        });
        Ok(Asked::Denied(Response::from_parts(head, body)))
    }

    /// Reads what is left of an answer, so that its connection can be used again; beside the request, which
    /// does not wait for it.
    fn drain(&self, sent: Sent) {
        let mut incoming = sent.response.into_body();
        if incoming.is_end_stream() {
            return;
        }
        let in_flight = sent.in_flight;
        self.way.connection.worker.tasks.spawn(async move {
            let _in_flight = in_flight;
            let reading = async {
                let mut left = LONGEST_ANSWER;
                while let Some(Ok(frame)) = incoming.frame().await {
                    let length = frame.data_ref().map_or(0, Bytes::len);
                    let Some(rest) = left.checked_sub(length) else {
                        return;
                    };
                    left = rest;
                }
            };
            let _ = tokio::time::timeout(LONGEST, reading).await;
        });
    }

    async fn over_grpc(
        &self,
        settings: &GrpcAuth,
        parts: &mut Parts,
        body: Option<Bytes>,
        deadline: Instant,
    ) -> Result<Asked, Unable> {
        let message = self.question(settings, parts, body.as_deref()).encode();
        let sent = self
            .send(self.call(deadline), Some(framed(&message)), deadline)
            .await?;
        let (head, incoming) = sent.response.into_parts();
        if head.status != StatusCode::OK {
            let reason = format!("it answered {}, which is not gRPC", head.status.as_u16());
            return Err(Unable::Because(reason));
        }
        succeeded(&head.headers)?;
        let (bytes, trailers) = collect(incoming).await?;
        succeeded(&trailers)?;
        let message = unframed(&bytes)
            .ok_or_else(|| Unable::because("its answer is not one message of gRPC"))?;
        match check::decode(message).map_err(Unable::Because)? {
            Decision::Passes(passage) => Ok(Asked::Passes(passage.apply(parts))),
            Decision::Denied(denial) => Ok(denied(parts, denial)),
        }
    }

    /// The head of a call.
    fn call(&self, deadline: Instant) -> Parts {
        let (mut call, ()) = http::Request::new(()).into_parts();
        call.method = Method::POST;
        call.uri = Uri::from(PathAndQuery::from_static(check::PATH));
        let headers = &mut call.headers;
        let name = &self.auth.settings.backend.name;
        if let Ok(host) = HeaderValue::try_from(format!("{}.{}", name.name, name.namespace)) {
            headers.insert(HOST, host);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(USER_AGENT, HeaderValue::from_static("daemun"));
        let left = deadline.saturating_duration_since(Instant::from_std(daemun_base::clock::now()));
        if let Ok(left) = HeaderValue::try_from(format!("{}m", left.as_millis().max(1))) {
            headers.insert(HeaderName::from_static("grpc-timeout"), left);
        }
        call
    }

    fn question<'q>(
        &'q self,
        settings: &'q GrpcAuth,
        parts: &'q Parts,
        body: Option<&'q [u8]>,
    ) -> Question<'q> {
        let text = |value: Option<&'q HeaderValue>| {
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let connection = self.way.connection;
        let client = self.way.client;
        Question {
            id: text(self.id),
            method: parts.method.as_str(),
            path: parts.uri.path_and_query().map_or("/", PathAndQuery::as_str),
            host: text(parts.headers.get(HOST)),
            scheme: if client.https { "https" } else { "http" },
            protocol: match self.version {
                Version::HTTP_10 => "HTTP/1.0",
                Version::HTTP_2 => "HTTP/2",
                _ => "HTTP/1.1",
            },
            headers: &parts.headers,
            allowed: &settings.headers,
            body,
            size: match self.body {
                None => Some(0),
                Some(body) => body.announced(),
            },
            source: std::net::SocketAddr::new(client.address, connection.peer.port()),
            time: daemun_base::clock::since_epoch().as_secs(),
            sni: connection.tls.as_ref().and_then(|tls| tls.sni.as_deref()),
        }
    }
}

/// A message of gRPC: not compressed, and its length before it.
fn framed(message: &[u8]) -> Rc<Source> {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    Source::kept(vec![frame.freeze()])
}

fn unframed(bytes: &[u8]) -> Option<&[u8]> {
    let (head, message) = bytes.split_first_chunk::<5>()?;
    let [0, length @ ..] = head else { return None };
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    (message.len() == length).then_some(message)
}

/// Whether a head or trailers say that the call failed.
fn succeeded(headers: &HeaderMap) -> Result<(), Unable> {
    let Some(status) = headers.get("grpc-status") else {
        return Ok(());
    };
    if status == "0" {
        return Ok(());
    }
    let message = headers.get("grpc-message").map(HeaderValue::as_bytes);
    let message = percent_encoding::percent_decode(message.unwrap_or_default());
    Err(Unable::Because(format!(
        "the call ended with status {} ({})",
        String::from_utf8_lossy(status.as_bytes()),
        message.decode_utf8_lossy()
    )))
}

async fn collect(mut incoming: Received) -> Result<(Bytes, HeaderMap), Unable> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let frame =
            frame.map_err(|broken| Unable::Because(format!("its answer broke off: {broken}")))?;
        match frame.into_data() {
            Ok(data) if bytes.len() + data.len() <= LONGEST_ANSWER => bytes.put(data),
            Ok(_) => return Err(Unable::because("its answer is longer than 1 MiB")),
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                return Ok((bytes.freeze(), trailers));
            }
        }
    }
    Ok((bytes.freeze(), HeaderMap::new()))
}

fn denied(parts: &Parts, denial: Denial) -> Asked {
    let Denial {
        status,
        headers,
        body,
    } = denial;
    if reply::is_grpc(&parts.headers) {
        return denied_in_grpc(parts, status, &body);
    }
    let mut response = Response::new(Body::own(body));
    *response.status_mut() = status;
    auth::change(headers, response.headers_mut());
    Asked::Denied(response)
}

/// A client of gRPC hears a status of gRPC.
fn denied_in_grpc(parts: &Parts, status: StatusCode, message: &[u8]) -> Asked {
    let message = String::from_utf8_lossy(message);
    let message = match message.trim() {
        "" => "The service that decides about requests has refused this one",
        said => said,
    };
    Asked::Denied(reply::in_grpc(&parts.headers, status, message).map(Body::own))
}
