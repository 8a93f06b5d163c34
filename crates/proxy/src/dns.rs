//! Addresses of endpoints that are written as DNS names: resolved again at their TTL.
//!
//! All names go through one resolver of our own (a static binary has no name service switch, and
//! `getaddrinfo` tells no TTL). It reads `/etc/resolv.conf` and `/etc/hosts`. A name that cannot be
//! resolved any more keeps the addresses that it had.
//!
//! Names of the world outside (`Backend::outside`) are asked for as fully qualified ones, with a dot at their end, so
//! that no search list turns `api.team` into a Service of the cluster; and what they resolve to counts only if it leads
//! out of this host, so that nobody's name server makes them this host's own ports or its cloud's metadata.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::tasks::Tasks;
use daemun_model::Configuration;
use daemun_model::address::leads_out;
use daemun_model::backend::{Backend, EndpointHost};
use hickory_resolver::TokioResolver;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::compile::Resolved;

/// What is said of a name without an address.
const NONE: &str = "there is no address for it";
/// How soon a name is tried again that could not be resolved.
const AGAIN_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The names of a configuration, kept up to date.
pub(crate) struct Names {
    tasks: Tasks,
    wanted: HashMap<String, AbortHandle>,
    resolved: Resolved,
    answers: mpsc::UnboundedReceiver<Answer>,
    sender: mpsc::UnboundedSender<Answer>,
    min_ttl: Duration,
    resolver: Option<Result<TokioResolver, String>>,
}

struct Answer {
    name: String,
    addresses: Option<Arc<[IpAddr]>>,
}

impl Names {
    /// No names yet.
    pub(crate) fn new(min_ttl: Duration) -> Self {
        let (sender, answers) = mpsc::unbounded_channel();
        let (tasks, wanted, resolved) = Default::default();
        Self {
            tasks,
            wanted,
            resolved,
            answers,
            sender,
            min_ttl,
            resolver: None,
        }
    }

    /// What is known.
    pub(crate) fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// Begins to resolve the names that a configuration has, and forgets those that it has not. Gives
    /// the names that are new.
    pub(crate) fn want(&mut self, configuration: &Configuration) -> Vec<String> {
        let names = names_of(configuration);
        self.wanted.retain(|name, task| {
            let keep = names.contains_key(name);
            if !keep {
                task.abort();
            }
            keep
        });
        self.resolved.retain(|name, _| names.contains_key(name));
        let mut new = Vec::new();
        for name in names.into_keys() {
            if let Entry::Vacant(entry) = self.wanted.entry(name.clone()) {
                let resolver = self.resolver.get_or_insert_with(resolver).clone();
                let resolving = resolve(name.clone(), resolver, self.min_ttl, self.sender.clone());
                entry.insert(self.tasks.spawn(resolving));
                new.push(name);
            }
        }
        new
    }

    /// Waits until each of these names was answered, or has failed, once; at most this long.
    pub(crate) async fn settle(&mut self, mut names: Vec<String>, longest: Duration) {
        let all = async {
            while !names.is_empty() {
                let Some(answer) = self.answers.recv().await else {
                    return;
                };
                names.retain(|name| *name != answer.name);
                note(&mut self.resolved, answer);
            }
        };
        // What is late comes through `changed`.
        let _ = tokio::time::timeout(longest, all).await;
    }

    /// Waits until a name has other addresses than before. Cancel-safe.
    pub(crate) async fn changed(&mut self) {
        while let Some(answer) = self.answers.recv().await {
            if self.wanted.contains_key(&answer.name) && note(&mut self.resolved, answer) {
                return;
            }
        }
    }
}

fn note(resolved: &mut Resolved, answer: Answer) -> bool {
    let Answer {
        name,
        addresses: Some(addresses),
    } = answer
    else {
        return false;
    };
    if resolved.get(&name).is_some_and(|known| *known == addresses) {
        return false;
    }
    resolved.insert(name, addresses);
    true
}

