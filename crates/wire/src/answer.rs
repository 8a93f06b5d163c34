//! What proxies say about the configuration that they were given.

use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_model::persistent::Map;
use serde::{Deserialize, Serialize};

use crate::identity::Proxy;

/// What every connected proxy said last, by Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Those of each Gateway, in the order of their pods' names; the same `Arc` as long as they say the same.
    pub by_gateway: Map<ObjectName, Arc<Vec<ProxyState>>>,
}

impl Proxies {
    /// Those of one Gateway.
    pub fn of(&self, gateway: &ObjectName) -> &[ProxyState] {
        self.by_gateway
            .get(gateway)
            .map_or(&[], |all| all.as_slice())
    }
}

/// One connected proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyState {
    /// Which one.
    pub proxy: Proxy,
    /// The version of its program.
    pub version: String,
    /// Why it is not spoken with, as a clause, if it is of a version too far off.
    pub foreign: Option<String>,
    /// What it is doing.
    pub phase: Phase,
    /// The Gateway's generation that it serves; none before its first configuration.
    pub generation: Option<i64>,
    /// Whether that is the newest configuration that was published for it.
    pub current: bool,
    /// What it refused of the configuration, and why.
    pub refused: Vec<Refused>,
    /// Whether a connection has come to one of its listeners since it began; none if it has not told, or cannot.
    pub reached: Option<bool>,
}

/// What a proxy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It has no configuration yet, or a listener that is not bound.
    Starting,
    /// It serves.
    Ready,
    /// It was told to stop, and ends what it has begun.
    Draining,
    /// It is connected, and has not answered for longer than it may.
    Silent,
}

/// A part of the configuration that a proxy cannot serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The resource, as a person would name it: `listener infra/shop/https`.
    pub what: String,
    /// Why, as a sentence.
    pub why: String,
}
