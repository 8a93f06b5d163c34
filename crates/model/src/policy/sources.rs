//! From where clients may come.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The addresses that clients of a listener may have; all others are refused when they connect, and their datagrams
/// dropped. A client's address is that of the PROXY protocol header that is believed, else that of the peer; what
/// requests say of it (`X-Forwarded-For`) does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRanges {
    /// The ranges. None: nobody may come.
    #[serde(with = "crate::carried::texts")]
    pub allowed: Vec<IpNet>,
}

impl SourceRanges {
    /// Whether a client may have this address.
    pub fn allow(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        self.allowed.iter().any(|range| range.contains(&client))
    }
}
