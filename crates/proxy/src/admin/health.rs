//! The health port: whether the process lives, whether it may get traffic, and its metrics.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use daemun_base::readiness::Readiness;
use daemun_base::tasks::Tasks;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use super::listen::{self, Address, StartError};
use super::page::{self, Page};

/// OpenMetrics, as the metrics are written.
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Scrapes at a time.
const SCRAPES: usize = 4;

const INDEX: &str = "\
This is the health port of Daemun.
/healthz          answers 200 as long as the process lives.
/readyz           answers 200 when the process may get traffic, else 503. /readyz?verbose says why.
/metrics          metrics, as OpenMetrics text.
";

/// Writes all metrics.
pub type WriteMetrics = dyn Fn(&mut dyn fmt::Write) -> fmt::Result + Send + Sync;

/// What the health port shows.
#[derive(Clone)]
pub struct Health {
    /// Whether the process may get traffic.
    pub readiness: Readiness,
    /// Writes the metrics, as OpenMetrics text. It runs on a thread of its own, and waits while the client
    /// reads: it must not hold a lock that requests need.
    pub metrics: Arc<WriteMetrics>,
}

impl Health {
    /// Listens, and tells where: port 0 gives any.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(self, address: SocketAddr, tasks: &Tasks) -> Result<SocketAddr, StartError> {
        let scrapes = Arc::new(Semaphore::new(SCRAPES));
        let answer = move |request: Request<Incoming>| {
            let response = self.answer(&request, &scrapes);
            async move { response }
        };
        listen::tcp(address, tasks, answer).await
    }

    fn answer(&self, request: &Request<Incoming>, scrapes: &Arc<Semaphore>) -> Response<Page> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return page::not_allowed("GET, HEAD");
        }
        match request.uri().path() {
            "/" => page::whole(StatusCode::OK, page::TEXT, INDEX),
            "/healthz" => page::say(StatusCode::OK, "alive"),
            "/readyz" => self.ready(request.uri().query()),
            "/metrics" => self.metrics(scrapes),
            _ => page::say(
                StatusCode::NOT_FOUND,
                "There is nothing here; / says what there is.",
            ),
        }
    }

    fn ready(&self, query: Option<&str>) -> Response<Page> {
        let (status, word) = if self.readiness.is_ready() {
            (StatusCode::OK, "ready")
        } else {
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "not ready; /readyz?verbose says why",
            )
        };
        let verbose = |query: &str| {
            query
                .split('&')
                .any(|part| part.split('=').next() == Some("verbose"))
        };
        if query.is_some_and(verbose) {
            let word = word.split(';').next().unwrap_or_default();
            let report = self.readiness.report();
            return page::whole(status, page::TEXT, format!("{report}{word}\n"));
        }
        page::say(status, word)
    }

    fn metrics(&self, scrapes: &Arc<Semaphore>) -> Response<Page> {
        let Ok(place) = Arc::clone(scrapes).try_acquire_owned() else {
            let sentence = format!("{SCRAPES} scrapes are going on already; try again later.");
            return page::say(StatusCode::SERVICE_UNAVAILABLE, sentence);
        };
        let metrics = Arc::clone(&self.metrics);
        page::pieces(METRICS, move |out| {
            let written =
                metrics(out).map_err(|_| io::Error::other("the metrics could not be written"));
            drop(place);
            written
        })
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}
