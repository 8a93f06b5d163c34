//! Making what a Gateway needs around it, and saying what became of it.

use std::collections::BTreeMap;

use daemun_model::names::ObjectName;

/// What became of what was made, by Gateway.
pub type Provisioned = BTreeMap<ObjectName, Place>;

/// What there is around one Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The addresses at which the Gateway can be reached, each an IP address or a DNS name.
    pub addresses: Vec<Address>,
    /// Why it cannot be reached, or not as asked, as a reason of the Gateway's `Programmed` condition and a sentence.
    pub trouble: Option<(&'static str, String)>,
    /// Pods of the workload that are ready, and how many are wanted.
    pub ready: (u32, u32),
}

/// An address of `Gateway.status.addresses`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// `IPAddress`.
    Ip(std::net::IpAddr),
    /// `Hostname`.
    Name(String),
}
