//! What a proxy makes of a resource that it cannot read and has no earlier one of: something that refuses.
//!
//! Leaving it out would let its requests fall to another route, perhaps one that protects nothing. So what can
//! be read of it says where it stands, and there it answers 500, or refuses connections. Of what stands nowhere,
//! nothing is made: a listener whose port cannot be read is not bound, and its refusal is told.

use std::sync::Arc;

use daemun_model::backend::{Backend, BackendProtocol, Connections};
use daemun_model::filter::Filter;
use daemun_model::hostname::HostPattern;
use daemun_model::listener::{Listener, ListenerProtocol};
use daemun_model::matching::RequestMatch;
use daemun_model::names::{BackendKey, Created, ListenerKey, RouteKey};
use daemun_model::policy::balance::Balance;
use daemun_model::policy::timeouts::Timeouts;
use daemun_model::route::{Attachment, HttpRoute, Rule};
use daemun_model::stream::StreamRoute;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::resource::{Name, Resource};

/// A resource in place of one that cannot be read.
pub(super) fn of(name: &Name, bytes: &[u8], why: &str) -> Option<Resource> {
    let why = || format!("this proxy cannot read its configuration: {why}");
    Some(match name.kind() {
        "listener" => Resource::Listener(Arc::new(listener(bytes, why())?)),
        "route" => Resource::Route(Arc::new(route(bytes, &why())?)),
        "stream" => Resource::Stream(Arc::new(stream(bytes)?)),
        "backend" => Resource::Backend(Arc::new(backend(bytes, why())?)),
        // Without these there is nothing to serve, or nothing to serve it with.
        _ => return None,
    })
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    rmp_serde::from_slice(bytes).ok()
}

/// Where a listener stands.
#[derive(Deserialize)]
struct ListenerOutline {
    key: ListenerKey,
    port: u16,
    bind: u16,
    hostname: HostPattern,
    protocol: ListenerProtocol,
}

fn listener(bytes: &[u8], why: String) -> Option<Listener> {
    let ListenerOutline {
        key,
        port,
        bind,
        hostname,
        protocol,
    } = read(bytes)?;
    Some(Listener {
        key,
        port,
        bind,
        hostname,
        protocol,
        forwarding: Default::default(),
        sources: None,
        limits: Default::default(),
        proxy_status: Default::default(),
        refused: Some(why),
    })
}

/// Where a route stands.
#[derive(Deserialize)]
struct RouteOutline {
    key: RouteKey,
    created: Created,
    attachments: Vec<Attachment>,
    #[serde(default)]
    rules: Vec<RuleOutline>,
}

/// Which requests a rule takes, if that can be read.
struct RuleOutline(Vec<RequestMatch>);

impl<'de> Deserialize<'de> for RuleOutline {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Whole {
            matches: Vec<MatchOutline>,
        }
        let Whole { matches } = Whole::deserialize(deserializer)?;
        Ok(Self(
            matches.into_iter().map(|MatchOutline(it)| it).collect(),
        ))
    }
}

/// A match; one that cannot be read takes every path of the route's hostnames, as the last of all.
struct MatchOutline(RequestMatch);

impl<'de> Deserialize<'de> for MatchOutline {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Known(RequestMatch),
            Unknown(IgnoredAny),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Known(known) => known,
            Either::Unknown(IgnoredAny) => RequestMatch::everything(),
        }))
    }
}

fn route(bytes: &[u8], why: &str) -> Option<HttpRoute> {
    let RouteOutline {
        key,
        created,
        attachments,
        rules,
    } = read(bytes)?;
    let rules = rules.into_iter().enumerate();
    let rules = rules.map(|(index, RuleOutline(matches))| Rule {
        index,
        name: None,
        matches,
        filters: vec![Filter::Invalid(why.to_owned())],
        backends: Vec::new(),
        timeouts: Timeouts::default(),
        retry: None,
        session: None,
    });
    Some(HttpRoute {
        key,
        created,
        attachments,
        rules: rules.collect(),
    })
}

/// Where a route below HTTP stands.
#[derive(Deserialize)]
struct StreamOutline {
    key: RouteKey,
    created: Created,
    attachments: Vec<Attachment>,
}

/// Without backends its connections are refused.
fn stream(bytes: &[u8]) -> Option<StreamRoute> {
    let StreamOutline {
        key,
        created,
        attachments,
    } = read(bytes)?;
    Some(StreamRoute {
        key,
        created,
        attachments,
        rule: None,
        backends: Vec::new(),
    })
}

/// Which backend it is.
#[derive(Deserialize)]
struct BackendOutline {
    key: BackendKey,
}

fn backend(bytes: &[u8], why: String) -> Option<Backend> {
    let BackendOutline { key } = read(bytes)?;
    Some(Backend {
        key,
        protocol: BackendProtocol::default(),
        tls: None,
        refused: Some(why),
        tls_refused: None,
        outside: false,
        endpoints: Vec::new(),
        balance: Balance::default(),
        connections: Connections::default(),
        retry_budget: None,
        session: None,
    })
}
