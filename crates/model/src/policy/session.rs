//! Session persistence (gateway-api `SessionPersistence`, GEP-1619): requests of one session go to one
//! endpoint, before weights are looked at, and even if the weight has become 0.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::names::RouteKey;

/// How a rule recognizes its sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionPersistence {
    /// The cookie's or header's name; unique to the rule, so that rules never share sessions.
    pub name: String,
    /// What carries the session.
    pub carrier: Carrier,
    /// How long a session lasts at most.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::carried::duration_option"
    )]
    pub absolute_timeout: Option<Duration>,
}

/// What carries a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Carrier {
    /// A cookie, set by the gateway.
    Cookie {
        /// Whether it outlives the browser (`Max-Age`): only with an absolute timeout.
        permanent: bool,
    },
    /// A header of the response, which the client sends back.
    Header,
}

/// How sessions with a backend are recognized where its rules say nothing of sessions (XBackendTrafficPolicy).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendSession {
    /// What was given as a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What carries the session.
    pub carrier: Carrier,
    /// How long a session lasts at most.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::carried::duration_option"
    )]
    pub absolute_timeout: Option<Duration>,
}

impl BackendSession {
    /// The same for a rule (its place in its route). A cookie's name is made the rule's own, since rules that
    /// refer to one backend never share sessions (GEP-1619); a header that was named is what clients look for.
    pub fn of_rule(&self, route: &RouteKey, rule: usize) -> SessionPersistence {
        let own = own_name(route, rule);
        let name = match (&self.name, self.carrier) {
            (None, _) => own,
            (Some(name), Carrier::Header) => name.clone(),
            (Some(name), Carrier::Cookie { .. }) => format!("{name}-{:08x}", digest(route, rule)),
        };
        SessionPersistence {
            name,
            carrier: self.carrier,
            absolute_timeout: self.absolute_timeout,
        }
    }
}

/// A name for the sessions of a rule (its place in its route) that stays the same and is no other rule's.
pub fn own_name(route: &RouteKey, rule: usize) -> String {
    format!("daemun-session-{:08x}", digest(route, rule))
}

/// FNV-1a, 32 bits: the same in every version and on every machine, which is all that is asked of it.
fn digest(route: &RouteKey, rule: usize) -> u32 {
    format!("{route}/{rule}")
        .bytes()
        .fold(0x811c_9dc5, |hash: u32, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
}
