//! Which of a rule's backends a request goes to, and, for sessions and consistent hashing, to which of
//! its endpoints.

use std::borrow::Cow;
use std::sync::Arc;

use daemun_model::policy::balance::{Balance, HashKey};
use daemun_model::policy::session::SessionPersistence;
use http::HeaderMap;
use http::request::Parts;

use super::filters::{After, Way};
use super::reply::Own;
use super::session;
use crate::balance::hash;
use crate::live::{BackendLive, BackendShare, EndpointLive, FilterLive, Target};

/// A backend, and what is settled about the endpoint.
pub(crate) struct Choice<'a> {
    pub(crate) backend: Arc<BackendLive>,
    /// The filters of this backend's share.
    pub(crate) filters: &'a [FilterLive],
    /// The endpoint that the request's session is bound to.
    pub(crate) bound_to: Option<usize>,
    pub(crate) hash_key: Option<u64>,
}

/// Chooses: a session's own backend first, whatever the weights say, else by weight.
///
/// # Errors
/// The choice fell on a backend that cannot get requests.
pub(crate) fn backend<'a>(
    way: &Way<'a>,
    parts: &Parts,
    after: &mut After,
) -> Result<Choice<'a>, Own> {
    if let Some((index, backend, endpoint)) = bound(way, parts) {
        after.share(index);
        let filters = &*way.rule.backends[index].filters;
        return Ok(Choice {
            backend,
            filters,
            bound_to: Some(endpoint),
            hash_key: None,
        });
    }
    let Some(index) = way
        .rule
        .weights
        .pick(&mut way.connection.worker.random.borrow_mut())
    else {
        return Err(Own::NoBackend);
    };
    after.share(index);
    let share = &way.rule.backends[index];
    let backend = resolve(way, share)?;
    let hash_key = hash_key(&backend.balance, way, &parts.headers);
    Ok(Choice {
        backend,
        filters: &share.filters,
        bound_to: None,
        hash_key,
    })
}

fn resolve(way: &Way<'_>, share: &BackendShare) -> Result<Arc<BackendLive>, Own> {
    let id = match &share.target {
        Target::Backend(id) => *id,
        Target::Invalid { written, reason } => {
            return Err(Own::InvalidBackend {
                written: written.clone(),
                reason: reason.clone(),
            });
        }
    };
    let Some(backend) = way.live.backend(id) else {
        return Err(Own::InvalidBackend {
            written: String::new(),
            reason: "it is not part of the configuration".to_owned(),
        });
    };
    match backend.closed() {
        None => Ok(Arc::clone(backend)),
        Some(reason) => Err(Own::InvalidBackend {
            written: backend.key.to_string(),
            reason: reason.clone(),
        }),
    }
}

/// The endpoint that a request's session is bound to, if it is still there.
fn bound(way: &Way<'_>, parts: &Parts) -> Option<(usize, Arc<BackendLive>, usize)> {
    let now = daemun_base::clock::unix_seconds();
    let of_rule = way.rule.meant().session.as_deref();
    let identity = match of_rule {
        Some(settings) => Some(session::find(settings, &parts.headers, now)?),
        None if way.live.has_sessions => None,
        None => return None,
    };
    way.rule
        .backends
        .iter()
        .enumerate()
        .find_map(|(index, share)| {
            let Target::Backend(id) = &share.target else {
                return None;
            };
            let backend = way
                .live
                .backend(*id)
                .filter(|backend| backend.closed().is_none())?;
            let identity = match identity {
                Some(identity) => identity,
                None => {
                    let settings = of_backend(way, backend)?;
                    session::find(&settings, &parts.headers, now)?
                }
            };
            let endpoint = backend
                .endpoints
                .iter()
                .position(|endpoint| session_identity(backend, endpoint) == identity)?;
            Some((index, Arc::clone(backend), endpoint))
        })
}

/// How sessions of this rule with a backend are recognized, if the backend's policy asks for them and the rule
/// does not.
fn of_backend(way: &Way<'_>, backend: &BackendLive) -> Option<SessionPersistence> {
    let settings = backend.session.as_ref()?;
    let rule = way.rule.meant();
    Some(settings.of_rule(way.rule.route(), rule.index))
}

/// How sessions of a request are recognized: as its rule says, or else its backend's policy.
pub(crate) fn session_settings<'a>(
    way: &Way<'a>,
    backend: &BackendLive,
) -> Option<Cow<'a, SessionPersistence>> {
    match way.rule.meant().session.as_deref() {
        Some(settings) => Some(Cow::Borrowed(settings)),
        None => of_backend(way, backend).map(Cow::Owned),
    }
}

/// What a session remembers: the endpoint in its backend. Says nothing about addresses.
pub(crate) fn session_identity(backend: &BackendLive, endpoint: &EndpointLive) -> u64 {
    hash(format!("{} {:016x}", backend.key, endpoint.identity).as_bytes())
}

fn hash_key(balance: &Balance, way: &Way<'_>, headers: &HeaderMap) -> Option<u64> {
    let Balance::ConsistentHash(key) = balance else {
        return None;
    };
    match key {
        HashKey::Header(name) => headers.get(name).map(|value| hash(value.as_bytes())),
        HashKey::Cookie(name) => session::cookie(headers, name).map(|value| hash(value.as_bytes())),
        HashKey::SourceAddress => Some(match way.client.address {
            std::net::IpAddr::V4(address) => hash(&address.octets()),
            std::net::IpAddr::V6(address) => hash(&address.octets()),
        }),
    }
}
