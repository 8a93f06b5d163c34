//! What one request has gone through: filled on the way, recorded when its response has ended.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::http::body::BodyError;
use crate::http::connection::Connection;
use crate::http::forward::Client;
use crate::http::replay::Source;
use crate::http::reply::{self, Asker, Own};
use crate::live::{BackendLive, ListenerLive, RuleLive};
use crate::worker::Worker;

/// A request on its way.
pub(crate) struct Trip {
    started: Instant,
    worker: Option<Rc<Worker>>,
    listener: Option<Arc<ListenerLive>>,
    rule: Option<Arc<RuleLive>>,
    backend: Option<Arc<BackendLive>>,
    endpoint: Option<SocketAddr>,
    retries: u32,
    body: Option<Rc<Source>>,
    id: Option<HeaderValue>,
}

impl Trip {
    pub(crate) fn begin(connection: &Connection, _request: &Request<Incoming>) -> Self {
        Self {
            worker: Some(Rc::clone(&connection.worker)),
            ..Self::of_mirror()
        }
    }

    pub(crate) fn of_mirror() -> Self {
        Self {
            started: daemun_base::clock::now(),
            worker: None,
            listener: None,
            rule: None,
            backend: None,
            endpoint: None,
            retries: 0,
            body: None,
            id: None,
        }
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn at(&mut self, listener: &Arc<ListenerLive>) {
        self.listener = Some(Arc::clone(listener));
    }

    pub(crate) fn matched(&mut self, rule: &Arc<RuleLive>) {
        self.rule = Some(Arc::clone(rule));
    }

    pub(crate) fn client(&mut self, _client: &Client) {}

    pub(crate) fn goes_to(&mut self, backend: &Arc<BackendLive>) {
        self.backend = Some(Arc::clone(backend));
    }

    pub(crate) fn tries(&mut self, endpoint: SocketAddr) {
        self.endpoint = Some(endpoint);
    }

    pub(crate) fn retries(&mut self, _worker: &Worker) {
        self.retries += 1;
    }

    pub(crate) fn has_id(&mut self, id: HeaderValue) {
        self.id = Some(id);
    }

    pub(crate) fn has_body(&mut self, body: Option<&Rc<Source>>) {
        self.body = body.cloned();
    }

    /// The response for an answer of the gateway's own.
    pub(crate) fn own(&mut self, own: &Own, asker: &Asker) -> Response<Bytes> {
        reply::response(
            own,
            asker,
            self.listener
                .as_ref()
                .map(|one| one.proxy_status)
                .unwrap_or_default(),
            self.id.as_ref(),
        )
    }

    /// The head of the response is settled.
    pub(crate) fn answered(&mut self, status: StatusCode) -> Finished {
        if let Some(worker) = &self.worker {
            worker.metrics.request();
        }
        Finished { status, sent: 0 }
    }
}

/// A request whose response is on its way to the client.
pub(crate) struct Finished {
    status: StatusCode,
    sent: u64,
}

impl Finished {
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    pub(crate) fn broken(&mut self, _error: &BodyError) {}

    pub(crate) fn tunnelled(&mut self, _from_client: u64, from_backend: u64) {
        self.sent += from_backend;
    }
}
