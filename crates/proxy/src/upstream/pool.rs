//! A worker's connections to endpoints: kept while idle, reused last-in first-out, bounded.
//!
//! Pools are the worker's own, so nothing here locks. A pool is found by the endpoint's id, which stays
//! the same as long as address, protocol and TLS settings do.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use http::{Request, Response};

use crate::http::replay::{RequestBody, Source};
use crate::live::{BackendLive, EndpointLive, Live};
use crate::upstream::connect::{self, Speak};
use crate::upstream::failure::{Broken, ConnectError};
use crate::upstream::head::Head;
use crate::upstream::kept::{Home, Idle, Made, Open, Pool};
use crate::upstream::received::Received;
use crate::worker::Worker;

/// All pools of a worker, by endpoint.
#[derive(Default)]
pub(crate) struct Pools(RefCell<HashMap<u64, Rc<Pool>, foldhash::fast::RandomState>>);

/// A connection that a request may use.
pub(crate) struct Lease {
    made: Made,
    /// Whether it has carried a request before: then the endpoint may have closed it meanwhile.
    pub(crate) reused: bool,
    pool: Rc<Pool>,
}

impl Pools {
    fn of(&self, endpoint: &EndpointLive, backend: &BackendLive) -> Rc<Pool> {
        let mut pools = self.0.borrow_mut();
        let pool = pools.entry(endpoint.id).or_default();
        pool.most_idle.set(backend.connections.idle_per_endpoint);
        pool.idle_seconds
            .set(u32::try_from(backend.connections.idle.as_secs()).unwrap_or(u32::MAX));
        Rc::clone(pool)
    }

    /// Lets go of endpoints that a configuration does not have. Requests under way on them end.
    pub(crate) fn retain(&self, live: &Live) {
        let mut pools = self.0.borrow_mut();
        if pools.is_empty() {
            return;
        }
        let used: HashSet<u64> = live
            .backends
            .iter()
            .flatten()
            .flat_map(|backend| &backend.endpoints)
            .map(|one| one.id)
            .collect();
        pools.retain(|id, pool| {
            let keep = used.contains(id);
            if !keep {
                pool.retire();
            }
            keep
        });
    }

    /// Closes connections that were idle for too long.
    pub(crate) fn sweep(&self, now: u32) {
        for pool in self.0.borrow().values() {
            let keep = pool.idle_seconds.get();
            pool.idle.borrow_mut().retain(|idle| {
                now.saturating_sub(idle.since) <= keep && idle.connection.is_usable()
            });
            pool.sweep_shared(now);
        }
    }

    /// Idle connections and open ones, of all endpoints.
    pub(crate) fn counts(&self) -> (usize, u32) {
        let pools = self.0.borrow();
        let idle = pools.values().map(|pool| pool.idle.borrow().len()).sum();
        (idle, pools.values().map(|pool| pool.open.get()).sum())
    }
}

/// A connection to an endpoint: a pooled one, or a new one.
///
/// # Errors
/// No connection came about in time, or there are as many as there may be.
pub(crate) async fn lease(
    worker: &Rc<Worker>,
    backend: &BackendLive,
    endpoint: &EndpointLive,
) -> Result<Lease, ConnectError> {
    let pool = worker.pools.of(endpoint, backend);
    if let Some(lease) = pooled(&pool, backend, worker.tick()) {
        return Ok(lease);
    }
    new(worker, backend, endpoint, &pool).await
}

/// A new connection, for a request that a pooled one has failed.
///
/// # Errors
/// As [`lease`].
pub(crate) async fn fresh(
    worker: &Rc<Worker>,
    backend: &BackendLive,
    endpoint: &EndpointLive,
) -> Result<Lease, ConnectError> {
    let pool = worker.pools.of(endpoint, backend);
    pool.shared
        .borrow_mut()
        .retain(|one| !one.sender.is_closed());
    new(worker, backend, endpoint, &pool).await
}

/// Makes a connection in time.
async fn new(
    worker: &Rc<Worker>,
    backend: &BackendLive,
    endpoint: &EndpointLive,
    pool: &Rc<Pool>,
) -> Result<Lease, ConnectError> {
    in_time(backend, make(worker, backend, endpoint, pool)).await
}

/// Gives making a connection the time that the backend allows. On the heap, since few requests need it and
/// all would carry it.
fn in_time<T>(
    backend: &BackendLive,
    making: impl Future<Output = Result<T, ConnectError>>,
) -> impl Future<Output = Result<T, ConnectError>> {
    // Boxed before anything is awaited: an async function would hold what it was given, boxed or not.
    let made = Box::pin(tokio::time::timeout(backend.connections.connect, making));
    async move { made.await.unwrap_or(Err(ConnectError::TimedOut)) }
}

