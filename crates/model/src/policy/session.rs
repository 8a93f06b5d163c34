//! Session persistence (gateway-api `SessionPersistence`, GEP-1619): requests of one session go to one
//! endpoint, before weights are looked at, and even if the weight has become 0.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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
