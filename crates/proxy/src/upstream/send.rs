//! Sending a request to a backend: which endpoint, which connection, and what is tried again.
//!
//! What was not written goes elsewhere without asking. An idempotent request whose pooled connection
//! closed before a byte of the response is tried once more. All else is tried again only if the rule
//! has a `retry` stanza. Nothing is tried again whose body is not kept.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::http::replay::{Fault, Source};
use crate::live::{BackendLive, EndpointLive, InFlight};
use crate::observe::trip::Trip;
use crate::upstream::failure::Failure;
use crate::upstream::head::Head;
use crate::upstream::pool::{self, SendError};
use crate::upstream::received::Received;
use crate::upstream::retry::Tries;
use crate::worker::Worker;

/// How many endpoints are tried, without a retry policy, when connections do not come about.
const ENDPOINTS_WITHOUT_POLICY: usize = 3;

/// How often a request is sent again that the backend has not looked at.
const MOST_REFUSALS: u32 = 8;

/// A request to be sent, without its head and body.
pub(crate) struct Errand<'a> {
    pub(crate) worker: &'a Rc<Worker>,
    pub(crate) backend: &'a Arc<BackendLive>,
    pub(crate) retry: Option<&'a daemun_model::policy::retry::Retry>,
    /// The time for one try.
    pub(crate) try_limit: Option<Duration>,
    /// When all must be over.
    pub(crate) deadline: Option<Instant>,
    /// The endpoint that a session is bound to.
    pub(crate) bound_to: Option<usize>,
    /// The key of a consistent hash.
    pub(crate) hash_key: Option<u64>,
    /// The request asks to change the protocol.
    pub(crate) upgrades: bool,
}

/// A response's head, with what belongs to its body.
pub(crate) struct Sent {
    pub(crate) response: Response<Received>,
    pub(crate) endpoint: Arc<EndpointLive>,
    pub(crate) in_flight: InFlight,
    /// When the body must have ended.
    pub(crate) deadline: Option<Instant>,
}

/// Sends a request and waits for the head of its response. The head is the caller's, since what is moved into a
/// future is in it twice.
///
/// # Errors
/// What the last try failed with.
pub(crate) async fn send(
    errand: &Errand<'_>,
    head: &mut Head,
    body: Option<&Rc<Source>>,
    trip: &mut Trip,
) -> Result<Sent, Failure> {
    // Pinned once: a future that two branches own would be there twice.
    let mut sending = pin!(tries(errand, head, body, trip));
    match errand.deadline {
        None => sending.as_mut().await,
        Some(deadline) => tokio::time::timeout_at(deadline, sending)
            .await
            .unwrap_or(Err(Failure::TimedOut)),
    }
}