/// A connection that is not shared and not kept: for a request that will change its protocol.
///
/// # Errors
/// As [`lease`].
pub(crate) async fn of_its_own(
    worker: &Rc<Worker>,
    backend: &BackendLive,
    endpoint: &EndpointLive,
) -> Result<Lease, ConnectError> {
    let pool = worker.pools.of(endpoint, backend);
    let making = connect::connect(
        worker,
        backend,
        endpoint,
        (Open::count(&pool), Speak::Http1),
    );
    let made = in_time(backend, making).await?;
    Ok(Lease {
        made,
        reused: false,
        pool,
    })
}

fn pooled(pool: &Rc<Pool>, backend: &BackendLive, now: u32) -> Option<Lease> {
    if let Some(stream) = pool.share(backend.connections.per_endpoint, now) {
        return Some(Lease {
            made: Made::Http2(stream),
            reused: true,
            pool: Rc::clone(pool),
        });
    }
    let mut idle = pool.idle.borrow_mut();
    while let Some(Idle {
        connection,
        since: _,
    }) = idle.pop()
    {
        if connection.is_usable() {
            let made = Made::Http1(connection);
            return Some(Lease {
                made,
                reused: true,
                pool: Rc::clone(pool),
            });
        }
    }
    None
}

async fn make(
    worker: &Rc<Worker>,
    backend: &BackendLive,
    endpoint: &EndpointLive,
    pool: &Rc<Pool>,
) -> Result<Lease, ConnectError> {
    loop {
        let could_share = backend.protocol == daemun_model::backend::BackendProtocol::Http2;
        let wait = pool.open.get() >= backend.connections.per_endpoint
            || (could_share && pool.connecting.get());
        if !wait {
            break;
        }
        worker.metrics.pool_waited();
        pool.freed.notified().await;
        if let Some(lease) = pooled(pool, backend, worker.tick()) {
            return Ok(lease);
        }
    }
    let connecting = Connecting::begin(pool);
    let open = Open::count(pool);
    let made = connect::connect(worker, backend, endpoint, (open, Speak::Any)).await?;
    if let Made::Http2(stream) = &made {
        let shared = Rc::clone(stream.connection());
        pool.shared.borrow_mut().push(shared);
    }
    drop(connecting);
    Ok(Lease {
        made,
        reused: false,
        pool: Rc::clone(pool),
    })
}

/// A connection is being made; whoever waits for it looks again when this is dropped.
struct Connecting(Rc<Pool>);

impl Connecting {
    fn begin(pool: &Rc<Pool>) -> Self {
        pool.connecting.set(true);
        Self(Rc::clone(pool))
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        self.0.connecting.set(false);
        self.0.freed.notify_waiters();
    }
}

/// A request that got no response's head.
pub(crate) struct SendError {
    pub(crate) broken: Broken,
    /// The request, if not a byte of it was written and the engine had taken it.
    pub(crate) unsent: Option<Box<Request<RequestBody>>>,
}

impl Lease {
    /// Sends a request and waits for the head of its response.
    ///
    /// # Errors
    /// Why there is none, with the request if it can be sent elsewhere as it is.
    pub(crate) async fn send(
        self,
        worker: &Worker,
        head: &mut Head,
        body: Option<&Rc<Source>>,
        tls: bool,
    ) -> Result<Response<Received>, SendError> {
        let connection = match self.made {
            Made::Http1(connection) => connection,
            // On the heap, since those of the other engine are large, and all requests would carry them.
            other => return Box::pin(send_by_engine(other, head, body, tls)).await,
        };
        let home = Home::new(&self.pool, &worker.ticks);
        let body = body.map_or(RequestBody::Empty, Source::body);
        let exchanged = connection.exchange(&head.plain(), body, home).await;
        exchanged
            .map(|response| response.map(Received::Http1))
            .map_err(|broken| SendError {
                broken,
                unsent: None,
            })
    }
}

async fn send_by_engine(
    made: Made,
    head: &mut Head,
    body: Option<&Rc<Source>>,
    tls: bool,
) -> Result<Response<Received>, SendError> {
    let (sent, stream) = match made {
        Made::Upgradable(mut sender) => {
            let request = head.request(body, false, tls);
            (sender.try_send_request(request).await, None)
        }
        Made::Http2(stream) => {
            let request = head.request(body, true, tls);
            let mut sender = stream.connection().sender.clone();
            (sender.try_send_request(request).await, Some(stream))
        }
        Made::Http1(_) => {
            let broken = Broken::Malformed("it is not the engine's to send");
            return Err(SendError {
                broken,
                unsent: None,
            });
        }
    };
    sent.map(|response| {
        response.map(|body| Received::Engine {
            body,
            _stream: stream,
        })
    })
    .map_err(|mut failed| SendError {
        unsent: failed.take_message().map(Box::new),
        broken: Broken::Engine(failed.into_error()),
    })
}