fn names_of(configuration: &Configuration) -> HashMap<String, ()> {
    let snapshots = configuration.gateways.values();
    let backends = snapshots.flat_map(|snapshot| snapshot.backends.values());
    let names = backends.flat_map(|backend| {
        let endpoints = backend.endpoints.iter();
        endpoints.filter_map(|endpoint| match &endpoint.host {
            EndpointHost::Name(name) => Some((asked(backend, name).into_owned(), ())),
            EndpointHost::Address(_) => None,
        })
    });
    names.collect()
}

/// What is asked for to find the addresses of a backend's name.
pub(crate) fn asked<'n>(backend: &Backend, name: &'n str) -> Cow<'n, str> {
    match backend.outside {
        true => Cow::Owned(format!("{name}.")),
        false => Cow::Borrowed(name),
    }
}

/// Of the addresses of a name those that may be endpoints' addresses.
fn allowed(name: &str, addresses: Arc<[IpAddr]>) -> Arc<[IpAddr]> {
    if !name.ends_with('.') || addresses.iter().all(|address| leads_out(*address)) {
        return addresses;
    }
    let allowed = addresses.iter().copied();
    allowed.filter(|address| leads_out(*address)).collect()
}

/// Finds the addresses of names that are no endpoints.
#[derive(Clone)]
pub struct Resolver(Result<TokioResolver, String>);

impl Default for Resolver {
    fn default() -> Self {
        Self(resolver())
    }
}

impl Resolver {
    /// The addresses of a name, in order; they may be as old as their TTL.
    ///
    /// # Errors
    /// A sentence: there is none, or nobody says.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let (addresses, _) = lookup(name, &self.0).await?;
        Ok(addresses.to_vec())
    }

    /// The same, and none if it is answered that there is none.
    ///
    /// # Errors
    /// A sentence: nobody says.
    pub async fn addresses_if_any(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        match self.addresses(name).await {
            Err(why) if why == NONE => Ok(Vec::new()),
            answer => answer,
        }
    }
}

fn resolver() -> Result<TokioResolver, String> {
    let builder = TokioResolver::builder_tokio().map_err(|error| error.to_string())?;
    builder.build().map_err(|error| error.to_string())
}

async fn resolve(
    name: String,
    resolver: Result<TokioResolver, String>,
    min_ttl: Duration,
    answers: mpsc::UnboundedSender<Answer>,
) {
    let (mut failing, mut known, mut inward) = (false, false, false);
    loop {
        let (addresses, wait) = match lookup(&name, &resolver).await {
            Ok((addresses, ttl)) => {
                if failing {
                    tracing::info!("The name {name} of an endpoint can be resolved now.");
                }
                (failing, known) = (false, true);
                let allowed = allowed(&name, Arc::clone(&addresses));
                if !inward && allowed.len() < addresses.len() {
                    tracing::warn!(
                        "The name {name} of an endpoint resolves to {addresses:?}, of which loopback, link-local and multicast addresses are not used: they do not lead out of this host."
                    );
                }
                inward = allowed.len() < addresses.len();
                (Some(allowed), ttl.max(min_ttl))
            }
            Err(reason) => {
                if !failing {
                    let consequence = if known {
                        "Its last addresses stay in use"
                    } else {
                        "It has no endpoint until it can; it is asked for again and again"
                    };
                    tracing::warn!(
                        "The name {name} of an endpoint cannot be resolved: {reason}. {consequence}."
                    );
                }
                failing = true;
                (None, AGAIN_AFTER_FAILURE)
            }
        };
        if answers
            .send(Answer {
                name: name.clone(),
                addresses,
            })
            .is_err()
        {
            return;
        }
        tokio::time::sleep(wait).await;
    }
}

async fn lookup(
    name: &str,
    resolver: &Result<TokioResolver, String>,
) -> Result<(Arc<[IpAddr]>, Duration), String> {
    let resolver = resolver.as_ref().map_err(Clone::clone)?;
    let found =
        resolver
            .lookup_ip(name)
            .await
            .map_err(|error| match error.is_no_records_found() {
                true => NONE.to_owned(),
                false => error.to_string(),
            })?;
    let mut addresses: Vec<IpAddr> = found.iter().collect();
    addresses.sort_unstable();
    addresses.dedup();
    let ttl = found
        .valid_until()
        .saturating_duration_since(daemun_base::clock::now());
    Ok((addresses.into(), ttl))
}

#[cfg(test)]
mod tests;