async fn tries(
    errand: &Errand<'_>,
    head: &mut Head,
    body: Option<&Rc<Source>>,
    trip: &mut Trip,
) -> Result<Sent, Failure> {
    let mut policy = errand.retry.map(Tries::new);
    let budget = errand.backend.budget.as_deref();
    if let Some(budget) = budget {
        budget.request();
    }
    let mut tried: SmallVec<[usize; 4]> = SmallVec::new();
    loop {
        let Some(index) = pick(errand, &tried) else {
            return Err(Failure::NoEndpoints);
        };
        let endpoint = &errand.backend.endpoints[index];
        trip.tries(endpoint.address);
        let outcome = one_try(errand, endpoint, head, body).await;
        let repeatable = body.is_none_or(|body| body.is_replayable());
        match outcome {
            Ok(sent) => {
                let Some(policy) = &mut policy else {
                    return Ok(sent);
                };
                if !repeatable || !policy.again_on_status(sent.response.status()) {
                    return Ok(sent);
                }
                drop(sent);
                if budget.is_some_and(|budget| !budget.once_more()) {
                    return Err(Failure::OverBudget);
                }
                trip.retries(&errand.worker.metrics);
                let pause = policy.pause(&mut errand.worker.random.borrow_mut());
                tokio::time::sleep(pause).await;
            }
            Err(failure) => {
                let failure = blame(failure, body.map(Rc::as_ref));
                tried.push(index);
                let again = match &mut policy {
                    Some(policy) => {
                        repeatable && head.is_kept() && policy.again_on_failure(&failure)
                    }
                    None => elsewhere(errand, &failure, tried.len()),
                };
                if !again {
                    let in_vain = policy.as_ref().is_some_and(Tries::were_used);
                    return Err(match in_vain {
                        true => failure.after_tries(),
                        false => failure,
                    });
                }
                if policy.is_some() && budget.is_some_and(|budget| !budget.once_more()) {
                    return Err(Failure::OverBudget);
                }
                trip.retries(&errand.worker.metrics);
                if let Some(policy) = &mut policy {
                    let pause = policy.pause(&mut errand.worker.random.borrow_mut());
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

/// Without a policy: only what was not sent goes to another endpoint.
fn elsewhere(errand: &Errand<'_>, failure: &Failure, tried: usize) -> bool {
    matches!(failure, Failure::Connect(_))
        && tried < errand.backend.endpoints.len().min(ENDPOINTS_WITHOUT_POLICY)
}

/// A connection that broke while the client's body was at fault is the client's fault.
fn blame(failure: Failure, body: Option<&Source>) -> Failure {
    match body.and_then(|body| body.failed.get()) {
        Some(Fault::TooLarge) => Failure::TooLarge,
        Some(Fault::Client) => Failure::ClientBody,
        None => failure,
    }
}

fn pick(errand: &Errand<'_>, tried: &[usize]) -> Option<usize> {
    let endpoints = &errand.backend.endpoints;
    if let (Some(bound), true) = (errand.bound_to, tried.is_empty()) {
        return Some(bound);
    }
    let random = &mut errand.worker.random.borrow_mut();
    let balancer = &errand.backend.balancer;
    let fresh = balancer.pick(endpoints, random, errand.hash_key, &|index| {
        tried.contains(&index)
    });
    // Where all were tried, one of them is tried again.
    fresh.or_else(|| balancer.pick(endpoints, random, errand.hash_key, &|_| false))
}

async fn one_try(
    errand: &Errand<'_>,
    endpoint: &Arc<EndpointLive>,
    head: &mut Head,
    body: Option<&Rc<Source>>,
) -> Result<Sent, Failure> {
    let in_flight = InFlight::new(&endpoint.in_flight);
    let limit = errand
        .try_limit
        .map(|limit| Instant::from_std(daemun_base::clock::now()) + limit);
    let mut sending = pin!(exchange(errand, endpoint, head, body));
    let response = match limit {
        None => sending.as_mut().await?,
        Some(limit) => tokio::time::timeout_at(limit, sending)
            .await
            .unwrap_or(Err(Failure::TryTimedOut))?,
    };
    let deadline = match (errand.deadline, limit) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    };
    Ok(Sent {
        response,
        endpoint: Arc::clone(endpoint),
        in_flight,
        deadline,
    })
}

/// One try on one endpoint; a pooled connection that turns out to be closed does not count as one.
async fn exchange(
    errand: &Errand<'_>,
    endpoint: &EndpointLive,
    head: &mut Head,
    body: Option<&Rc<Source>>,
) -> Result<Response<Received>, Failure> {
    let tls = errand.backend.tls.is_some();
    let leased = match errand.upgrades {
        true => pool::of_its_own(errand.worker, errand.backend, endpoint).await,
        false => pool::lease(errand.worker, errand.backend, endpoint).await,
    };
    let mut lease = leased.map_err(Failure::Connect)?;
    let mut refused = 0;
    loop {
        let reused = lease.reused;
        let SendError { broken, unsent } = match lease.send(errand.worker, head, body, tls).await {
            Ok(response) => return Ok(response),
            Err(failed) => failed,
        };
        let unwritten = unsent.is_some();
        if let Some(request) = unsent {
            head.put_back(*request);
        }
        if broken.is_unprocessed()
            && refused < MOST_REFUSALS
            && body.is_none_or(|body| body.is_replayable())
        {
            refused += 1;
            let leased = pool::lease(errand.worker, errand.backend, endpoint).await;
            lease = leased.map_err(Failure::Connect)?;
            continue;
        }
        let again = reused
            && (unwritten || (broken.before_an_answer() && head.repeat(body.map(Rc::as_ref))));
        if !again {
            return Err(Failure::Broken(broken));
        }
        lease = pool::fresh(errand.worker, errand.backend, endpoint)
            .await
            .map_err(Failure::Connect)?;
    }
}
